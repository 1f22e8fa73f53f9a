"""What the room above knows and this one asks for: the trials and their sites, where a role can be granted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

type_places = Callable[[], Iterable[tuple[str, str]]]

_places: list[type_places] = []


def register_places(places: type_places) -> None:
    """Say where roles can be granted.

    Parameters
    ----------
    places
        Gives pairs of a trial's and a site's code; an empty site stands for all sites of the trial.
    """
    _places[:] = [places]


def known_places() -> list[tuple[str, str]]:
    """Every trial and site where a role can be granted, sorted; empty while no room has trials."""
    return sorted(set(_places[0]())) if _places else []
