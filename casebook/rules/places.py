"""What may be done to a site or a whole study, and by whom; and what stands between a casebook and its lock. Pure.

The table below is the specification; the services, the buttons of the pages and the tests read it. Locking goes from
below (form, visit, casebook, site, study), unlocking from above: a study is opened before one of its sites, a site
before one of its casebooks, so that nothing is ever open inside something that says it is locked.

References
----------
ICH E6(R3) 4.2.6 (data finalised before analysis), 3.16.1(p),(r).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from accounts.policies import roles_with
from casebook.rules.states import Asked, FormState, Refusal

PlaceAction = Literal["lock-ready", "lock", "ask-unlock", "approve-unlock"]
Standing = Literal["", "locked", "open", "over"]
"""Never locked; locked; opened by two persons; opened, and the time is over (it takes no write then either)."""
Level = Literal["site", "study"]

PERMISSIONS: Final[Mapping[PlaceAction, str]] = {
    "lock-ready": "lock.entry",
    "lock": "lock.entry",
    "ask-unlock": "unlock.ask",
    "approve-unlock": "unlock.approve",
}
CLOSED: Final = frozenset({"locked", "over"})


@dataclass(frozen=True)
class PlaceState:
    """A site or a study with what decides about its lock.

    Attributes
    ----------
    standing, above
        Of the place itself, and of the study where the place is a site.
    left
        What is not locked in it: casebooks of a site, sites of a study.
    ready
        Casebooks that could be locked now.
    empty
        Whether a study has no site.
    asked
        Whether unlocking was asked for, by whoever acts or by somebody else.
    """

    level: Level = "site"
    standing: Standing = ""
    above: Standing = ""
    left: int = 0
    ready: int = 0
    empty: bool = False
    asked: Asked = ""

    @property
    def closed(self) -> bool:
        """Whether it takes no write."""
        return self.standing in CLOSED


def place_refusal(action: PlaceAction, place: PlaceState, roles: Collection[str]) -> Refusal | None:
    """Why somebody with these roles may not do this to a site or a study in this state; None where they may."""
    if roles_with(PERMISSIONS[action]).isdisjoint(roles):
        return Refusal("role", "Your role does not allow this.")
    sentence = _SENTENCES[action](place)
    return Refusal("state", sentence) if sentence else None


def _against_lock_ready(place: PlaceState) -> str:
    if place.level == "study":
        return "Casebooks are locked site by site."
    if place.closed or place.above in CLOSED:
        return f"The {'site' if place.closed else 'study'} is locked already."
    return "" if place.ready else "No casebook is ready to be locked."


def _against_lock(place: PlaceState) -> str:
    if place.standing == "locked":
        return f"The {place.level} is locked already."
    if place.above in CLOSED:
        return "The study is locked; it is unlocked before one of its sites."
    if place.asked:
        return "Unlocking has been asked for and waits for an answer."
    if place.empty:
        return "The study has no site."
    if place.left and place.level == "site":
        return f"{_counted(place.left, 'casebook')} not locked."
    return f"{_counted(place.left, 'site')} not locked." if place.left else ""


def _against_asking(place: PlaceState) -> str:
    if not place.closed:
        state = "unlocked already" if place.standing == "open" else "not locked"
        return f"The {place.level} is {state}."
    if place.above in CLOSED:
        return "The study is locked; it is unlocked before one of its sites."
    return "Unlocking has been asked for and waits for an answer." if place.asked else ""


def _against_approving(place: PlaceState) -> str:
    if place.asked == "":
        return f"Nobody has asked to unlock the {place.level}."
    if place.asked == "self":
        return "Whoever asks to unlock does not approve it: a second person does."
    if place.above in CLOSED:
        return "The study is locked; it is unlocked before one of its sites."
    return ""


_SENTENCES = {
    "lock-ready": _against_lock_ready,
    "lock": _against_lock,
    "ask-unlock": _against_asking,
    "approve-unlock": _against_approving,
}


def _counted(number: int, word: str) -> str:
    return f"1 {word} is" if number == 1 else f"{number} {word}s are"


# What stands between a casebook and its lock -------------------------------------------------------------------------

NAMED = 3


def in_the_way(
    forms: Sequence[tuple[str, FormState]], missing: Sequence[str], objections: Sequence[str]
) -> tuple[str, ...]:
    """Everything that stands between a casebook and its lock, as sentences to be worked off; none where it is ready.

    Parameters
    ----------
    forms
        Name and state of each form; its signing is that of the casebook, which the principal investigator signs.
    missing
        Names of forms that are due and were never opened.
    objections
        What rooms above have against it.
    """
    if not forms and not missing:
        return ("Nothing was entered here, and the subject did not fail screening.", *objections)
    open_forms = [(name, state) for name, state in forms if not state.locked]
    unfinished = [name for name, state in open_forms if not state.finished]
    asked = sum(state.queries for _, state in open_forms)
    unsigned = [name for name, state in open_forms if state.signing == ""]
    again = [name for name, state in open_forms if state.signing == "AGAIN"]
    found = (
        (unfinished, f"Not complete: {_named(unfinished)}."),
        (missing, f"Due and never opened: {_named(missing)}."),
        (asked, f"{asked} {'query is' if asked == 1 else 'queries are'} not closed."),
        (again, f"The principal investigator has to sign the casebook again: {_named(again)}."),
        (unsigned and not again, _unsigned(unsigned, len(forms))),
    )
    return (*(sentence for there, sentence in found if there), *objections)


def _unsigned(names: Sequence[str], forms: int) -> str:
    """The signature on the casebook is missing, or does not cover forms that came after it."""
    if len(names) == forms:
        return "The principal investigator has not signed the casebook."
    return f"The principal investigator's signature does not cover: {_named(names)}."


def _named(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
