"""An amendment as a pack: only what it changes, laid over the version that it extends.

`protocol.yaml` of such a pack says `extends:` (the folder of the version before) and, under `retire:`, what that
version has and this one has no more. A part with the code of an earlier one takes its place, as a whole: a
form, a visit, a criterion; every other part is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

EXTENDS, RETIRE = "extends", "retire"
DEEPEST = 20
NAMED_BY: Mapping[str, str] = {
    "forms": "form",
    "visits": "code",
    "arms": "code",
    "sub_studies": "code",
    "criteria": "id",
    "timing": "id",
    "endpoints": "PARAMCD",
    "anchors": "name",
    "codelists": "name",
    "facts": "name",
    "sets": "name",
    "settings": "name",
    "logs": "",
}
"""Lists whose parts have a code, and the key that holds it; an entry of `logs` is its own."""
MERGED = frozenset({"sources"})
"""Mappings of which a layer adds or replaces single keys."""


@dataclass(frozen=True)
class Retired:
    """One part that an amendment has no more, and where the pack says so."""

    key: str
    name: str
    file: str
    line: int


@dataclass
class Layer:
    """A folder with what it takes away from those below."""

    folder: Path
    retired: list[Retired] = field(default_factory=list)


def base_of(root: MappingNode | None) -> tuple[str, int] | None:
    """The folder that a pack extends, as written, and the line; None for a pack that stands by itself."""
    node = _value(root, EXTENDS)
    return (str(node.value), node.start_mark.line + 1) if isinstance(node, ScalarNode) else None


def retired_by(root: MappingNode | None, file: str) -> list[Retired]:
    """What a pack takes away from the one that it extends."""
    node = _value(root, RETIRE)
    return [
        Retired(str(key.value), str(each.value), file, each.start_mark.line + 1)
        for key, value in (node.value if isinstance(node, MappingNode) else ())
        for each in (value.value if isinstance(value, SequenceNode) else ())
    ]


def name_of(key: str, node: Node) -> str:
    """The code of a part of a list; empty where it has none."""
    named_by = NAMED_BY.get(key)
    if named_by == "" and isinstance(node, ScalarNode):
        return str(node.value)
    value = _value(node, named_by) if named_by else None
    return str(value.value) if isinstance(value, ScalarNode) else ""


def _value(node: Node | None, key: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for name, value in pairs if getattr(name, "value", None) == key), None)
