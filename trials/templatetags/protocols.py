"""Words about parts of a protocol."""

from __future__ import annotations

from django import template

from trials.schema import Annotation, Protocol

register = template.Library()


@register.simple_tag
def source_of(protocol: Protocol, part: Annotation) -> str:
    """Return where a part comes from: the protocol's own numbering and the title of the source."""
    title = protocol.source_title(part.source) if part.source else ""
    return " · ".join(each for each in (part.ref, title) if each)
