"""Links for patients: sending one, taking it back, and receiving the answers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from audit.context import Actor, acting, service_actor
from casebook import services as casebook
from casebook.facts import facts_of
from casebook.models import Entry, EntryState
from casebook.reading import entry_by_key
from casebook.rules.cells import Typed
from casebook.rules.picture import codelist_of
from casebook.rules.status import planned_forms
from foundation import clock
from patients.models import Subject
from qol.errors import (
    AlreadyAnsweredError,
    AnswersMissingError,
    InvitationClosedError,
    LicenceMissingError,
    NoConsentError,
    NoQuestionnaireError,
    SubjectEndedError,
    WindowClosedError,
)
from qol.models import Invitation, InvitationState
from qol.rules.questionnaire import Questionnaire, questionnaire_of
from qol.selectors import Standing, link_digest, standing_of, why_not_licensed, wording_of
from visits.models import Visit, VisitState
from visits.rules.schedule import day_in_words
from visits.selectors import ENDED

PATIENT = service_actor("patient")
"""Who writes what came through a link. It is a service: nobody signed in."""

ORIGIN = "epro"
TOKEN_BYTES = 24
OPEN_DAYS = 7
"""How long a link of a visit without a window stays open; a house rule."""

CONSENT = "RFICDAT"
BY_PATIENT = "SELF ELECTRONIC"
PASSED_OVER = "ASKU"
"""Reason for a missing value: the patient was asked and would rather not answer."""


def invite(*, actor: Actor, subject: Subject, visit: Visit, language: str) -> tuple[Invitation, str]:
    """Make a link for the questionnaire of a visit; an earlier open one is taken back.

    Returns
    -------
    tuple of Invitation and str
        The token is shown now and kept nowhere.

    Raises
    ------
    NoQuestionnaireError, LicenceMissingError, WindowClosedError, SubjectEndedError, NoConsentError,
    AlreadyAnsweredError
    """
    today = clock.today(subject.site.time_zone)
    questionnaire = _questionnaire(subject, visit)
    _must_be_licensed(subject, questionnaire, language, today)
    _must_fit(subject, visit, questionnaire, today)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    opens_at, expires_at = _open_from_until(visit, ZoneInfo(subject.site.time_zone), clock.now())
    with acting(actor):
        _revoke_open(visit, questionnaire.form, "Replaced by a new link")
        made = Invitation.objects.create(
            subject=subject,
            visit=visit,
            instrument=questionnaire.instrument.code,
            form=questionnaire.form,
            language=language,
            digest=link_digest(token),
            opens_at=opens_at,
            expires_at=expires_at,
            sent_by=actor.name,
        )
    return made, token


def _questionnaire(subject: Subject, visit: Visit) -> Questionnaire:
    protocol = subject.version.protocol
    questionnaire = questionnaire_of(protocol)
    if questionnaire is None or questionnaire.form not in planned_forms(protocol, visit.code):
        raise NoQuestionnaireError(visit=str(visit))
    return questionnaire


def _must_be_licensed(subject: Subject, questionnaire: Questionnaire, language: str, on: date) -> None:
    instrument = questionnaire.instrument.code
    if wording_of(subject.trial_id, instrument, language, on) is None:
        why = why_not_licensed(subject.trial_id, instrument, on) or "no licence in force covers this language"
        raise LicenceMissingError(instrument=instrument, language=language or "any language", why=why)


def _must_fit(subject: Subject, visit: Visit, questionnaire: Questionnaire, today: date) -> None:
    if subject.status in ENDED:
        raise SubjectEndedError(status=subject.get_status_display().lower())
    if visit.state in (VisitState.MISSED, VisitState.SUPERSEDED):
        raise NoQuestionnaireError(visit=f"{visit} ({visit.get_state_display().lower()})")
    if visit.latest is not None and today > visit.latest:
        raise WindowClosedError(visit=str(visit), on=day_in_words(visit.latest))
    if _has_answers(_entry(subject, visit, questionnaire.form), questionnaire):
        raise AlreadyAnsweredError(visit=str(visit))
    asks_consent = any(fact.name == CONSENT for fact in subject.version.protocol.facts)
    if asks_consent and not facts_of(subject, today).document.get(CONSENT):
        raise NoConsentError


def _entry(subject: Subject, visit: Visit, form: str) -> Entry | None:
    return Entry.objects.filter(subject=subject, visit=visit, form=form, struck_out=False).first()


def _has_answers(entry: Entry | None, questionnaire: Questionnaire) -> bool:
    if entry is None:
        return False
    return entry.state == EntryState.COMPLETE or any(
        item in entry.values for item in questionnaire.items.values()
    )


def _open_from_until(visit: Visit, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """First and last moment of a link: the visit's window, whole days at the site."""
    last = visit.latest or now.astimezone(zone).date() + timedelta(days=OPEN_DAYS)
    expires = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone) - timedelta(seconds=1)
    opens = datetime.combine(visit.earliest, time(), tzinfo=zone) if visit.earliest else now
    return max(opens, now), expires


