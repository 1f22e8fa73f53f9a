"""Survival curves: the product-limit estimator with Greenwood's variance, in exact decimals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

NORMAL_QUANTILE_95 = Decimal("1.959963984540054")  # two-sided 95 %


@dataclass(frozen=True)
class Step:
    """The curve from `time` on; `at_risk` just before it.

    `greenwood` is the sum of d / (n (n - d)) so far, None at survival 0.
    """

    time: Decimal
    at_risk: int
    events: int
    censored: int
    exact: Fraction
    greenwood: Decimal | None

    @property
    def survival(self) -> Decimal:
        """The estimate as a decimal of 28 digits; `exact` is what is compared."""
        return Decimal(self.exact.numerator) / self.exact.denominator


@dataclass(frozen=True)
class Curve:
    """A Kaplan-Meier curve; times in whatever unit the durations had."""

    subjects: int
    steps: tuple[Step, ...]

    def survival_at(self, time: Decimal) -> Decimal:
        """Estimated probability of being free of the event just after `time`."""
        step = self._step(time)
        return Decimal(1) if step is None else step.survival

    def interval_at(self, time: Decimal) -> tuple[Decimal, Decimal] | None:
        """95 % confidence interval on the log(-log) scale, None before the first event and once survival is 0."""
        step = self._step(time)
        if step is None or step.greenwood is None or step.exact in (0, 1):
            return None
        log = step.survival.ln()
        width = NORMAL_QUANTILE_95 * step.greenwood.sqrt() / -log
        return step.survival ** width.exp(), step.survival ** (-width).exp()

    def median(self) -> Decimal | None:
        """First time at which survival is one half or less, None if it never is."""
        return next((step.time for step in self.steps if step.exact <= Fraction(1, 2)), None)

    def at_risk_at(self, time: Decimal) -> int:
        """Subjects under observation and free of the event just before `time`."""
        gone = sum(step.events + step.censored for step in self.steps if step.time < time)
        return self.subjects - gone

    def _step(self, time: Decimal) -> Step | None:
        passed = [step for step in self.steps if step.time <= time]
        return passed[-1] if passed else None


def kaplan_meier(durations: Sequence[Decimal | int], observed: Sequence[bool]) -> Curve:
    """The product-limit estimate.

    Parameters
    ----------
    durations
        Time to event or censoring, one a subject, not negative.
    observed
        True for an event, False for a censored subject.

    Returns
    -------
    Curve
        One step for every distinct duration. Events at a time come before censorings at the same time.

    Raises
    ------
    ValueError
        Lists of different length, or a negative duration.

    Notes
    -----
    Survival is carried as a fraction: a curve that passes through exactly one half has its median there, which
    neither floats nor rounded decimals can be relied on to see.

    References
    ----------
    Kaplan and Meier 1958 (J Am Stat Assoc 53:457); Greenwood 1926; interval: Kalbfleisch and Prentice 1980,
    log(-log).
    """
    if len(durations) != len(observed):
        raise ValueError("one observation for each duration")
    if any(duration < 0 for duration in durations):
        raise ValueError("a duration must not be negative")
    at_risk, survival, greenwood = len(durations), Fraction(1), Decimal(0)
    steps: list[Step] = []
    for time in sorted({Decimal(duration) for duration in durations}):
        outcomes = [seen for duration, seen in zip(durations, observed, strict=True) if duration == time]
        events = sum(outcomes)
        survival *= Fraction(at_risk - events, at_risk)
        if events < at_risk:
            greenwood += Decimal(events) / (at_risk * (at_risk - events))
        spread = greenwood if survival > 0 else None
        steps.append(Step(time, at_risk, events, len(outcomes) - events, survival, spread))
        at_risk -= len(outcomes)
    return Curve(len(durations), tuple(steps))
