"""The gate before randomisation, which another room keeps.

Every criterion is evaluated again at the moment of randomisation. Eligibility stands beside this room and neither
imports the other, so it hands its check in here, in its `apps.py`. Without a gate nobody is randomised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from patients.models import Subject


@dataclass(frozen=True)
class GateAnswer:
    """Whether a subject may be randomised now.

    Attributes
    ----------
    open
        All criteria of the sub-study hold on this day, and the signed decision still stands.
    because
        One sentence; why not, where it is closed.
    reference
        Which evaluation and signature the answer rests on, kept with the allocation.
    """

    open: bool
    because: str
    reference: str = ""


Gate = Callable[[Subject, date], GateAnswer]

NO_GATE = GateAnswer(False, "eligibility cannot be checked again in this installation.")

_gates: list[Gate] = []


def register_gate(check: Gate) -> None:
    """Hand in the check; a later one takes the place of an earlier."""
    _gates[:] = [check]


def gate_answer(subject: Subject, on: date) -> GateAnswer:
    """Ask the gate for a subject and a day; closed where none is registered."""
    return _gates[0](subject, on) if _gates else NO_GATE
