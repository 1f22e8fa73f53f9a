"""Dose, premedication and the timing rules of a procedure."""

from __future__ import annotations

from typing import Literal

from trials.schema.base import Code, Number, Part, Rule, Sourced, Text, Whole

TimingScope = Literal["procedure", "premedication", "plan"]


class DoseNumber(Sourced):
    """One number of the dose rule; null means that there is none (no cap)."""

    value: Number | None
    unit: str = ""


class DoseFormula(Sourced):
    """The body-surface formula."""

    value: Literal["mosteller", "dubois", "haycock", "gehan-george"]


class Dose(Part):
    """How a dose is calculated from body surface; each number with its source.

    Attributes
    ----------
    per_m2 : DoseNumber
        mg per square metre.
    round_mg : DoseNumber
        The dose is rounded to a multiple of this, in mg.
    concentration : DoseNumber
        mg per mL of the product.
    vial_mg : DoseNumber
        mg in one vial.
    bsa_cap : DoseNumber
        Largest surface that is dosed, in square metres.
    warn_pct, block_pct : DoseNumber
        Deviation of the given from the planned dose, in per cent: warn, ask for a reason.
    reweigh_pct : DoseNumber
        Change of weight, in per cent, from which the dose is calculated again.
    lifetime_mg_m2 : DoseNumber
        Cumulative ceiling, in mg per square metre.
    """

    product: Text
    per_m2: DoseNumber
    formula: DoseFormula
    round_mg: DoseNumber
    concentration: DoseNumber
    vial_mg: DoseNumber
    bsa_cap: DoseNumber
    warn_pct: DoseNumber
    block_pct: DoseNumber
    reweigh_pct: DoseNumber | None = None
    lifetime_mg_m2: DoseNumber | None = None
    infusion_minutes: DoseNumber | None = None


class Premedication(Sourced):
    """One step of the prophylaxis regimen."""

    step: Whole
    drug: Text
    dose: Number
    unit: Text
    route: Text
    minutes_before: Whole
    alternatives: tuple[Text, ...] = ()


class TimingRule(Sourced):
    """A constraint on the times of a procedure, a premedication or the whole plan.

    Attributes
    ----------
    scope : {'procedure', 'premedication', 'plan'}
        What the rule is evaluated for; it decides which names the rule may use.
    measured : str
        Expression whose value is shown beside the finding, in `unit`.
    severity : {'hard', 'soft', 'deviation'}
        What a failure means.
    """

    id: Code
    label: Text
    scope: TimingScope
    applies: Rule = ""
    rule: Text
    measured: Rule = ""
    unit: str = ""
    severity: Literal["hard", "soft", "deviation"]
    text: Text
