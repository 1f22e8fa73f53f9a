"""Two readers who differ: the rule, the queue, the decision, and what the endpoints take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product

import pytest
from django.db import IntegrityError
from django.urls import reverse

from accounts.errors import SignatureRefused
from accounts.models import Grant, User
from accounts.selectors import access_of
from audit.context import acting
from endpoints.central_reads import signed_scans
from foundation import clock
from imaging.errors import AdjudicationHeldError, AdjudicationRefusedError, ReadLockedError
from imaging.models import Adjudication, Read
from imaging.rules.ablation import LesionOutcome
from imaging.rules.disagreement import RULES, WORDS, Reading, differences, disputed
from imaging.rules.recist_1_1 import Response
from imaging.selectors.adjudications import adjudication_rows, adjudication_share, comparison, sides
from imaging.selectors.answered import outcomes_of
from imaging.selectors.judging import ABLATION, RECIST, lesions_to_judge
from imaging.selectors.priors import earlier_reads
from imaging.selectors.readers import readers_for
from imaging.selectors.results import Standing, results_of
from imaging.services import (
    correct_read,
    hold_adjudication,
    read_anew,
    release_adjudication,
    sign_adjudication,
)
from tests.cast import SETUP, Cast, qualify
from tests.conftest import PASSWORD
from tests.imaging.conftest import Desk
from tests.imaging.reader import actor_of, charter_of, fill, read_of, send, sign
from trials.schema.imaging import Variable

ALL = tuple(RULES)


def said(point: int = 2, **changes: object) -> Reading:
    return Reading(point, **{"evaluable": True, "outcomes": {"T01": "COMPLETE"}, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (said(), said(), ()),
        (said(), said(outcomes={"T01": "LTP"}, ltp_since={"T01": 2}), ("ltp",)),
        (said(outcomes={"T01": "RESIDUAL"}), said(), ("residual",)),
        (said(outcomes={"T01": "NE"}), said(), ("ltp", "residual")),
        (said(outcomes={}), said(), ("ltp", "residual")),
        (said(evaluable=False, outcomes={}), said(), ("evaluability",)),
        (said(overall="PD", progression_since=2), said(overall="SD"), ("overall_response",)),
        (said(new_lesion="Y"), said(new_lesion="N"), ("new_lesion",)),
        (
            said(outcomes={"T01": "LTP"}, ltp_since={"T01": 1}),
            said(outcomes={"T01": "LTP"}, ltp_since={"T01": 2}),
            ("ltp_date",),
        ),
        (
            said(3, outcomes={"T01": "LTP"}, ltp_since={"T01": 1}),
            said(3, outcomes={"T01": "LTP"}, ltp_since={"T01": 2}),
            (),
        ),
        (
            said(overall="PD", progression_since=2),
            said(overall="PD", progression_since=1),
            ("progression_date",),
        ),
    ],
)
def test_what_counts_as_a_difference(first: Reading, second: Reading, found: tuple[str, ...]) -> None:
    assert differences(first, second, ALL) == found
    assert differences(second, first, ALL) == found
    assert differences(first, second, ()) == (), "the charter says what counts"


UNREADABLE = said(evaluable=False, outcomes={})
SAID = [
    UNREADABLE,
    said(outcomes={}),
    *(said(outcomes={"T01": outcome}, ltp_since={"T01": 2}) for outcome in LesionOutcome),
    *(said(outcomes={}, overall=response) for response in Response),
]


@pytest.mark.req("IMG-09", "IMG-12")
@pytest.mark.parametrize("first", SAID)
@pytest.mark.parametrize("second", SAID)
def test_no_pair_of_readings_ends_without_a_result_and_nobody_says_so(
    first: Reading, second: Reading
) -> None:
    same = (first.evaluable, first.outcomes, first.overall) == (
        second.evaluable,
        second.outcomes,
        second.overall,
    )
    assert bool(differences(first, second, ALL)) is not same, "a full charter has every difference decided"
    assert bool(disputed(first, second)) is not same, "whatever the charter leaves out is said"


@pytest.mark.parametrize("trial", ["THERMODOX", "EXCALIBUR"])
def test_the_charters_of_our_trials_leave_no_pair_without_a_decision(cast: Cast, trial: str) -> None:
    charter = cast.subject(trial).version.protocol.charter
    assert charter is not None
    asked = [each for each in SAID if not each.overall or RECIST in charter.assessments]
    asked = [each for each in asked if not each.outcomes or ABLATION in charter.assessments]
    for first, second in product(asked, repeat=2):
        assert bool(differences(first, second, charter.adjudicate_on)) is bool(disputed(first, second))


def test_every_variable_of_a_charter_has_a_rule_and_words() -> None:
    assert set(Variable.__args__) == set(RULES) == set(WORDS)  # type: ignore[attr-defined]


@pytest.fixture
def pair(desk: Desk) -> Iterator[Desk]:
    """A desk whose charter asks for two readers."""
    with charter_of(desk, readers=2):
        yield desk


def differ(desk: Desk, visit: str = "M1") -> Adjudication:
    send(desk, visit)
    sign(fill(read_of(desk, visit, 1)))
    sign(fill(read_of(desk, visit, 2), "RESIDUAL"))
    return Adjudication.objects.get()


def standing(desk: Desk) -> Standing:
    (result,) = results_of([desk.subject])
    return result.standing


def test_readers_who_agree_need_nobody(pair: Desk) -> None:
    send(pair, "M1")
    sign(fill(read_of(pair, "M1", 1)))
    assert standing(pair) is Standing.SECOND_READER
    assert signed_scans([pair.subject]) == {}, "one of two readers is no result"
    sign(fill(read_of(pair, "M1", 2)))

    assert not Adjudication.objects.exists()
    assert standing(pair) is Standing.AGREED
    (scan,) = signed_scans([pair.subject])[pair.subject.pk]
    assert scan.scan.lesions == {"T01": "COMPLETE", "T02": "COMPLETE"}


def test_readers_who_differ_in_what_nobody_decides_have_no_result_and_it_is_said(pair: Desk) -> None:
    with charter_of(pair, adjudicate_on=()):
        send(pair, "M1")
        sign(fill(read_of(pair, "M1", 1)))
        sign(fill(read_of(pair, "M1", 2), "NE"))

    (result,) = results_of([pair.subject])
    assert (result.standing, result.accepted) == (Standing.DISPUTED, None)
    assert signed_scans([pair.subject]) == {}
    page = pair.cast.client("datamanager").get(reverse("reads-overseen")).text
    assert "No result, because" in page
    assert "nobody decide: outcome of T01, outcome of T02" in page


def test_a_lesion_that_one_could_not_judge_is_adjudicated(pair: Desk) -> None:
    send(pair, "M1")
    sign(fill(read_of(pair, "M1", 1)))
    sign(fill(read_of(pair, "M1", 2), "NE"))

    assert standing(pair) is Standing.ADJUDICATION
    page = pair.cast.client("datamanager").get(reverse("reads-overseen")).text
    assert "an adjudicator has not decided yet" in page


@pytest.mark.req("IMG-09")
def test_a_difference_waits_for_the_adjudicator_whose_decision_counts(pair: Desk) -> None:
    row = differ(pair)
    people = pair.cast.people
    actor = pair.cast.actor("adjudicator")
    assert row.differences == ["residual"]
    assert standing(pair) is Standing.ADJUDICATION
    assert signed_scans([pair.subject]) == {}
    (waiting,) = adjudication_rows(access_of(people["adjudicator"]))
    assert (waiting.differences, waiting.time_point) == ("Residual tumour", 1)
    assert adjudication_rows(access_of(people["radiologist"])) == []

    letter = next(letter for letter, read in sides(row).items() if read.number == 2)
    hold_adjudication(actor=actor, adjudication=row)
    with pytest.raises(SignatureRefused):
        sign_adjudication(
            actor=actor, user=people["adjudicator"], adjudication=row, choice=letter, reason="It grows.", password="x"
        )  # fmt: skip
    signed = sign_adjudication(
        actor=actor, user=people["adjudicator"], adjudication=row, choice=letter, reason="It grows.", password=PASSWORD
    )  # fmt: skip

    assert signed.accepted == row.second
    assert standing(pair) is Standing.ADJUDICATED
    (scan,) = signed_scans([pair.subject])[pair.subject.pk]
    assert scan.scan.lesions["T01"] == "RESIDUAL"
    assert adjudication_rows(access_of(people["adjudicator"])) == []
    assert adjudication_share("THERMODOX") == (1, 1)
    with pytest.raises(AdjudicationRefusedError, match="decided already"):
        read_anew(actor=actor, adjudication=row)
    with pytest.raises(IntegrityError, match="cannot be changed"), acting(SETUP):
        Adjudication.objects.filter(pk=row.pk).update(reason="Something else")


def test_neither_is_right_so_the_adjudicator_reads_the_images(pair: Desk) -> None:
    row = differ(pair)
    user, actor = pair.cast.people["adjudicator"], pair.cast.actor("adjudicator")
    decide = {
        "actor": actor,
        "user": user,
        "adjudication": row,
        "reason": "Both wrong.",
        "password": PASSWORD,
    }
    with pytest.raises(AdjudicationRefusedError, match="sign your read first"):
        sign_adjudication(choice="NEW", **decide)

    own = read_anew(actor=actor, adjudication=row)
    assert read_anew(actor=actor, adjudication=row) == own
    own = sign(fill(read_of(pair, "M1", 3), "NE"))
    signed = sign_adjudication(choice="NEW", **decide)

    assert signed.accepted == own
    (scan,) = signed_scans([pair.subject])[pair.subject.pk]
    assert scan.scan.lesions["T01"] == "NE"
    assert Adjudication.objects.count() == 1, "an adjudicator's read is compared with nobody's"
    with pytest.raises(ReadLockedError):
        correct_read(actor=actor, read=own, reason="Again")


def decide(desk: Desk, row: Adjudication, choice: str) -> Adjudication:
    return sign_adjudication(
        actor=desk.cast.actor("adjudicator"),
        user=desk.cast.people["adjudicator"],
        adjudication=row,
        choice=choice,
        reason="Looked at.",
        password=PASSWORD,
    )


def letter_of(row: Adjudication, number: int) -> str:
    return next(letter for letter, read in sides(row).items() if read.number == number)


@pytest.mark.parametrize(("accepted", "seen"), [(1, "COMPLETE"), (2, "RESIDUAL"), (3, "NE")])
def test_an_adjudicators_own_read_rests_on_what_became_the_results(
    pair: Desk, accepted: int, seen: str
) -> None:
    first = differ(pair)
    send(pair, "M4")
    sign(fill(read_of(pair, "M4", 1)))
    sign(fill(read_of(pair, "M4", 2), "RESIDUAL"))
    second = Adjudication.objects.exclude(pk=first.pk).get()
    actor = pair.cast.actor("adjudicator")
    with pytest.raises(AdjudicationRefusedError, match="decided first"):
        read_anew(actor=actor, adjudication=second)
    with pytest.raises(AdjudicationRefusedError, match="decided first"):
        decide(pair, second, "A")
    shown = adjudication_rows(access_of(pair.cast.people["adjudicator"]))
    assert [(row.time_point, row.waits) for row in shown] == [(1, False), (2, True)]
    assert (
        "after the earlier time point" in pair.cast.client("adjudicator").get(reverse("adjudications")).text
    )

    if accepted == 3:
        read_anew(actor=actor, adjudication=first)
        sign(fill(read_of(pair, "M1", 3), "NE"))
    decide(pair, first, "NEW" if accepted == 3 else letter_of(first, accepted))
    own = read_anew(actor=actor, adjudication=second)

    (prior,) = earlier_reads(own)
    assert prior == read_of(pair, "M1", accepted)
    assert outcomes_of(prior)["T01"] == seen
    complete = "COMPLETE" in dict(lesions_to_judge(own)[0].options)
    assert complete is (seen != "RESIDUAL"), "tumour that was left does not turn complete by itself"


@pytest.mark.parametrize("decided", [True, False])
def test_whoever_decided_a_pair_of_a_case_reads_none_of_its_time_points(
    pair: Desk, grant: Callable[..., Grant], *, decided: bool
) -> None:
    row = differ(pair)
    people = pair.cast.people
    if decided:
        decide(pair, row, "A")
    grant(people["adjudicator"], "radiologist", "THERMODOX")
    qualify(people["adjudicator"], pair.subject.trial)
    with acting(SETUP):
        User.objects.filter(pk=read_of(pair, "M1", 1).reader_id).update(is_active=False)
    send(pair, "M4")

    found = {read.reader.username for read in Read.objects.filter(visit=pair.visits["M4"])}
    assert ("adjudicator" in found) is not decided


def test_the_charter_may_leave_one_way_only(pair: Desk) -> None:
    row = differ(pair)
    actor = pair.cast.actor("adjudicator")
    with (
        charter_of(pair, adjudicator="pick"),
        pytest.raises(AdjudicationRefusedError, match="one of the two"),
    ):
        read_anew(actor=actor, adjudication=row)
    for choice, reason in (("", "Because"), ("C", "Because"), ("A", "  ")):
        with pytest.raises(AdjudicationRefusedError):
            sign_adjudication(
                actor=actor, user=pair.cast.people["adjudicator"], adjudication=row, choice=choice, reason=reason,
                password=PASSWORD,
            )  # fmt: skip


def test_two_adjudicators_do_not_collide(pair: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    row = differ(pair)
    first, second = pair.cast.actor("adjudicator"), pair.cast.actor("datamanager")
    hold_adjudication(actor=first, adjudication=row)
    with pytest.raises(AdjudicationHeldError):
        hold_adjudication(actor=second, adjudication=row)
    release_adjudication(actor=first, adjudication=row)
    hold_adjudication(actor=second, adjudication=row)
    (shown,) = adjudication_rows(access_of(pair.cast.people["adjudicator"]))
    assert shown.held

    later = clock.now() + timedelta(minutes=21)
    monkeypatch.setattr("imaging.services.adjudication.clock.now", lambda: later)
    assert hold_adjudication(actor=first, adjudication=row).held_by_id == first.id


@pytest.mark.req("IMG-09")
@pytest.mark.parametrize("number", [1, 2])
def test_nobody_decides_about_a_case_that_they_read(
    pair: Desk, grant: Callable[..., Grant], number: int
) -> None:
    row = differ(pair)
    reader = read_of(pair, "M1", number).reader
    overseen = pair.cast.client("datamanager")
    grant(reader, "adjudicator", "THERMODOX")

    assert adjudication_rows(access_of(reader)) == []
    client = pair.cast.client_for(reader)
    for name in ("adjudication", "adjudication-series"):
        assert client.get(reverse(name, args=[row.opaque])).status_code == 404
    with pytest.raises(AdjudicationRefusedError, match="read this case"):
        read_anew(actor=actor_of(reader), adjudication=row)
    with pytest.raises(AdjudicationRefusedError, match="read this case"):
        sign_adjudication(
            actor=actor_of(reader),
            user=reader,
            adjudication=row,
            choice="A",
            reason="Mine.",
            password=PASSWORD,
        )
    assert "without an adjudicator" not in overseen.get(reverse("reads-overseen")).text
    with acting(SETUP):
        User.objects.filter(username="adjudicator").update(is_active=False)
    assert "1 without an adjudicator" in overseen.get(reverse("reads-overseen")).text


def test_a_correction_is_compared_anew(pair: Desk) -> None:
    row = differ(pair)
    old = read_of(pair, "M1", 2)
    new = correct_read(actor=actor_of(old.reader), read=old, reason="I looked at the wrong lesion")
    sign(fill(read_of(pair, "M1", 2), "COMPLETE"))

    assert new.version == 2
    assert standing(pair) is Standing.AGREED
    assert adjudication_rows(access_of(pair.cast.people["adjudicator"])) == []
    with pytest.raises(AdjudicationRefusedError, match="corrected since"):
        read_anew(actor=pair.cast.actor("adjudicator"), adjudication=row)


def test_an_adjudicator_is_no_reader_and_lands_on_the_adjudications(pair: Desk) -> None:
    row = differ(pair)
    client = pair.cast.client("adjudicator")
    names = [user.username for user in readers_for("THERMODOX")]
    assert "adjudicator" not in names

    assert client.get("/", follow=True).redirect_chain[-1][0] == reverse("adjudications")
    page = client.get(reverse("adjudication", args=[row.opaque])).text

    for read in (row.first, row.second):
        assert read.reader.full_name not in page
        assert str(read.opaque) not in page
    assert comparison(row)[0].differs
    assert "Residual tumour" in page
    (series,) = client.get(reverse("adjudication-series", args=[row.opaque])).json()["series"]
    frame = client.get(series["instances"][0]["frame"])
    assert frame.status_code == 200
    assert pair.cast.client("radiologist").get(series["instances"][0]["frame"]).status_code == 404


def test_decided_in_the_browser(pair: Desk) -> None:
    row = differ(pair)
    client, url = pair.cast.client("adjudicator"), reverse("adjudication-decide", args=[row.opaque])
    anew = client.post(reverse("adjudication-anew", args=[row.opaque]), follow=True)
    assert "<edc-viewer" in anew.text
    assert client.post(url, {"choice": "A", "reason": ""}).status_code == 422
    said = {"choice": "A", "reason": "The rim grows."}
    dialog = client.post(url, said).text
    assert "The rim grows." in dialog
    assert client.post(url, {**said, "password": PASSWORD}).status_code == 422, (
        "both components are asked for"
    )
    said |= {"username": "adjudicator"}
    assert client.post(url, {**said, "password": "wrong"}).status_code == 422
    assert client.post(url, {**said, "password": PASSWORD}).status_code == 302

    row.refresh_from_db()
    assert (row.state, row.accepted) == ("SIGNED", sides(row)["A"])
    queue = client.get(reverse("adjudications")).text
    assert "Decided by you" in queue
    assert reverse("adjudication", args=[row.opaque]) in queue
    assert "The rim grows." in client.get(reverse("adjudication", args=[row.opaque])).text
    assert Read.objects.filter(number=3).count() == 1
