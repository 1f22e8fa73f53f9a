"""Local tumour control: how long it held, and whether it held for two years."""

from __future__ import annotations

from datetime import date

from endpoints.rules.overall_survival import impute_death
from endpoints.rules.timeline import (
    EndpointRow,
    FollowUp,
    Scan,
    adequate_scans,
    as_known,
    horizon_after,
    lesions_with,
    observed_until,
)
from imaging.rules.ablation import LesionOutcome
from visits.rules.schedule import day_in_words

SUCCESS, FAIL, NOT_EVALUABLE = "SUCCESS", "FAIL", "NOT EVALUABLE"


def failed_lesions(known: FollowUp, scan: Scan) -> list[str]:
    """Lesions that this scan shows to be out of local control.

    References
    ----------
    docs/definitions.md, “Endpoints”: local tumour progression, or residual tumour after the last planned ablation of
    the lesion.

    Notes
    -----
    Residual tumour on a scan before the lesion's last planned ablation is re-treated and is no failure. A
    scan on the day of an ablation counts as taken before it. Tumour read as residual later than on the first
    scan is a failure on that scan.
    """
    progressed = lesions_with(scan, LesionOutcome.LTP)
    residual = [
        name
        for name in lesions_with(scan, LesionOutcome.RESIDUAL)
        if scan.acquired > known.last_ablation(name)
    ]
    return sorted(progressed + residual)


def time_to_loss_of_control(follow_up: FollowUp, end_of_control: date, paramcd: str = "TTLC") -> EndpointRow:
    """Days to the first loss of local control in any ablated lesion.

    Parameters
    ----------
    follow_up
        Recorded facts.
    end_of_control
        Last day that counts: the end of the window of the last imaging visit (CUT24).

    Returns
    -------
    EndpointRow
        A death before any failure is a competing event: the row is censored and `competing` carries the date.

    References
    ----------
    docs/definitions.md, “Endpoints” (TTLC).
    """
    known = as_known(follow_up)
    limit = observed_until(known, end_of_control)
    free: list[Scan] = []
    for scan in adequate_scans(known, limit):
        failed = failed_lesions(known, scan)
        if failed:
            because = f"{_what(scan, failed)} on the scan of {day_in_words(scan.acquired)}"
            return EndpointRow(paramcd, known.start, scan.acquired, 0, "LOSS OF LOCAL CONTROL", because)
        if scan.assessed_all():
            free.append(scan)
    died = _death_by(follow_up, limit)
    suffix = f"; death on {day_in_words(died)} is a competing event" if died else ""
    if not free:
        because = f"no adequate scan after treatment, censored on the day of treatment{suffix}"
        description = "NO ADEQUATE POST-BASELINE SCAN"
        return EndpointRow(paramcd, known.start, known.start, 1, description, because, competing=died)
    last = free[-1].acquired
    because = f"no loss of local control; censored on the last adequate scan, {day_in_words(last)}{suffix}"
    description = "LAST ADEQUATE SCAN WITHOUT FAILURE"
    return EndpointRow(paramcd, known.start, last, 1, description, because, competing=died)


def _what(scan: Scan, failed: list[str]) -> str:
    words = {LesionOutcome.LTP: "local tumour progression", LesionOutcome.RESIDUAL: "residual tumour"}
    return ", ".join(f"{words[scan.lesions[name]]} of {name}" for name in failed)


def _death_by(follow_up: FollowUp, limit: date) -> date | None:
    if not follow_up.death:
        return None
    died = impute_death(follow_up.death, follow_up.alive_on)
    return died if died <= min(limit, follow_up.cut_off or limit) else None


def local_control(
    follow_up: FollowUp, months: int, anchor: date, end_of_control: date, paramcd: str = "LTC24"
) -> EndpointRow:
    """Whether local control held for the whole period.

    Parameters
    ----------
    follow_up
        Recorded facts.
    months
        Length of the period in calendar months (24).
    anchor
        The day that the visits are counted from (the last procedure by default).
    end_of_control
        End of the window of the last imaging visit (CUT24).

    Returns
    -------
    EndpointRow
        `result` SUCCESS, FAIL or NOT EVALUABLE. `adt` is the scan that decides it, or the last adequate one.

    References
    ----------
    docs/definitions.md, “Endpoints” (LTC24).

    Notes
    -----
    "An adequate scan with target >= anchor + 24 months" is read as: acquired on or after that day,
    failure-free, every ablated lesion evaluated. A late scan of the last visit therefore still proves
    success; a failure first seen after the end of the window is no failure within it, and proves no success
    either.
    """
    known = as_known(follow_up)
    lost = time_to_loss_of_control(follow_up, end_of_control, paramcd)
    if lost.cnsr == 0:
        return EndpointRow(paramcd, known.start, lost.adt, 0, "LOSS OF LOCAL CONTROL", lost.because, FAIL)
    since = horizon_after(anchor, months)
    for scan in adequate_scans(known, known.discontinued or date.max):
        if scan.acquired >= since and scan.assessed_all() and not failed_lesions(known, scan):
            because = (
                f"no loss of local control, and the scan of {day_in_words(scan.acquired)}, at least {months} months "
                f"after {day_in_words(anchor)}, shows it"
            )
            return EndpointRow(paramcd, known.start, scan.acquired, 1, "LOCAL CONTROL", because, SUCCESS)
    because = (
        f"no loss of local control seen, but no adequate scan since {day_in_words(since)} shows that it held"
    )
    return EndpointRow(paramcd, known.start, lost.adt, 1, "NO SCAN AT THE END", because, NOT_EVALUABLE)
