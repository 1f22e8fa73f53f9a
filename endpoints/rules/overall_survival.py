"""Overall survival: from the start of treatment (or randomisation) to death from any cause."""

from __future__ import annotations

import calendar
from datetime import date

from endpoints.rules.timeline import EndpointRow, FollowUp, as_known, horizon_after
from visits.rules.schedule import day_in_words

PARTIAL_MONTH_DAY = 15
PARTIAL_YEAR_MONTH_DAY = (7, 1)


def death_span(recorded: str) -> tuple[date, date]:
    """The first and last day that a recorded date of death (`YYYY-MM-DD`, `YYYY-MM`, `YYYY`) allows."""
    parts = [int(part) for part in recorded.split("-")]
    if len(parts) == 3:
        day = date(parts[0], parts[1], parts[2])
        return day, day
    if len(parts) == 2:
        year, month = parts
        return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
    return date(parts[0], 1, 1), date(parts[0], 12, 31)


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
    docs/definitions.md, “Endpoints”, OS, notes.
    """
    first, last = death_span(recorded)
    if last_alive is not None and last_alive > last:
        raise ValueError(f"known alive on {last_alive}, which is after the death recorded as {recorded}")
    if first == last:
        return first
    one_month = first.month == last.month
    day = first.replace(day=PARTIAL_MONTH_DAY) if one_month else date(first.year, *PARTIAL_YEAR_MONTH_DAY)
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
    docs/definitions.md, “Endpoints” (OS) (OS24); seed: "until the event occurs, the subject is discontinued, or
    until 3 years following treatment".

    Notes
    -----
    Leaving the visits does not censor while survival may be followed; withdrawal from that does. A death
    after the period shows that the subject lived through it, and is no event. A death after the data cut-off
    is not known yet. An imputed day proves nobody alive: only the first day that the record allows does.
    """
    known = as_known(follow_up)
    begin = start or known.start
    cut = follow_up.cut_off or date.max
    horizon = horizon_after(begin, months)
    withdrawn = None if known.survival_follow_up else known.discontinued
    limit = min(day for day in (horizon, cut, withdrawn) if day is not None)
    died = impute_death(follow_up.death, follow_up.alive_on) if follow_up.death else None
    if died is not None and died < begin:
        raise ValueError(f"the death ({died}) lies before the start of treatment ({begin})")
    if died is not None and died <= limit:
        imputed = "" if died.isoformat() == follow_up.death else f" (recorded as {follow_up.death}, imputed)"
        because = f"death on {day_in_words(died)}{imputed}; counted from {day_in_words(begin)}"
        return EndpointRow(paramcd, begin, died, 0, "DEATH", because)
    seen = max(begin, _last_seen(known, cut))
    adt = min(seen, limit)
    reason = _reason(adt, limit, seen, withdrawn, horizon)
    because = f"no death observed; censored on {day_in_words(adt)} ({reason})"
    return EndpointRow(paramcd, begin, adt, 1, reason.upper(), because)


def _last_seen(known: FollowUp, cut: date) -> date:
    """The last day on which the subject is known to have lived, as far as the cut-off lets one know."""
    evidence = [known.start]
    if known.last_alive is not None:
        evidence.append(known.last_alive)
    else:
        evidence += [
            *known.procedures,
            *(scan.acquired for scan in known.scans),
            *(form.on for form in known.forms),
        ]
    if known.death is not None and impute_death(known.death, known.alive_on) <= cut:
        evidence.append(death_span(known.death)[0])
    return max(evidence)


def _reason(adt: date, limit: date, seen: date, withdrawn: date | None, horizon: date) -> str:
    if adt < limit or seen == limit:
        return "last known alive"
    if limit == withdrawn:
        return "consent to survival follow-up withdrawn"
    return "end of observation" if limit == horizon else "data cut-off"
