"""The band at the top of every page about a subject. Never a name, never a birth date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from casebook.facts import facts_of
from casebook.rules.projection import Projection
from casebook.services.anchors import anchor_dates
from foundation import clock
from foundation.panels import ShownPanel, Visitor, panels_for
from patients.models import Subject
from visits.rules.schedule import add_months, day_in_words, study_day

SEXES = {"M": "Male", "F": "Female"}


@dataclass(frozen=True)
class Banner:
    """What the band shows; empty parts are left out.

    Attributes
    ----------
    day_1
        Day 1 of the study: the first procedure, or randomisation, as the protocol's last anchor says; consent before
        that.
    """

    subject: Subject
    sex_and_age: str
    consent: str
    today: date
    day_1: date | None
    study_day: str
    anchored: str
    tabs: Sequence[ShownPanel]


def subject_banner(subject: Subject, visitor: Visitor, projection: Projection | None = None) -> Banner:
    """Make the band of a subject; one statement when the facts were not read before."""
    today = clock.today(subject.site.time_zone)
    document = (projection or facts_of(subject, today)).document
    anchors = anchor_dates(subject.version.protocol, document)
    first = next(
        (
            (anchor.label, anchors[anchor.name][0])
            for anchor in reversed(subject.version.protocol.anchors)
            if anchor.name in anchors
        ),
        None,
    )
    return Banner(
        subject=subject,
        sex_and_age=_sex_and_age(document.get("SEX"), document.get("BRTHDAT"), today),
        consent=_day(document.get("RFICDAT")),
        today=today,
        day_1=first[1] if first else None,
        study_day=f"Day {study_day(first[1], today)}" if first else "",
        anchored=f"{first[0]}: {day_in_words(first[1])}" if first else "",
        tabs=panels_for("subject", subject, visitor),
    )


def _sex_and_age(sex: object, birth: object, today: date) -> str:
    parts = [SEXES[str(sex)]] if sex in SEXES else []
    if birth and len(str(birth)) == 10:
        parts.append(f"{_completed_years(date.fromisoformat(str(birth)), today)} y")
    return ", ".join(parts)


def _completed_years(birth: date, on: date) -> int:
    years = on.year - birth.year
    return years if add_months(birth, 12 * years) <= on else years - 1


def _day(value: object) -> str:
    text = str(value or "")
    return day_in_words(date.fromisoformat(text[:10])) if len(text) >= 10 else text
