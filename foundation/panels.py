"""Panels: a page of a lower room shows what a higher room offers, and knows only its address.

The higher room registers in its `apps.py`; the page asks `panels_for` and lets the browser fetch each address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Visitor(Protocol):
    """Whoever looks at the page; `accounts.access.Access` is one."""

    def may(self, permission: str, trial: str, site: str | None = None) -> bool: ...


class Coded(Protocol):
    """A trial or a site."""

    @property
    def code(self) -> str: ...


class Placed(Protocol):
    """The object of a page: it belongs to a trial and a site, as a subject does."""

    @property
    def trial(self) -> Coded: ...

    @property
    def site(self) -> Coded: ...


@dataclass(frozen=True)
class Panel:
    """One panel as its room registered it."""

    place: str
    order: int
    title: str
    url: Callable[[Any], str | None]
    permission: str


@dataclass(frozen=True)
class ShownPanel:
    """One panel as a page shows it."""

    title: str
    url: str


_panels: dict[str, list[Panel]] = defaultdict(list)


def register(
    place: str, *, order: int, title: str, url: Callable[[Any], str | None], permission: str
) -> None:
    """Offer a panel at a place.

    Parameters
    ----------
    place
        Name of the page, such as `subject`.
    order
        Position; small numbers come first.
    url
        Address of the panel for the page's object, or None where the panel does not apply to it.
    permission
        What the visitor must be allowed to do in the object's trial and site.
    """
    panel = Panel(place, order, title, url, permission)
    if any(known.title == title for known in _panels[place]):
        raise ValueError(f"A panel called {title!r} is already registered at {place!r}.")
    _panels[place].append(panel)


def panels_for(place: str, obj: Placed, access: Visitor) -> Sequence[ShownPanel]:
    """The panels that this visitor sees at a place, in order; the object says its trial and site."""
    shown = []
    for panel in sorted(_panels[place], key=lambda each: (each.order, each.title)):
        if not access.may(panel.permission, obj.trial.code, obj.site.code):
            continue
        url = panel.url(obj)
        if url is not None:
            shown.append(ShownPanel(panel.title, url))
    return shown
