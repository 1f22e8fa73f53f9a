"""Where one room of floor 7 answers another: eligibility keeps the gate before randomisation and treatment."""

from __future__ import annotations

from datetime import date

from eligibility.selectors import gate_before_treatment
from patients.models import Subject
from treatment.registry import GateAnswer, register_gate


def eligibility_gate(subject: Subject, on: date) -> GateAnswer:
    """The gate of eligibility in the words of treatment."""
    opening = gate_before_treatment(subject, on)
    return GateAnswer(open=opening.open, because=opening.because, reference=opening.reference)


register_gate(eligibility_gate)
