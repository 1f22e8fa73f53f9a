"""The reading desk. Nothing in pages, addresses, headers or JSON names a subject, site, visit or date."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import permission
from accounts.errors import AccountLocked, SignatureRefused
from accounts.models import User
from accounts.requests import Request
from accounts.signing import remember_signature, typed_name
from foundation import clock
from foundation.web import is_htmx, page
from imaging import forms
from imaging.errors import OutcomeRefusedError, ReadIncompleteError
from imaging.models import ImageQuality, Read
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.rules.recist_1_1 import NON_TARGET_RESPONSES, Response
from imaging.selectors import answered, chosen, judging, priors, reads
from imaging.selectors.lesions import organs_of
from imaging.selectors.staleness import changes_of
from imaging.services import (
    choose_lesion,
    correct_read,
    drop_lesion,
    open_read,
    record_findings,
    record_outcome,
    record_size,
    sign_read,
)
from imaging.services.answers import NEW_LESION
from imaging.services.signing import STATEMENT, missing_in
from imaging.views.viewer import TIME_POINT

VIEWER_POLICY = {"script-src": [SELF, "'wasm-unsafe-eval'"], "img-src": [SELF, "data:", "blob:"]}
RESPONSE_WORDS = {
    "CR": "Complete response",
    "PR": "Partial response",
    "SD": "Stable disease",
    "NON-CR/NON-PD": "Neither complete response nor progression",
    "PD": "Progression",
    "NE": "Not evaluable",
}


@permission("read.perform")
@require_GET
def queue(request: Request) -> HttpResponse:
    """Cases that wait for this reader, urgent ones and the oldest due first."""
    return page(request, "imaging/queue.html", {"rows": reads.queue_rows(request.access)})


@permission("read.perform")
@require_GET
def next_case(request: Request) -> HttpResponse:
    """Go to the case that comes first, or back to the empty queue."""
    waiting = reads.queue_of(request.access, 1)
    return redirect("reading-case", waiting[0][0].opaque) if waiting else redirect("reading-queue")


@permission("read.open")
@csp_update(VIEWER_POLICY)  # type: ignore[arg-type]
@require_GET
def case(request: Request, opaque: UUID) -> HttpResponse:
    """One case: images, lesions, quality, signature."""
    read = open_read(actor=request.access.actor(), read=reads.get_read(request.access, opaque))
    if "judgement" in request.GET:
        return page(request, "imaging/_judgement.html", _judgement(read))
    following = _after(request, read)
    return page(
        request,
        "imaging/case.html",
        {
            "case": reads.case_of(read),
            "priors": _priors(read),
            "next_read": following,
            "next_has_prior": following is not None and priors.prior_read(following) is not None,
            **_judgement(read),
        },
    )


def _priors(read: Read) -> list[tuple[str, str]]:
    """Address and name of each earlier time point that may stand beside this one, the latest first."""
    address, numbers = reverse("reading-prior", args=[read.opaque]), reads.time_points_of(read.subject_id)
    found = [numbers[each.visit_id] for each in reversed(priors.earlier_reads(read))]
    return [(f"{address}?{urlencode({TIME_POINT: number})}", _point_name(number, found)) for number in found]


def _point_name(number: int, earlier: Sequence[int]) -> str:
    """Name of an earlier time point; the first one is the baseline of the case."""
    return f"Time point {number}, {'first' if number == min(earlier) else 'before'}"


def _after(request: Request, read: Read) -> Read | None:
    """The case that is fetched ahead: the first one that waits beside this one."""
    waiting = reads.queue_of(request.access, 2) if read.number != ADJUDICATORS_NUMBER else []
    return next((each for each, stale in waiting if each.pk != read.pk and stale is None), None)


def _judgement(read: Read) -> dict[str, Any]:
    """What the panel beside the images shows."""
    marks = judging.marks_by_lesion(answered.measurements_of(read))
    judged = judging.lesions_to_judge(read)
    signed = read.state == "SIGNED"
    course = judging.course_of(read)
    return {
        "read": read,
        "judged": [(each, marks.get(each.lesion.name, [])) for each in judged],
        "chosen": next(
            (each.lesion.name for each in judged if each.asked and not each.settled),
            judged[0].lesion.name if judged else "",
        ),
        "roles": chosen.ROLES.items() if chosen.chooses_lesions(read) and not signed else (),
        "organs": organs_of(read.subject).items(),
        "new_lesion": NEW_LESION,
        "new_marks": marks.get(NEW_LESION, []),
        "new_lesion_options": judging.new_lesion_options(read),
        "asks_new_lesion": judging.judges_outcomes(read) or judging.judges_response(read),
        "asks_non_target": judging.judges_non_target(read),
        "asks_overall": judging.judges_overall(read),
        "non_targets": _responses(NON_TARGET_RESPONSES),
        "responses": _responses(set(Response)),
        "course": course,
        "differs": judging.departs(read, course),
        "qualities": ImageQuality.choices,
        "missing": [] if signed else missing_in(read),
        "signed": signed,
        "changes": changes_of(read) if signed else (),
        "may_correct": signed and read.number != ADJUDICATORS_NUMBER,
    }


def _responses(codes: Any) -> list[tuple[str, str]]:
    return [(code, words) for code, words in RESPONSE_WORDS.items() if code in codes]


@permission("read.open")
@require_POST
def outcome(request: Request, opaque: UUID) -> HttpResponse:
    """What became of a lesion."""
    read = reads.get_read(request.access, opaque)
    lesion = request.POST.get("lesion", "")
    said = request.POST.get(f"outcome-{lesion}", "")
    record_outcome(actor=request.access.actor(), read=read, lesion=lesion, outcome=said)
    return _judged(request, opaque)


@permission("read.open")
@require_POST
def size(request: Request, opaque: UUID) -> HttpResponse:
    """How a lesion is there that is not measured."""
    read = reads.get_read(request.access, opaque)
    lesion = request.POST.get("lesion", "")
    said = request.POST.get(f"size-{lesion}", "")
    record_size(actor=request.access.actor(), read=read, lesion=lesion, status=said)
    return _judged(request, opaque)


@permission("read.open")
@require_POST
def choose(request: Request, opaque: UUID) -> HttpResponse:
    """Put a lesion on the reader's own list."""
    read = reads.get_read(request.access, opaque)
    said = {name: request.POST.get(name, "") for name in ("kind", "organ", "place")}
    choose_lesion(actor=request.access.actor(), read=read, **said)
    return _judged(request, opaque)


