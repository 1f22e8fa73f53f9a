"""Changes of the site's list of lesions after a read that rests on it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from accounts.selectors import access_of
from audit.context import acting
from casebook.models import Entry
from imaging.rules.staleness import list_changes
from imaging.selectors.reads import queue_of
from imaging.selectors.staleness import changes_of
from tests.cast import SETUP
from tests.imaging.conftest import Desk
from tests.imaging.reader import fill, mark, read_of, send, sign
from tests.imaging.test_response import target, unreadable

T01, T02 = ["TARGET", "LIVER", "Liver, V"], ["TARGET", "LIVER", "Liver, VI"]


@pytest.mark.parametrize(
    ("now", "whole", "part"),
    [
        ({"T01": T01}, (), ()),
        ({"T01": T01, "T02": T02}, ("T02 came onto the list of lesions.",), ()),
        ({}, ("T01 went from the list of lesions.",), ("T01 went from the list of lesions.",)),
        (
            {"T02": T01},
            ("T01 went from the list of lesions.", "T02 came onto the list of lesions."),
            ("T01 went from the list of lesions.",),
        ),
        ({"T01": ["NON-TARGET", *T01[1:]]}, ("The role of T01 changed.",), ("The role of T01 changed.",)),
        (
            {"T01": ["TARGET", "LUNG", "Lung"]},
            ("The organ of T01 changed.", "The place of T01 changed."),
            ("The organ of T01 changed.", "The place of T01 changed."),
        ),
    ],
)
def test_what_changed_in_a_list(
    now: dict[str, list[str]], whole: tuple[str, ...], part: tuple[str, ...]
) -> None:
    assert list_changes({"T01": T01}, now, whole=True) == whole
    assert list_changes({"T01": T01}, now, whole=False) == part


def rewrite(desk: Desk, repeat: int, *, struck_out: bool = False, **values: str) -> None:
    """What a site makes of a row of its list later."""
    row = Entry.objects.get(subject=desk.subject, form="TU", repeat=repeat)
    changed = {**row.values, **{name: {"value": value} for name, value in values.items()}}
    with acting(SETUP):
        Entry.objects.filter(pk=row.pk).update(values=changed, struck_out=struck_out, updated_at=Now())


@pytest.mark.req("IMG-08")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"repeat": 2, "struck_out": True}, "T02 went from the list of lesions."),
        ({"repeat": 2, "TUORRES": "NON-TARGET"}, "The role of T02 changed."),
        ({"repeat": 2, "TULNKID": "NT01"}, "T02 went from the list of lesions. NT01 came"),
    ],
)
def test_a_read_is_stale_when_the_list_changes_on_which_it_rests(
    desk: Desk, change: dict[str, Any], said: str
) -> None:
    send(desk, "M1")
    read = sign(fill(read_of(desk, "M1")))
    assert changes_of(read) == ()
    rewrite(desk, **change)

    assert said in " ".join(changes_of(read))
    ((waiting, stale),) = queue_of(access_of(read.reader))
    assert (waiting.pk, stale is not None) == (read.pk, True)
    assert said in desk.cast.client_for(read.reader).get(reverse("reading-case", args=[read.opaque])).text
    assert said in desk.cast.client("datamanager").get(reverse("reads-overseen")).text


def test_a_lesion_that_comes_onto_the_list_has_judged_scans_read_again_and_no_others(desk: Desk) -> None:
    send(desk, "BL", "M1", "M4")
    first = read_of(desk, "BL")
    fill(first)
    mark(first, "T01", 30.0)
    sign(first)
    second = sign(fill(read_of(desk, "M1")))
    third = sign(unreadable(desk, "M4"))
    target(desk, "T03")

    assert changes_of(first) == (), "before the ablation it was asked about none"
    assert changes_of(second) == ("T03 came onto the list of lesions.",)
    assert changes_of(third) == (), "nothing was judged on images that cannot be read"
    rewrite(desk, 1, TULOC="LUNG")
    assert "The organ of T01 changed." in changes_of(first), "it measured that lesion"


def test_a_change_that_readers_do_not_see_changes_nothing(desk: Desk) -> None:
    send(desk, "M1")
    read = sign(fill(read_of(desk, "M1")))
    rewrite(desk, 1, PLANPROC="2")
    assert changes_of(read) == ()
