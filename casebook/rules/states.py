"""What may be done to a form in which state, and by whom: reviewed, frozen, signed, locked are axes of their own. Pure.

The table below is the specification; the services, the buttons of the pages and the tests read it.

References
----------
ICH E6(R3) 4.2.6 (data finalised before analysis), 3.16.1(p),(r) (edit access); 21 CFR 11.10(d).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from accounts.policies import roles_with

Action = Literal["review", "freeze", "unfreeze", "sign", "lock", "ask-unlock", "approve-unlock"]
Data = Literal["empty", "in-progress", "complete"]
Signing = Literal["", "SIGNED", "AGAIN"]
Window = Literal["", "open", "over"]
Asked = Literal["", "self", "other"]

PERMISSIONS: Final[Mapping[Action, str]] = {
    "review": "review.entry",
    "freeze": "freeze.entry",
    "unfreeze": "freeze.entry",
    "sign": "sign.entry",
    "lock": "lock.entry",
    "ask-unlock": "unlock.ask",
    "approve-unlock": "unlock.approve",
}
LABELS: Final[Mapping[Action, str]] = {
    "review": "Mark as reviewed",
    "freeze": "Freeze",
    "unfreeze": "Unfreeze",
    "sign": "Sign",
    "lock": "Lock",
    "ask-unlock": "Ask to unlock",
    "approve-unlock": "Approve unlocking",
}


@dataclass(frozen=True)
class FormState:
    """One form on all its axes.

    Attributes
    ----------
    data
        How far it is entered; a form that was not done is complete.
    struck_out
        Whether the row no longer counts.
    queries
        Number of queries that are not closed.
    signing
        Not signed, signed and unchanged since, or to be signed again.
    frozen, locked
        No entry; no entry, no query, no verification.
    window
        Whether it was unlocked: open for changes, or the time for them is over.
    asked
        Whether unlocking was asked for, by whoever acts or by somebody else.
    objections
        What rooms above have against locking, as sentences.
    """

    data: Data = "complete"
    struck_out: bool = False
    queries: int = 0
    signing: Signing = ""
    frozen: bool = False
    locked: bool = False
    window: Window = ""
    asked: Asked = ""
    objections: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to enter."""
        return self.data == "complete" or self.struck_out


@dataclass(frozen=True)
class Refusal:
    """Why something is not done; `by` tells whether the role or the state of the form forbids it."""

    by: Literal["role", "state"]
    sentence: str


Rule = tuple[Callable[[FormState], bool], str]
"""What must not be the case, and the sentence that says so."""

_LOCKED: Final[Rule] = (lambda form: form.locked, "The form is locked.")
_NOT_FINISHED: Final[Rule] = (lambda form: not form.finished, "The form is not complete.")

TABLE: Final[Mapping[Action, tuple[Rule, ...]]] = {
    "review": (_LOCKED, _NOT_FINISHED),
    "freeze": (
        _LOCKED,
        (lambda form: form.frozen, "The form is frozen already."),
        _NOT_FINISHED,
    ),
    "unfreeze": (
        _LOCKED,
        (lambda form: not form.frozen, "The form is not frozen."),
    ),
    "sign": (
        (lambda form: form.signing == "SIGNED", "The form is signed, and nothing has changed since."),
        _LOCKED,
        _NOT_FINISHED,
    ),
    "lock": (
        (lambda form: form.locked, "The form is locked already."),
        _NOT_FINISHED,
        (lambda form: form.queries > 0, "A query is not closed."),
        (lambda form: form.signing == "", "The form is not signed."),
        (lambda form: form.signing == "AGAIN", "The form has to be signed again."),
    ),
    "ask-unlock": (
        (lambda form: form.window == "open", "The form is unlocked already."),
        (lambda form: not form.locked and form.window != "over", "The form is not locked."),
        (lambda form: form.asked != "", "Unlocking has been asked for and waits for an answer."),
    ),
    "approve-unlock": (
        (lambda form: form.asked == "", "Nobody has asked to unlock the form."),
        (
            lambda form: form.asked == "self",
            "Whoever asks to unlock does not approve it: a second person does.",
        ),
    ),
}


def refusal(action: Action, form: FormState, roles: Collection[str]) -> Refusal | None:
    """Why somebody with these roles may not do this to a form in this state; None where they may."""
    if roles_with(PERMISSIONS[action]).isdisjoint(roles):
        return Refusal("role", "Your role does not allow this.")
    for broken, sentence in TABLE[action]:
        if broken(form):
            return Refusal("state", sentence)
    if action == "lock" and form.objections:
        return Refusal("state", " ".join(form.objections))
    return None


def in_effect(action: Action, form: FormState) -> bool:
    """Whether a form stays as it is when the action is done to its visit: it is so already, or is closed to it."""
    return {
        "review": form.locked,
        "freeze": form.frozen or form.locked,
        "unfreeze": not form.frozen or form.locked,
        "sign": form.signing == "SIGNED",
        "lock": form.locked,
        "ask-unlock": not form.locked and form.window != "over",
    }.get(action, False)