@permission("read.open")
@require_POST
def drop(request: Request, opaque: UUID) -> HttpResponse:
    """Take a lesion off the reader's own list."""
    read = reads.get_read(request.access, opaque)
    drop_lesion(actor=request.access.actor(), read=read, lesion=request.POST.get("lesion", ""))
    return _judged(request, opaque)


@permission("read.open")
@require_POST
def findings(request: Request, opaque: UUID) -> HttpResponse:
    """Quality of the images, new lesion, response, comment: what was sent."""
    read = reads.get_read(request.access, opaque)
    form = forms.FindingsForm(request.POST)
    if not form.is_valid():
        raise OutcomeRefusedError(message="Choose one of the given answers.")
    said = {name: value for name, value in form.cleaned_data.items() if name in request.POST}
    if said:
        record_findings(actor=request.access.actor(), read=read, **said)
    return _judged(request, opaque)


def _judged(request: Request, opaque: UUID) -> HttpResponse:
    """The judgement panel again, or the whole page where no script asked."""
    if not is_htmx(request):
        return redirect("reading-case", opaque)
    return page(request, "imaging/_judgement.html", _judgement(reads.get_read(request.access, opaque)))


@permission("read.open")
def sign(request: Request, opaque: UUID) -> HttpResponse:
    """The signature: a dialog on GET; signs on POST and goes on to the next case."""
    read = reads.get_read(request.access, opaque)
    if request.method != "POST":
        missing = missing_in(read)
        if missing:
            raise ReadIncompleteError(missing=", ".join(missing))
        return page(request, "accounts/_sign_dialog.html", _signing(read))
    user = User.objects.get(pk=request.access.user_id)  # type: ignore[misc]  # somebody is signed in
    try:
        sign_read(
            actor=request.access.actor(),
            user=user,
            read=read,
            password=request.POST.get("password", ""),
            username=typed_name(request),
        )
    except (SignatureRefused, AccountLocked) as refused:
        context = {**_signing(read), "refused": refused.message}
        return page(request, "accounts/_sign_dialog.html", context, status=422)
    remember_signature(request)
    return _onwards(request, read)


def _onwards(request: Request, read: Read) -> HttpResponse:
    """To the next case, whose pictures this page holds already and so changes into it; or to the list."""
    following = _after(request, read)
    if following is not None:
        address = reverse("reading-case", args=[following.opaque])
        headers = {"HX-Trigger": json.dumps({"edc:next-case": {"url": address}})}
    else:
        address = reverse("adjudications" if read.number == ADJUDICATORS_NUMBER else "reading-queue")
        headers = {"HX-Redirect": address}
    return HttpResponse(status=204, headers=headers) if is_htmx(request) else redirect(address)


def _signing(read: Read) -> dict[str, Any]:
    case = reads.case_of(read)
    point = f", time point {case.time_point}" if case.time_point else ""
    return {
        "sign_url": reverse("reading-sign", args=[read.opaque]),
        "sign_title": "Sign this read",
        "statement": STATEMENT,
        "meaning": "Author",
        "record": f"Case {case.code}{point}",
        "signed_at": clock.now(),
    }


@permission("read.open")
@require_POST
def correct(request: Request, opaque: UUID) -> HttpResponse:
    """A new version of a signed read."""
    read = reads.get_read(request.access, opaque)
    new = correct_read(actor=request.access.actor(), read=read, reason=request.POST.get("reason", ""))
    return redirect("reading-case", new.opaque)
