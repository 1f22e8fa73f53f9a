"""Faults of shape: what pydantic says about a tree, in words and with the line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trials.packs.faults import Fault
from trials.packs.reading import Tree
from trials.rules.findings import Loc, did_you_mean
from trials.schema import Part, Protocol

WORDS = {
    "string_type": "expected text: quote it",
    "string_too_short": "must not be empty",
    "int_type": "expected an integer",
    "bool_type": "expected true or false",
    "tuple_type": "expected a list",
    "list_type": "expected a list",
    "dict_type": "expected `key: value` lines",
    "model_type": "expected `key: value` lines",
}


def shape_faults(tree: Tree, error: ValidationError) -> list[Fault]:
    """Return one fault for each thing that pydantic found, with its line."""
    return [_fault(tree, detail) for detail in error.errors(include_url=False)]


def _fault(tree: Tree, detail: ErrorDetails) -> Fault:
    loc, kind = detail["loc"], detail["type"]
    if kind == "missing":
        span = tree.span(loc[:-1])
        return Fault(span.file, span.first, f"missing key '{loc[-1]}'{_place(loc[:-1])}")
    if kind == "extra_forbidden":
        span = tree.span(loc, key=True)
        near = did_you_mean(str(loc[-1]), keys_at(loc[:-1]))
        return Fault(span.file, span.first, f"unknown key '{loc[-1]}'{_place(loc[:-1])}{near}")
    if loc and loc[-1] == "[key]":
        span, name = tree.span(loc[:-1], key=True), loc[-2]
    else:
        span, name = tree.span(loc), loc[-1] if loc else "pack"
    return Fault(span.file, span.first, f"{name}: {_words(detail)}")


def _place(loc: Loc) -> str:
    name = next((str(part) for part in reversed(loc) if isinstance(part, str)), "")
    return f" in '{name}'" if name else ""


def _words(detail: ErrorDetails) -> str:
    kind, given = detail["type"], detail["input"]
    if kind == "literal_error":
        expected = detail["ctx"]["expected"]
        near = did_you_mean(
            str(given), [each.strip("'") for each in expected.replace(" or ", ", ").split(", ")]
        )
        return f"expected {expected}, not '{given}'{near}"
    if kind == "string_pattern_mismatch":
        return f"'{given}' has a character that is not allowed here ({detail['ctx']['pattern']})"
    return WORDS.get(kind, detail["msg"].replace("Input should be", "expected"))


def keys_at(loc: Loc) -> list[str]:
    """Return the keys that a part at this place of the tree may have."""
    part = _model_at(loc)
    return list(_fields(part)) if part is not None else []


def _fields(part: type[Part]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in part.model_fields.items()}


def _model_at(loc: Loc) -> type[Part] | None:
    part: type[Part] | None = Protocol
    in_mapping = False
    for step in loc:
        if isinstance(step, int) or in_mapping:
            in_mapping = False
            continue
        annotation = _fields(part).get(step) if part is not None else None
        part = next(_parts_in(annotation), None)
        in_mapping = get_origin(annotation) is dict
    return part


def _parts_in(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for each in get_args(annotation):
        yield from _parts_in(each)
