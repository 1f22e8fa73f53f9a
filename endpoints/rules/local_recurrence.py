"""Time to local recurrence: the first local tumour progression of a lesion whose ablation had been shown complete."""

from __future__ import annotations

from endpoints.rules.timeline import (
    EndpointRow,
    FollowUp,
    Scan,
    adequate_scans,
    as_known,
    horizon_after,
    lesions_with,
    missed_scans,
    observed_until,
)
from imaging.rules.ablation import LesionOutcome
from visits.rules.schedule import day_in_words

PARAMCD = "TTLR"


def time_to_local_recurrence(
    follow_up: FollowUp, months: int, missed_limit: int, paramcd: str = PARAMCD
) -> EndpointRow:
    """Days to the first local recurrence in any ablated lesion.

    Parameters
    ----------
    follow_up
        Recorded facts; `imaging_visits` are needed to see which scans are missing.
    months
        Observation period in calendar months from the first procedure.
    missed_limit
        This many protocol scans missing in a row right before the event censor it at the last scan before
        the gap.

    References
    ----------
    docs/definitions.md, “Endpoints” (TTLR): local recurrence is tumour at the ablation zone *after* a scan that
    showed complete ablation of that lesion.

    Notes
    -----
    Residual tumour is no event here. The gap that matters lies directly before the event; a clean scan after
    an older gap has closed it. A scan on which a lesion could not be evaluated is not missing, but does not
    show that the subject is free of recurrence, so nobody is censored at it.
    """
    known = as_known(follow_up)
    limit = observed_until(known, horizon_after(known.start, months))
    scans = adequate_scans(known, limit)
    complete: set[str] = set()
    earlier: list[Scan] = []
    for scan in scans:
        recurred = [name for name in lesions_with(scan, LesionOutcome.LTP) if name in complete]
        if recurred:
            return _event_or_gap(known, earlier, scan, recurred, missed_limit, paramcd)
        complete.update(lesions_with(scan, LesionOutcome.COMPLETE))
        earlier.append(scan)
    return _censored(known, earlier, paramcd, "no local recurrence seen")


def _event_or_gap(
    known: FollowUp, earlier: list[Scan], scan: Scan, recurred: list[str], missed_limit: int, paramcd: str
) -> EndpointRow:
    missed = missed_scans(known, earlier[-1] if earlier else None, scan)
    names = ", ".join(recurred)
    if missed >= missed_limit:
        why = f"local recurrence of {names} on {day_in_words(scan.acquired)} after {missed} missing protocol scans"
        return _censored(known, earlier, paramcd, why, "MISSING SCANS BEFORE EVENT")
    because = f"local tumour progression of {names} on {day_in_words(scan.acquired)}, after complete ablation"
    return EndpointRow(paramcd, known.start, scan.acquired, 0, "LOCAL TUMOUR PROGRESSION", because)


def _censored(
    known: FollowUp,
    scans: list[Scan],
    paramcd: str,
    why: str,
    description: str = "LAST ADEQUATE SCAN WITHOUT RECURRENCE",
) -> EndpointRow:
    free = [scan for scan in scans if scan.assessed_all() and not lesions_with(scan, LesionOutcome.LTP)]
    if not free:
        because = f"{why}; no adequate scan after treatment that shows it, censored on the day of treatment"
        return EndpointRow(paramcd, known.start, known.start, 1, "NO ADEQUATE POST-BASELINE SCAN", because)
    last = free[-1].acquired
    because = f"{why}; censored on the last adequate scan without recurrence, {day_in_words(last)}"
    return EndpointRow(paramcd, known.start, last, 1, description, because)
