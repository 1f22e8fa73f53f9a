"""The patient's pages: no account, one question per screen, and nothing that says who it is.

They work without script. What is answered and not yet sent lies in the browser's session and is gone after sending.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format

from accounts.decorators import public, type_view
from foundation import clock
from foundation.errors import DomainError
from qol import services
from qol.errors import LinkUnknownError
from qol.models import Invitation
from qol.rules.questionnaire import INSTRUMENTS, Instrument
from qol.selectors import (
    Standing,
    Wording,
    find_invitation,
    licensed_languages,
    standing_of,
    wording_of,
)
from qol.throttle import note_wrong_link, too_many_wrong_links
from qol.words import direction_of, language_name, words_in

CHANGING = "change"
SKIP, SKIP_CONFIRMED = "skip", "skip-confirmed"


@dataclass
class Sheet:
    """A questionnaire in somebody's browser: the link, the words, and what is answered so far."""

    request: HttpRequest
    token: str
    invitation: Invitation
    standing: Standing
    kept: dict[str, Any]
    wording: Wording | None

    @property
    def instrument(self) -> Instrument:
        """What is asked."""
        return INSTRUMENTS[self.invitation.instrument]

    @property
    def language(self) -> str:
        """The language that the patient reads."""
        chosen = self.kept.get("language") or self.invitation.answered_language
        return str(chosen or self.invitation.language)

    @property
    def answers(self) -> dict[str, str | None]:
        """Answers by item; None where the patient would rather not."""
        known: dict[str, str | None] = self.kept.get("answers", {})
        return known

    @property
    def open_items(self) -> list[str]:
        """Items without an answer."""
        return [item for item in self.instrument.items if item not in self.answers]

    def keep(self, **values: Any) -> None:
        """Put something into the session."""
        self.kept = {"begun": clock.now().isoformat(), **self.kept, **values}
        self.request.session[_key(self.invitation)] = self.kept

    def forget(self) -> None:
        """Leave nothing in the browser's session."""
        self.request.session.pop(_key(self.invitation), None)

    def show(self, template: str, *, status: int = 200, **more: Any) -> HttpResponse:
        """One of the patient's pages."""
        context = {
            "token": self.token,
            "words": words_in(self.language),
            "language": self.language,
            "direction": direction_of(self.language),
            "wording": self.wording,
            "count": len(self.instrument.items),
            **more,
        }
        return _page(self.request, template, context, status)

    def to(self, name: str, *args: Any) -> HttpResponse:
        """Go on to another of the patient's pages."""
        return redirect(reverse(name, args=[self.token, *args]))


type_sheet_view = Callable[..., HttpResponse]


def with_sheet(view: type_sheet_view) -> type_view:
    """A view of an open link; every other state of a link is answered here, without saying whose it is."""

    @wraps(view)
    def guarded(request: HttpRequest, token: str, *args: Any, **kwargs: Any) -> HttpResponse:
        address = str(request.META.get("REMOTE_ADDR", ""))
        try:
            invitation = find_invitation(token)
        except LinkUnknownError:
            return _unknown(request, address)
        sheet = _sheet(request, token, invitation)
        if sheet.standing is not Standing.OPEN:
            return _closed(sheet)
        if sheet.wording is None:
            words = words_in(sheet.language)
            return sheet.show(
                "qol/patient/closed.html", status=409, fact=words.unknown, advice=words.ask_team
            )
        return view(sheet, *args, **kwargs)

    return public(guarded)


def _sheet(request: HttpRequest, token: str, invitation: Invitation) -> Sheet:
    kept = dict(request.session.get(_key(invitation)) or {})
    begun = datetime.fromisoformat(kept["begun"]) if "begun" in kept else None
    now = clock.now()
    standing = standing_of(invitation, now, begun)
    language = str(kept.get("language") or invitation.language)
    trial, on = invitation.subject.trial_id, clock.today(invitation.subject.site.time_zone)
    wording = wording_of(trial, invitation.instrument, language, on) if standing is Standing.OPEN else None
    return Sheet(request, token, invitation, standing, kept, wording)


def _key(invitation: Invitation) -> str:
    return f"questionnaire-{invitation.pk}"


def _unknown(request: HttpRequest, address: str) -> HttpResponse:
    words = words_in(request.headers.get("Accept-Language", "en")[:2])
    context = {"words": words, "language": "en" if words.name == "English" else "", "direction": "ltr"}
    if too_many_wrong_links(address):
        return _page(request, "qol/patient/closed.html", {**context, "fact": words.too_often}, 429)
    note_wrong_link(address)
    fact = {"fact": words.unknown, "advice": words.ask_team}
    return _page(request, "qol/patient/closed.html", {**context, **fact}, 404)


