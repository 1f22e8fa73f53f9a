"""Sites and people of the demonstration."""

from __future__ import annotations

import secrets
from datetime import date

from accounts.models import Identification, User
from accounts.rules.accountability import CURRENT
from accounts.services import accept_accountability, create_user, grant_role, name_principal, verify_identity
from audit.context import Actor
from imaging.services import record_reader
from trials.models import Site, Trial
from trials.services import open_site, register_site

OPENED = date(2021, 9, 1)
SITES = (
    ("NO-01", "Oslo University Hospital", "NO", "Europe/Oslo"),
    ("SE-02", "Karolinska University Hospital", "SE", "Europe/Stockholm"),
)
PEOPLE = (
    ("coordinator", "Kari Nordmann", "coordinator", "NO-01"),
    ("investigator", "Dr Ingrid Lie", "investigator", "NO-01"),
    ("datamanager", "Bo Rossi", "datamanager", ""),
    ("monitor", "Mette Holm", "monitor", ""),
    ("radiologist", "Dr Ana Souza", "radiologist", ""),
    ("radiologist2", "Dr Jan Novak", "radiologist", ""),
    ("adjudicator", "Dr Ruth Weiss", "adjudicator", ""),
    ("sponsor", "Sam Porter", "sponsor", ""),
    ("coordinator2", "Lena Berg", "coordinator", "SE-02"),
    ("investigator2", "Dr Erik Lund", "investigator", "SE-02"),
)
"""User name, full name, role, and the site (none: all sites)."""
QUALIFIED = (
    ("TRAINED", "Training log, charter version 1"),
    ("TESTED", "Ten test cases, kappa 0.84"),
    ("INDEPENDENT", "Signed statement of independence"),
)
"""What is on record of each reader, with its evidence."""
PRINCIPALS = (("investigator", "NO-01"), ("investigator2", "SE-02"))


def open_sites(actor: Actor, trials: list[Trial]) -> dict[str, Site]:
    """Both sites, open for all trials."""
    sites = {}
    for code, name, country, zone in SITES:
        sites[code] = register_site(actor=actor, code=code, name=name, country=country, time_zone=zone)
        for trial in trials:
            open_site(actor=actor, trial=trial, site=sites[code], on=OPENED)
    return sites


def invite_people(actor: Actor, trials: list[Trial]) -> dict[str, User]:
    """Everybody with their roles; passwords are set afterwards, by whoever starts the demonstration."""
    people = {}
    for username, name, role, site in PEOPLE:
        people[username] = _person(actor, username, name)
        for trial in trials:
            grant_role(actor=actor, user=people[username], role=role, trial=trial.code, site=site)
    for username, site in PRINCIPALS:
        for trial in trials:
            name_principal(actor=actor, user=people[username], trial=trial.code, site=site, starts=OPENED)
    for username in ("radiologist", "radiologist2"):
        for trial in trials:
            _qualify(actor, people[username], trial)
    people["admin"] = _person(actor, "admin", "Alex Admin")
    grant_role(actor=actor, user=people["admin"], role="admin")
    return people


def _qualify(actor: Actor, reader: User, trial: Trial) -> None:
    """What a reader needs on record before reads are assigned."""
    for kind, reference in QUALIFIED:
        record_reader(
            actor=actor,
            trial=trial,
            reader=reader,
            kind=kind,
            on=OPENED,
            reference=reference,
            reason="Before the first read",
        )


def _person(actor: Actor, username: str, name: str) -> User:
    """Somebody who may sign: their identity is verified, and they have accepted the statement of accountability."""
    user = create_user(
        actor=actor,
        username=username,
        full_name=name,
        email=f"{username}@hilum.invalid",
        password=secrets.token_urlsafe(24),
    )
    verify_identity(actor=actor, user=user, how=Identification.DOCUMENT)
    accept_accountability(user=user, version=CURRENT)
    return user
