"""Scoring the FHSI-8."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qol.rules.fhsi_8_version_4 import BEST_SCORE, ITEMS, ResponseRefused, score_fhsi8
from tests.vectors import vectors

answers = st.fixed_dictionaries({item: st.sampled_from([None, 0, 1, 2, 3, 4]) for item in ITEMS})


@pytest.mark.parametrize("row", vectors("fhsi8")["rows"], ids=lambda row: row["source"])
def test_worked_examples(row):
    result = score_fhsi8(dict(zip(ITEMS, row["responses"], strict=True)))
    assert result.answered == row["answered"]
    assert result.score == (None if row["score"] is None else Decimal(row["score"]))
    assert result.evaluable is (row["score"] is not None)


@pytest.mark.parametrize("blank", [8, 9, "8", "9", "", " ", None])
def test_eight_nine_and_blank_are_missing(blank):
    result = score_fhsi8(dict.fromkeys(ITEMS, 1) | {"GP2": blank})
    assert result.missing == ("GP2",)
    assert result.score == 24


def test_an_item_left_out_is_missing():
    assert score_fhsi8({}).missing == ITEMS


@pytest.mark.parametrize("wrong", [5, -1, 7, 10, "5", "x", "1.0", Decimal("1.5"), True, [1], "²"])
def test_anything_else_is_refused_at_its_item(wrong):
    with pytest.raises(ResponseRefused) as refused:
        score_fhsi8({"Hep2": wrong})
    assert refused.value.item == "Hep2"


def test_an_item_that_the_form_does_not_have_is_refused():
    with pytest.raises(ResponseRefused, match="not an item"):
        score_fhsi8({"GP3": 1})


def test_text_responses_count_like_numbers():
    assert score_fhsi8(dict.fromkeys(ITEMS, "2")) == score_fhsi8(dict.fromkeys(ITEMS, 2))


@given(responses=answers)
def test_a_score_lies_between_0_and_32_and_needs_five_answers(responses):
    result = score_fhsi8(responses)
    assert result.evaluable is (result.answered >= 5)
    if result.score is not None:
        assert 0 <= result.score <= BEST_SCORE


@given(responses=answers, item=st.sampled_from(ITEMS))
def test_a_worse_symptom_never_raises_the_score(responses, item):
    if responses[item] in (None, 4):
        return
    before, after = score_fhsi8(responses), score_fhsi8(responses | {item: responses[item] + 1})
    assert before.score is None or after.score < before.score
