"""The eligibility page: what it says of each criterion, where a missing fact is entered, who may see and sign."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from casebook.rules.cells import Typed
from eligibility.models import Assessment
from patients.services import screen_patient
from tests.cast import Cast
from tests.conftest import PASSWORD
from tests.eligibility.case import FACTS, Case
from tests.eligibility.entering import Nurse

pytestmark = pytest.mark.django_db
TODAY = date(2025, 9, 15)


def rows_of(answer: Any) -> dict[str, Any]:
    return {row.criterion.id: row for part in answer.context["shown"].sections for row in part.rows}


def words_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_every_criterion_stands_under_its_number_with_evidence_limit_and_link(cast: Cast) -> None:
    case = Case(cast)
    answer = cast.client("coordinator").get(case.address)
    sections = answer.context["shown"].sections
    assert [(part.title, len(part.rows)) for part in sections] == [
        ("Inclusion", 19),
        ("Exclusion", 9),
        ("Exclusion, Excalibur 1 only", 6),
    ]
    assert "but not into Excalibur 2" in sections[2].note
    row = rows_of(answer)["EX-I-5b.1"]
    assert (row.criterion.number, row.state, row.limit) == ("5b", "met", "> 10 g/dL")
    assert [(value.label, value.text) for value in row.groups[0].values] == [("", "12.4 g/dL")]
    assert row.groups[0].place.words == "Laboratory, 10 Sep 2025"
    assert row.groups[0].place.url == f"/subjects/{case.subject.number}/SCR/LB/#row-HGB"
    assert cast.client("coordinator").get(row.groups[0].place.url).status_code == 200
    words = words_of(answer)
    assert "Hb &gt;10g/dl" in words
    assert "Offer Excalibur 1" in words
    assert "Not present" in words


def test_limits_are_said_as_what_keeps_a_subject_in(cast: Cast) -> None:
    rows = rows_of(cast.client("coordinator").get(Case(cast).address))
    assert {name: rows[name].limit for name in ("EX-I-5b.4", "EX-I-5b.8", "E1-E-4", "E1-E-5", "E1-E-7")} == {
        "EX-I-5b.4": "< 1.5 × ULN",
        "EX-I-5b.8": "> LLN",
        "E1-E-4": "≤ 100 mm",
        "E1-E-5": "≤ 30",
        "E1-E-7": "< 70 years",
    }
    assert (rows["E1-E-7"].computed, rows["E1-E-5"].computed) == ("58 years", "25.83")
    assert rows["EX-E-4"].limit == ""


@pytest.mark.parametrize(("fact", "criterion", "address"), [
    ("BRAFRES", "E1-E-2", "SCR/GF/#row-BRAFRES"),
    ("PSYCH", "EX-E-7", "SCR/IE/#row-PSYCH"),
    ("MDTDAT", "EX-E-4", "SCR/MDT/#row-MDTDAT"),
])  # fmt: skip
def test_an_unknown_links_to_the_form_and_item_where_it_is_entered(
    cast: Cast, fact: str, criterion: str, address: str
) -> None:
    case = Case(cast, **{fact: None})
    answer = cast.client("coordinator").get(case.address)
    row = rows_of(answer)[criterion]
    assert (row.state, row.css) == ("unknown", "unknown")
    assert f"/subjects/{case.subject.number}/{address}" in {each.place.url for each in row.missing}
    assert f'href="/subjects/{case.subject.number}/{address}"' in answer.content.decode()


def test_a_casebook_that_nobody_opened_links_every_missing_fact_to_a_form_that_opens(cast: Cast) -> None:
    subject = cast.subject("EXCALIBUR")
    client = cast.client("coordinator")
    answer = client.get(f"/subjects/{subject.number}/eligibility/")
    rows = rows_of(answer)
    assert {row.state for row in rows.values()} == {"unknown"}
    links = {each.place.url for row in rows.values() for each in row.missing}
    assert "" not in links
    assert {client.get(link).status_code for link in links} == {200}
    assert answer.context["shown"].route.title == "Hold"


def test_a_missing_limit_of_normal_and_an_old_value_say_so(cast: Cast) -> None:
    case = Case(cast)
    case.nurse.enter("LB", {"BILI": Typed("11", "umol/L")})
    rows = rows_of(cast.client("coordinator").get(case.address))
    assert [each.label for each in rows["EX-I-5b.4"].missing] == ["Bilirubin: upper limit of normal"]
    case.nurse.enter("LB", {"LBDAT": "2025-08-20"})
    missing = rows_of(cast.client("coordinator").get(case.address))["EX-I-5b.1"].missing[0]
    assert "older than 14 days" in missing.why
    assert missing.place.url.endswith("/RAND/LB/#row-HGB")  # the next visit that has the form


def test_members_of_lists_are_shown_and_linked_one_by_one(cast: Cast) -> None:
    lung = {"mm": "15", "RESECT": "Y", "CURABLE": "Y", "certainty": "DEFINITE"}
    case = Case(cast, LUNGYN="Y", FINDINGS={"LUNG": [lung, {**lung, "certainty": "EQUIVOCAL"}]})
    row = rows_of(cast.client("coordinator").get(case.address))["E1-E-3"]
    assert row.state == "unknown"
    assert {each.label for each in row.missing} == {"Lung lesions, 2: Certainty"}
    assert row.missing[0].place.url == f"/subjects/{case.subject.number}/SCR/LL/2/#row-CERTAINTY"


def test_provisional_criteria_are_marked_and_decide_nothing(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    facts = {**FACTS["V08"], "LVEF": "30"}
    Nurse(cast, subject).enter_facts(facts, dated={"LB": "2025-09-10"}, quick=True)
    answer = cast.client("coordinator").get(f"/subjects/{subject.number}/eligibility/")
    shown = answer.context["shown"]
    assert rows_of(answer)["TD-R-04"].state == "not-met"
    assert rows_of(answer)["TD-R-04"].criterion.provisional
    assert (shown.sections[0].title, shown.sections[0].provisional) == ("Inclusion", False)
    assert all(part.provisional for part in shown.sections[1:])
    assert shown.route.title == "Offer ThermoDox, criteria of the published summary"
    assert answer.content.decode().count('class="tag provisional"') > 19
    assert "Not part of the decision until the sponsor confirms it." in words_of(answer)


@pytest.mark.parametrize(
    ("day", "state"), [("2025-09-09", "unknown"), ("2025-09-10", "met"), ("10 Sep 2025", "met")]
)
def test_another_day_is_judged_from_what_is_dated_up_to_it(cast: Cast, day: str, state: str) -> None:
    case = Case(cast)
    answer = cast.client("investigator").get(case.address, {"as_of": day})
    assert rows_of(answer)["EX-I-5b.1"].state == state
    assert "You look at" in words_of(answer)
    assert "eligibility/sign/" not in answer.content.decode()


@pytest.mark.parametrize("typed", ["2025-09-16", "31 Nov 2025", "soon"])
def test_a_day_that_cannot_be_is_refused_in_place(cast: Cast, typed: str) -> None:
    answer = cast.client("investigator").get(Case(cast).address, {"as_of": typed})
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.content.decode()
    assert answer.context["shown"].evaluation.as_of == TODAY


def test_other_sites_and_strangers_find_nothing(cast: Cast) -> None:
    case = Case(cast, cast.away)
    for role, status in {
        "coordinator": 404, "investigator": 404, "sponsor": 404, "radiologist": 404, "outsider": 404, "admin": 404,
        "coordinator2": 200, "investigator2": 200, "monitor": 200, "datamanager": 200,
    }.items():  # fmt: skip
        client = cast.client(role)
        for address in (case.address, f"{case.address}trials/"):
            assert client.get(address).status_code == status, (role, address)
        typed = {"decision": "ELIGIBLE", "username": role, "password": PASSWORD}
        signing = client.post(f"{case.address}sign/", typed)
        assert signing.status_code == (302 if role == "investigator2" else 404), role


def test_a_coordinator_sees_why_the_button_does_nothing_and_cannot_press_it_past_the_page(cast: Cast) -> None:
    case = Case(cast)
    client = cast.client("coordinator")
    page = words_of(client.get(case.address))
    assert "Only an investigator of this site can sign." in page
    answer = client.post(f"{case.address}sign/", {"decision": "ELIGIBLE", "password": PASSWORD})
    assert answer.status_code == 404
    assert not Assessment.objects.exists()


def test_signing_in_the_dialog(cast: Cast) -> None:
    case = Case(cast)
    client = cast.client("investigator")
    htmx = {"HX-Request": "true"}
    dialog = client.get(f"{case.address}sign/?decision=ELIGIBLE", headers=htmx)
    for word in (
        "Investigator Person (investigator)",
        "Approval of eligibility",
        "15 Sep 2025, 12:00 CEST",
        "34 criteria",
    ):
        assert word in words_of(dialog)
    sent = {"decision": "ELIGIBLE", "seen": dialog.context["seen"], "username": "investigator"}
    for components in ({"password": "mistyped"}, {"username": "somebody", "password": PASSWORD}):
        refused = client.post(f"{case.address}sign/", {**sent, **components}, headers=htmx)
        assert refused.status_code == 422
        assert "left" in words_of(refused)
        assert (
            not set(components.values()) & {PASSWORD, "mistyped"} & set(refused.content.decode().split('"'))
        )
    signed = client.post(f"{case.address}sign/", {**sent, "password": PASSWORD}, headers=htmx)
    assert signed.headers["HX-Redirect"] == case.address
    page = words_of(client.get(case.address))
    assert "Signed as eligible by Investigator Person" in page.replace(" </b>", "").replace("  ", " ")
    assert "Signed, and no fact has changed since." in page


def test_a_fact_that_changed_while_the_dialog_was_open_is_told_and_nothing_is_signed(cast: Cast) -> None:
    case = Case(cast)
    client = cast.client("investigator")
    dialog = client.get(f"{case.address}sign/?decision=ELIGIBLE", headers={"HX-Request": "true"})
    case.nurse.enter("RS", {"ECOG": "0"})
    answer = client.post(
        f"{case.address}sign/",
        {
            "decision": "ELIGIBLE",
            "seen": dialog.context["seen"],
            "username": "investigator",
            "password": PASSWORD,
        },
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 422
    assert "Facts changed" in words_of(answer)
    assert not Assessment.objects.exists()


def test_hold_offers_no_signature_as_eligible_and_says_what_is_missing(cast: Cast) -> None:
    case = Case(cast, BRAFRES=None)
    client = cast.client("investigator")
    page = client.get(case.address)
    assert "decision=ELIGIBLE" not in page.content.decode()
    assert "There are no waivers." in words_of(page)
    assert client.get(f"{case.address}sign/?decision=ELIGIBLE").status_code == 422
    answer = client.post(
        f"{case.address}sign/", {"decision": "ELIGIBLE", "username": "investigator", "password": PASSWORD}
    )
    assert answer.status_code == 422
    assert "cannot be signed" in words_of(answer)


def test_a_stale_decision_shows_before_and_after_and_asks_again(cast: Cast) -> None:
    case = Case(cast)
    case.sign()
    case.nurse.enter("LB", {"HGB": Typed("10.0", "g/dL")})
    page = cast.client("investigator").get(case.address)
    words = words_of(page)
    assert "The signed decision is out of date" in words
    assert "<del>12.4 g/dL, 10 Sep 2025</del>" in page.content.decode()
    assert "<ins>10.0 g/dL, 10 Sep 2025</ins>" in page.content.decode()
    assert "Signed by Investigator Person" in words  # the old signature stays visible


def test_all_trials_side_by_side(cast: Cast) -> None:
    case = Case(cast, BRAFRES=None)
    screen_patient(actor=cast.actor(), patient=case.subject.patient, trial=cast.trials["THERMODOX"])
    answer = cast.client("coordinator").get(f"{case.address}trials/")
    sets = {each.summary.name: each for each in answer.context["sets"]}
    assert list(sets) == ["EXCALIBUR-1", "EXCALIBUR-2", "THERMODOX", "THERMODOX-PROVISIONAL"]
    assert sets["EXCALIBUR-1"].summary.state == "undetermined"
    assert [each.result.criterion.id for each in sets["EXCALIBUR-1"].unknown] == ["E1-E-2"]
    assert sets["EXCALIBUR-2"].summary.state == "eligible"
    provisional = {each.result.criterion.id for each in sets["THERMODOX-PROVISIONAL"].unknown}
    assert "TD-R-02" not in provisional  # ECOG was entered for Excalibur and is not asked again
    assert "TD-R-04" in provisional
    links = {missing.place.url for stop in sets["THERMODOX-PROVISIONAL"].unknown for missing in stop.missing}
    assert any(re.fullmatch(r"/subjects/TDX-001-\d+/SCR/CV/#row-LVEF", link) for link in links)


def test_a_trial_that_one_may_not_see_is_not_compared(
    cast: Cast, make_user: Callable[..., Any], grant: Callable[..., Any], client_for: Callable[..., Any]
) -> None:
    case = Case(cast)
    user = make_user("nurse")
    grant(user, "coordinator", "EXCALIBUR", cast.home.code)
    answer = client_for(user).get(f"{case.address}trials/")
    assert [each.summary.name for each in answer.context["sets"]] == ["EXCALIBUR-1", "EXCALIBUR-2"]


def test_facts_of_a_trial_that_one_may_not_see_are_not_used(
    cast: Cast, make_user: Callable[..., Any], grant: Callable[..., Any], client_for: Callable[..., Any]
) -> None:
    case = Case(cast)
    other = screen_patient(actor=cast.actor(), patient=case.subject.patient, trial=cast.trials["THERMODOX"])
    user = make_user("nurse")
    grant(user, "coordinator", "THERMODOX", cast.home.code)
    answer = client_for(user).get(f"/subjects/{other.number}/eligibility/trials/")
    unknown = {each.result.criterion.id for each in answer.context["sets"][1].unknown}
    assert "TD-R-02" in unknown


def test_the_pages_cost_the_same_statements_empty_and_full(cast: Cast, statements: Callable[[], Any]) -> None:
    client = cast.client("coordinator")
    empty = cast.subject("EXCALIBUR")
    full = Case(cast)
    full.nurse.put("LL", {"LUNGLOC": "left"}, repeat=1)
    for page in ("", "trials/"):
        counts = []
        for number in (empty.number, full.subject.number):
            client.get(f"/subjects/{number}/eligibility/{page}")
            with statements() as done:
                client.get(f"/subjects/{number}/eligibility/{page}")
            counts.append(len(done.counted))
        assert counts[0] == counts[1] <= 14, (page, counts)
