"""The typed tree of a protocol pack (pydantic): frozen parts, exact numbers, no unknown key.

Needs no Django: the calculators read packs without a database.
"""

from __future__ import annotations

from trials.schema.base import Annotation, Part, Sourced
from trials.schema.criteria import CriteriaSet, Criterion, LookBack, Routing
from trials.schema.endpoints import Endpoint
from trials.schema.facts import Fact, FactField
from trials.schema.forms import (
    Check,
    CodeLabel,
    Codelist,
    Form,
    Item,
    ItemGroup,
    Possible,
    Reconsent,
    SdtmTarget,
    WindowDeviation,
)
from trials.schema.grading import GradeCut, GradedEvent, Grading
from trials.schema.imaging import Charter
from trials.schema.protocol import Protocol, canonical_text, digest_of
from trials.schema.treatment import Dose, DoseFormula, DoseNumber, Premedication, TimingRule
from trials.schema.trial import Arm, ArmShare, Setting, Source, Stratum, SubStudy, TrialInfo, VersionInfo
from trials.schema.verification import SampleOf, VerificationPlan, VerificationRule
from trials.schema.visits import Anchor, Visit

__all__ = [
    "Anchor",
    "Annotation",
    "Arm",
    "ArmShare",
    "Charter",
    "Check",
    "CodeLabel",
    "Codelist",
    "CriteriaSet",
    "Criterion",
    "Dose",
    "DoseFormula",
    "DoseNumber",
    "Endpoint",
    "Fact",
    "FactField",
    "Form",
    "GradeCut",
    "GradedEvent",
    "Grading",
    "Item",
    "ItemGroup",
    "LookBack",
    "Part",
    "Possible",
    "Premedication",
    "Protocol",
    "Reconsent",
    "Routing",
    "SampleOf",
    "SdtmTarget",
    "Setting",
    "Source",
    "Sourced",
    "Stratum",
    "SubStudy",
    "TimingRule",
    "TrialInfo",
    "VerificationPlan",
    "VerificationRule",
    "VersionInfo",
    "Visit",
    "WindowDeviation",
    "canonical_text",
    "digest_of",
]
