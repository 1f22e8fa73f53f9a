"""Which forms of a protocol record treatment, worked out from its visits and facts. Pure."""

from __future__ import annotations

from treatment.rules.record import ABLATIONS, INFUSIONS
from trials.schema import Form, Protocol, Visit

EXPOSURE = frozenset({"EX", "EC"})
STUDY_TREATMENT = EXPOSURE | {"PR"}
DISPOSITION = "DS"
END_DATE, DEATH_DATE = "DISCDAT", "DTHDAT"
"""Facts that say when a subject's study, or life, ended."""


def treatment_visits(protocol: Protocol) -> tuple[Visit, ...]:
    """Visits on which treatment is given."""
    return tuple(visit for visit in protocol.visits if visit.kind == "treatment")


def treatment_forms(protocol: Protocol) -> frozenset[str]:
    """Forms that only treatment visits have, and running logs of study drug."""
    here = {form for visit in treatment_visits(protocol) for form in visit.forms}
    elsewhere = {form for visit in protocol.visits if visit.kind != "treatment" for form in visit.forms}
    logs = {code for code in protocol.logs if protocol.form(code).domain in EXPOSURE}
    return frozenset((here - elsewhere) | logs)


def study_treatment_forms(protocol: Protocol) -> frozenset[str]:
    """Treatment forms whose date says that the study's treatment began (premedication is not among them)."""
    return frozenset(
        code for code in treatment_forms(protocol) if protocol.form(code).domain in STUDY_TREATMENT
    )


def source_form(protocol: Protocol, fact: str) -> str:
    """Code of the form that a fact is taken from; empty where the protocol has no such fact."""
    known = next((each for each in protocol.facts if each.name == fact), None)
    return known.from_.partition(".")[0] if known else ""


def infusion_form(protocol: Protocol) -> str:
    """Code of the form on which infusions are recorded; empty where the protocol has none."""
    return source_form(protocol, INFUSIONS)


def ablation_form(protocol: Protocol) -> str:
    """Code of the form on which ablations are recorded; empty where the protocol has none."""
    return source_form(protocol, ABLATIONS)


def field_items(protocol: Protocol, fact: str, field: str) -> frozenset[str]:
    """Items that a field of a list fact is taken from: the item, and the time beside a date."""
    known = next((each for each in protocol.facts if each.name == fact), None)
    if known is None or field not in known.fields:
        return frozenset()
    item = known.fields[field].from_ or field
    return frozenset({item, item.removesuffix("DAT") + "TIM"})


def moments(form: Form) -> frozenset[str]:
    """Items of a form that hold dates or times, and those that say to which procedure or lesion it belongs."""
    timed = {item.id for item in form.items if item.type in {"date", "partial_date", "time", "datetime"}}
    return frozenset(timed | ({"PROCNO", "TULNKID"} & set(form.items_by_id)))


def end_of_treatment_forms(protocol: Protocol) -> frozenset[str]:
    """Disposition forms that end the treatment, not the study."""
    last = {form for visit in protocol.visits if visit.kind == "discontinuation" for form in visit.forms}
    end = source_form(protocol, END_DATE)
    return frozenset(code for code in last if protocol.form(code).domain == DISPOSITION and code != end)
