"""Treatment as a coordinator types it: forms opened and filled item by item."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from casebook import services
from casebook.models import Entry
from casebook.rules.cells import Typed
from casebook.selectors import entries
from patients.models import Subject
from patients.services import assign_sub_study, set_status
from tests.cast import Cast
from treatment.registry import GateAnswer
from visits.models import Visit

DAY = "2025-03-04"
LESIONS = {"T01": "1", "T02": "1"}
TIMES = {"T0": "08:30", "T1": "09:00", "A0": "08:50", "A1": "11:05"}
OPEN_GATE = GateAnswer(
    True, "All criteria hold on this day.", "evaluation of today, signed by Investigator Person"
)


def visit_of(subject: Subject, code: str | None) -> Visit | None:
    return Visit.objects.get(subject=subject, code=code) if code else None


def enter(
    cast: Cast, subject: Subject, visit: str | None, form: str, values: Mapping[str, str], repeat: int = 1
) -> Entry:
    """Open a form and type its items, one after another; `12 kg` is a value with its unit."""
    entry = services.open_entry(
        actor=cast.actor(), subject=subject, visit=visit_of(subject, visit), form=form, repeat=repeat
    )
    for item, text in values.items():
        value, _, unit = text.partition(" ") if text.endswith((" kg", " cm", " mm")) else (text, "", "")
        save(cast, entry, item, value, unit=unit)
    return entries().get(pk=entry.pk)


def save(cast: Cast, entry: Entry, item: str, value: str, **parts: Any) -> Entry:
    fresh = entries().get(pk=entry.pk)
    unit = parts.pop("unit", "")
    services.save_item(
        actor=cast.actor(), entry=fresh, item_id=item, typed=Typed(value=value, unit=unit), **parts
    )
    return fresh


def eligible(cast: Cast, trial: str = "THERMODOX", sub_study: str = "", **subject: Any) -> Subject:
    """A subject with consent, body and, for ThermoDox, lesions; signed as eligible."""
    found = cast.subject(trial, **subject)
    enter(cast, found, "SCR", "DS_IC", {"DSSTDAT": "2025-02-17"})
    enter(cast, found, "SCR", "VS", {"VSDAT": "2025-02-18", "HEIGHT": "168 cm", "WEIGHT": "71 kg"})
    if trial == "THERMODOX":
        for row, (name, procedure) in enumerate(LESIONS.items(), start=1):
            plan = {"TULNKID": name, "TUDAT": "2025-02-20", "UNRESECT": "Y", "PLANPROC": procedure}
            enter(cast, found, "BL", "TU", plan, repeat=row)
    on = date(2025, 2, 25)
    set_status(actor=cast.actor("investigator"), subject=found, status="ELIGIBLE", on=on)
    if sub_study:
        assign_sub_study(actor=cast.actor("investigator"), subject=found, sub_study=sub_study)
    return Subject.objects.select_related("patient", "trial", "site", "version").get(pk=found.pk)


def infuse(
    cast: Cast,
    subject: Subject,
    visit: str = "P1",
    day: str = DAY,
    times: Mapping[str, str] | None = None,
    dose: str = "91",
) -> Entry:
    """Record an infusion."""
    at = {**TIMES, **(times or {})}
    number = visit.removeprefix("P")
    return enter(
        cast, subject, visit, "EX",
        {"PROCNO": number, "EXDOSE": dose, "EXITRPYN": "N", "EXENDAT": day, "EXENTIM": at["T1"], "EXSTTIM": at["T0"],
         "EXSTDAT": day},
    )  # fmt: skip


def ablate(
    cast: Cast,
    subject: Subject,
    lesion: str,
    repeat: int = 1,
    visit: str = "P1",
    day: str = DAY,
    times: Mapping[str, str] | None = None,
) -> Entry:
    """Record the ablation of one lesion."""
    at = {**TIMES, **(times or {})}
    return enter(
        cast, subject, visit, "PR",
        {"PROCNO": visit.removeprefix("P"), "TULNKID": lesion, "PRSTDAT": day, "PRSTTIM": at["A0"], "PRENDAT": day,
         "PRENTIM": at["A1"]},
        repeat=repeat,
    )  # fmt: skip
