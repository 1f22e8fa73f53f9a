"""Two sites in a made-up trial whose protocol is amended twice, and a pen to fill in forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import Grant, User
from audit.context import Actor, service_actor
from casebook import services
from casebook.models import Entry
from casebook.rules.cells import Typed
from casebook.selectors import entries
from foundation import clock
from patients.models import Subject
from patients.selectors import get_subject_by_key
from patients.services import move_subject, register_patient, screen_patient
from trials.models import ProtocolVersion, Site, SiteApproval, Trial
from trials.services import approve_version, open_site, publish_protocol, register_site
from visits.models import Visit
from visits.selectors import get_visit
from visits.services import record_visit

PACKS = Path(__file__).parent / "packs"
SETUP = service_actor("test set-up")
BASELINE = {
    "BRTHDAT": "1961-04-02", "SEX": "F", "PREGNANT": "N", "FRAILTY": "FIT", "RESECT": "Y", "WILLING": "Y",
    "HEIGHT": "170 cm", "WEIGHT": "70 kg", "HGB": "12.1 g/dL",
}  # fmt: skip


@dataclass
class Bench:
    """The trial, its sites, and what a test does to a subject."""

    trial: Trial
    home: Site
    away: Site
    people: dict[str, User]
    client_for: Callable[..., Client]
    versions: dict[str, ProtocolVersion] = field(default_factory=dict)
    number: int = 0

    @property
    def today(self) -> date:
        """Today at the home site."""
        return clock.today(self.home.time_zone)

    def actor(self, role: str = "coordinator") -> Actor:
        """A person of a role."""
        user = self.people[role]
        return Actor(id=user.pk, name=user.full_name, role=role)

    def client(self, role: str) -> Client:
        """A browser of a person of a role."""
        return self.client_for(self.people[role])

    def publish(self, pack: str) -> ProtocolVersion:
        """Publish one of the made-up versions."""
        version = publish_protocol(actor=SETUP, pack=PACKS / pack)
        self.versions[pack] = version
        return version

    def approve(self, pack: str, site: Site | None = None, on: date | None = None) -> SiteApproval:
        """Approve a version at a site, ten days ago where no day is given."""
        return approve_version(
            actor=self.actor("sponsor"),
            site=site or self.home,
            version=self.versions[pack],
            approved_on=on or self.today - timedelta(days=10),
            document="REK 2026/114",
        )

    def screen(self, site: Site | None = None, version: ProtocolVersion | None = None) -> Subject:
        """One more subject in screening."""
        self.number += 1
        patient = register_patient(actor=self.actor(), site=site or self.home, code=f"P-{self.number:03}")
        return screen_patient(actor=self.actor(), patient=patient, trial=self.trial, version=version)

    def enter(self, subject: Subject, visit: str, form: str, complete: bool = True, **values: str) -> Entry:
        """Enter a form; `SIZE="24 mm"` gives value and unit, `!ND` a reason for what is missing."""
        subject = get_subject_by_key(subject.pk)
        place: Visit = get_visit(subject, visit)
        entry = services.open_entry(actor=self.actor(), subject=subject, visit=place, form=form)
        for item, text in values.items():
            self.save(entry, item, text)
        entry = entries().get(pk=entry.pk)
        if complete:
            services.complete_entry(actor=self.actor(), entry=entry)
        return entries().get(pk=entry.pk)

    def save(self, entry: Entry, item: str, text: str, reason: str = "") -> services.SaveResult:
        """Type one value."""
        value, _, unit = text.partition(" ")
        typed = Typed(missing=text[1:]) if text.startswith("!") else Typed(value, unit)
        entry = entries().get(pk=entry.pk)
        return services.save_item(actor=self.actor(), entry=entry, item_id=item, typed=typed, reason=reason)

    def screened_on(self, pack: str, **how: Any) -> Subject:
        """A subject under a version that its site has left already, with all screening forms complete."""
        return self.screened(version=self.versions[pack], **how)

    def screened(
        self,
        site: Site | None = None,
        *,
        consent: int = -20,
        metres: str = "180",
        lump: str = "2.4",
        version: ProtocolVersion | None = None,
    ) -> Subject:
        """A subject with all screening forms complete, consented so many days from today."""
        subject = self.screen(site, version)
        on = self.today + timedelta(days=consent)
        record_visit(actor=self.actor(), visit=get_visit(subject, "SCR"), happened_on=on)
        first = subject.version.label == "1.0"
        baseline = {key: text for key, text in BASELINE.items() if first or key != "WILLING"}
        self.enter(subject, "SCR", "BL", RFICDAT=on.isoformat(), **baseline)
        self.enter(subject, "SCR", "WT", WTDAT=on.isoformat(), WTDONE="Y", METRES=metres)
        lesion = {"HOW": "XRAY", "WHO": "A."} if first else {"HOW": "CT", "AGENT": "N"}
        self.enter(subject, "SCR", "LE", SIZE=lump, **lesion)
        return get_subject_by_key(subject.pk)

    def move(
        self, subject: Subject, pack: str, on: date | None = None, reason: str = "Consent again"
    ) -> Subject:
        """Move a subject to a version."""
        move_subject(
            actor=self.actor(),
            subject=subject,
            version=self.versions[pack],
            reconsented_on=on or self.today,
            reason=reason,
        )
        return get_subject_by_key(subject.pk)


@pytest.fixture
def bench(
    make_user: Callable[..., User], grant: Callable[..., Grant], client_for: Callable[..., Client]
) -> Bench:
    """The first version published, open at two sites; the second published and approved nowhere."""
    first = publish_protocol(actor=SETUP, pack=PACKS / "one")
    home = register_site(actor=SETUP, code="NO-01", name="Oslo", country="NO", time_zone="Europe/Oslo")
    away = register_site(
        actor=SETUP, code="SE-02", name="Sahlgrenska", country="SE", time_zone="Europe/Stockholm"
    )
    for site in (home, away):
        open_site(actor=SETUP, trial=first.trial, site=site, on=date(2026, 1, 15))
    people = {}
    for role in ("coordinator", "investigator", "datamanager", "monitor", "sponsor", "admin"):
        people[role] = make_user(role, full_name=f"{role.capitalize()} Person")
        at = home.code if role in {"coordinator", "investigator"} else ""
        grant(people[role], role, "" if role == "admin" else "HEPAFIT", at)
    people["away"] = make_user("away", full_name="Away Person")
    grant(people["away"], "coordinator", "HEPAFIT", away.code)
    bench = Bench(first.trial, home, away, people, client_for)
    bench.versions["one"] = first
    bench.publish("two")
    return bench
