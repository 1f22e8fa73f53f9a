"""Timing of procedures: the protocol's timing rules asked of recorded times.

The rules themselves are texts of the protocol; here stands only what they are asked about and how a finding
reads. A time that is not recorded makes a rule unknown, never passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from logic import Answer, Outcome, Schema, Truth, compile_rule, prepare
from trials.schema import Protocol, TimingRule
from trials.schema.treatment import TimingScope
from trials.schema.vocabulary import setting_facts, timing_schema

SECONDS = {"min": 60, "h": 3600, "days": 86400}
WORDS = {
    "P0": "first prophylaxis dose",
    "T0": "infusion start",
    "T1": "infusion end",
    "A0": "ablation start",
    "A1": "ablation end",
    "AT": "time of the dose",
    "CONSENT": "consent",
    "ABLATIONS": "ablation records",
    "LESIONS": "plan or ablations of a lesion",
}


class FindingOutcome(StrEnum):
    PASS = "PASS"  # noqa: S105 - the word of the contract, no password
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class ProcedureTimes:
    """Recorded times of one procedure, aware datetimes; None is not recorded.

    `interrupted` is whether an interruption of the infusion was recorded; `ablations` counts its ablation
    records, None where nothing is known of them.
    """

    number: int
    p0: datetime | None = None
    t0: datetime | None = None
    t1: datetime | None = None
    a0: datetime | None = None
    a1: datetime | None = None
    interrupted: bool | None = None
    ablations: int | None = None


@dataclass(frozen=True)
class PremedicationDose:
    """One dose of the premedication of a procedure."""

    procedure: int
    drug: str
    at: datetime | None
    route: str | None = None


@dataclass(frozen=True)
class PlannedLesion:
    """A lesion, whether it is unresectable, the procedure it is planned for and those that ablated it.

    `ablated_in` is None while nobody can tell: a procedure has begun and its ablations are not recorded yet.
    """

    name: str
    unresectable: bool | None
    planned_procedure: int | None
    ablated_in: tuple[int, ...] | None = ()


@dataclass(frozen=True)
class TreatmentRecord:
    """All that the timing rules are asked about. `lesions` None: no list of lesions, so nothing is asked of it."""

    procedures: tuple[ProcedureTimes, ...]
    consent: datetime | date | None = None
    premedication: tuple[PremedicationDose, ...] = ()
    lesions: tuple[PlannedLesion, ...] | None = None


@dataclass(frozen=True)
class Finding:
    """What one timing rule says of one procedure (or of the whole plan: `procedure` None)."""

    rule: str
    procedure: int | None
    outcome: FindingOutcome
    severity: str
    measured: str | None
    because: str
    missing: tuple[str, ...] = ()


def timing_findings(protocol: Protocol, record: TreatmentRecord) -> list[Finding]:
    """Ask all timing rules of the protocol, in its order.

    Parameters
    ----------
    protocol
        Its `timing` rules, and its settings, which the rules use by name.
    record
        Recorded times. Differences are elapsed time, so a change of the clocks in between does not matter.

    Returns
    -------
    list of Finding
        One for each rule and procedure (dose, plan) that it applies to. A rule that does not apply leaves
        none.

    References
    ----------
    ThermoDox pack, timing, TD-T1 to TD-T11, each with its own source.

    Notes
    -----
    A hard rule about the lesions is hard while the plan can still be approved; once a procedure has happened
    its failure is a deviation.
    """
    settings = setting_facts(protocol)
    findings: list[Finding] = []
    for rule in protocol.timing:
        schema = timing_schema(protocol, rule.scope)
        for procedure, what, facts in _occasions(rule.scope, record):
            finding = _ask(rule, schema, procedure, what, {**settings, **facts})
            if finding is not None:
                findings.append(_softened(finding, rule, schema, facts))
    return [finding for finding in findings if _asked(finding, protocol, record)]


def _asked(finding: Finding, protocol: Protocol, record: TreatmentRecord) -> bool:
    """Whether there is anything to say: rules about lesions are not asked where no list of lesions is given."""
    if record.lesions is not None or finding.procedure is not None:
        return True
    rule = next(each for each in protocol.timing if each.id == finding.rule)
    return not _names_lesions(rule, timing_schema(protocol, rule.scope))


def _names_lesions(rule: TimingRule, schema: Schema) -> bool:
    return "LESIONS" in compile_rule(rule.rule, schema).names


def _softened(finding: Finding, rule: TimingRule, schema: Schema, facts: Mapping[str, Any]) -> Finding:
    begun = rule.scope == "plan" and facts["DONE"] >= 1
    if not (begun and finding.severity == "hard" and _names_lesions(rule, schema)):
        return finding
    return Finding(
        finding.rule,
        finding.procedure,
        finding.outcome,
        "deviation",
        finding.measured,
        finding.because,
        finding.missing,
    )


Occasion = tuple[int | None, str, Mapping[str, Any]]


def _occasions(scope: TimingScope, record: TreatmentRecord) -> Iterator[Occasion]:
    if scope == "plan":
        yield None, "", _plan_facts(record)
    elif scope == "procedure":
        for procedure in record.procedures:
            yield procedure.number, "", _procedure_facts(procedure, record)
    else:
        times = {procedure.number: procedure for procedure in record.procedures}
        for dose in record.premedication:
            yield dose.procedure, dose.drug, _dose_facts(dose, times.get(dose.procedure))


def _times(procedure: ProcedureTimes) -> dict[str, Any]:
    return {
        "NUMBER": procedure.number,
        "P0": procedure.p0,
        "T0": procedure.t0,
        "T1": procedure.t1,
        "A0": procedure.a0,
        "A1": procedure.a1,
        "EXITRPYN": _yes_no(procedure.interrupted),
        "ABLATIONS": procedure.ablations,
    }


def _procedure_facts(procedure: ProcedureTimes, record: TreatmentRecord) -> dict[str, Any]:
    before = [other.t0 for other in record.procedures if other.number == procedure.number - 1]
    doses = [dose for dose in record.premedication if dose.procedure == procedure.number]
    return {
        **_times(procedure),
        "CONSENT": record.consent,
        "PREVIOUS_T0": before[0] if before else None,
        "PREMED": [{"DRUG": dose.drug, "ROUTE": dose.route, "AT": dose.at} for dose in doses],
    }


def _dose_facts(dose: PremedicationDose, procedure: ProcedureTimes | None) -> dict[str, Any]:
    return {
        "NUMBER": dose.procedure,
        "DRUG": dose.drug,
        "ROUTE": dose.route,
        "AT": dose.at,
        "P0": procedure.p0 if procedure else None,
        "T0": procedure.t0 if procedure else None,
    }


def _plan_facts(record: TreatmentRecord) -> dict[str, Any]:
    lesions = record.lesions or ()
    planned = [lesion.planned_procedure for lesion in lesions if lesion.unresectable]
    return {
        "CONSENT": record.consent,
        "PROCEDURES": [_times(procedure) for procedure in record.procedures],
        "LESIONS": [
            {
                "LNKID": lesion.name,
                "UNRESECT": _yes_no(lesion.unresectable),
                "PLANPROC": lesion.planned_procedure,
                "ABLATIONS": None if lesion.ablated_in is None else len(lesion.ablated_in),
            }
            for lesion in lesions
        ],
        "DONE": sum(procedure.t0 is not None for procedure in record.procedures),
        "PLANNED": max((number for number in planned if number is not None), default=None),
    }


def _yes_no(answer: bool | None) -> str | None:
    return None if answer is None else "Y" if answer else "N"


def _ask(
    rule: TimingRule, schema: Schema, procedure: int | None, what: str, facts: Mapping[str, Any]
) -> Finding | None:
    values = prepare(schema, facts)
    applies = compile_rule(rule.applies, schema).verdict(values) if rule.applies else Truth.TRUE
    if applies is Truth.FALSE:
        return None
    answer = compile_rule(rule.rule, schema).evaluate(values)
    outcome = _outcome(applies, answer)
    measured = _measured(rule, compile_rule(rule.measured, schema).value(values) if rule.measured else None)
    missing = answer.missing if outcome is FindingOutcome.UNKNOWN else ()
    because = _because(rule, what, outcome, measured, missing)
    return Finding(rule.id, procedure, outcome, rule.severity, measured, because, missing)


def _outcome(applies: Answer, answer: Outcome) -> FindingOutcome:
    if answer.value is Truth.TRUE:
        return FindingOutcome.PASS
    if answer.value is Truth.FALSE and applies is Truth.TRUE:
        return FindingOutcome.FAIL
    return FindingOutcome.UNKNOWN


def _because(
    rule: TimingRule, what: str, outcome: FindingOutcome, measured: str | None, missing: Sequence[str]
) -> str:
    subject = f"{rule.label} ({what})" if what else rule.label
    if outcome is FindingOutcome.UNKNOWN:
        names = ", ".join(WORDS.get(name, name) for name in missing) or "whether it applies"
        return f"{subject}: not known, {names} not recorded"
    sentence = f"{subject}: {'yes' if outcome is FindingOutcome.PASS else 'no'}"
    return sentence if measured is None else f"{sentence}, {measured}"


def _measured(rule: TimingRule, value: Answer) -> str | None:
    if value is None or isinstance(value, Truth):
        return None
    if isinstance(value, Decimal) and rule.unit in SECONDS:
        return span_in_words(value, rule.unit)
    text = _plain(value) if isinstance(value, Decimal) else str(value)
    unit = rule.unit.removesuffix("s") if value == 1 else rule.unit
    return f"{text} {unit}".strip()


def span_in_words(value: Decimal, unit: str) -> str:
    """An elapsed time as people say it: `155 min`, `14 min 59 s`, `18.5 h`, `24 h 20 min`, `27.5 days`.

    Parameters
    ----------
    value
        In `unit`, which is one of min, h and days.
    """
    short = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if abs(value - short) < Decimal("1e-9") and (unit != "min" or short == short.to_integral_value()):
        return f"{_plain(short)} {unit}"
    if unit == "days":
        return f"{_plain(value.quantize(Decimal('0.1'), ROUND_HALF_UP))} days"
    seconds = int((abs(value) * SECONDS[unit]).to_integral_value(ROUND_HALF_UP))
    sign = "-" if value < 0 else ""
    if unit == "h":
        return f"{sign}{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{sign}{seconds // 60} min {seconds % 60} s"


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
