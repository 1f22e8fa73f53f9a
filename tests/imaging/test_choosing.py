"""The reader's own list of lesions, made at the first time point."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse
from pydantic import ValidationError

from imaging.errors import LesionRefusedError, ReadLockedError
from imaging.models import ChosenLesion, Measurement, Read
from imaging.selectors.chosen import chooses_lesions
from imaging.selectors.judging import course_of, lesions_to_judge
from imaging.selectors.staleness import changes_of
from imaging.services import (
    choose_lesion,
    correct_read,
    drop_lesion,
    queue_repeats,
    queue_waiting,
    record_findings,
)
from imaging.services.signing import missing_in
from tests.imaging.conftest import Desk
from tests.imaging.reader import actor_of, charter_of, mark, read_of, send, sign
from tests.imaging.test_response import begun
from trials.schema.imaging import Charter


@pytest.fixture
def listing(desk: Desk) -> Iterator[Desk]:
    """A desk whose charter has the reader list the lesions."""
    with charter_of(desk, assessments=("recist",), lesions="reader"):
        send(desk, "BL", "M1")
        yield desk


def choose(read: Read, kind: str = "TARGET", organ: str = "LIVER", place: str = "") -> str:
    return choose_lesion(actor=actor_of(read.reader), read=read, kind=kind, organ=organ, place=place).name


def names(read: Read) -> list[str]:
    return [each.lesion.name for each in lesions_to_judge(read)]


def baseline(desk: Desk) -> Read:
    """A signed first time point with a target of 30 mm."""
    read = begun(desk, "BL")
    choose(read, place="segment VI")
    mark(read, "T01", 30.0)
    return sign(read)


@pytest.mark.req("IMG-07")
def test_the_reader_lists_the_lesions_and_the_sites_are_not_shown(listing: Desk) -> None:
    read = begun(listing, "BL")
    assert names(read) == [], "the site's T01 and T02 say what the investigator saw"
    assert "the lesions, or a comment that there are none" in missing_in(read)
    assert [choose(read, place="segment VI"), choose(read, "NON-TARGET", "LUNG"), choose(read)] == [
        "T01", "NT01", "T02",
    ]  # fmt: skip
    with pytest.raises(LesionRefusedError, match="at most 5 targets"):
        choose(read)
    with pytest.raises(LesionRefusedError, match="in which organ"):
        choose(read, organ="ELBOW")
    mark(read, "T01", 30.0)
    mark(read, "T02", 20.0)
    signed = sign(read)
    assert signed.lesions == {
        "whole": True,
        "lesions": {
            "T01": ["TARGET", "LIVER", "Liver, segment VI"],
            "T02": ["TARGET", "LIVER", "Liver"],
            "NT01": ["NON-TARGET", "LUNG", "Lung"],
        },
    }

    later = begun(listing, "M1")
    assert names(later) == ["T01", "T02", "NT01"]
    assert not chooses_lesions(later)
    with pytest.raises(LesionRefusedError, match="holds since"):
        choose(later)
    mark(later, "T01", 15.0)
    mark(later, "T02", 10.0)
    course = course_of(later)
    assert course is not None
    assert course.figures[1] == ("From baseline", "−50 %")
    with pytest.raises(ReadLockedError):
        choose(signed)


def test_a_lesion_is_taken_off_the_list_and_stays_on_record(listing: Desk) -> None:
    read = begun(listing, "BL")
    choose(read)
    mark(read, "T01", 30.0)
    drop_lesion(actor=actor_of(read.reader), read=read, lesion="T01")

    assert names(read) == []
    assert ChosenLesion.objects.filter(name="T01").count() == 2
    assert [each.erased for each in Measurement.objects.order_by("pk")] == [False, True]
    assert choose(read) == "T02", "no name is given twice"


def test_where_there_is_no_lesion_the_reader_says_so(listing: Desk) -> None:
    read = begun(listing, "BL")
    record_findings(actor=actor_of(read.reader), read=read, comment="No lesion of the liver or elsewhere.")
    assert sign(read).lesions == {"whole": True, "lesions": {}}


def test_each_of_two_readers_has_a_list_of_their_own(listing: Desk) -> None:
    with charter_of(listing, readers=2):
        assert queue_waiting() == 2
        baseline(listing)
        assert names(read_of(listing, "BL", 2)) == [], "what another reader listed is theirs"
        assert chooses_lesions(read_of(listing, "BL", 2))


def test_a_corrected_list_has_later_time_points_read_again(listing: Desk) -> None:
    first = baseline(listing)
    later = begun(listing, "M1", overall="SD")
    mark(later, "T01", 30.0)
    sign(later)
    assert changes_of(later) == ()

    new = correct_read(actor=actor_of(first.reader), read=first, reason="One was missed")
    assert names(new) == ["T01"]
    choose(read_of(listing, "BL"), "NON-TARGET", "LUNG")
    sign(read_of(listing, "BL"))

    assert changes_of(later) == ("Time point 1 was corrected: list entry of NT01.",)


def test_a_hidden_repeat_goes_by_the_list_that_was_made(listing: Desk) -> None:
    with charter_of(listing, reread_pct=100, reread_after_days=0):
        baseline(listing)
        assert queue_repeats() == 1
    repeat = Read.objects.select_related("visit", "subject__version", "reader").get(repeat_of__isnull=False)
    assert names(repeat) == ["T01"]
    assert not chooses_lesions(repeat)


def test_on_the_page_a_lesion_is_listed_and_taken_off(listing: Desk) -> None:
    read = begun(listing, "BL")
    client = listing.cast.client_for(read.reader)
    page = client.get(reverse("reading-case", args=[read.opaque])).text
    assert "List the lesions that you see" in page
    said = {"kind": "TARGET", "organ": "LIVER", "place": "dome"}
    assert "Liver, dome" in client.post(reverse("reading-choose", args=[read.opaque]), said, follow=True).text
    assert (
        client.post(reverse("reading-choose", args=[read.opaque]), {**said, "organ": ""}).status_code == 422
    )
    client.post(reverse("reading-drop", args=[read.opaque]), {"lesion": "T01"})
    assert names(read) == []


def test_a_list_of_the_reader_needs_one_time_point_after_the_other() -> None:
    said = {"source": "seed", "assessments": ["recist"], "modalities": ["CT"], "lesions": "reader"}
    assert Charter.model_validate(said).lesions == "reader"
    for wrong in ({"order": "global"}, {"assessments": ["ablation"]}):
        with pytest.raises(ValidationError, match="lesions: reader needs"):
            Charter.model_validate({**said, **wrong})
