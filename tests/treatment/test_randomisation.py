"""Randomisation: once, only through the gate, in balance, and never two on one place."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from audit.context import acting
from audit.models import Event
from casebook import services as casebook
from casebook.facts import facts_of
from foundation.sealing import unseal
from patients.models import Subject
from tests.cast import SETUP, Cast
from tests.treatment.records import OPEN_GATE, eligible, enter, visit_of
from treatment import registry
from treatment.errors import (
    AlreadyAllocatedError,
    ListUnreadableError,
    NotAllocatableError,
    NotYetAllocatedError,
    OtherArmError,
)
from treatment.models import Allocation, AllocationList
from treatment.registry import GateAnswer, register_gate
from treatment.rules.allocation import randomisation_list
from treatment.rules.strata import arm_shares
from treatment.services import PURPOSE, _about, allocate_subject
from visits.models import Visit

pytestmark = pytest.mark.django_db
TODAY = date(2025, 3, 10)
E1, E2 = "EXCALIBUR-1", "EXCALIBUR-2"


@pytest.fixture(autouse=True)
def _gate() -> Iterator[None]:
    """A gate that lets everybody through; other tests put their own in its place."""
    before = list(registry._gates)
    register_gate(lambda subject, on: OPEN_GATE)
    with time_machine.travel("2025-03-10T09:00:00Z", tick=True):
        yield
    registry._gates[:] = before


def seed_of(row: AllocationList) -> str:
    names: dict[str, object] = {"sub_study": row.sub_study, "stratum": row.stratum, "scheme": row.scheme}
    return unseal(row.sealed_seed, purpose=PURPOSE, about=_about("EXCALIBUR", names)).decode()


def routed(cast: Cast, sub_study: str = E1) -> Subject:
    return eligible(cast, "EXCALIBUR", sub_study)


def test_a_subject_gets_an_arm_is_enrolled_and_its_visits_count_from_that_day(cast: Cast) -> None:
    subject = routed(cast)
    assert not Visit.objects.filter(subject=subject, code="W8", target__isnull=False).exists()
    given = allocate_subject(actor=cast.actor(), subject=subject)
    assert given.arm in {"TX", "HAI", "CHEMO"}
    assert (given.place, given.on, given.by_name) == (1, TODAY, "Coordinator Person")
    assert given.eligibility == OPEN_GATE.reference
    assert Subject.objects.get(pk=subject.pk).status == "ENROLLED"
    assert facts_of(subject, TODAY).document["RANDDAT"] == "2025-03-10"
    assert facts_of(subject, date(2025, 3, 9)).document["RANDDAT"] is None
    assert Visit.objects.get(subject=subject, code="W8").target == date(2025, 5, 5)
    assert Visit.objects.get(subject=subject, code="M24").target == date(2027, 3, 10)


def test_visits_of_other_arms_fall_away_and_stay_away(cast: Cast) -> None:
    subjects = [routed(cast) for _ in range(3)]
    for subject in subjects:
        arm = allocate_subject(actor=cast.actor(), subject=subject).arm
        left = set(
            Visit.objects.filter(subject=subject, code__in=["PUMP", "LTX"], state="PLANNED").values_list(
                "code", flat=True
            )
        )
        assert left == {"HAI": {"PUMP"}, "TX": {"LTX"}, "CHEMO": set()}[arm]
        consent = enter(cast, subject, "SCR", "DS_IC", {"DSSTDAT": "2025-02-18"})
        assert consent.values["DSSTDAT"]["value"] == "2025-02-18"
        again = set(
            Visit.objects.filter(subject=subject, code__in=["PUMP", "LTX"], state="PLANNED").values_list(
                "code", flat=True
            )
        )
        assert again == left  # fmt: skip


@pytest.mark.parametrize(("sub_study", "arms", "number"), [(E1, 3, 12), (E2, 2, 12)])
def test_the_arms_are_in_balance_after_whole_blocks(
    cast: Cast, sub_study: str, arms: int, number: int
) -> None:
    given = [allocate_subject(actor=cast.actor(), subject=routed(cast, sub_study)) for _ in range(number)]
    assert [each.place for each in given] == list(range(1, number + 1))
    counts = Counter(each.arm for each in given)
    assert len(counts) == arms
    drawn = randomisation_list(
        seed_of(given[0].list), arm_shares(cast.subject().version.protocol.sub_study(sub_study)),
        {E1: (3, 6), E2: (2, 4)}[sub_study], number,
    )  # fmt: skip
    assert [place.arm for place in drawn] == [each.arm for each in given]
    for block in {place.block for place in drawn}:
        of_block = [place for place in drawn if place.block == block]
        if len(of_block) == of_block[0].block_size:
            assert set(Counter(place.arm for place in of_block).values()) == {len(of_block) // arms}


def test_each_sub_study_has_a_list_of_its_own(cast: Cast) -> None:
    one = allocate_subject(actor=cast.actor(), subject=routed(cast, E1))
    two = allocate_subject(actor=cast.actor(), subject=routed(cast, E2))
    assert (one.place, two.place) == (1, 1)
    assert one.list_id != two.list_id


# Refusals -----------------------------------------------------------------------------------------------------------


def test_nobody_is_randomised_twice(cast: Cast) -> None:
    subject = routed(cast)
    first = allocate_subject(actor=cast.actor(), subject=subject)
    with pytest.raises(AlreadyAllocatedError, match="randomised on 10 Mar 2025"):
        allocate_subject(actor=cast.actor(), subject=subject)
    assert Allocation.objects.get(subject=subject) == first


@pytest.mark.req("ACC-12")
def test_without_a_gate_nobody_is_randomised(cast: Cast) -> None:
    registry._gates.clear()
    with pytest.raises(NotAllocatableError, match="eligibility cannot be checked"):
        allocate_subject(actor=cast.actor(), subject=routed(cast))
    assert not Allocation.objects.exists()
    assert not AllocationList.objects.exists()


@pytest.mark.req("ACC-12")
def test_a_closed_gate_says_why_and_gives_no_place(cast: Cast) -> None:
    register_gate(lambda subject, on: GateAnswer(False, f"criterion E1-8 is not met on {on}."))
    with pytest.raises(NotAllocatableError, match="E1-8 is not met on 2025-03-10"):
        allocate_subject(actor=cast.actor(), subject=routed(cast))
    register_gate(lambda subject, on: OPEN_GATE)
    assert allocate_subject(actor=cast.actor(), subject=routed(cast)).place == 1


def test_who_is_not_eligible_or_not_routed_or_without_consent_is_not_randomised(cast: Cast) -> None:
    screening = cast.subject("EXCALIBUR")
    enter(cast, screening, "SCR", "DS_IC", {"DSSTDAT": "2025-02-17"})
    with pytest.raises(NotAllocatableError, match="not signed as eligible"):
        allocate_subject(actor=cast.actor(), subject=screening)
    with pytest.raises(NotAllocatableError, match="not routed"):
        allocate_subject(actor=cast.actor(), subject=eligible(cast, "EXCALIBUR"))
    subject = routed(cast)
    enter(cast, subject, "SCR", "DS_IC", {"DSSTDAT": ""})
    with pytest.raises(NotAllocatableError, match="no date of consent"):
        allocate_subject(actor=cast.actor(), subject=subject)
    with pytest.raises(NotAllocatableError, match="one arm"):
        allocate_subject(actor=cast.actor(), subject=eligible(cast, "THERMODOX"))


@pytest.mark.req("ACC-12")
def test_treatment_forms_wait_for_the_arm_and_belong_to_it(cast: Cast) -> None:
    subjects = [routed(cast) for _ in range(3)]
    with pytest.raises(NotYetAllocatedError):
        casebook.open_entry(
            actor=cast.actor(), subject=subjects[0], visit=visit_of(subjects[0], "PUMP"), form="HAI"
        )
    with pytest.raises(NotYetAllocatedError):
        casebook.open_entry(actor=cast.actor(), subject=subjects[0], visit=None, form="FILL")
    for subject in subjects:
        arm = allocate_subject(actor=cast.actor(), subject=subject).arm
        for code, form, own in (("PUMP", "HAI", "HAI"), ("LTX", "LTX", "TX")):
            visit = visit_of(subject, code)
            if arm == own:
                assert casebook.open_entry(actor=cast.actor(), subject=subject, visit=visit, form=form).pk
            else:
                with pytest.raises(OtherArmError):
                    casebook.open_entry(actor=cast.actor(), subject=subject, visit=visit, form=form)


def test_the_operation_of_the_arm_puts_the_subject_on_treatment(cast: Cast) -> None:
    for _ in range(6):
        subject = routed(cast, E2)
        if allocate_subject(actor=cast.actor(), subject=subject).arm == "HAI":
            enter(cast, subject, "PUMP", "HAI", {"DIPARM": "1200V", "PRSTDAT": "2025-03-10"})
            assert Subject.objects.get(pk=subject.pk).status == "ON_TREATMENT"
            return
    raise AssertionError("six places of an even list without the arm")


# What stays secret, and what stays --------------------------------------------------------------------------------


@pytest.mark.req("BLD-02")
def test_the_seed_stands_neither_in_the_row_nor_in_the_trail(cast: Cast) -> None:
    allocate_subject(actor=cast.actor(), subject=routed(cast))
    row = AllocationList.objects.get()
    seed = seed_of(row)
    assert len(seed) == 64
    assert seed not in row.sealed_seed
    for event in Event.objects.filter(table_name="treatment_allocationlist"):
        assert seed not in str(event.after)
        assert row.sealed_seed not in str(event.after)


def test_a_list_of_another_installation_gives_no_place(cast: Cast, settings) -> None:  # type: ignore[no-untyped-def]
    allocate_subject(actor=cast.actor(), subject=routed(cast))
    subject = routed(cast)
    settings.SECRET_KEY = "another secret key, of another installation"
    with pytest.raises(ListUnreadableError):
        allocate_subject(actor=cast.actor(), subject=subject)
    assert Allocation.objects.count() == 1


@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
@pytest.mark.parametrize(
    ("table", "column"), [("treatment_allocation", "arm"), ("treatment_allocationlist", "scheme")]
)
def test_the_database_refuses_to_change_what_was_given(
    cast: Cast, statement: str, table: str, column: str
) -> None:
    allocate_subject(actor=cast.actor(), subject=routed(cast))
    sql = statement.format(table, column, "'TX'")
    with (
        pytest.raises(IntegrityError, match="is never changed and never deleted"),
        acting(SETUP),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


# At the same moment ---------------------------------------------------------------------------------------------------


def race(cast: Cast, subjects: list[Subject]) -> list[Future[Allocation]]:
    """Everybody randomises at the same moment, each in a connection of their own."""
    barrier = threading.Barrier(len(subjects))

    def run(subject: Subject) -> Allocation:
        try:
            barrier.wait(10)
            return allocate_subject(actor=cast.actor(), subject=subject)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(subjects)) as pool:
        return [pool.submit(run, subject) for subject in subjects]


@pytest.mark.django_db(transaction=True)
def test_the_first_two_subjects_at_the_same_moment_get_two_places(cast: Cast) -> None:
    racers = race(cast, [routed(cast), routed(cast)])
    assert sorted(racer.result().place for racer in racers) == [1, 2]
    assert AllocationList.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_subject_randomised_by_two_people_at_the_same_moment_gets_one_place(cast: Cast) -> None:
    subject = routed(cast)
    again = Subject.objects.select_related("site", "version", "trial").get(pk=subject.pk)
    errors = [racer.exception() for racer in race(cast, [subject, again])]
    assert sorted(type(error).__name__ for error in errors) == ["AlreadyAllocatedError", "NoneType"]
    assert Allocation.objects.count() == 1
