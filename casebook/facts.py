"""The door through which rules and endpoints read the casebook."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from casebook.models import Entry
from casebook.registry import answers_for
from casebook.rules.projection import Projection, Row, project
from casebook.selectors import row_of, rows_of_subject
from patients.models import Patient, Subject
from trials.schema import Protocol
from trials.schema.facts import REGISTRY


def facts_of(
    subject: Subject, as_of: date, under: Protocol | None = None, rows: Iterable[Row] | None = None
) -> Projection:
    """Facts of a subject at a date, under the subject's own protocol version or another one of its trial.

    Parameters
    ----------
    rows
        The subject's entries, when the caller has them.
    """
    protocol = under or subject.version.protocol
    return project(
        protocol,
        rows if rows is not None else rows_of_subject(subject),
        as_of,
        time_zone=subject.site.time_zone,
        answers=answers_for(subject, registry_names(protocol), as_of),
    )


def patient_facts(patient: Patient, protocol: Protocol, as_of: date) -> Projection:
    """Facts of a patient at a date as another trial's protocol reads them, from all trials of the patient.

    Pre-screening: what was entered once for one trial is not asked again for the next.
    """
    found = Entry.objects.filter(subject__patient=patient, struck_out=False).select_related("visit")
    rows = [row_of(entry) for entry in found.order_by("pk")]
    return project(protocol, rows, as_of, time_zone=patient.site.time_zone)


def registry_names(protocol: Protocol) -> frozenset[str]:
    """Names of the facts that upper rooms answer."""
    return frozenset(fact.name for fact in protocol.facts if fact.from_ == REGISTRY)
