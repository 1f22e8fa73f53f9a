"""The randomisation list."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treatment.rules.allocation import ArmShare, balance, randomisation_list

THREE = (ArmShare("TX", 1), ArmShare("HAI", 1), ArmShare("SYS", 1))
TWO_TO_ONE = (ArmShare("HAI", 2), ArmShare("SYS", 1))


@given(
    seed=st.text(max_size=20),
    length=st.integers(0, 60),
    arms=st.sampled_from([THREE, TWO_TO_ONE]),
    blocks=st.sampled_from([(3,), (3, 6), (6, 9, 3)]),
)
def test_every_whole_block_holds_the_ratio(seed, length, arms, blocks):
    places = randomisation_list(seed, arms, blocks, length)
    assert [place.number for place in places] == list(range(1, length + 1))
    for _, group in groupby(places, key=lambda place: place.block):
        block = list(group)
        size = block[0].block_size
        assert size in blocks
        if len(block) == size:
            unit = sum(share.ratio for share in arms)
            assert Counter(place.arm for place in block) == {s.arm: s.ratio * size // unit for s in arms}


@given(seed=st.text(max_size=20), short=st.integers(0, 30), more=st.integers(0, 30))
def test_a_shorter_list_begins_a_longer_one(seed, short, more):
    longer = randomisation_list(seed, THREE, (3, 6), short + more)
    assert longer[:short] == randomisation_list(seed, THREE, (3, 6), short)


def test_the_list_of_a_seed_is_the_same_for_ever():
    # A change here would make every stored seed give another list than the one that was followed.
    arms = [place.arm for place in randomisation_list("hilum-test", THREE, (3, 6), 12)]
    assert arms == ["HAI", "SYS", "TX", "TX", "SYS", "HAI", "HAI", "TX", "SYS", "HAI", "SYS", "TX"]


def test_seeds_and_strata_have_lists_of_their_own():
    lists = {
        tuple(p.arm for p in randomisation_list(seed, THREE, (3, 6), 30, stratum))
        for seed in ("a", "b")
        for stratum in ("", "IIa", "IIb")
    }
    assert len(lists) == 6


def test_all_orders_of_a_block_come_up_equally_often():
    firsts = Counter(
        "".join(p.arm[0] for p in randomisation_list(str(seed), THREE, (3,), 3)) for seed in range(3000)
    )
    assert len(firsts) == 6
    assert max(firsts.values()) - min(firsts.values()) < 150


@pytest.mark.parametrize(
    ("arms", "blocks"),
    [
        (THREE, (4,)),
        (THREE, (2,)),
        (THREE, ()),
        ((), (3,)),
        ((ArmShare("A", 0),), (3,)),
        (THREE + THREE[:1], (4,)),
    ],
)
def test_blocks_that_do_not_fit_the_ratio_are_refused(arms, blocks):
    with pytest.raises(ValueError, match="ratio"):
        randomisation_list("seed", arms, blocks, 3)


def test_balance_counts_places():
    assert balance(randomisation_list("x", THREE, (3,), 9)) == {"TX": 3, "HAI": 3, "SYS": 3}
