"""What is locked takes no write: no service, and no statement of the application."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from audit.context import Actor, acting
from audit.guards import refused_by
from audit.tables import tracked_tables
from casebook import gates, services
from casebook.errors import PlaceLockedError
from casebook.models import PlaceLock
from casebook.services import states
from foundation import clock
from patients.models import Subject
from patients.services import screen_patient, set_status
from tests.casebook.place_case import locked_site, locked_study
from tests.casebook.signing_case import Case, again
from tests.cast import SETUP
from visits.services import add_unscheduled_visit

pytestmark = pytest.mark.django_db


@pytest.mark.req("LCK-02")
def test_no_service_writes_in_a_locked_site_and_says_why(case: Case, manager: Actor) -> None:
    patient = case.cast.patient()
    entry = case.form()
    locked_site(case)
    at_home = case.cast.actor()
    acts: list[Callable[[], object]] = [
        lambda: screen_patient(actor=at_home, patient=patient, trial=case.subject.trial),
        lambda: add_unscheduled_visit(
            actor=at_home, subject=case.subject, happened_on=clock.today("Europe/Oslo")
        ),
        lambda: services.raise_query(actor=manager, entry=again(entry), item="HGB", text="Really?"),
        lambda: states.ask_unlock(actor=manager, scope=case.scope(), reason="A value is wrong", hours=4),
        lambda: set_status(
            actor=at_home, subject=case.subject, status="SCREEN_FAILURE", on=clock.today("Europe/Oslo")
        ),
    ]
    for act in acts:
        with pytest.raises(PlaceLockedError, match="Oslo University Hospital, EXCALIBUR, is locked since"):
            act()
    assert not Subject.objects.filter(patient=patient).exists()
    screen_patient(actor=at_home, patient=patient, trial=case.cast.trials["THERMODOX"])


STATEMENTS = [
    "INSERT INTO patients_subject (patient_id, trial_id, site_id, version_id, number, sub_study, status)"
    " SELECT patient_id, trial_id, site_id, version_id, 'X-1', '', 'SCREENING' FROM patients_subject"
    " WHERE id = %(subject)s",
    "UPDATE patients_subject SET status = 'COMPLETED' WHERE id = %(subject)s",
    "UPDATE visits_visit SET because = 'x' WHERE subject_id = %(subject)s",
    "INSERT INTO visits_visit (subject_id, code, sequence, ordinal, because, state, missed_reason)"
    " VALUES (%(subject)s, 'UNS', 9, 99, '', 'PLANNED', '')",
    "DELETE FROM visits_visit WHERE subject_id = %(subject)s",
    "INSERT INTO casebook_entry (subject_id, form, repeat, values, state, not_done, struck_out, frozen, locked,"
    " signing, version) VALUES (%(subject)s, 'AE', 1, '{}', 'EMPTY', '', false, false, false, '', 0)",
    "UPDATE casebook_entry SET entered_under_id = NULL WHERE subject_id = %(subject)s",
    "UPDATE casebook_closure SET ended_at = now() WHERE subject_id = %(subject)s",
    "UPDATE trials_trialsite SET closed_on = '2030-01-01' WHERE trial_id = %(trial)s AND site_id = %(site)s",
    "INSERT INTO qol_invitation (subject_id, visit_id, instrument, form, language, digest, opens_at, expires_at,"
    " sent_by, state, answered_language, device_time, revoked_because) SELECT %(subject)s, id, 'x', 'x', 'en', 'x',"
    " now(), now(), 'x', 'OPEN', '', '', '' FROM visits_visit WHERE subject_id = %(subject)s LIMIT 1",
]


@pytest.mark.req("LCK-02")
@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("whole", [False, True], ids=["site", "study"])
def test_no_statement_of_the_application_writes_in_a_locked_place(
    case: Case, statement: str, *, whole: bool
) -> None:
    (locked_study if whole else locked_site)(case)
    subject = case.subject
    values = {"subject": subject.pk, "trial": subject.trial_id, "site": subject.site_id}
    with (
        pytest.raises(PlaceLockedError, match="The study EXCALIBUR is" if whole else "Oslo"),
        acting(SETUP, reason="By hand"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)


@pytest.mark.req("LCK-02")
def test_every_table_of_subjects_is_behind_the_gate_or_says_why_not() -> None:
    of_subjects = {each.table for each in tracked_tables() if each.subject}
    assert of_subjects - dict(gates.gated_tables()).keys() == gates.FREE.keys()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = %s AND NOT tgisinternal",
            [gates.GATE],
        )
        behind = {name for (name,) in cursor.fetchall()}
    assert behind == dict(gates.gated_tables()).keys()


@pytest.mark.req("LCK-02")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE casebook_placelock SET ended_at = now()",
        "UPDATE casebook_placelock SET open_until = now() + '1 day'",
        "UPDATE casebook_placelock SET manifest = '[]'",
        "DELETE FROM casebook_placelock",
        "INSERT INTO casebook_placeunlock (lock_id, reason, hours, state, asked_by_id, decided_by_id, answer)"
        " SELECT id, 'x', 1, 'APPROVED', %(person)s, %(other)s, '' FROM casebook_placelock",
        "INSERT INTO casebook_placelock (trial_id, site_id, reason, made_by_id, manifest, digest, trail_head)"
        " SELECT trial_id, NULL, 'x', %(person)s, '[]', '', 0 FROM casebook_placelock",
    ],
)
def test_no_statement_opens_or_forges_a_lock(case: Case, statement: str) -> None:
    locked_site(case)
    actor = case.cast.actor("datamanager")
    values = {"person": actor.id, "other": case.cast.people["monitor"].pk}
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        acting(actor, reason="By hand"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)


def test_a_site_is_not_locked_by_sql_while_a_casebook_is_open(case: Case, manager: Actor) -> None:
    case.form()
    with pytest.raises(IntegrityError, match="when every casebook is"), acting(manager, reason="By hand"):
        PlaceLock.objects.create(
            trial=case.subject.trial, site=case.cast.home, reason="x", made_by_id=manager.id, manifest=[],
            digest="", trail_head=0,
        )  # fmt: skip


def test_the_gate_has_a_name_that_people_are_told_by(case: Case) -> None:
    locked_site(case)
    with pytest.raises(PlaceLockedError) as told:
        case.cast.subject()
    assert isinstance(told.value.__cause__, IntegrityError)
    assert refused_by(told.value.__cause__) == gates.GATE
    assert told.value.status == 409