def _closed(sheet: Sheet) -> HttpResponse:
    words = words_in(sheet.language)
    if sheet.standing is Standing.ANSWERED:
        return sheet.show("qol/patient/closed.html", fact=words.thanks, advice=words.thanks_note, done=True)
    if sheet.standing is Standing.EARLY:
        fact = words.early.format(day=_day(sheet, sheet.invitation.opens_at))
        return sheet.show("qol/patient/closed.html", fact=fact)
    return sheet.show("qol/patient/closed.html", status=410, fact=words.expired, advice=words.ask_team)


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int) -> HttpResponse:
    response = render(request, template, context, status=status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _day(sheet: Sheet, moment: datetime) -> str:
    """A day in the patient's language, at the site."""
    local = moment.astimezone(ZoneInfo(sheet.invitation.subject.site.time_zone))
    with translation.override(sheet.language):
        return date_format(local, "j F Y")


@with_sheet
def start(sheet: Sheet) -> HttpResponse:
    """What this is, in which language, and until when."""
    invitation, request = sheet.invitation, sheet.request
    on = clock.today(invitation.subject.site.time_zone)
    languages = licensed_languages(invitation.subject.trial_id, invitation.instrument, on)
    chosen = request.POST.get("language", "")
    if request.method == "POST" and chosen in languages:
        sheet.keep(language=chosen)
        return sheet.to("questionnaire")
    words = words_in(sheet.language)
    first = sheet.instrument.items.index(sheet.open_items[0]) + 1 if sheet.open_items else 0
    return sheet.show(
        "qol/patient/start.html",
        languages=[(code, language_name(code), code == sheet.language) for code in languages],
        about=words.about.format(count=len(sheet.instrument.items)),
        until=words.until.format(day=_day(sheet, invitation.expires_at)),
        first=first,
        begun=bool(sheet.answers),
    )


@with_sheet
def question(sheet: Sheet, number: int) -> HttpResponse:
    """One question; the answer leads to the next, or back to where it is changed from."""
    items = sheet.instrument.items
    if not 1 <= number <= len(items):
        return sheet.to("questionnaire")
    item = items[number - 1]
    if sheet.request.method != "POST":
        return _question(sheet, number)
    answer, verb = sheet.request.POST.get("answer", ""), sheet.request.POST.get("verb", "")
    if verb == SKIP:
        return sheet.show("qol/patient/skip.html", **_about(sheet, number))
    if verb == SKIP_CONFIRMED:
        sheet.keep(answers={**sheet.answers, item: None})
    elif answer in sheet.instrument.responses:
        sheet.keep(answers={**sheet.answers, item: answer})
    else:
        return _question(sheet, number, missing=True)
    if number == len(items) or CHANGING in sheet.request.GET:
        return sheet.to("questionnaire-review")
    return sheet.to("questionnaire-question", number + 1)


def _question(sheet: Sheet, number: int, *, missing: bool = False) -> HttpResponse:
    about = _about(sheet, number)
    return sheet.show("qol/patient/question.html", status=422 if missing else 200, missing=missing, **about)


def _about(sheet: Sheet, number: int) -> dict[str, Any]:
    assert sheet.wording is not None
    item = sheet.instrument.items[number - 1]
    return {
        "number": number,
        "text": sheet.wording.items[item],
        "choices": list(zip(sheet.instrument.responses, sheet.wording.anchors, strict=True)),
        "answer": sheet.answers.get(item, ""),
        "place": words_in(sheet.language).place.format(number=number, count=len(sheet.instrument.items)),
        "changing": CHANGING in sheet.request.GET,
    }


@with_sheet
def review(sheet: Sheet) -> HttpResponse:
    """All answers once more, and sending them."""
    if sheet.open_items:
        return sheet.to("questionnaire-question", sheet.instrument.items.index(sheet.open_items[0]) + 1)
    if sheet.request.method == "POST":
        return _send(sheet)
    return sheet.show("qol/patient/review.html", rows=_rows(sheet))


def _rows(sheet: Sheet) -> list[dict[str, Any]]:
    assert sheet.wording is not None
    anchors = dict(zip(sheet.instrument.responses, sheet.wording.anchors, strict=True))
    words = words_in(sheet.language)
    return [
        {
            "number": number,
            "text": sheet.wording.items[item],
            "answer": anchors.get(sheet.answers[item] or "", words.not_answered),
        }
        for number, item in enumerate(sheet.instrument.items, start=1)
    ]


def _send(sheet: Sheet) -> HttpResponse:
    sent = services.Sent(
        answers=sheet.answers,
        language=sheet.language,
        begun=datetime.fromisoformat(sheet.kept["begun"]),
        device_time=sheet.request.POST.get("device_time", ""),
    )
    words = words_in(sheet.language)
    try:
        services.receive_answers(invitation=sheet.invitation, sent=sent)
    except DomainError as error:
        return sheet.show(
            "qol/patient/closed.html", status=error.status, fact=words.not_received, advice=words.ask_team
        )
    sheet.forget()
    return sheet.to("questionnaire")