def _revoke_open(visit: Visit, form: str, because: str) -> int:
    found = Invitation.objects.filter(visit=visit, form=form, state=InvitationState.OPEN)
    return found.update(state=InvitationState.REVOKED, revoked_because=because)


def revoke(*, actor: Actor, invitation: Invitation, because: str = "Taken back by the site") -> None:
    """Take a link back; it opens nothing from now on.

    Raises
    ------
    InvitationClosedError
        It was answered or taken back before.
    """
    with acting(actor, reason=because):
        found = Invitation.objects.filter(pk=invitation.pk, state=InvitationState.OPEN)
        if not found.update(state=InvitationState.REVOKED, revoked_because=because):
            invitation.refresh_from_db(fields=["state"])
            raise InvitationClosedError(state=invitation.get_state_display().lower())


def answered_on_paper(*, actor: Actor, entry: Entry) -> None:
    """The site entered answers itself: an open link of that visit opens nothing any more."""
    if entry.visit is not None:
        with acting(actor):
            _revoke_open(entry.visit, entry.form, "Answers were entered by the site")


@dataclass(frozen=True)
class Sent:
    """What a patient sends.

    Attributes
    ----------
    answers
        By item of the instrument: the code of the answer, or None where the patient would rather not answer.
    begun
        When the patient began, as the server noted it.
    device_time
        Time of the device, as it told it.
    """

    answers: Mapping[str, str | None]
    language: str
    begun: datetime | None = None
    device_time: str = ""


def receive_answers(*, invitation: Invitation, sent: Sent) -> Invitation:
    """Write a patient's answers into the casebook and mark the form complete; a second time does nothing.

    Raises
    ------
    InvitationClosedError
        The link expired, was taken back, or is not open yet.
    AnswersMissingError
        A question was neither answered nor passed over.
    AlreadyAnsweredError
        The site was faster.
    """
    now = clock.now()
    with acting(PATIENT, origin=ORIGIN):
        held = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
        standing = standing_of(held, now, sent.begun)
        if standing is Standing.ANSWERED:
            return held
        if standing is not Standing.OPEN:
            raise InvitationClosedError(state=standing.lower())
        held.entry_version = _write(invitation, sent, now)
        wording = wording_of(invitation.subject.trial_id, held.instrument, sent.language, now.date())
        held.state, held.answered_at = InvitationState.ANSWERED, now
        held.answered_language = sent.language
        held.text_version = wording.version if wording else None
        held.device_time = sent.device_time[:40]
        held.save(
            update_fields=[
                "state", "answered_at", "answered_language", "text_version", "device_time", "entry_version",
            ]
        )  # fmt: skip
    return held


def _write(invitation: Invitation, sent: Sent, now: datetime) -> int:
    """Fill in the form and complete it; gives its version."""
    subject, visit = invitation.subject, invitation.visit
    questionnaire = _questionnaire(subject, visit)
    unsaid = [item for item in questionnaire.instrument.items if item not in sent.answers]
    if unsaid:
        raise AnswersMissingError(count=len(unsaid))
    entry = casebook.open_entry(actor=PATIENT, subject=subject, visit=visit, form=questionnaire.form)
    if _has_answers(entry, questionnaire):
        raise AlreadyAnsweredError(visit=str(visit))
    for item, typed in _cells(questionnaire, subject, sent, now).items():
        casebook.save_item(actor=PATIENT, entry=entry_by_key(entry.pk), item_id=item, typed=typed)
    casebook.complete_entry(actor=PATIENT, entry=entry_by_key(entry.pk))
    return Entry.objects.values_list("version", flat=True).get(pk=entry.pk)


def _cells(questionnaire: Questionnaire, subject: Subject, sent: Sent, now: datetime) -> dict[str, Typed]:
    local = now.astimezone(ZoneInfo(subject.site.time_zone))
    form = subject.version.protocol.form(questionnaire.form)
    cells = {questionnaire.date_item: Typed(local.date().isoformat())}
    if questionnaire.time_item:
        cells[questionnaire.time_item] = Typed(_clock_time(local))
    if questionnaire.mode_item:
        codes = codelist_of(subject.version.protocol, form.item(questionnaire.mode_item))
        if codes is None or BY_PATIENT in codes.labels:
            cells[questionnaire.mode_item] = Typed(BY_PATIENT)
    if questionnaire.language_item:
        cells[questionnaire.language_item] = Typed(sent.language)
    for item, target in questionnaire.items.items():
        answer = sent.answers[item]
        cells[target] = Typed(missing=PASSED_OVER) if answer is None else Typed(answer)
    return cells


def _clock_time(local: datetime) -> str:
    """Time of day; with its offset in the hour that comes twice when the clocks are put back."""
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    if not twice:
        return f"{local:%H:%M}"
    offset = f"{local:%z}"
    return f"{local:%H:%M}{offset[:3]}:{offset[3:5]}"
