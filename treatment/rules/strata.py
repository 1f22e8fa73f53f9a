"""The stratum of a subject: the levels of its sub-study's stratification factors. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from treatment.rules.allocation import ArmShare
from trials.schema import Protocol, SubStudy


def sub_study_of(protocol: Protocol, code: str) -> SubStudy | None:
    """The sub-study of a subject: the one it was routed to, or the only one there is."""
    if code:
        return next((each for each in protocol.sub_studies if each.code == code), None)
    return protocol.sub_studies[0] if len(protocol.sub_studies) == 1 else None


def randomises(protocol: Protocol) -> bool:
    """Whether any sub-study allocates by chance."""
    return any(each.randomised for each in protocol.sub_studies)


def missing_factor(sub_study: SubStudy, document: Mapping[str, Any]) -> str:
    """Label of the first stratification factor whose level is not recorded; empty when all are."""
    for factor in sub_study.strata:
        if _level(factor.fact, document) not in factor.levels:
            return factor.label
    return ""


def stratum_of(sub_study: SubStudy, document: Mapping[str, Any]) -> str:
    """Name of the stratum, such as `SITE=A, SEX=F`; empty where the sub-study is not stratified."""
    return ", ".join(f"{factor.name}={_level(factor.fact, document)}" for factor in sub_study.strata)


def scheme_of(sub_study: SubStudy) -> str:
    """Arms, ratio and block sizes as one text: another scheme is another list."""
    ratio = " : ".join(f"{share.arm} {share.ratio}" for share in sub_study.arms)
    return f"{ratio}; blocks of {', '.join(str(size) for size in sub_study.blocks)}"


def arm_shares(sub_study: SubStudy) -> tuple[ArmShare, ...]:
    """The ratio of a sub-study as the list wants it."""
    return tuple(ArmShare(share.arm, share.ratio) for share in sub_study.arms)


def _level(fact: str, document: Mapping[str, Any]) -> str:
    head, _, tail = fact.partition(".")
    value = document.get(head)
    value = value.get(tail) if tail and isinstance(value, Mapping) else value
    return "" if value is None else str(value)
