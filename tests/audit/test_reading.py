"""Old values stay readable, in order, beside the current one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as some

from accounts.models import Grant, User
from audit.context import Actor, acting, request_actor
from audit.labels import changes, table_label
from audit.models import Event
from audit.rules.history import Change, replay
from audit.selectors import TrailFilter, history_of, item_history, of_subject, report, row_as_of
from audit.tables import UndeclaredSubject, _subject
from foundation.clock import now
from tests.audit.conftest import run


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("AUD-09")
def test_every_value_of_an_item_in_order(scratch: str, actor: Actor) -> None:
    with acting(actor):
        run("INSERT INTO scratch VALUES (1, 7, 'lab', '', '{\"ALB\": \"40\"}')")
        run('UPDATE scratch SET values = values || \'{"HGB": "21"}\'')
        run('UPDATE scratch SET values = values || \'{"ALB": "41"}\'')
    with acting(actor, reason="digits swapped"):
        run('UPDATE scratch SET values = values || \'{"HGB": "12"}\'')
    with acting(actor, reason="other patient"):
        run("UPDATE scratch SET values = values - 'HGB'")
    versions = item_history("scratch", 1, "values", "HGB")
    assert [(version.old, version.new, version.reason) for version in versions] == [
        (None, "21", ""),
        ("21", "12", "digits swapped"),
        ("12", None, "other patient"),
    ]
    assert {version.actor for version in versions} == {"Some Body"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("AUD-09")
def test_a_row_as_it_stood_at_any_moment(scratch: str, actor: Actor) -> None:
    with acting(actor):
        run('INSERT INTO scratch VALUES (1, 7, \'lab\', \'\', \'{"HGB": "21", "K": "4"}\')')
        run("UPDATE scratch SET values = '{\"HGB\": \"12\"}', kind = 'x'")
        run("DELETE FROM scratch")
    created, changed, deleted = Event.objects.filter(table_name="scratch").order_by("id")
    assert row_as_of("scratch", 1, created.at - timedelta(microseconds=1)) is None
    assert row_as_of("scratch", 1, created.at) == created.after
    then = row_as_of("scratch", 1, changed.at)
    assert then is not None
    assert (then["values"], then["kind"], then["subject_id"]) == ({"HGB": "12"}, "x", 7)
    assert row_as_of("scratch", 1, deleted.at) is None


objects = some.dictionaries(some.sampled_from("xyz"), some.integers(0, 2))
cells = some.one_of(some.none(), some.integers(0, 2), objects)
rows = some.dictionaries(some.sampled_from("abc"), cells, min_size=3, max_size=3)


@given(some.lists(rows, min_size=1, max_size=6))
def test_replaying_all_changes_gives_the_last_row(versions: list[dict[str, Any]]) -> None:
    changes_seen = [Change(None, versions[0])]
    changes_seen += [Change(*difference(old, new)) for old, new in pairwise(versions)]
    assert replay(changes_seen) == versions[-1]


def difference(
    old: dict[str, Any], new: dict[str, Any], deeper: bool = True
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the database's function `hilum_changes` keeps."""
    before, after = {}, {}
    for key in {*old, *new}:
        missing = object()
        o, n = old.get(key, missing), new.get(key, missing)
        if o == n:
            continue
        if deeper and isinstance(o, dict) and isinstance(n, dict):
            before[key], after[key] = difference(o, n, deeper=False)
            continue
        if o is not missing:
            before[key] = o
        if n is not missing:
            after[key] = n
    return before, after


@pytest.mark.django_db(transaction=True)
def test_a_subjects_events_and_a_report(scratch: str, actor: Actor) -> None:
    with acting(actor):
        run("INSERT INTO scratch SELECT n, n % 2, 'lab', '', NULL FROM generate_series(1, 4) n")
    with acting(Actor(id=None, name="Other"), reason="source corrected"):
        run("UPDATE scratch SET kind = 'x' WHERE id = 1")
    assert [event.row_id for event in of_subject(1)] == ["1", "3", "1"]
    everything = Event.objects.filter(table_name="scratch")
    assert report(everything, TrailFilter(actor="OTHER")).count() == 1
    assert report(everything, TrailFilter(reason="corrected", action="U")).count() == 1
    assert report(everything, TrailFilter(since=now().date(), until=now().date())).count() == 5
    assert report(everything, TrailFilter(until=(now() - timedelta(days=1)).date())).count() == 0
    assert report(everything, TrailFilter(since=(now() + timedelta(days=1)).date())).count() == 0


