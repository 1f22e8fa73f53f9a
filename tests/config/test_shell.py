"""The frame of the page: the trial and the site that somebody works in, and finding by typing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from audit.context import acting
from foundation import clock
from tests.cast import SETUP, Cast
from visits.models import Visit
from visits.services import record_visit

pytestmark = pytest.mark.django_db


def shell(client: Client, address: str) -> Any:
    """The frame of a page."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return answer.context["shell"]


def names(choices: Any) -> list[str]:
    return [choice.name for choice in choices]


def links(frame: Any) -> dict[str, str]:
    return {link.name: link.url for link in frame.nav}


def test_the_menus_name_what_a_person_sees(cast: Cast) -> None:
    frame = shell(cast.client("coordinator"), "/subjects/")
    assert names(frame.trials) == [
        "All trials",
        *sorted(trial.short_title for trial in cast.trials.values()),
    ]
    assert (frame.trial.name, frame.site.name) == ("All trials", "Oslo University Hospital")
    assert names(frame.sites) == ["Oslo University Hospital"]
    assert names(shell(cast.client("monitor"), "/subjects/").sites) == [
        "All sites",
        "Oslo University Hospital",
        "Sahlgrenska",
    ]


@pytest.mark.parametrize("role", ["radiologist", "admin", "outsider"])
def test_who_sees_no_subjects_has_no_menus(cast: Cast, role: str) -> None:
    frame = shell(cast.client(role), "/today/")
    assert (frame.trial, frame.site) == (None, None)


def test_the_address_chooses_and_the_links_keep_it(cast: Cast) -> None:
    client = cast.client("monitor")
    frame = shell(client, "/subjects/?trial=THERMODOX&site=SE-02")
    assert (frame.trial.name, frame.site.name) == (cast.trials["THERMODOX"].short_title, "Sahlgrenska")
    elsewhere = shell(client, "/account/")
    assert links(elsewhere)["Casebooks"] == "/casebooks/?trial=THERMODOX&site=SE-02"
    assert links(elsewhere)["Today"] == "/today/"
    assert elsewhere.site.name == "Sahlgrenska"
    assert elsewhere.trials[1].url.startswith("/subjects/?")
    shell(client, "/subjects/?trial=&site=")
    assert links(shell(client, "/account/"))["Casebooks"] == "/casebooks/"


def test_today_shows_everything_unless_it_is_asked_not_to(cast: Cast) -> None:
    client = cast.client("monitor")
    shell(client, "/subjects/?trial=THERMODOX")
    assert shell(client, "/today/").trial.name == "All trials"
    narrowed = shell(client, "/today/?trial=EXCALIBUR&kind=visits")
    assert narrowed.trial.name == cast.trials["EXCALIBUR"].short_title
    assert {choice.url for choice in narrowed.trials} >= {
        "/today/?trial=&kind=visits",
        "/today/?trial=THERMODOX&kind=visits",
    }
    assert links(shell(client, "/account/"))["Subjects"] == "/subjects/?trial=THERMODOX"


def test_an_address_of_somebody_elses_trial_or_site_chooses_nothing(cast: Cast) -> None:
    client = cast.client("coordinator")
    frame = shell(client, "/subjects/?trial=SECRET&site=SE-02")
    assert (frame.trial.name, frame.site.name) == ("All trials", "Oslo University Hospital")
    assert "SE-02" not in links(frame)["Subjects"]


def test_the_frame_costs_the_same_for_one_site_and_for_two(cast: Cast, statements: Callable[[], Any]) -> None:
    counted = []
    for role in ("coordinator", "monitor"):
        client = cast.client(role)
        client.get("/subjects/?trial=THERMODOX")
        with statements() as done:
            client.get("/subjects/?trial=THERMODOX")
        counted.append(len(done.counted))
    assert counted[0] == counted[1]


def test_a_page_of_a_subject_names_its_trial_and_site_whatever_was_chosen_before(cast: Cast) -> None:
    subject = cast.subject("EXCALIBUR")
    client = cast.client("monitor")
    client.get("/subjects/?trial=THERMODOX&site=SE-02")
    frame = shell(client, f"/subjects/{subject.number}/")
    assert frame.trial.name == cast.trials["EXCALIBUR"].short_title
    assert frame.site.name == "Oslo University Hospital"
    assert links(frame)["Casebooks"] == "/casebooks/?trial=THERMODOX&site=SE-02"


def test_all_moments_of_a_page_are_in_one_clock_which_is_named(cast: Cast) -> None:
    """A page of a subject in that of the site, every other one in that of its reader."""
    subject = cast.subject("EXCALIBUR")
    with acting(SETUP):
        User.objects.filter(username="datamanager").update(time_zone="America/New_York")
    record_visit(
        actor=cast.actor(), visit=Visit.objects.get(subject=subject, code="SCR"), happened_on=clock.today()
    )
    client = cast.client("datamanager")
    compared = client.get(f"/subjects/{subject.number}/compare/").content.decode()
    assert re.search(r"\d\d:\d\d CES?T", compared)
    assert not re.search(r"UTC|E[SD]T\b", compared.replace("CEST", "").replace("CET", ""))
    trail = client.get("/audit/").content.decode()
    assert "America/New_York" in trail
    assert "UTC" not in trail


def test_words_lead_to_a_subject_a_form_or_a_page(cast: Cast) -> None:
    client, subject = cast.client("coordinator"), cast.subject()
    there = cast.subject(site=cast.away)
    visit = Visit.objects.get(subject=subject, code="SCR")

    def found(words: str) -> str:
        return str(client.get("/find/", {"q": words}).headers["Location"])

    assert found(subject.number.lower()) == f"/subjects/{subject.number}/"
    assert found(subject.patient.code) == f"/subjects/{subject.number}/"
    assert found(f"{subject.number} {visit} lb") == f"/subjects/{subject.number}/SCR/LB/"
    assert found(f"{subject.number} {visit} none") == f"/subjects/{subject.number}/"
    assert found("quer").startswith("/queries/")
    assert found("nothing at all") == "/subjects/?q=nothing+at+all"
    assert found(there.number) == f"/subjects/?q={there.number}"
    assert cast.client("sponsor").get("/find/?q=x").status_code == 404
