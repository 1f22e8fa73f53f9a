"""The functions of the language: how each is written and what it takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function is called.

    Attributes
    ----------
    usage : str
        As an author writes it.
    rule : str
        Which method of the checker types it: "fixed" for plain parameters and result.
    least, most : int
        How many arguments; ``most`` None for any number.
    parameters : tuple of tuple of str
        For "fixed": the kinds that each argument may have.
    result : str
        For "fixed": the kind of the result.
    """

    usage: str
    rule: str
    least: int
    most: int | None
    parameters: tuple[tuple[str, ...], ...] = ()
    result: str = "truth"


DAY = ("date", "datetime")
MOMENT = ("datetime",)
NUMBER = ("number",)
TEXT = ("text",)


def _fixed(usage: str, result: str, *parameters: tuple[str, ...]) -> Signature:
    return Signature(usage, "fixed", len(parameters), len(parameters), parameters, result)


FUNCTIONS: dict[str, Signature] = {
    "uln": Signature("uln(MEASURED)", "limit", 1, 1),
    "lln": Signature("lln(MEASURED)", "limit", 1, 1),
    "age": _fixed("age(birth, on)", "number", DAY, DAY),
    "add_years": _fixed("add_years(date, number)", "date", DAY, NUMBER),
    "add_months": _fixed("add_months(date, number)", "date", DAY, NUMBER),
    "add_days": _fixed("add_days(date, number)", "date", DAY, NUMBER),
    "days": _fixed("days(from, to)", "number", DAY, DAY),
    "hours": _fixed("hours(from, to)", "number", MOMENT, MOMENT),
    "minutes": _fixed("minutes(from, to)", "number", MOMENT, MOMENT),
    "known": Signature("known(value)", "known", 1, 1),
    "size": Signature("size(LIST)", "size", 1, 1),
    "max": Signature("max(LIST), max(a, b) or max(e in LIST: e.X)", "extreme", 1, None),
    "min": Signature("min(LIST), min(a, b) or min(e in LIST: e.X)", "extreme", 1, None),
    "sum": Signature("sum(LIST), sum(a, b) or sum(e in LIST: e.X)", "extreme", 1, None),
    "latest": Signature("latest(LIST), latest(a, b) or latest(e in LIST: e.X)", "extreme", 1, None),
    "earliest": Signature("earliest(LIST), earliest(a, b) or earliest(e in LIST: e.X)", "extreme", 1, None),
    "abs": Signature("abs(number)", "same", 1, 1),
    "sqrt": _fixed("sqrt(number)", "number", NUMBER),
    "body_surface": _fixed("body_surface(cm, kg, formula)", "number", NUMBER, NUMBER, TEXT),
    "round": Signature("round(number, digits)", "round", 2, 2),
    "if": Signature("if(condition, then, else)", "alike", 3, 3),
    "coalesce": Signature("coalesce(a, b, …)", "alike", 2, None),
    "finding": Signature("finding(P, confirm_when, rule_out_when)", "finding", 3, 3),
    "attested": Signature("attested(ITEM)", "attested", 1, 1),
}
QUANTIFIED = frozenset({"some", "every", "count", "the", "max", "min", "sum", "latest", "earliest"})
