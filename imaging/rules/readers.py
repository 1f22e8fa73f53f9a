"""How far two sets of reads of the same images agree: categories and sizes, over all pairs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from imaging.rules.agreement import (
    LimitsOfAgreement,
    Weights,
    agreement_share,
    cohen_kappa,
    icc_2_1,
    limits_of_agreement,
)

RESPONSES = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD")
"""In their order, all of them: how far two lie apart does not depend on which ones were given."""
NOT_EVALUABLE = "NE"
KAPPA_MIN = Decimal("0.6")
"""Below, the reader is trained again (Landis and Koch 1977: above 0.6 is substantial agreement)."""
LEAST_FOR_SIZES = 2
Value = TypeVar("Value")


@dataclass(frozen=True)
class Said:
    """What one read said: a category under each name (`overall`, or a lesion), and sizes of lesions that count, mm."""

    categories: Mapping[str, str]
    sizes: Mapping[str, Decimal]


@dataclass(frozen=True)
class Agreement:
    """Agreement over pairs of reads of the same images.

    Attributes
    ----------
    pairs
        Reads that were compared.
    categories, share, kappa
        Answers in both, the share that is the same (0 to 1), and Cohen's kappa; None where it cannot be told.
    sizes, icc, limits
        Lesions measured in both, ICC(2,1), and Bland-Altman limits in mm.
    """

    pairs: int
    categories: int = 0
    share: Decimal | None = None
    kappa: Decimal | None = None
    sizes: int = 0
    icc: Decimal | None = None
    limits: LimitsOfAgreement | None = None

    @property
    def weak(self) -> bool:
        """Whether the categories agree so little that somebody has to look."""
        return self.kappa is not None and self.kappa < KAPPA_MIN


def agreement_of(pairs: Sequence[tuple[Said, Said]]) -> Agreement:
    """Agreement of pairs; responses are ordered, so that neighbours count as a part of a disagreement (linear weights).

    Not evaluable is no step of that order: such an answer counts in the share that is the same, and in no kappa of
    responses.

    References
    ----------
    Cohen 1960 and 1968, Shrout and Fleiss 1979, Bland and Altman 1986; see `imaging.rules.agreement`.
    """
    first, second = _common([(a.categories, b.categories) for a, b in pairs])
    mine, theirs = _common([(a.sizes, b.sizes) for a, b in pairs])
    enough = len(mine) >= LEAST_FOR_SIZES
    return Agreement(
        pairs=len(pairs),
        categories=len(first),
        share=agreement_share(first, second) if first else None,
        kappa=_kappa(first, second),
        sizes=len(mine),
        icc=icc_2_1(list(zip(mine, theirs, strict=True))) if enough else None,
        limits=limits_of_agreement(mine, theirs) if enough else None,
    )


OTHER, SELF = "the other reader", "themselves"
"""With whom a reader is compared."""


@dataclass(frozen=True)
class Compared:
    """One read of a reader beside another one of the same images.

    Attributes
    ----------
    reader
        Row of the person.
    month
        Month of the read, as `2026-03`.
    against
        `OTHER` or `SELF`.
    """

    reader: int
    month: str
    against: str
    said: Said
    beside: Said


@dataclass(frozen=True)
class Drift:
    """How far a reader agreed in a month.

    Attributes
    ----------
    pairs, categories, share
        Reads that were compared, answers in both, and the share that is the same (0 to 1).
    sizes, bias_mm
        Lesions measured in both, and by how much the reader measured more on average, mm; None where none is.
    """

    reader: int
    month: str
    against: str
    pairs: int
    categories: int
    share: Decimal | None
    sizes: int
    bias_mm: Decimal | None


def drift_of(compared: Sequence[Compared]) -> list[Drift]:
    """Agreement by reader, by whom they are compared with, and by month, in that order.

    References
    ----------
    FDA, Clinical Trial Imaging Endpoint Process Standards (2018): monitoring of readers over the time of a trial.
    """
    groups: dict[tuple[int, str, str], list[tuple[Said, Said]]] = {}
    for each in compared:
        groups.setdefault((each.reader, each.against, each.month), []).append((each.said, each.beside))
    return [_drift(*key, groups[key]) for key in sorted(groups)]


def _drift(reader: int, against: str, month: str, pairs: Sequence[tuple[Said, Said]]) -> Drift:
    first, second = _common([(a.categories, b.categories) for a, b in pairs])
    mine, theirs = _common([(a.sizes, b.sizes) for a, b in pairs])
    more = [one - other for one, other in zip(mine, theirs, strict=True)]
    return Drift(
        reader=reader,
        month=month,
        against=against,
        pairs=len(pairs),
        categories=len(first),
        share=agreement_share(first, second) if first else None,
        sizes=len(more),
        bias_mm=sum(more, Decimal(0)) / len(more) if more else None,
    )


def _kappa(first: Sequence[str], second: Sequence[str]) -> Decimal | None:
    known = {*first, *second}
    if not known <= {*RESPONSES, NOT_EVALUABLE}:
        return cohen_kappa(first, second, sorted(known))
    judged = [pair for pair in zip(first, second, strict=True) if NOT_EVALUABLE not in pair]
    if not judged:
        return None
    return cohen_kappa([a for a, _ in judged], [b for _, b in judged], RESPONSES, Weights.LINEAR)


def _common(
    pairs: Sequence[tuple[Mapping[str, Value], Mapping[str, Value]]],
) -> tuple[list[Value], list[Value]]:
    """What both of each pair have, in the same order."""
    both = [(a[name], b[name]) for a, b in pairs for name in sorted(set(a) & set(b))]
    return [one for one, _ in both], [other for _, other in both]
