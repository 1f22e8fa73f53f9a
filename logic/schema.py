"""What facts there are, by name, and whether a document of facts keeps to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from logic.documents import check_document
from logic.facttypes import FactType, Fault, did_you_mean


class Schema:
    """The facts that rules may name.

    Parameters
    ----------
    facts : mapping of str to FactType
        By name. A dotted name (``LB.HGB``) is found in nested mappings of the document; a
        fact of kind record stands for one dotted name for each of its fields.

    Raises
    ------
    ValueError
        A name is both a fact and the beginning of a dotted name.
    """

    def __init__(self, facts: Mapping[str, FactType]) -> None:
        flat = dict(_flattened("", facts))
        for name in flat:
            parts = name.split(".")
            for length in range(1, len(parts)):
                if ".".join(parts[:length]) in flat:
                    raise ValueError(f"{'.'.join(parts[:length])} is a fact and cannot hold {name}")
        self.facts: Mapping[str, FactType] = MappingProxyType(flat)
        self.paths: Mapping[str, tuple[str, ...]] = {name: tuple(name.split(".")) for name in flat}

    def __contains__(self, name: object) -> bool:
        return name in self.facts

    def __getitem__(self, name: str) -> FactType:
        return self.facts[name]

    def suggestion(self, name: str) -> str:
        """``; did you mean X?`` for a name that is not declared, or nothing."""
        return did_you_mean(name, self.facts)

    def check_document(self, facts: Mapping[str, Any]) -> list[Fault]:
        """Everything that is wrong with a document of facts; empty if it is in order.

        Unknown keys, wrong types, codes that are not in the list, malformed dates, numbers
        that are not numbers (a float included), units that are not of the analyte.
        """
        return check_document(self.facts, facts)


def _flattened(prefix: str, facts: Mapping[str, FactType]) -> Iterable[tuple[str, FactType]]:
    for name, fact in facts.items():
        if fact.kind == "record" and fact.fields:
            yield from _flattened(f"{prefix}{name}.", fact.fields)
        else:
            yield f"{prefix}{name}", fact