@pytest.mark.django_db
def test_reading_a_history_costs_one_statement(make_user: Callable[..., User], statements: Any) -> None:
    user = make_user("ada")
    with statements() as done:
        assert len(history_of(user)) == 1
    assert len(done.counted) == 1


@pytest.mark.django_db
def test_the_trail_speaks_in_words(make_user: Callable[..., User], grant: Callable[..., Grant]) -> None:
    grant(make_user("ada"), "datamanager", "THERMODOX")
    event = Event.objects.latest("id")
    assert table_label(event.table_name) == "Grant"
    assert {"role": "Data manager", "trial": "THERMODOX"}.items() <= {
        change.name: change.new for change in changes(event)
    }.items()
    assert table_label("gone") == "gone"


@pytest.mark.django_db
@pytest.mark.req("AUD-11")
class TestPage:
    def test_an_investigator_sees_the_trail_of_the_own_site(self, cast: Any) -> None:
        home, away = cast.subject(), cast.subject(site=cast.away)
        page = cast.client("investigator").get("/audit/").content.decode()
        assert home.number in page
        assert away.number not in page
        assert "Coordinator Person" in page

    def test_a_monitor_of_all_sites_sees_both(self, cast: Any) -> None:
        home, away = cast.subject(), cast.subject(site=cast.away)
        page = cast.client("monitor").get("/audit/").content.decode()
        assert home.number in page
        assert away.number in page

    def test_a_subject_of_another_site_has_no_trail_here(self, cast: Any) -> None:
        away = cast.subject(site=cast.away)
        assert cast.client("investigator2").get(f"/audit/?subject={away.number}").status_code == 200
        assert cast.client("investigator").get(f"/audit/?subject={away.number}").status_code == 404
        assert cast.client("investigator").get("/audit/?subject=NOBODY").status_code == 404

    def test_others_have_no_trail(self, cast: Any) -> None:
        for role in ("coordinator", "radiologist", "adjudicator", "sponsor", "admin", "outsider"):
            assert cast.client(role).get("/audit/").status_code == 404, role

    def test_it_is_narrowed_and_turned_like_a_page(self, cast: Any) -> None:
        subject = cast.subject()
        with acting(cast.actor(), reason="spelling of the number"):
            for status in ("ELIGIBLE", "SCREENING") * 35:
                type(subject).objects.filter(pk=subject.pk).update(status=status)
        client = cast.client("monitor")
        first = client.get(f"/audit/?subject={subject.number}&reason=spelling").content.decode()
        assert first.count("<tr>") == 51
        older = re.search(r'href="(\?[^"]*before=\d+)"', first)
        assert older is not None
        second = client.get("/audit/" + older[1].replace("&amp;", "&")).content.decode()
        assert second.count("<tr>") == 21
        assert "No events." in client.get("/audit/?actor=nobody").content.decode()

    def test_a_date_that_is_none_is_said_at_its_place(self, cast: Any) -> None:
        answer = cast.client("monitor").get("/audit/?since=yesterday")
        assert answer.status_code == 422
        assert "Enter a valid date" in answer.content.decode()

    def test_it_costs_the_same_for_two_subjects_and_for_ten(self, cast: Any, statements: Any) -> None:
        client, counts = cast.client("monitor"), []
        client.get("/audit/")
        for number in range(10):
            cast.subject()
            if number in (1, 9):
                with statements() as done:
                    assert client.get("/audit/").status_code == 200
                counts.append(len(done.counted))
        assert counts[0] == counts[1]
        assert counts[0] <= 15


def test_nobody_acts_for_an_anonymous_request() -> None:
    request = RequestFactory().post("/")
    request.user = AnonymousUser()
    with pytest.raises(PermissionError):
        request_actor(request)


def test_a_path_to_a_subject_that_is_not_there_is_refused() -> None:
    class Wrong:
        _meta = User._meta
        audit_subject = "nothing__subject"

    with pytest.raises(UndeclaredSubject):
        _subject(Wrong)
