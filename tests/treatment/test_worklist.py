"""What waits in treatment: the right subjects, for the right people, at a constant cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from foundation import clock
from tests.cast import Cast
from tests.treatment.records import ablate, eligible, infuse
from treatment.selectors.worklist import broken_limits, subjects_to_treat

pytestmark = pytest.mark.django_db


def access_of(cast: Cast, role: str) -> Any:
    """Access as the middleware gives it to a request."""
    return cast.client(role).get("/account/").wsgi_request.access  # type: ignore[attr-defined]


def test_eligible_subjects_wait_for_their_arm_or_their_procedure(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    drawn, timed = eligible(cast, "EXCALIBUR", "EXCALIBUR-1"), eligible(cast)
    cast.subject("THERMODOX")
    access = access_of(cast, "coordinator")
    with statements() as done:
        found = {task.subject.number: task.title for task in subjects_to_treat(access)}
    assert found == {drawn.number: "Randomise", timed.number: "Plan the first procedure"}
    assert len(done.counted) <= 2
    assert subjects_to_treat(access_of(cast, "coordinator2")) == []
    assert subjects_to_treat(access_of(cast, "monitor")) == []


def test_a_broken_limit_is_listed_for_two_weeks_and_an_open_one_is_not(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    broken, fine, waiting = eligible(cast), eligible(cast), eligible(cast)
    for subject, start in ((broken, "08:40"), (fine, "08:50")):
        infuse(cast, subject)
        for row, lesion in enumerate(("T01", "T02"), start=1):
            ablate(cast, subject, lesion, repeat=row, times={"A0": start})
    infuse(cast, waiting)
    access, now = access_of(cast, "coordinator"), clock.now()
    with statements() as done:
        (task,) = broken_limits(access, now)
    assert len(done.counted) <= 3
    assert task.subject.number == broken.number
    assert task.title == "1 limit of the treatment not kept"
    assert "10 min" in task.detail
    assert broken_limits(access, now + timedelta(days=15)) == []
    assert broken_limits(access_of(cast, "coordinator2"), now) == []
