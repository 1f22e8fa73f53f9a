"""Pages of the trail. `accounts.urls` gives them their addresses and says who may see them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from audit.bundle.writing import Contents, bundle
from audit.forms import ReviewForm
from audit.models import Seal, TrailCheck, TrailReview
from audit.reading import HEADING, PERMISSION, Reading, reading, shown, table
from audit.registry import subjects_visible
from audit.selectors import looks, trail_standing
from audit.services import record_bundle, record_review, stored_anchors
from foundation import clock
from foundation.errors import Invalid
from foundation.spreadsheets import safe
from foundation.web import page

PAGE = 50
LISTED = 200
TAKE = "trail.export"


@require_GET
def trail(request: HttpRequest) -> HttpResponse:
    """What happened to the subjects that the person may see, newest first; `?subject=` narrows it to one.

    A subject of another site is not there. Events that belong to no subject are not shown here.
    """
    read = _reading(request)
    found = read.events
    if read.form.cleaned_data.get("before"):
        found = found.filter(pk__lt=read.form.cleaned_data["before"])
    events = list(found[: PAGE + 1])
    context = {
        "form": read.form,
        "rows": shown(events[:PAGE], read.subjects),
        "older": events[PAGE - 1].pk if len(events) > PAGE else None,
        "query": _query(request),
    }
    return page(request, "audit/trail.html", context, status=422 if read.form.errors else 200)


@require_GET
def trail_file(request: HttpRequest) -> HttpResponseBase:
    """The same as a table for a spreadsheet, a row for each changed field."""
    read = _reading(request)
    if read.form.errors:
        raise Invalid({name: str(errors[0]) for name, errors in read.form.errors.items()})
    return _file("trail", HEADING, table(read))


def review(request: HttpRequest) -> HttpResponse:
    """What is worth a look in a window, and the record that somebody has gone through it."""
    read = _reading(request)
    said = ReviewForm(request.POST or None)
    if request.method == "POST" and said.is_valid() and not read.form.errors:
        try:
            _keep(request, read, said)
        except Invalid as error:
            for field, message in error.errors.items():
                said.add_error(field, message)
        else:
            messages.success(request, "The review is recorded.")
            return redirect("audit-reviews")
    newest = read.events.values_list("pk", flat=True).first()
    context = {
        "form": read.form,
        "said": said,
        "window": _window_in_words(read),
        "events": read.events.count(),
        "newest": newest,
        "looks": looks(read.events, _zone(request)),
        "query": _query(request),
    }
    return page(request, "audit/review.html", context, status=422 if said.errors or read.form.errors else 200)


def _keep(request: HttpRequest, read: Reading, said: ReviewForm) -> None:
    access = request.access  # type: ignore[attr-defined]
    window = read.events
    record_review(
        actor=access.actor(),
        scopes=access.scopes(PERMISSION),
        said={
            **said.cleaned_data,
            "window": read.form.window(),
            "events": window.count(),
            "last_event": window.values_list("pk", flat=True).first(),
        },
    )


@require_GET
def reviews(request: HttpRequest) -> HttpResponseBase:
    """Reviews of windows that this person may see as well; `?format=csv` as a table."""
    found = _reviews(request)
    if request.GET.get("format") == "csv":
        return _file("trail-reviews", REVIEW_HEADING, (_review_row(each) for each in found))
    return page(request, "audit/reviews.html", {"reviews": found})


REVIEW_HEADING = (
    "REVIEW", "MOMENT_UTC", "REVIEWER", "ROLE", "SCOPES", "WINDOW", "EVENTS", "LAST_EVENT", "FOCUS", "RISK",
    "RESULT", "FINDING", "FOLLOW_UP",
)  # fmt: skip


def _review_row(each: TrailReview) -> list[Any]:
    scopes = ", ".join(f"{trial or 'all trials'} {site or 'all sites'}" for trial, site in each.scopes)
    window = ", ".join(f"{name}: {value}" for name, value in each.window.items()) or "everything"
    return [
        each.pk, each.at.isoformat(), each.reviewer, each.role, scopes, window, each.events, each.last_event,
        each.focus, each.get_risk_display(), each.get_result_display(), each.finding, each.follow_up,
    ]  # fmt: skip


def _reviews(request: HttpRequest) -> list[TrailReview]:
    access = request.access  # type: ignore[attr-defined]
    held = access.scopes(PERMISSION)

    def covered(trial: str, site: str) -> bool:
        return any(mine in {"", trial} and here in {"", site} for mine, here in held)

    found = TrailReview.objects.order_by("-id")[:LISTED]
    return [
        each
        for each in found
        if each.reviewer_id == access.user_id or all(covered(*scope) for scope in each.scopes)
    ]


@require_GET
def standing(request: HttpRequest) -> HttpResponse:
    """How far the trail is sealed, what the verifications found, and how to check it without us."""
    access = request.access  # type: ignore[attr-defined]
    context = {
        "standing": trail_standing(),
        "checks": TrailCheck.objects.order_by("-id")[:14],
        "seals": [
            {"seal": seal, "digest": bytes(seal.digest).hex()} for seal in Seal.objects.order_by("-id")[:10]
        ],
        "anchors": [name.rpartition("/")[2] for name, _ in stored_anchors()][-10:],
        "may_take": access.may_anywhere(TAKE),
        "whole": _contents(request).sections,
    }
    return page(request, "audit/standing.html", context)


@require_POST
def take_bundle(request: HttpRequest) -> HttpResponseBase:
    """The trail to take away: all digests, and the content that this person may see."""
    access = request.access  # type: ignore[attr-defined]
    contents = _contents(request)
    record_bundle(actor=access.actor(), whole=contents.sections)
    answer = StreamingHttpResponse(bundle(contents, access.name), content_type="application/zip")
    name = f"hilum-trail-{clock.now():%Y%m%d-%H%M}.zip"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _contents(request: HttpRequest) -> Contents:
    """Content of subjects whose trail the person may see; of people and roles for who administers them.

    Signatures are given to who may see the trail of every site.
    """
    access = request.access  # type: ignore[attr-defined]
    visible = subjects_visible(access, PERMISSION)
    keys = frozenset(visible.order_by().values_list("pk", flat=True)) if visible is not None else frozenset()
    everywhere = visible is not None and visible.model._default_manager.count() == len(keys) and bool(keys)
    return Contents(subjects=keys, others=access.may_anywhere("user.admin"), sections=everywhere)


def _reading(request: HttpRequest) -> Reading:
    return reading(request.access, request.GET.dict(), _zone(request))  # type: ignore[attr-defined]


def _zone(request: HttpRequest) -> str:
    return str(getattr(request.user, "time_zone", "") or "UTC")


def _window_in_words(read: Reading) -> list[tuple[str, str]]:
    form = read.form
    words = []
    for name, value in form.window().items():
        choices = dict(getattr(form.fields[name], "choices", ()))
        words.append((str(form.fields[name].label), str(choices.get(value, value))))
    return words


def _query(request: HttpRequest) -> str:
    """The address's filters without the place in the list."""
    kept = request.GET.copy()
    kept.pop("before", None)
    return kept.urlencode()


def _file(name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A CSV file, sent while it is written: UTF-8 with its mark, so that a spreadsheet reads the letters right."""
    answer = StreamingHttpResponse(_csv(heading, rows), content_type="text/csv; charset=utf-8")
    filename = f"hilum-{name}-{clock.now():%Y%m%d-%H%M}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer


def _csv(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(heading)
    for row in rows:
        writer.writerow([safe(value) for value in row])
        if buffer.tell() > 1 << 16:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
