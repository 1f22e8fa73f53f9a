"""Overall survival: from the start of treatment (or randomisation) to death from any cause."""

from __future__ import annotations

import calendar
from datetime import date

from endpoints.rules.timeline import EndpointRow, FollowUp, as_known, horizon_after
from visits.rules.schedule import day_in_words

PARTIAL_MONTH_DAY = 15
PARTIAL_YEAR_MONTH_DAY = (7, 1)


def impute_death(recorded: str, last_alive: date | None) -> date:
    """A date of death that may be partial, as a day.

    Parameters
    ----------
    recorded
        `YYYY-MM-DD`, `YYYY-MM` (the 15th is taken) or `YYYY` (1 July is taken).
    last_alive
        The imputed day is not put before it.

    Raises
    ------
    ValueError
        The subject was known alive after the latest day that `recorded` allows.

    References
    ----------
    DOMAIN fact sheet A.8, OS, notes.
    """
    parts = [int(part) for part in recorded.split("-")]
    if len(parts) == 3:
        day = latest = date(*parts)
    elif len(parts) == 2:
        day = date(parts[0], parts[1], PARTIAL_MONTH_DAY)
        latest = date(parts[0], parts[1], calendar.monthrange(parts[0], parts[1])[1])
    else:
        day, latest = date(parts[0], *PARTIAL_YEAR_MONTH_DAY), date(parts[0], 12, 31)
    if last_alive is not None and last_alive > latest:
        raise ValueError(f"known alive on {last_alive}, which is after the death recorded as {recorded}")
    return max(day, last_alive) if last_alive is not None else day


def overall_survival(
    follow_up: FollowUp, months: int, paramcd: str = "OS", start: date | None = None
) -> EndpointRow:
    """Time to death from any cause.

    Parameters
    ----------
    follow_up
        Recorded facts.
    months
        Observation period in calendar months from the start.
    start
        Another start than the first procedure (randomisation).

    Raises
    ------
    ValueError
        Dates that contradict each other, or no procedure before the cut-off.

    References
    ----------
    DOMAIN fact sheet A.8 (OS) and B.2 (OS24); seed: "until the event occurs, the subject is discontinued, or
    until 3 years following treatment".

    Notes
    -----
    Leaving the visits does not censor while survival may be followed; withdrawal from that does. A death
    after the period or the cut-off shows that the subject lived until then, and is no event.
    """
    known = as_known(follow_up)
    begin = start or known.start
    horizon = horizon_after(begin, months)
    limit = min(horizon, follow_up.cut_off or horizon)
    withdrawn = known.discontinued if not known.survival_follow_up else None
    if withdrawn is not None:
        limit = min(limit, withdrawn)
    died = impute_death(follow_up.death, follow_up.last_alive) if follow_up.death else None
    if died is not None and died < begin:
        raise ValueError(f"the death ({died}) lies before the start of treatment ({begin})")
    if died is not None and died <= limit:
        imputed = "" if died.isoformat() == follow_up.death else f" (recorded as {follow_up.death}, imputed)"
        because = f"death on {day_in_words(died)}{imputed}; counted from {day_in_words(begin)}"
        return EndpointRow(paramcd, begin, died, 0, "DEATH", because)
    return _alive(paramcd, begin, limit, follow_up.last_alive, died, withdrawn, months)


def _alive(
    paramcd: str,
    begin: date,
    limit: date,
    last_alive: date | None,
    died: date | None,
    withdrawn: date | None,
    months: int,
) -> EndpointRow:
    seen = max((day for day in (last_alive, died) if day is not None), default=begin)
    if seen < begin:
        raise ValueError(f"last known alive ({seen}) lies before the start of treatment ({begin})")
    adt = min(seen, limit)
    if adt < limit or seen == limit:
        reason = "last known alive"
    elif withdrawn == limit:
        reason = "consent to survival follow-up withdrawn"
    elif limit == horizon_after(begin, months):
        reason = f"end of the {months} months of observation"
    else:
        reason = "data cut-off"
    because = f"no death observed; censored on {day_in_words(adt)} ({reason})"
    return EndpointRow(paramcd, begin, adt, 1, reason.upper(), because)
