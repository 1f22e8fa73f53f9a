"""Time to deterioration of a patient-reported score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from endpoints.rules.timeline import EndpointRow, FollowUp, FormScore, as_known, horizon_after, observed_until
from visits.rules.schedule import day_in_words


@dataclass(frozen=True)
class _Evaluable:
    form: FormScore
    score: Decimal


def time_to_deterioration(
    follow_up: FollowUp, months: int, threshold: Decimal, confirmed: bool = False, paramcd: str = "PROD"
) -> EndpointRow:
    """Days to the first score that lies at least `threshold` points below the baseline.

    Parameters
    ----------
    follow_up
        Recorded facts. Scores in points, higher is better.
    months
        Observation period in calendar months from the first procedure.
    threshold
        Drop in points that counts (inclusive).
    confirmed
        Sensitivity analysis: the next evaluable score must lie as low.

    Returns
    -------
    EndpointRow
        Without a baseline the subject is not analysed: `adt` and `cnsr` are None.

    References
    ----------
    docs/definitions.md, “Endpoints” (PROD); REACH and REACH-2 for the threshold of 3 points.

    Notes
    -----
    The baseline is the last evaluable form completed before the first infusion. A form of the same day
    without a time cannot be shown to precede the infusion: it is neither baseline nor follow-up. Forms that
    are not evaluable are passed over.
    """
    known = as_known(follow_up)
    forms = [_Evaluable(form, form.score) for form in known.forms if form.score is not None]
    forms.sort(key=lambda item: (item.form.on, _clock(item.form)))
    before = [item for item in forms if _before_treatment(known, item.form)]
    if not before:
        because = "no evaluable questionnaire before the first infusion: excluded from the analysis"
        return EndpointRow(paramcd, known.start, None, None, "EXCLUDED: NO BASELINE", because)
    baseline = before[-1]
    limit = observed_until(known, horizon_after(known.start, months))
    after = [item for item in forms if _after_treatment(known, item.form) and item.form.on <= limit]
    remark = ""
    if baseline.score < threshold:
        remark = f"; a drop of {threshold} points is impossible from a baseline of {_points(baseline.score)}"
    for place, item in enumerate(after):
        if _deteriorated(baseline, item, threshold) and (
            not confirmed or _confirmed(baseline, after[place + 1 :], threshold)
        ):
            because = (
                f"baseline {_points(baseline.score)} on {day_in_words(baseline.form.on)}, "
                f"{_points(item.score)} on {day_in_words(item.form.on)}: "
                f"a drop of {_points(baseline.score - item.score)}, at least {threshold} points"
            )
            return EndpointRow(paramcd, known.start, item.form.on, 0, "DETERIORATION", because)
    return _censored(known, baseline, after, threshold, remark, paramcd)


def _censored(
    known: FollowUp,
    baseline: _Evaluable,
    after: list[_Evaluable],
    threshold: Decimal,
    remark: str,
    paramcd: str,
) -> EndpointRow:
    if not after:
        because = f"no evaluable questionnaire after treatment, censored on the day of treatment{remark}"
        return EndpointRow(paramcd, known.start, known.start, 1, "NO POST-BASELINE QUESTIONNAIRE", because)
    last = after[-1].form.on
    because = (
        f"baseline {_points(baseline.score)}; no drop of {threshold} points or more; censored on the last evaluable "
        f"questionnaire, {day_in_words(last)}{remark}"
    )
    return EndpointRow(paramcd, known.start, last, 1, "LAST EVALUABLE QUESTIONNAIRE", because)


def _clock(form: FormScore) -> float:
    return form.completed.timestamp() if isinstance(form.completed, datetime) else 0.0


def _before_treatment(known: FollowUp, form: FormScore) -> bool:
    if isinstance(form.completed, datetime) and known.first_infusion is not None:
        return form.completed < known.first_infusion
    return form.on < known.start


def _after_treatment(known: FollowUp, form: FormScore) -> bool:
    if isinstance(form.completed, datetime) and known.first_infusion is not None:
        return form.completed > known.first_infusion
    return form.on > known.start


def _deteriorated(baseline: _Evaluable, item: _Evaluable, threshold: Decimal) -> bool:
    return baseline.score - item.score >= threshold


def _confirmed(baseline: _Evaluable, later: Sequence[_Evaluable], threshold: Decimal) -> bool:
    return bool(later) and _deteriorated(baseline, later[0], threshold)


def _points(score: Decimal) -> str:
    return format(score.quantize(Decimal("0.1")).normalize(), "f")
