"""FHSI-8, version 4: the score of the eight-item FACT-Hepatobiliary Symptom Index.

Item codes and scoring only; the wording of the items belongs to FACIT.org and is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

ITEMS = ("GP1", "GP2", "GP4", "C2", "CNS7", "HI7", "Hep2", "Hep8")
HIGHEST_RESPONSE = 4
MISSING_CODES = frozenset({8, 9})
BEST_SCORE = len(ITEMS) * HIGHEST_RESPONSE


class ResponseRefused(ValueError):
    """A response that the form does not offer; `item` says which."""

    def __init__(self, item: str, reason: str) -> None:
        super().__init__(reason)
        self.item = item


@dataclass(frozen=True)
class Fhsi8Score:
    """`score` is unrounded, 0 (worst) to 32 (best), None when fewer than five of eight items are answered."""

    score: Decimal | None
    answered: int
    missing: tuple[str, ...]
    because: str

    @property
    def evaluable(self) -> bool:
        return self.score is not None


def response_of(item: str, raw: object) -> int | None:
    """One response: 0 to 4, or None where 8, 9 or a blank says that it is missing.

    Raises
    ------
    ResponseRefused
        Anything else.
    """
    text = raw.strip() if isinstance(raw, str) else raw
    if text is None or text == "":
        return None
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) == 1:
        text = int(text)
    if isinstance(text, bool) or not isinstance(text, int):
        raise ResponseRefused(item, "a response is 0, 1, 2, 3 or 4, or 8, 9 or blank where it is missing")
    if text in MISSING_CODES:
        return None
    if not 0 <= text <= HIGHEST_RESPONSE:
        raise ResponseRefused(item, f"{text} is no response: 0 to 4, or 8, 9 or blank where it is missing")
    return text


def score_fhsi8(responses: Mapping[str, object]) -> Fhsi8Score:
    """The FHSI-8 score from raw responses.

    Parameters
    ----------
    responses
        By FACIT item code (`ITEMS`): 0 (not at all) to 4 (very much); 8, 9, blank, None or an absent key is
        missing.

    Returns
    -------
    Fhsi8Score
        All items are reversed (4 - response), summed and prorated: sum * 8 / answered. Higher is better.

    Raises
    ------
    ResponseRefused
        A key that is no item of the form, or a value that the form does not offer.

    References
    ----------
    Yount 2002 (PubMed 12183093), development; FACIT scoring: more than 50 % of the items answered, mean
    times number of items; docs/definitions.md, “FHSI-8”.

    Notes
    -----
    "More than 50 %" is strict: four of eight are not scored. The score stays unrounded: where a drop equals
    a whole number of points exactly, both prorated scores are exact decimals, so comparing with a threshold
    never depends on rounding.
    """
    unknown = next((key for key in responses if key not in ITEMS), None)
    if unknown is not None:
        raise ResponseRefused(unknown, f"not an item of the FHSI-8; the items are {', '.join(ITEMS)}")
    answers = {item: response_of(item, responses.get(item)) for item in ITEMS}
    reversed_items = [HIGHEST_RESPONSE - answer for answer in answers.values() if answer is not None]
    missing = tuple(item for item, answer in answers.items() if answer is None)
    answered, total = len(reversed_items), sum(reversed_items)
    if answered * 2 <= len(ITEMS):
        because = f"{answered} of {len(ITEMS)} items answered; at least {len(ITEMS) // 2 + 1} are needed"
        return Fhsi8Score(None, answered, missing, because)
    score = Decimal(total) * len(ITEMS) / answered
    because = f"sum of (4 - response) over {answered} answered items = {total}"
    if missing:
        because += f"; prorated x {len(ITEMS)}/{answered}; missing: {', '.join(missing)}"
    return Fhsi8Score(score, answered, missing, because)
