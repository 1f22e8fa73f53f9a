"""All consistency rules of a protocol, in the order in which a reader wants to hear of them."""

from __future__ import annotations

from collections.abc import Iterator

from trials.rules import expressions, grading, measures, projection, references, sense, verification
from trials.rules.findings import Finding
from trials.schema import Protocol

RULES = (
    references.duplicates,
    references.sources,
    references.design,
    references.eligibility,
    references.visits,
    references.forms,
    references.codelists,
    projection.facts,
    measures.units,
    expressions.rules,
    sense.allocation,
    sense.settings,
    sense.windows,
    sense.items,
    sense.treatment,
    sense.charter,
    grading.gradings,
    verification.plan,
)


def inconsistencies(protocol: Protocol) -> Iterator[Finding]:
    """Yield everything in a protocol that contradicts something else in it."""
    for rule in RULES:
        yield from rule(protocol)
