"""`demo`: fills an empty installation for training, through the services that people use."""

from __future__ import annotations

from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import User
from audit.context import Actor, origin, service_actor
from audit.services import anchor_newest_seal, check_trail, seal_events
from imaging.services import process_batch
from patients.models import Subject
from reports.demo import reading
from reports.demo.amending import amend
from reports.demo.filling import Filler, Staff
from reports.demo.imaging import send_scan
from reports.demo.laboratory import equip
from reports.demo.people import invite_people, open_sites
from reports.demo.profiles import profiles
from reports.demo.signing import sign_and_lock
from trials.models import Trial
from visits.selectors import get_visit

ACTOR = service_actor("demonstration")


class Command(BaseCommand):
    """Fills an empty database; one that holds people or subjects is left alone."""

    help = "Fill an empty database with two sites, people and twelve subjects at different stages."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.exists() or Subject.objects.exists():
            self.stdout.write("demonstration: the database holds data already; nothing was added")
            return
        with origin("demo"):
            self._fill()

    def _fill(self) -> None:
        trials = {trial.code: trial for trial in Trial.objects.order_by("code")}
        sites = open_sites(ACTOR, list(trials.values()))
        people = invite_people(ACTOR, list(trials.values()))
        for profile in profiles():
            filler = Filler(profile, _staff(profile.site, people), sites[profile.site], trials[profile.trial])
            subject = filler.fill()
            if (subject.trial.code, profile.patient) == (reading.TRIAL, reading.PATIENT):
                subject = reading.ask_two_readers(ACTOR, people, sites[profile.site], subject)
            for name in profile.images:
                visit = get_visit(subject, name)
                batch = send_scan(filler.staff.coordinator, subject, visit, visit.happened_on or filler.today)
                process_batch(batch.pk)
            self.stdout.write(f"demonstration: {subject.number}, {profile.about.lower()}")
        manager = _actor(people["datamanager"], "datamanager")
        for words in chain(
            reading.adjudicate(people), sign_and_lock(people), amend(people, sites), equip(manager, sites)
        ):
            self.stdout.write(f"demonstration: {words}")
        seal_events()
        anchor_newest_seal()
        check_trail()


def _staff(site: str, people: dict[str, User]) -> Staff:
    second = "" if site == "NO-01" else "2"
    return Staff(
        coordinator=_actor(people[f"coordinator{second}"], "coordinator"),
        investigator=people[f"investigator{second}"],
        monitor=_actor(people["monitor"], "monitor"),
    )


def _actor(user: User, role: str) -> Actor:
    return Actor(id=user.pk, name=user.full_name, role=role)
