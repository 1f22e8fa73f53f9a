"""Endpoints: events, censoring, and what a data cut-off hides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.rules.derivation import derive_endpoints
from endpoints.rules.local_control import local_control, time_to_loss_of_control
from endpoints.rules.local_recurrence import time_to_local_recurrence
from endpoints.rules.overall_survival import impute_death, overall_survival
from endpoints.rules.pro_deterioration import time_to_deterioration
from endpoints.rules.timeline import EndpointRow, FollowUp, FormScore, Scan
from imaging.rules.ablation import LesionOutcome
from trials.packs import bundled_protocol
from visits.rules.schedule import SchedulePlan, Start, VisitRule, plan_visits

START = date(2025, 3, 4)
MONTHS = (1, 4, 7, 10, 13, 16, 19, 22, 25)
PLAN = SchedulePlan(
    tuple(VisitRule(f"M{m}", f"Month {m}", "P", Start.LAST, months=m, after=7, imaging=True) for m in MONTHS),
    {"P": "p"},
)
CUT24 = date(2027, 4, 11)


def day(text: str) -> date:
    return date.fromisoformat(text)


def follow(*scans: Scan, procedures: tuple[str, ...] = ("2025-03-04",), **facts: Any) -> FollowUp:
    dates = tuple(day(text) for text in procedures)
    visits = tuple(plan_visits(PLAN, {"P": dates}))
    return FollowUp(procedures=dates, scans=scans, imaging_visits=visits, **facts)


def scan(acquired: str, signed: str | None = "", *, adequate: bool = True, **lesions: str) -> Scan:
    outcomes = {name: LesionOutcome(outcome) for name, outcome in lesions.items()}
    on = day(acquired)
    return Scan(on, on if signed == "" else signed and day(signed), adequate, outcomes)


def form(completed: str, score: str | None) -> FormScore:
    when = datetime.fromisoformat(completed) if "T" in completed else day(completed)
    return FormScore(when, None if score is None else Decimal(score))


def row(found: EndpointRow) -> tuple[str | None, int | None]:
    return found.adt and found.adt.isoformat(), found.cnsr


CLEAN1, CLEAN4 = scan("2025-04-05", T01="COMPLETE"), scan("2025-07-05", T01="COMPLETE")


class TestOverallSurvival:
    def test_death_is_an_event_counted_from_the_first_procedure_as_day_1(self):
        found = overall_survival(follow(death="2025-03-14", last_alive=day("2025-03-10")), 36)
        assert (row(found), found.aval) == (("2025-03-14", 0), 11)

    @pytest.mark.parametrize(
        ("facts", "adt", "cnsr"),
        [
            ({"last_alive": "2026-01-01"}, "2026-01-01", 1),
            ({"last_alive": "2029-01-01"}, "2028-03-04", 1),
            ({"last_alive": "2028-03-04", "death": "2028-03-04"}, "2028-03-04", 0),
            ({"last_alive": "2028-03-01", "death": "2028-03-05"}, "2028-03-04", 1),
            ({"last_alive": "2026-01-01", "cut_off": "2025-12-01"}, "2025-12-01", 1),
            ({"last_alive": "2025-11-01", "death": "2025-12-02", "cut_off": "2025-12-01"}, "2025-11-01", 1),
            ({"last_alive": "2025-11-01", "death": "2025-12-01", "cut_off": "2025-12-01"}, "2025-12-01", 0),
            # Leaving the study does not censor survival, unless following it was refused.
            ({"last_alive": "2026-01-01", "discontinued": "2025-06-01"}, "2026-01-01", 1),
            ({"last_alive": "2026-01-01", "discontinued": "2025-06-01", "survival_follow_up": False}, "2025-06-01", 1),
            (
                {"last_alive": "2026-01-01", "death": "2026-02-01", "discontinued": "2025-06-01",
                 "survival_follow_up": False},
                "2025-06-01", 1,
            ),
            # An imputed day after the cut-off is no event and proves nobody alive.
            ({"last_alive": "2026-02-01", "death": "2026", "cut_off": "2026-05-01"}, "2026-02-01", 1),
        ],
    )  # fmt: skip
    def test_events_and_censoring(self, facts, adt, cnsr):
        typed = {k: v if k in ("death", "survival_follow_up") else day(v) for k, v in facts.items()}
        assert row(overall_survival(follow(**typed), 36)) == (adt, cnsr)

    @pytest.mark.parametrize(
        ("recorded", "last_alive", "imputed"),
        [
            ("2026-05-20", "2026-05-01", "2026-05-20"),
            ("2026-05", "2026-04-30", "2026-05-15"),
            ("2026-05", "2026-05-20", "2026-05-20"),
            ("2026-05", None, "2026-05-15"),
            ("2026", "2026-01-01", "2026-07-01"),
            ("2026", "2026-10-01", "2026-10-01"),
        ],
    )
    def test_partial_dates_of_death(self, recorded, last_alive, imputed):
        assert impute_death(recorded, last_alive and day(last_alive)).isoformat() == imputed

    @pytest.mark.parametrize("recorded", ["2026-05-20", "2026-05", "2025"])
    def test_nobody_lives_after_death(self, recorded):
        with pytest.raises(ValueError, match="known alive"):
            impute_death(recorded, day("2026-06-01"))

    def test_without_a_contact_the_scans_show_the_subject_alive(self):
        assert row(overall_survival(follow(CLEAN1), 36)) == ("2025-04-05", 1)


class TestLocalRecurrence:
    @staticmethod
    def ttlr(*scans: Scan, **facts: Any) -> EndpointRow:
        return time_to_local_recurrence(follow(*scans, **facts), 36, 2)

    def test_progression_after_complete_ablation_is_dated_by_acquisition(self):
        found = self.ttlr(CLEAN1, scan("2025-07-05", "2025-08-20", T01="LTP"))
        assert (row(found), found.aval) == (("2025-07-05", 0), 124)

    def test_progression_of_a_lesion_never_shown_complete_is_none(self):
        assert row(self.ttlr(CLEAN1, scan("2025-07-05", T01="COMPLETE", T02="LTP"))) == ("2025-04-05", 1)

    def test_residual_tumour_is_none(self):
        found = self.ttlr(scan("2025-04-05", T01="RESIDUAL"))
        assert row(found) == ("2025-04-05", 1)

    def test_residual_tumour_ablated_again_then_complete_then_recurring(self):
        found = self.ttlr(
            scan("2025-04-05", T01="RESIDUAL"), scan("2025-05-20", T01="COMPLETE"), scan("2025-08-16", T01="LTP"),
            procedures=("2025-03-04", "2025-04-15"),
        )  # fmt: skip
        assert row(found) == ("2025-08-16", 0)

    def test_no_scan_censors_on_the_day_of_treatment(self):
        found = self.ttlr()
        assert (row(found), found.aval) == (("2025-03-04", 1), 1)

    @pytest.mark.parametrize(
        ("recurrence", "expected"),
        [
            ("2025-10-06", ("2025-10-06", 0)),  # Month 4 is missing: one scan
            ("2026-01-06", ("2025-04-05", 1)),  # Months 4 and 7 are missing: two in a row
        ],
    )
    def test_two_missing_scans_in_a_row_censor_before_the_gap(self, recurrence, expected):
        assert row(self.ttlr(CLEAN1, scan(recurrence, T01="LTP"))) == expected

    def test_no_scan_at_all_before_the_event_counts_as_a_gap_from_treatment(self):
        complete_late = scan("2026-01-06", T01="COMPLETE")
        assert row(self.ttlr(complete_late, scan("2026-04-06", T01="LTP"))) == ("2026-04-06", 0)

    def test_a_clean_scan_after_a_gap_closes_it(self):
        found = self.ttlr(CLEAN1, scan("2026-01-06", T01="COMPLETE"), scan("2026-04-06", T01="LTP"))
        assert row(found) == ("2026-04-06", 0)

    def test_an_inadequate_scan_is_a_missing_one(self):
        blurred = scan("2025-07-05", adequate=False, T01="COMPLETE")
        blurred_too = scan("2025-10-05", adequate=False, T01="LTP")
        found = self.ttlr(CLEAN1, blurred, blurred_too, scan("2026-01-06", T01="LTP"))
        assert row(found) == ("2025-04-05", 1)

    def test_a_late_scan_stands_for_its_visit(self):
        late = scan("2025-07-30", T01="COMPLETE")
        assert row(self.ttlr(CLEAN1, late, scan("2026-01-06", T01="LTP"))) == ("2026-01-06", 0)

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({"discontinued": "2025-07-04"}, ("2025-04-05", 1)),
            ({"discontinued": "2025-07-05"}, ("2025-07-05", 0)),
            ({"cut_off": "2025-07-04"}, ("2025-04-05", 1)),
            ({"cut_off": "2025-07-19"}, ("2025-04-05", 1)),  # acquired before, signed after
            ({"cut_off": "2025-07-20"}, ("2025-07-05", 0)),
        ],
    )
    def test_what_comes_after_the_end_does_not_count(self, facts, expected):
        dates = {name: day(text) for name, text in facts.items()}
        assert row(self.ttlr(CLEAN1, scan("2025-07-05", "2025-07-20", T01="LTP"), **dates)) == expected

    def test_an_unsigned_read_does_not_count(self):
        assert row(self.ttlr(CLEAN1, scan("2025-07-05", None, T01="LTP"))) == ("2025-04-05", 1)

    def test_nobody_is_censored_on_a_scan_that_left_a_lesion_open(self):
        assert row(self.ttlr(CLEAN1, scan("2025-07-05", T01="NE"))) == ("2025-04-05", 1)

    def test_a_scan_after_three_years_does_not_count(self):
        assert row(self.ttlr(CLEAN1, scan("2028-03-05", T01="LTP"))) == ("2025-04-05", 1)


class TestLocalControl:
    @staticmethod
    def ttlc(*scans: Scan, **facts: Any) -> EndpointRow:
        return time_to_loss_of_control(follow(*scans, **facts), CUT24)

    @staticmethod
    def ltc24(*scans: Scan, anchor: date = START, end: date = CUT24, **facts: Any) -> EndpointRow:
        return local_control(follow(*scans, **facts), 24, anchor, end)

    def test_residual_tumour_on_the_first_scan_is_a_failure(self):
        assert row(self.ttlc(scan("2025-04-05", T01="RESIDUAL"))) == ("2025-04-05", 0)
        assert self.ltc24(scan("2025-04-05", T01="RESIDUAL")).result == "FAIL"

    def test_residual_tumour_that_is_ablated_again_is_none(self):
        scans = (scan("2025-04-05", T01="RESIDUAL"), scan("2025-05-20", T01="COMPLETE"))
        found = self.ttlc(*scans, procedures=("2025-03-04", "2025-04-15"))
        assert row(found) == ("2025-05-20", 1)

    def test_residual_tumour_of_a_lesion_that_the_second_procedure_left_alone_is_one(self):
        found = self.ttlc(
            scan("2025-04-05", T01="RESIDUAL", T02="COMPLETE"),
            procedures=("2025-03-04", "2025-04-15"),
            ablated={"T01": [START]},
        )
        assert row(found) == ("2025-04-05", 0)

    def test_residual_tumour_after_the_second_procedure_is_a_failure(self):
        found = self.ttlc(
            scan("2025-04-05", T01="RESIDUAL"),
            scan("2025-05-20", T01="RESIDUAL"),
            procedures=("2025-03-04", "2025-04-15"),
        )
        assert row(found) == ("2025-05-20", 0)

    def test_residual_first_seen_after_a_scan_that_left_the_lesion_open(self):
        assert row(self.ttlc(scan("2025-04-05", T01="NE"), scan("2025-07-05", T01="RESIDUAL"))) == (
            "2025-07-05",
            0,
        )

    def test_progression_needs_no_earlier_complete_scan_to_lose_control(self):
        assert row(self.ttlc(scan("2025-04-05", T01="LTP"))) == ("2025-04-05", 0)

    @pytest.mark.parametrize(("acquired", "cnsr"), [("2027-04-11", 0), ("2027-04-12", 1)])
    def test_the_last_window_ends_the_period(self, acquired, cnsr):
        assert self.ttlc(CLEAN1, scan(acquired, T01="LTP")).cnsr == cnsr

    def test_death_is_a_competing_event(self):
        found = self.ttlc(CLEAN1, death="2025-09-10", last_alive=day("2025-09-01"))
        assert (row(found), found.competing) == (("2025-04-05", 1), day("2025-09-10"))
        assert (
            self.ttlc(CLEAN1, death="2025-09-10", last_alive=None, cut_off=day("2025-09-09")).competing
            is None
        )

    @pytest.mark.parametrize(
        ("last", "result"),
        [
            ("2027-03-03", "NOT EVALUABLE"),
            ("2027-03-04", "SUCCESS"),
            ("2027-04-06", "SUCCESS"),
            ("2027-04-25", "SUCCESS"),
        ],
    )
    def test_success_needs_an_adequate_scan_at_two_years(self, last, result):
        assert self.ltc24(CLEAN1, scan(last, T01="COMPLETE")).result == result

    @pytest.mark.parametrize(
        "last",
        [
            scan("2027-04-06", adequate=False, T01="COMPLETE"),
            scan("2027-04-06", None, T01="COMPLETE"),
            scan("2027-04-06", T01="NE"),
            scan("2027-04-20", T01="LTP"),
        ],
    )
    def test_otherwise_control_is_not_evaluable(self, last):
        found = self.ltc24(CLEAN1, last)
        assert (found.result, found.cnsr) == ("NOT EVALUABLE", 1)

    def test_a_failure_after_discontinuation_is_not_seen(self):
        found = self.ltc24(CLEAN1, scan("2025-07-05", T01="LTP"), discontinued=day("2025-06-01"))
        assert found.result == "NOT EVALUABLE"

    def test_one_lesion_out_of_control_is_enough(self):
        assert self.ltc24(scan("2025-04-05", T01="COMPLETE", T02="RESIDUAL")).because.startswith(
            "residual tumour of T02"
        )


class TestDeterioration:
    @staticmethod
    def prod(*forms: FormScore, confirmed: bool = False, **facts: Any) -> EndpointRow:
        return time_to_deterioration(follow(forms=forms, **facts), 36, Decimal(3), confirmed)

    @pytest.mark.parametrize(
        ("baseline", "score", "cnsr"),
        [("24", "21", 0), ("23", "21", 1), ("24", "21.1", 1), ("25.1", "22.1", 0)],
    )
    def test_a_drop_of_three_points_is_an_event(self, baseline, score, cnsr):
        assert row(self.prod(form("2025-03-01", baseline), form("2025-04-05", score))) == ("2025-04-05", cnsr)

    def test_forms_that_are_not_evaluable_are_passed_over(self):
        forms = [form("2025-03-01", "24"), form("2025-04-05", None), form("2025-07-05", "20")]
        assert row(self.prod(*forms)) == ("2025-07-05", 0)
        assert row(self.prod(*forms[:2])) == ("2025-03-04", 1)

    def test_the_last_form_before_treatment_is_the_baseline(self):
        assert (
            self.prod(form("2025-02-01", "30"), form("2025-03-01", "22"), form("2025-04-05", "20")).cnsr == 1
        )
        assert (
            self.prod(form("2025-02-01", "30"), form("2025-03-01", None), form("2025-04-05", "20")).cnsr == 0
        )

    def test_without_a_baseline_the_subject_is_not_analysed(self):
        found = self.prod(form("2025-04-05", "20"))
        assert (row(found), found.aval) == ((None, None), None)

    def test_a_form_of_the_day_of_treatment_needs_its_time(self):
        assert self.prod(form("2025-03-04", "24"), form("2025-04-05", "20")).cnsr is None
        infusion = datetime.fromisoformat("2025-03-04T08:30+01:00")
        before, after = form("2025-03-04T07:55+01:00", "24"), form("2025-03-04T09:00+01:00", "20")
        assert row(self.prod(before, after, first_infusion=infusion)) == ("2025-03-04", 0)

    def test_a_baseline_below_three_cannot_fall_by_three_and_says_so(self):
        found = self.prod(form("2025-03-01", "2.5"), form("2025-04-05", "0"))
        assert found.cnsr == 1
        assert "impossible" in found.because

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({"discontinued": "2025-07-04"}, ("2025-04-05", 1)),
            ({"cut_off": "2025-07-04"}, ("2025-04-05", 1)),
            ({"cut_off": "2025-07-05"}, ("2025-07-05", 0)),
        ],
    )
    def test_what_comes_after_the_end_does_not_count(self, facts, expected):
        forms = [form("2025-03-01", "24"), form("2025-04-05", "23"), form("2025-07-05", "20")]
        assert row(self.prod(*forms, **{name: day(text) for name, text in facts.items()})) == expected

    def test_the_period_ends_after_three_years(self):
        forms = [form("2025-03-01", "24"), form("2028-03-04", "20")]
        assert self.prod(*forms).cnsr == 0
        assert row(self.prod(forms[0], form("2028-03-05", "20"))) == ("2025-03-04", 1)

    def test_the_sensitivity_analysis_asks_for_confirmation(self):
        forms = [form("2025-03-01", "24"), form("2025-04-05", "20"), form("2025-07-05", "24"), form("2025-10-05", "20"),
                 form("2026-01-05", "19")]  # fmt: skip
        assert row(self.prod(*forms)) == ("2025-04-05", 0)
        assert row(self.prod(*forms, confirmed=True)) == ("2025-10-05", 0)


def test_the_protocol_gives_its_five_endpoints_with_their_parameters():
    facts = FollowUp(
        procedures=(START,), scans=(CLEAN1, scan("2027-04-06", T01="COMPLETE")), last_alive=day("2027-05-01")
    )
    derived = derive_endpoints(bundled_protocol("THERMODOX"), facts)
    assert {each.row.paramcd: row(each.row) for each in derived} == {
        "LTC24": ("2027-04-06", 1),
        "TTLC": ("2027-04-06", 1),
        "OS": ("2027-05-01", 1),
        "TTLR": ("2027-04-06", 1),
        "PROD": (None, None),
    }


def test_the_last_window_moves_with_the_second_procedure():
    late = scan("2027-05-20", T01="LTP")
    facts = FollowUp(
        procedures=(START, day("2025-04-15")), scans=(CLEAN4, late), last_alive=day("2027-05-21")
    )
    found = {each.row.paramcd: each.row for each in derive_endpoints(bundled_protocol("THERMODOX"), facts)}
    assert found["LTC24"].result == "FAIL"
    one = replace(facts, procedures=(START,))
    found = {each.row.paramcd: each.row for each in derive_endpoints(bundled_protocol("THERMODOX"), one)}
    assert found["LTC24"].result == "NOT EVALUABLE"


scans = st.lists(
    st.tuples(
        st.integers(1, 1200),
        st.integers(0, 60),
        st.booleans(),
        st.sampled_from(["COMPLETE", "RESIDUAL", "LTP", "NE"]),
    ),
    max_size=8,
    unique_by=lambda item: item[0],
)


@given(items=scans, cut=st.integers(0, 1300))
def test_facts_after_the_cut_off_never_matter(items, cut):
    all_scans = [
        Scan(
            START + timedelta(days=at),
            START + timedelta(days=at + delay),
            good,
            {"T01": LesionOutcome(outcome)},
        )
        for at, delay, good, outcome in items
    ]
    cut_off = START + timedelta(days=cut)
    seen = [each for each in all_scans if each.signed <= cut_off]
    facts = {"last_alive": START, "cut_off": cut_off}
    whole, known = follow(*all_scans, **facts), follow(*seen, **facts)
    assert time_to_local_recurrence(whole, 36, 2) == time_to_local_recurrence(known, 36, 2)
    assert time_to_loss_of_control(whole, CUT24) == time_to_loss_of_control(known, CUT24)


@given(items=scans)
def test_control_is_never_lost_later_than_recurrence_is_seen(items):
    all_scans = [
        Scan(
            START + timedelta(days=at),
            START + timedelta(days=at + delay),
            good,
            {"T01": LesionOutcome(outcome)},
        )
        for at, delay, good, outcome in items
    ]
    recurrence = time_to_local_recurrence(follow(*all_scans), 36, 99)
    control = time_to_loss_of_control(follow(*all_scans), date(2030, 1, 1))
    if recurrence.cnsr == 0:
        assert control.cnsr == 0
        assert control.adt <= recurrence.adt
    assert control.adt >= START
