"""Images that are held back, in question, rejected or missing, and what waits for readers and adjudicators."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.db.models import Count, Exists, OuterRef, Prefetch, QuerySet
from django.urls import reverse

from accounts.access import Access
from imaging.models import BatchState, QualityChoice, QualityDecision, Study, StudyState
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.selectors.adjudications import adjudication_rows
from imaging.selectors.inbox import examinations_waiting
from imaging.selectors.missing import missing_images
from imaging.selectors.oversight import stale_overseen, without_result
from imaging.selectors.readers import readers_of, trials_overseen
from imaging.selectors.reads import queue_rows
from imaging.selectors.results import Standing
from imaging.selectors.staleness import Stale
from imaging.selectors.studies import batches_visible_to, quarantined_files, studies_visible_to
from reports.waiting.task import Task, counted, of_subject
from visits.rules.schedule import day_in_words
from visits.selectors import visits_visible_to

NOT_GOOD = (StudyState.QC_QUERY, StudyState.QC_REJECTED)
SITE_ACTS = (QualityChoice.QUERY, QualityChoice.REJECT)


def image_tasks(access: Access, today: date) -> Iterator[Task]:
    """What waits on the way of images, from the site to the adjudicator."""
    yield from _held_back(access)
    yield from _in_question(access, today)
    yield from _missing(access, today)
    yield from _unmatched(access)
    yield from _reads(access)
    yield from _adjudications(access, today)
    yield from _overseen(access)


def _held_back(access: Access) -> Iterator[Task]:
    """Batches with files that were held back, and batches that could not be worked through."""
    files_held = quarantined_files(access).order_by().values_list("batch").annotate(files=Count("pk"))
    held = dict(files_held.values_list("batch", "files"))
    batches = batches_visible_to(access, "image.upload")
    for batch in batches.filter(pk__in=held) | batches.filter(state=BatchState.FAILED):
        files = held.get(batch.pk, 0)
        yield of_subject(
            "images",
            "quarantined" if files else "failed",
            batch.subject,
            f"{counted(files, 'file')} held back" if files else "Upload failed",
            f"Images of {batch.visit}. Look at why, then {'release or reject' if files else 'send them again'}.",
            reverse("image-batch", args=[batch.opaque]),
        )


# Quality ------------------------------------------------------------------------------------------------------------


def _in_question(access: Access, today: date) -> Iterator[Task]:
    """Studies that readers do not get: the site acts where it was asked to, else whoever checks quality decides."""
    decisions = Prefetch("decisions", QualityDecision.objects.order_by("pk"), to_attr="decided")
    found = studies_visible_to(access).filter(state__in=NOT_GOOD).prefetch_related(decisions)
    for study in found.annotate(replaced=Exists(_better())).order_by("received_at"):
        last = study.decided[-1] if study.decided else None
        place = (study.subject.trial.code, study.subject.site.code)
        if last is not None and _site_acts(study, last):
            if access.may("image.upload", *place) and not study.replaced:
                yield _asked_of_the_site(study, last, today)
        elif access.may("query.raise", *place):
            yield _to_decide(study, today)


def _site_acts(study: Study, last: QualityDecision) -> bool:
    """Whether the site was asked, and nothing came since."""
    unchanged = study.checked_at is None or study.checked_at <= last.at
    return last.choice in SITE_ACTS and unchanged


def _better() -> QuerySet[Study]:
    """Images of the same visit that were sent later and passed."""
    return Study.objects.filter(
        visit=OuterRef("visit"), state=StudyState.QC_PASS, received_at__gt=OuterRef("received_at")
    )


def _asked_of_the_site(study: Study, last: QualityDecision, today: date) -> Task:
    rejected = study.state == StudyState.QC_REJECTED
    late = last.due_on is not None and last.due_on < today
    return of_subject(
        "images",
        "overdue" if late else "rejected" if rejected else "check",
        study.subject,
        f"Images of {study.visit} {'were rejected' if rejected else 'need something from you'}",
        f"{last.reason} To do: {last.corrective_action}",
        reverse("image-study", args=[study.opaque]),
        last.due_on,
    )


def _to_decide(study: Study, today: date) -> Task:
    said = " ".join(str(each["sentence"]) for each in study.findings[:2])
    late = study.check_due_on is not None and study.check_due_on < today
    return of_subject(
        "images",
        "overdue" if late else "check",
        study.subject,
        f"Images of {study.visit}: quality in question",
        said or "The quality check found something.",
        reverse("image-study", args=[study.opaque]),
        study.check_due_on,
    )


# Missing, and not matched --------------------------------------------------------------------------------------------


def _missing(access: Access, today: date) -> Iterator[Task]:
    for each in missing_images(visits_visible_to(access, "image.upload")):
        yield of_subject(
            "images",
            "overdue" if each.due < today else "not-started",
            each.visit.subject,
            f"Images of {each.name}",
            f"The visit was on {day_in_words(each.happened_on)}; no images were sent yet.",
            reverse("visit-images", args=[each.visit.subject.number, str(each.visit)]),
            each.due,
        )


def _unmatched(access: Access) -> Iterator[Task]:
    """Examinations that came over the network and wait for a visit."""
    if not access.may_anywhere("image.match"):
        return
    for each in examinations_waiting(access):
        yield Task(
            kind="images",
            state="waiting",
            title=f"{each.claimed or 'No subject named'} · {counted(each.objects, 'image')} to match to a visit",
            detail=each.reason,
            url=reverse("inbox-examination", args=[each.opaque]),
            due=each.received_at.date(),
            site=each.site,
        )


# Readers --------------------------------------------------------------------------------------------------------------


def _reads(access: Access) -> Iterator[Task]:
    """The reader's queue; a case has no subject and no site."""
    if not access.may_anywhere("read.perform"):
        return
    for row in queue_rows(access):
        yield Task(
            "reads",
            "overdue" if row.overdue else "not-started",
            f"{row.case} · Time point {row.time_point}",
            f"{row.modality}, {row.slices} slices." if row.modality else "",
            reverse("reading-case", args=[row.read.opaque]),
            row.read.due_on,
        )


