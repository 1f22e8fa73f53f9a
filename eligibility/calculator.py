"""Eligibility for a table of cases: `calculate eligibility`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from eligibility.rules.assessment import Criteria, CriterionResult, Evidence, SetAssessment
from foundation.documents import Document, DocumentError, Text, parse_document
from logic import Fault
from trials.packs import amendments, bundled_protocol
from trials.schema import Protocol
from visits.calculator import protocol_named

REFDAT = "REFDAT"


class EligibilityInput(Document):
    """A trial and the facts of one patient."""

    trial: Text
    facts: Annotated[dict[str, Any], Field(strict=True)]
    criteria_version: Text | None = None


def calculate_eligibility(document: object) -> dict[str, object]:
    """Every criteria set of the trial, and the route that follows."""
    given = parse_document(EligibilityInput, document)
    protocol = _version(protocol_named(given.trial), given.criteria_version)
    criteria = Criteria(protocol)
    _check_facts(criteria, given.facts)
    assessment = criteria.assess(given.facts, _as_of(given.facts))
    route = assessment.route
    return {
        "as_of": assessment.as_of,
        "sets": {name: _set(each) for name, each in assessment.sets.items()},
        "routing": None if route is None else {"decision": route.decision, "because": route.because},
    }


def _version(first: Protocol, wanted: str | None) -> Protocol:
    """The version whose criteria are wanted, the first where none is named; by its label or its criteria's name."""
    code = first.trial.code
    versions = [first, *(bundled_protocol(code, amendment) for amendment in amendments(code))]
    names = {name: version for version in versions for name in _names(version)}
    if wanted is not None and wanted not in names:
        known = ", ".join(version.version.label for version in versions)
        raise DocumentError("criteria_version", f"no criteria {wanted!r} of {code}; known: {known}")
    return first if wanted is None else names[wanted]


def _names(protocol: Protocol) -> set[str]:
    named = {str(each.value) for each in protocol.settings if each.name == "criteria_version"}
    return {protocol.version.label, *named}


def _check_facts(criteria: Criteria, facts: Mapping[str, Any]) -> None:
    """Refuse what is no document of facts. An unknown unit is left in: it makes its value unknown."""
    faults = [fault for fault in criteria.schema.check_document(facts) if not _is_unit(fault)]
    if faults:
        raise DocumentError(f"facts.{faults[0].path}" if faults[0].path else "facts", faults[0].message)


def _is_unit(fault: Fault) -> bool:
    return fault.path.endswith(".unit")


def _as_of(facts: Mapping[str, Any]) -> date:
    raw = facts.get(REFDAT)
    if raw is None:
        raise DocumentError(f"facts.{REFDAT}", "the evaluation date is required")
    try:
        return date.fromisoformat(raw)
    except (TypeError, ValueError):
        raise DocumentError(f"facts.{REFDAT}", "must be a full date written YYYY-MM-DD") from None


def _set(assessment: SetAssessment) -> dict[str, object]:
    return {
        "verdict": assessment.verdict,
        "valid_until": assessment.valid_until,
        "criteria": [_criterion(result) for result in assessment.criteria],
    }


def _criterion(result: CriterionResult) -> dict[str, object]:
    return {
        "id": result.criterion.id,
        "kind": result.criterion.kind,
        "outcome": result.outcome,
        "because": result.because,
        "evidence": [_evidence(each) for each in result.evidence],
        "missing": list(result.missing),
        "valid_until": result.valid_until,
    }


def _evidence(evidence: Evidence) -> dict[str, object]:
    return {
        "fact": evidence.path,
        "label": evidence.label,
        "value": evidence.value,
        "unit": evidence.unit,
        "note": evidence.note,
    }
