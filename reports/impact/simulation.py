"""An amendment tried on the real subjects before anybody is moved: reads only, a few statements for each batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.db.models import QuerySet

from casebook.facts import registry_names
from casebook.models import Entry, EntryState, Query, QueryOrigin
from casebook.registry import answers_for
from casebook.rules.picture import ProtocolKey, rules_of
from casebook.rules.projection import Answer, Projection, Row, latest_values, project
from casebook.selectors import OPEN_STATES, row_of
from casebook.services.amending import stays
from casebook.services.anchors import anchor_dates
from eligibility.models import Assessment
from eligibility.policies import IN_SCREENING
from eligibility.selectors.evaluation import Evaluation, evaluate
from eligibility.selectors.standing import signed_of
from foundation import clock
from patients.models import Subject
from patients.policies import OFF_STUDY
from reports.impact.shapes import Impact, QueryChange, SubjectImpact, Verdict, VisitChange
from treatment.facts import RANDOMISED_ON
from treatment.models import Allocation
from trials.models import Trial, protocol_by_key
from trials.rules.difference import difference
from trials.rules.entered import added_in, as_entered
from trials.schema import Protocol
from visits.models import Visit, VisitState
from visits.rules.plans import schedule_of
from visits.rules.schedule import PlannedVisit, plan_visits
from visits.rules.settings import schedule_settings

BATCH = 100
ASKED_FOR = "asks for an item that the amendment adds"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Batch:
    """All records of some subjects, each read once."""

    entries: Mapping[int, Sequence[Entry]]
    visits: Mapping[int, Sequence[Visit]]
    queries: Mapping[int, Sequence[Query]]
    signed: Mapping[int, Assessment]
    randomised: Mapping[int, date]


def simulate(
    trial: Trial,
    before: Protocol,
    candidate: Protocol,
    *,
    subjects: QuerySet[Subject],
    progress: Progress | None = None,
) -> Impact:
    """Try a version on subjects; nothing is written.

    Parameters
    ----------
    before
        The version that the candidate is compared with; each subject is compared with the version that it is on.
    candidate
        The version to try, with its heritage.
    subjects
        Who is looked at; those who are off study, or on the candidate already, are counted and left out.
    """
    today = clock.today()
    rows = subjects.filter(trial=trial).order_by("pk")
    keys = list(
        rows.exclude(status__in=OFF_STUDY)
        .exclude(version__label=candidate.version.label)
        .values_list("pk", flat=True)
    )
    left_out = rows.count() - len(keys)
    found: list[SubjectImpact] = []
    for start in range(0, len(keys), BATCH):
        found += _batch_impact(keys[start : start + BATCH], candidate)
        if progress:
            progress(min(start + BATCH, len(keys)), len(keys))
    return Impact(
        trial=trial.code,
        on=today,
        difference=difference(before, candidate),
        subjects=tuple(found),
        left_out=left_out,
        columns=_columns(before, candidate),
    )


def _columns(before: Protocol, after: Protocol) -> dict[str, tuple[str, ...]]:
    """Columns of exports that come, and those that stay for what was entered."""
    old = {f"{form.code}.{item.id}" for form in before.forms for item in form.items}
    new = {f"{form.code}.{item.id}" for form in after.forms for item in form.items}
    return {"added": tuple(sorted(new - old)), "kept_for_earlier_data": tuple(sorted(old - new))}


def _batch_impact(keys: Sequence[int], candidate: Protocol) -> Iterator[SubjectImpact]:
    subjects = list(
        Subject.objects.filter(pk__in=keys)
        .select_related("version", "site", "trial", "patient")
        .defer("version__definition")
        .order_by("number")
    )
    batch = _read(subjects)
    for subject in subjects:
        yield _subject_impact(subject, batch, candidate)


def _read(subjects: Sequence[Subject]) -> _Batch:
    keys = [subject.pk for subject in subjects]
    known = {subject.pk: subject for subject in subjects}
    entries: dict[int, list[Entry]] = defaultdict(list)
    for entry in (
        Entry.objects.filter(subject__in=keys, struck_out=False).select_related("visit").order_by("pk")
    ):
        entry.subject = known[entry.subject_id]
        entries[entry.subject_id].append(entry)
    visits: dict[int, list[Visit]] = defaultdict(list)
    for visit in Visit.objects.filter(subject__in=keys).order_by("ordinal", "sequence"):
        visits[visit.subject_id].append(visit)
    queries: dict[int, list[Query]] = defaultdict(list)
    for query in Query.objects.filter(subject__in=keys, state__in=OPEN_STATES, origin=QueryOrigin.CHECK):
        queries[query.entry_id].append(query)
    return _Batch(
        entries=entries,
        visits=visits,
        queries=queries,
        signed=signed_of(subjects),
        randomised=dict(Allocation.objects.filter(subject__in=keys).values_list("subject_id", "on")),
    )


def _subject_impact(subject: Subject, batch: _Batch, candidate: Protocol) -> SubjectImpact:
    today = clock.today(subject.site.time_zone)
    entries = batch.entries.get(subject.pk, ())
    rows = [row_of(entry) for entry in entries]
    before = _projected(subject, subject.version.protocol, rows, batch, today)
    after = _projected(
        subject,
        candidate,
        [_as_moved(row, entry, candidate) for row, entry in zip(rows, entries, strict=True)],
        batch,
        today,
    )
    judged = subject.status in IN_SCREENING
    now = evaluate(subject.version.protocol, before, today)
    then = evaluate(candidate, after, today)
    gained = _gains(entries, rows, candidate, batch)
    return SubjectImpact(
        number=subject.number,
        site=subject.site.code,
        status=subject.get_status_display(),
        version=subject.version.label,
        affected=_affected(subject, batch),
        visits=tuple(_visit_changes(subject, batch.visits.get(subject.pk, ()), candidate, after, today)),
        queries=gained,
        forms_open=tuple(_forms_open(entries, candidate)),
        verdict=_verdict(now, then) if judged else None,
        flips=tuple(_flips(now, then)) if judged else (),
        signatures=tuple(_signatures(subject, entries, candidate, batch)),
        retired=tuple(_retired(entries, candidate)),
    )


def _affected(subject: Subject, batch: _Batch) -> str:
    if subject.status in {"ON_TREATMENT", "FOLLOW_UP"}:
        return "treated"
    return "randomised" if subject.pk in batch.randomised or subject.status == "ENROLLED" else ""


def _as_moved(row: Row, entry: Entry, candidate: Protocol) -> Row:
    """The row as it would be read after the move."""
    if row.entered is not None or not stays(entry, entry.subject.version.protocol, candidate):
        return row
    form = entry.subject.version.protocol.form(entry.form)
    return Row(**{**vars(row), "entered": form})


def _projected(
    subject: Subject, protocol: Protocol, rows: Sequence[Row], batch: _Batch, on: date
) -> Projection:
    names = registry_names(protocol)
    day = batch.randomised.get(subject.pk)
    known = {RANDOMISED_ON: Answer(day.isoformat(), day)} if day else {}
    others = names - {RANDOMISED_ON}
    answers = {**(answers_for(subject, others, on) if others else {}), **known}
    return project(protocol, rows, on, time_zone=subject.site.time_zone, answers=answers)


# Visits -------------------------------------------------------------------------------------------------------------


def _visit_changes(
    subject: Subject, visits: Sequence[Visit], candidate: Protocol, facts: Projection, today: date
) -> Iterator[VisitChange]:
    anchors = anchor_dates(candidate, facts.document)
    planned = plan_visits(schedule_of(candidate, subject.sub_study), anchors, schedule_settings(candidate))
    new = {(each.code, each.sequence): each for each in planned}
    live = {(each.code, each.sequence): each for each in visits if each.state != VisitState.SUPERSEDED}
    known = {code for code, _ in live}
    own = {visit.code for visit in subject.version.protocol.visits}
    unanchored = {visit.code for visit in candidate.visits if not visit.scheduled}
    for key, visit in live.items():
        if visit.state != VisitState.PLANNED or visit.target is None:
            continue
        plan = new.get(key)
        if plan is None and visit.code not in unanchored:
            yield VisitChange(str(visit), "no longer planned", _window_of(visit), "")
        elif plan is not None and (plan.earliest, plan.latest) != (visit.earliest, visit.latest):
            yield VisitChange(str(visit), "moved", _window_of(visit), _window_of(plan))
    for (code, _), plan in new.items():
        if code not in known and not (code not in own and plan.latest < today):
            yield VisitChange(code, "added", "", _window_of(plan))


def _window_of(visit: Visit | PlannedVisit) -> str:
    if visit.earliest is None or visit.latest is None:
        return ""
    if visit.earliest == visit.latest:
        return f"{visit.earliest:%d %b %Y}"
    return f"{visit.earliest:%d %b %Y} to {visit.latest:%d %b %Y}"


# Forms --------------------------------------------------------------------------------------------------------------


def _entered(entry: Entry, candidate: Protocol) -> Protocol:
    """What a form that stays would be read under."""
    then = (
        protocol_by_key(entry.entered_under_id) if entry.entered_under_id else entry.subject.version.protocol
    )
    return _as_entered(ProtocolKey(then), ProtocolKey(candidate))


@lru_cache(maxsize=32)
def _as_entered(then: ProtocolKey, candidate: ProtocolKey) -> Protocol:
    return as_entered(then.protocol, candidate.protocol)


def _gains(
    entries: Sequence[Entry], rows: Sequence[Row], candidate: Protocol, batch: _Batch
) -> tuple[QueryChange, ...]:
    """Queries that completed forms would raise and close."""
    found: list[QueryChange] = []
    for entry in entries:
        if entry.state != EntryState.COMPLETE or entry.not_done:
            continue
        protocol = _entered(entry, candidate)
        rules = rules_of(protocol, entry.form)
        on = entry.visit.happened_on if entry.visit and entry.visit.happened_on else clock.today()
        others = latest_values(protocol, rows, on) if rules.looks_at else {}
        findings = {
            (each.item, each.check_id): each for each in rules.picture(entry.values, others, on).open_findings
        }
        open_now = {(each.item, each.check_id) for each in batch.queries.get(entry.pk, ())}
        place = str(entry.visit or "log")
        found += [
            QueryChange(entry.form, place, finding.item, "opens", finding.message)
            for key, finding in findings.items()
            if key not in open_now
        ]
        found += [
            QueryChange(entry.form, place, item, "closes", "The cause is gone.")
            for item, check in sorted(open_now - findings.keys())
        ]
    return tuple(found)


def _forms_open(entries: Sequence[Entry], candidate: Protocol) -> Iterator[str]:
    """Forms in progress that would ask for more."""
    forms = {form.code: form for form in candidate.forms}
    for entry in entries:
        if entry.state == EntryState.IN_PROGRESS and entry.form in forms:
            known = entry.protocol.form(entry.form).items_by_id
            new = [item.id for item in forms[entry.form].items if item.id not in known]
            if new:
                yield f"{entry.form} at {entry.visit or 'the log'} asks for {', '.join(new)}"


def _retired(entries: Sequence[Entry], candidate: Protocol) -> Iterator[str]:
    forms = {form.code: {item.id for item in form.items} for form in candidate.forms}
    held = {
        f"{entry.form}.{item}"
        for entry in entries
        for item in entry.values
        if item not in forms.get(entry.form, set())
    }
    yield from sorted(held)


def _signatures(
    subject: Subject, entries: Sequence[Entry], candidate: Protocol, batch: _Batch
) -> Iterator[str]:
    assessment = batch.signed.get(subject.pk)
    if assessment is not None and subject.status in IN_SCREENING:
        yield f"Eligibility, signed under {assessment.version.label}"
    for entry in entries:
        if getattr(entry, "signing", "") != "SIGNED":
            continue
        form = _entered(entry, candidate).form(entry.form)
        if any(added_in(item) for item in form.items):
            yield f"{form.name}, {entry.visit or 'running log'}: it {ASKED_FOR}"


# Eligibility --------------------------------------------------------------------------------------------------------


def _verdict(now: Evaluation, then: Evaluation) -> Verdict | None:
    one, other = now.outlook, then.outlook
    if (
        one is None
        or other is None
        or (one.verdict, one.route.decision) == (other.verdict, other.route.decision)
    ):
        return None
    return Verdict("", "Verdict", str(one.verdict), str(other.verdict), other.route.because)


def _flips(now: Evaluation, then: Evaluation) -> Iterator[Verdict]:
    before = {each.criterion.id: each for each in now.results}
    for result in then.results:
        earlier = before.get(result.criterion.id)
        if earlier is None:
            yield Verdict(
                result.criterion.id, result.criterion.label, "", str(result.outcome), result.because
            )
        elif earlier.outcome != result.outcome:
            yield Verdict(
                result.criterion.id,
                result.criterion.label,
                str(earlier.outcome),
                str(result.outcome),
                result.because,
            )
    after = {each.criterion.id for each in then.results}
    for key, each in before.items():
        if key not in after:
            yield Verdict(key, each.criterion.label, str(each.outcome), "", "Not a criterion any more.")
