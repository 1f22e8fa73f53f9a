"""The randomisation list: permuted blocks from a stored seed, the same list for the same seed for ever."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WORD_BYTES = 8
_WORD_VALUES = 1 << (8 * _WORD_BYTES)


@dataclass(frozen=True)
class ArmShare:
    """An arm and how many places it has in the ratio (1 : 1 : 1 is three arms with 1 each)."""

    arm: str
    ratio: int


@dataclass(frozen=True)
class Place:
    """One place of the list: its number in the stratum, its block, and the arm."""

    number: int
    stratum: str
    block: int
    block_size: int
    arm: str


class _Draws:
    """Uniform whole numbers from SHA-256 in counter mode over the seed and the stratum.

    `random.Random` would do as well but for one thing: its shuffles are not promised to stay the same from
    one Python to the next, and a list must be reproducible for as long as the trial can be inspected.
    """

    def __init__(self, seed: str, stratum: str) -> None:
        self._key = f"hilum permuted blocks 1\n{seed}\n{stratum}\n".encode()
        self._words = self._stream()

    def _stream(self) -> Iterator[int]:
        counter = 0
        while True:
            digest = hashlib.sha256(self._key + str(counter).encode()).digest()
            for start in range(0, len(digest), _WORD_BYTES):
                yield int.from_bytes(digest[start : start + _WORD_BYTES], "big")
            counter += 1

    def below(self, bound: int) -> int:
        """A number in 0 .. bound - 1, all equally likely (what would favour the low ones is thrown away)."""
        limit = _WORD_VALUES - _WORD_VALUES % bound
        return next(word for word in self._words if word < limit) % bound


def _checked(arms: Sequence[ArmShare], blocks: Sequence[int]) -> None:
    if not arms or any(share.ratio < 1 for share in arms):
        raise ValueError("every arm needs a ratio of at least 1")
    if len({share.arm for share in arms}) != len(arms):
        raise ValueError("an arm stands twice in the ratio")
    unit = sum(share.ratio for share in arms)
    if not blocks or any(size < unit or size % unit for size in blocks):
        raise ValueError(f"every block size must be a multiple of {unit}, the sum of the ratio")


def _block(draws: _Draws, arms: Sequence[ArmShare], size: int) -> list[str]:
    """One block in random order (Fisher-Yates)."""
    unit = sum(share.ratio for share in arms)
    places = [share.arm for share in arms for _ in range(share.ratio * size // unit)]
    for last in range(len(places) - 1, 0, -1):
        other = draws.below(last + 1)
        places[last], places[other] = places[other], places[last]
    return places


def randomisation_list(
    seed: str, arms: Sequence[ArmShare], blocks: Sequence[int], length: int, stratum: str = ""
) -> tuple[Place, ...]:
    """The first `length` places of the list of one stratum.

    Parameters
    ----------
    seed
        Stored with the trial and kept from everybody who enrols.
    arms
        In the order of the protocol, with their ratio.
    blocks
        Sizes of which each block draws one, equally likely. Each a multiple of the sum of the ratio.
    length
        How many places.
    stratum
        Every stratum has a list of its own.

    Returns
    -------
    tuple of Place
        A shorter list is always the beginning of a longer one. The last block may be cut.

    Raises
    ------
    ValueError
        A ratio below 1, an arm twice, a block size that does not fit the ratio.

    References
    ----------
    ICH E9 section 2.3.2 (randomisation in blocks of varying length); block sizes: protocol
    pack, sub-studies (proposed).
    """
    _checked(arms, blocks)
    draws = _Draws(seed, stratum)
    places: list[Place] = []
    block = 0
    while len(places) < length:
        block += 1
        size = blocks[draws.below(len(blocks))]
        for arm in _block(draws, arms, size):
            places.append(Place(len(places) + 1, stratum, block, size, arm))
    return tuple(places[:length])


def balance(places: Sequence[Place]) -> dict[str, int]:
    """How many places each arm has, for the report of the list."""
    return dict(Counter(place.arm for place in places))
