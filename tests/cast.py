"""The cast of the tests: two trials, two sites, one person per role, and strangers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import product

import pytest
from django.test import Client

from accounts.models import Grant, User
from accounts.services import name_principal
from audit.context import Actor, acting, service_actor
from imaging.models import ReaderRecord
from imaging.rules.qualification import LACKING
from patients.models import Patient, Subject
from patients.services import register_patient, screen_patient
from trials.models import ProtocolVersion, Site, Trial
from trials.packs import bundled
from trials.services import open_site, publish_protocol, register_site

SETUP = service_actor("test set-up")
ROLES = (
    "coordinator", "investigator", "datamanager", "monitor", "radiologist", "radiologist2", "adjudicator",
    "sponsor", "admin",
)  # fmt: skip
AT_SITE = {"coordinator", "investigator"}
TRIALS = ("EXCALIBUR", "THERMODOX")


@dataclass
class Cast:
    """Trials, sites and people; `subject()` brings one more patient into screening."""

    trials: dict[str, Trial]
    home: Site
    away: Site
    people: dict[str, User]
    client_for: Callable[..., Client]
    _number: int = field(default=0)

    def actor(self, role: str = "coordinator") -> Actor:
        """The person of a role, as services want them."""
        user = self.people[role]
        return Actor(id=user.pk, name=user.full_name, role=role)

    def client(self, role: str) -> Client:
        """A browser in which the person of a role is signed in."""
        return self.client_for(self.people[role])

    def patient(self, site: Site | None = None) -> Patient:
        """One more patient."""
        self._number += 1
        return register_patient(actor=self.actor(), site=site or self.home, code=f"P-{self._number:04}")

    def subject(self, trial: str = "EXCALIBUR", site: Site | None = None) -> Subject:
        """One more patient, in screening for a trial."""
        patient = self.patient(site)
        return screen_patient(actor=self.actor(), patient=patient, trial=self.trials[trial])


def take_small_phantoms(version: ProtocolVersion) -> None:
    """Let the charter ask for no coverage: five slices are enough for nearly all tests, and quick."""
    charter = version.protocol.charter
    assert charter is not None
    object.__setattr__(charter, "coverage_mm_min", None)


def qualify(reader: User, trial: Trial) -> None:
    """Put on record what a reader needs before reads are assigned."""
    with acting(SETUP, reason="set up"):
        for kind in LACKING:
            ReaderRecord.objects.create(
                trial=trial,
                reader=reader,
                kind=kind,
                on=date(2021, 9, 1),
                reference="File 4.2",
                reason="set up",
            )


@pytest.fixture
def cast(
    make_user: Callable[..., User], grant: Callable[..., Grant], client_for: Callable[..., Client]
) -> Cast:
    """Both trials published from their packs, open at two sites, and everybody with their roles."""
    versions = [publish_protocol(actor=SETUP, pack=path) for path in bundled().values()]
    for version in versions:
        take_small_phantoms(version)
    trials = {version.trial.code: version.trial for version in versions}
    home = register_site(
        actor=SETUP, code="NO-01", name="Oslo University Hospital", country="NO", time_zone="Europe/Oslo"
    )
    away = register_site(
        actor=SETUP, code="SE-02", name="Sahlgrenska", country="SE", time_zone="Europe/Stockholm"
    )
    for trial in trials.values():
        for site in (home, away):
            open_site(actor=SETUP, trial=trial, site=site, on=date(2021, 9, 1))
    people = {role: make_user(role, full_name=f"{role.capitalize()} Person") for role in ROLES}
    for role, user in people.items():
        plain = role.rstrip("2")
        for code in TRIALS if plain != "admin" else ("",):
            grant(user, plain, code, home.code if plain in AT_SITE else "")
    for name, role in (("coordinator2", "coordinator"), ("investigator2", "investigator")):
        people[name] = make_user(name, full_name=f"{name.capitalize()} Person")
        for code in TRIALS:
            grant(people[name], role, code, away.code)
    for (name, site), code in product((("investigator", home), ("investigator2", away)), TRIALS):
        name_principal(actor=SETUP, user=people[name], trial=code, site=site.code, starts=date(2021, 9, 1))
    for name, trial in product(("radiologist", "radiologist2"), trials.values()):
        qualify(people[name], trial)
    people["outsider"] = make_user("outsider", full_name="Outsider Person")
    return Cast(trials, home, away, people, client_for)
