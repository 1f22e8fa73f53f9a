"""Verdicts on the quality of examinations, and what a delivery keeps back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imaging.selectors.delivery import Examination, HeldBack, decisions_in, examinations_in, held_back
from reports.exports.delivery.order import KEYS, Delivery

EXAMINATIONS = (
    *KEYS, "STUDYUID", "STATE", "DELIVERED", "SLICES", "FINDINGS", "ACCEPTED_BECAUSE", "LEFT_OUT_BECAUSE",
)  # fmt: skip
DECISIONS = (*KEYS, "STUDYUID", "DECISION", "REASON", "CORRECTIVE_ACTION", "DUE", "DECIDED")


@dataclass(frozen=True)
class LeftOut:
    """What stays here: examinations that are not accepted, and files that never became images of the trial."""

    examinations: Sequence[dict[str, Any]]
    files: Sequence[dict[str, Any]]


def pack_quality(delivery: Delivery) -> LeftOut:
    """Pack the verdicts; the answer names what is kept back, and why."""
    found = examinations_in(delivery.scope)
    delivery.accepted = [each.study.pk for each in found if each.delivered]
    with delivery.packing.table("tables/examinations.csv", EXAMINATIONS) as add:
        for each in found:
            add(_examination(delivery, each))
    with delivery.packing.table("tables/quality.csv", DECISIONS) as add:
        for row in decisions_in(delivery.scope):
            keys = delivery.keys(row.subject_id, row.study.visit)
            said = [row.choice, row.reason, row.corrective_action, row.due_on, row.at.isoformat()]
            add([*keys, row.study.uid, *said])
    kept = [_left_out(delivery, each) for each in found if not each.delivered]
    return LeftOut(kept, [_files(delivery, each) for each in held_back(delivery.scope)])


def _examination(delivery: Delivery, each: Examination) -> list[Any]:
    study = each.study
    return [
        *delivery.keys(study.subject_id, study.visit),
        study.uid,
        study.state,
        "Y" if each.delivered else "N",
        each.slices,
        " ".join(str(finding.get("sentence", "")) for finding in study.findings),
        study.accepted_because,
        each.reason,
    ]


def _left_out(delivery: Delivery, each: Examination) -> dict[str, Any]:
    return {
        "subject": delivery.subjects[each.study.subject_id].number,
        "visit": str(each.study.visit),
        "study_uid": each.study.uid,
        "state": each.study.get_state_display(),
        "images": each.slices,
        "reason": each.reason,
    }


def _files(delivery: Delivery, each: HeldBack) -> dict[str, Any]:
    return {
        "subject": delivery.subjects[each.subject].number,
        "visit": each.visit,
        "state": each.state,
        "code": each.code,
        "reason": each.code.replace("_", " "),
        "files": each.files,
    }