def _adjudications(access: Access, today: date) -> Iterator[Task]:
    """Pairs of reads that differ; one that a colleague has open is theirs, one whose turn comes later is left out."""
    if not access.may_anywhere("adjudicate.read"):
        return
    for row in adjudication_rows(access):
        if not row.held and not row.waits:
            yield Task(
                "reads",
                "overdue" if row.adjudication.due_on < today else "open",
                f"{row.case} · Time point {row.time_point}: two readers differ",
                f"{row.differences}.",
                reverse("adjudication", args=[row.adjudication.opaque]),
                row.adjudication.due_on,
            )


def _overseen(access: Access) -> Iterator[Task]:
    """Reads that do not rest any more on what is there, time points nobody decides, and readers who get no reads."""
    if not access.may_anywhere("read.oversee"):
        return
    address = reverse("reads-overseen")
    for each in stale_overseen(access):
        state, follows = _follows(each)
        title = f"Read of {each.read.visit} {'counts as not read' if not each.stands else 'to be looked at again'}"
        detail = " ".join((*each.changes, follows))
        yield of_subject("reads", state, each.read.subject, title, detail, f"{address}#stale")
    for found in without_result(access):
        if found.standing is Standing.DISPUTED:
            title = f"{found.visit} was read and has no result"
            yield of_subject("reads", "check", found.subject, title, found.why, f"{address}#without")
    for trial in trials_overseen(access):
        for reader in readers_of(trial.code):
            if reader.lacks:
                title = f"{trial.code} · {reader.reader.full_name} is assigned no reads"
                detail = f"Lacks {', '.join(reader.lacks)}."
                yield Task("reads", "check", title, detail, reverse("readers"), trial=trial.code)


def _follows(stale: Stale) -> tuple[str, str]:
    """How loud a stale read is, and what follows from it."""
    if not stale.readable:
        return "rejected", "Nobody can look again: no images of this visit stand."
    if stale.read.number == ADJUDICATORS_NUMBER:
        return "check", "An adjudicator's read is not repeated."
    return "waiting", "Its reader is asked to look again."
