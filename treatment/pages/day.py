"""What the picture of a procedure's day shows: doses, infusion, ablations, and which of them break a limit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django.utils.safestring import SafeString

from treatment.pages.timeline import Day, Span, day_picture
from treatment.rules.limits import Limit, limits_from_start
from treatment.rules.record import Ablated
from treatment.rules.timing import Finding, FindingOutcome, PremedicationDose, ProcedureTimes, span_in_words
from treatment.selectors.record import SubjectTreatment
from visits.rules.schedule import day_in_words


def procedure_picture(
    treatment: SubjectTreatment, times: ProcedureTimes, findings: Sequence[Finding]
) -> SafeString | None:
    """The day of a procedure as a picture; None while its infusion has no start."""
    if times.t0 is None:
        return None
    limits = limits_from_start(treatment.protocol)
    doses = [dose for dose in treatment.recorded.known.premedication if dose.procedure == times.number]
    ablated = [each for each in treatment.recorded.ablated if each.number == times.number]
    infusion = Span(
        "Infusion", "info", times.t0, times.t1, _span_words("Infusion", times.t0, times.t1, treatment)
    )
    bars = [_ablation_bar(treatment, limits, times.t0, each) for each in sorted(ablated, key=_when)]
    return day_picture(
        Day(
            start=times.t0,
            zone=treatment.zone,
            doses=tuple(_dose(treatment, dose) for dose in sorted(doses, key=_given)),
            bars=(infusion, *(bars or [Span("Ablation", "attention", None)])),
            limits=limits,
            label=_label(times, findings, treatment),
            caption=_caption(times, treatment),
        )
    )


def _dose(treatment: SubjectTreatment, dose: PremedicationDose) -> Span:
    return Span(dose.drug, "signed", dose.at, words=_span_words(dose.drug, dose.at, None, treatment))


def _given(dose: PremedicationDose) -> float:
    return dose.at.timestamp() if dose.at else float("inf")


def _when(ablated: Ablated) -> float:
    return ablated.start.timestamp() if ablated.start else float("inf")


def _ablation_bar(
    treatment: SubjectTreatment, limits: Sequence[Limit], start: datetime, ablated: Ablated
) -> Span:
    """Red with a word where this ablation alone breaks a limit, amber where a time is missing."""
    faults = []
    for limit in limits:
        if limit.of == "start" and ablated.start and _minutes(start, ablated.start) < limit.minutes:
            faults.append("too early")
        if limit.of == "end" and ablated.end and _minutes(start, ablated.end) > limit.minutes:
            faults.append("too late")
    whole = ablated.start is not None and ablated.end is not None
    name = f"Ablation {ablated.lesion}".strip()
    return Span(
        name,
        "stop" if faults else "ok" if whole else "attention",
        ablated.start,
        ablated.end,
        _span_words(name, ablated.start, ablated.end, treatment),
        short=ablated.lesion,
        fault=", ".join(faults),
    )


def _minutes(start: datetime, moment: datetime) -> Decimal:
    """Elapsed minutes, whatever the clocks did in between."""
    return Decimal(int((moment.astimezone(UTC) - start.astimezone(UTC)).total_seconds())) / 60


def _span_words(name: str, start: datetime | None, end: datetime | None, treatment: SubjectTreatment) -> str:
    times = [_moment(moment.astimezone(treatment.zone)) for moment in (start, end) if moment]
    return f"{name}, {' to '.join(times)}" if times else f"{name}, time not recorded"


def _moment(moment: datetime) -> str:
    return f"{day_in_words(moment.date())} {moment:%H:%M}"


def _label(times: ProcedureTimes, findings: Sequence[Finding], treatment: SubjectTreatment) -> str:
    """The picture in words, for those who hear it."""
    parts = [
        f"Procedure {times.number}",
        _prophylaxis(times),
        _span_words("Infusion", times.t0, times.t1, treatment),
        _span_words("Ablation", times.a0, times.a1, treatment),
        *(each.because for each in findings if each.outcome is FindingOutcome.FAIL),
    ]
    return " ".join(f"{part}." for part in parts if part)


def _prophylaxis(times: ProcedureTimes) -> str:
    if times.p0 is None or times.t0 is None:
        return ""
    return f"First prophylaxis {span_in_words(_minutes(times.p0, times.t0) / 60, 'h')} before the infusion"


def _caption(times: ProcedureTimes, treatment: SubjectTreatment) -> str:
    hours = f"Hours on the clock of the site ({treatment.subject.site.time_zone})."
    first = _prophylaxis(times)
    return f"{first}. {hours}" if first else hours
