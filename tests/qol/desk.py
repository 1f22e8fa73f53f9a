"""A site at work on questionnaires: forms entered as people do, and a licence with sample sentences.

The sentences stand in for the licensed wording, which is not in this project.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from casebook import services
from casebook.models import Entry
from casebook.rules.cells import Typed
from casebook.rules.status import planned_forms
from casebook.selectors import entries
from casebook.services.anchors import replan
from patients.models import Subject
from patients.services import set_status
from qol.instrument_file import check_instrument
from qol.rules.fhsi_8_version_4 import ITEMS
from qol.services import Loaded, load_instrument
from tests.cast import SETUP, Cast
from visits.models import Visit
from visits.services import record_visit

FORM_ITEM = {item: item.upper() for item in ITEMS}


def licence(**changes: Any) -> dict[str, Any]:
    """A file as a licence holder supplies it."""
    part = {
        "reference": "SAMPLE-2025-01",
        "holder": "Oslo University Hospital",
        "valid_from": "2025-01-01",
        "valid_until": "2027-12-31",
        "languages": ["en", "nb"],
        **changes,
    }
    return {"instrument": "FHSI-8", "licence": part, "texts": [text("en"), text("nb", "Eksempel")]}


def text(language: str, word: str = "Sample statement") -> dict[str, Any]:
    """Sample sentences in a language."""
    return {
        "language": language,
        "instruction": f"{word}: the licensed instruction stands here.",
        "anchors": [f"{word} answer {number}" for number in range(5)],
        "items": {item: f"{word} {number}" for number, item in enumerate(ITEMS, start=1)},
    }


def load(cast: Cast, **changes: Any) -> Loaded:
    """A licence for ThermoDox, recorded."""
    content = check_instrument(licence(**changes))
    return load_instrument(actor=SETUP, trial=cast.trials["THERMODOX"], content=content)


class Desk:
    """The coordinator's desk for one subject of ThermoDox."""

    def __init__(self, cast: Cast, *, consent: str = "2025-02-20") -> None:
        self.cast = cast
        self.actor = cast.actor("coordinator")
        self.subject: Subject = cast.subject("THERMODOX")
        if consent:
            self.enter("SCR", "DS_IC", DSSTDAT=consent)

    def visit(self, name: str) -> Visit:
        """A visit by its code; `D14.2` for the second of two."""
        code, _, sequence = name.partition(".")
        return Visit.objects.get(subject=self.subject, code=code, sequence=int(sequence or 1))

    def enter(self, visit: str, form: str, repeat: int = 1, reason: str = "", **values: str) -> Entry:
        """Save items of a form one by one."""
        log = form in planned_forms(self.subject.version.protocol, None)
        place = None if log else self.visit(visit)
        entry = services.open_entry(
            actor=self.actor, subject=self.subject, visit=place, form=form, repeat=repeat
        )
        for item, value in values.items():
            services.save_item(
                actor=self.actor,
                entry=entries().get(pk=entry.pk),
                item_id=item,
                typed=Typed(value),
                reason=reason,
            )
        return entries().get(pk=entry.pk)

    def treat(self, start: str, visit: str = "P1") -> None:
        """Record an infusion, as `2025-03-04T10:00`; the visits are planned from it."""
        begun = datetime.fromisoformat(start)
        if self.subject.status == "SCREENING":
            on = begun.date() - timedelta(days=1)
            self.subject = set_status(actor=SETUP, subject=self.subject, status="ELIGIBLE", on=on)
        number = "2" if visit == "P2" else "1"
        self.enter(visit, "EX", PROCNO=number, EXSTDAT=begun.date().isoformat(), EXSTTIM=f"{begun:%H:%M}")

    def happened(self, visit: str, on: str) -> None:
        """Record that a visit took place."""
        record_visit(actor=self.actor, visit=self.visit(visit), happened_on=date.fromisoformat(on))
        replan(actor=self.actor, subject=self.subject)

    def paper(self, visit: str, on: str, responses: str, time: str = "", *, complete: bool = False) -> Entry:
        """Enter a form from paper; responses as `2 1 - 0 …` in the order of the instrument."""
        answers = {
            FORM_ITEM[item]: answer
            for item, answer in zip(ITEMS, responses.split(), strict=True)
            if answer != "-"
        }
        times = {"QSTIM": time} if time else {}
        entry = self.enter(visit, "QS", QSDAT=on, QSMODE="SELF PAPER", **times, **answers)
        if complete:
            services.complete_entry(actor=self.actor, entry=entry)
        return entries().get(pk=entry.pk)
