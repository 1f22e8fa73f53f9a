"""The treatment page: what it says, who sees it, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from patients.models import Subject
from tests.cast import Cast
from tests.treatment.records import OPEN_GATE, ablate, eligible, enter, infuse
from treatment import registry
from treatment.models import Allocation
from treatment.registry import GateAnswer, register_gate
from treatment.services import allocate_subject

pytestmark = pytest.mark.django_db
SEES = {"coordinator", "investigator", "datamanager", "monitor"}
RANDOMISES = {"coordinator", "investigator"}


@pytest.fixture(autouse=True)
def _gate() -> Iterator[None]:
    before = list(registry._gates)
    register_gate(lambda subject, on: OPEN_GATE)
    yield
    registry._gates[:] = before


def address(subject: Subject, more: str = "") -> str:
    return f"/subjects/{subject.number}/treatment/{more}"


def text_of(cast: Cast, subject: Subject, role: str = "coordinator") -> str:
    answer = cast.client(role).get(address(subject))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.mark.parametrize(
    ("role", "status"),
    [(role, 200 if role in SEES else 404) for role in
     ("coordinator", "investigator", "datamanager", "monitor", "radiologist", "adjudicator", "sponsor", "admin",
      "coordinator2", "investigator2", "outsider")],
)  # fmt: skip
def test_who_sees_the_page(cast: Cast, role: str, status: int) -> None:
    assert cast.client(role).get(address(cast.subject("THERMODOX"))).status_code == status


@pytest.mark.parametrize(
    ("role", "status"),
    [(role, 302 if role in RANDOMISES else 404) for role in
     ("coordinator", "investigator", "datamanager", "monitor", "radiologist", "adjudicator", "sponsor", "admin",
      "coordinator2", "investigator2", "outsider")],
)  # fmt: skip
def test_who_may_randomise(cast: Cast, role: str, status: int) -> None:
    subject = eligible(cast, "EXCALIBUR", "EXCALIBUR-1")
    assert cast.client(role).post(address(subject, "randomise/")).status_code == status
    assert Allocation.objects.filter(subject=subject).exists() is (role in RANDOMISES)


def test_a_link_alone_randomises_nobody(cast: Cast) -> None:
    subject = eligible(cast, "EXCALIBUR", "EXCALIBUR-1")
    assert cast.client("coordinator").get(address(subject, "randomise/")).status_code == 405


def test_before_eligibility_the_page_says_why_nothing_opens(cast: Cast) -> None:
    text = text_of(cast, cast.subject("THERMODOX"))
    assert "Treatment forms open after the investigator has signed" in text
    assert "The dose cannot be calculated" in text


def test_the_planned_dose_stands_there_with_its_arithmetic(cast: Cast) -> None:
    text = text_of(cast, eligible(cast))
    assert (
        "50 mg/m2 x 1.8203 m2 (mosteller) = 91.01 mg, rounded to 91 mg; 45.5 mL at 2 mg/mL; 4 vials of 30 mg"
        in text
    )
    assert "Provisional: formula" in text


def test_a_procedure_shows_its_picture_and_what_was_found(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject, dose="100")
    ablate(cast, subject, "T01", times={"A0": "08:44:59"})
    text = text_of(cast, subject)
    assert text.count('role="img"') >= 2
    assert "14 min 59 s" in text
    assert "Major deviation" in text
    assert "Thermal Ablation will be initiated a minimum of 15 minutes after start of the infusion" in text
    assert "+9.9 %" in text
    assert "T02" in text
    assert "Not ablated, and all planned procedures are done" in text


def test_the_picture_names_no_style_and_no_script(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    ablate(cast, subject, "T01")
    assert not re.search(r"\sstyle=|\son\w+=|<script(?![^>]*src)", text_of(cast, subject))


def test_the_button_waits_with_its_reason(cast: Cast) -> None:
    register_gate(lambda subject, on: GateAnswer(False, "criterion E1-8 is not met."))
    text = text_of(cast, eligible(cast, "EXCALIBUR", "EXCALIBUR-1"))
    assert 'aria-disabled="true"' in text
    assert "criterion E1-8 is not met." in text
    assert (
        text_of(cast, eligible(cast, "EXCALIBUR", "EXCALIBUR-1"), "monitor").count("Randomise</button>") == 0
    )


def test_after_randomisation_the_arm_is_shown_and_nothing_of_the_list(cast: Cast) -> None:
    subject = eligible(cast, "EXCALIBUR", "EXCALIBUR-1")
    client = cast.client("coordinator")
    client.post(address(subject, "randomise/"))
    given = Allocation.objects.get(subject=subject)
    text = text_of(cast, subject)
    assert subject.version.protocol.arm(given.arm).name in text
    assert "evaluation of today" in text
    assert given.list.sealed_seed not in text
    assert given.list.scheme not in text
    assert "Randomise</button>" not in text
    client.post(address(subject, "randomise/"))
    assert "A subject is randomised once." in text_of_messages(client, subject)
    assert Allocation.objects.filter(subject=subject).count() == 1


def text_of_messages(client: Any, subject: Subject) -> str:
    return str(client.get(address(subject)).content.decode())


def test_the_tab_stands_where_there_is_something_to_treat(cast: Cast) -> None:
    for trial in ("THERMODOX", "EXCALIBUR"):
        subject = cast.subject(trial)
        page = cast.client("coordinator").get(f"/subjects/{subject.number}/").content.decode()
        assert address(subject) in page
        assert (
            address(subject)
            not in cast.client("sponsor").get(f"/subjects/{subject.number}/").content.decode()
        )


def test_the_page_costs_the_same_for_one_procedure_as_for_two(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    def cost(subject: Subject) -> int:
        client = cast.client("coordinator")
        client.get(address(subject))
        with statements() as done:
            assert client.get(address(subject)).status_code == 200
        return len(done.counted)

    one, two = eligible(cast), eligible(cast)
    infuse(cast, one)
    for visit, day in (("P1", "2025-03-04"), ("P2", "2025-04-08")):
        infuse(cast, two, visit, day)
        for row, lesion in enumerate(("T01", "T02"), start=1):
            ablate(cast, two, lesion, repeat=row, visit=visit, day=day)
    enter(cast, two, "P2", "VS", {"VSDAT": "2025-04-08", "WEIGHT": "80 kg"})
    assert cost(one) == cost(two) <= 9


def test_the_page_of_a_randomised_subject_costs_a_constant(cast: Cast, statements: Callable[[], Any]) -> None:
    subject = eligible(cast, "EXCALIBUR", "EXCALIBUR-1")
    allocate_subject(actor=cast.actor(), subject=subject)
    client = cast.client("coordinator")
    client.get(address(subject))
    with statements() as done:
        assert client.get(address(subject)).status_code == 200
    assert len(done.counted) <= 11, done.counted
