"""Writing in the eligibility room: keeping an evaluation, and signing one."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from accounts.models import Meaning, Signature, User
from accounts.selectors import access_of
from accounts.services import sign
from audit.context import Actor, acting
from casebook.services.anchors import replan
from eligibility.errors import (
    AlreadySignedError,
    CommentNeededError,
    FactsChangedError,
    FutureAssessmentError,
    NoCriteriaError,
    NotEligibleError,
)
from eligibility.models import SIGNED_KIND, Assessment, Decision
from eligibility.policies import BEFORE_ENROLMENT, differs, may_be_signed
from eligibility.rules.assessment import Verdict
from eligibility.rules.outlook import Outlook, sub_study_for
from eligibility.selectors import (
    Evaluation,
    content_digest,
    evaluation_of,
    judged_on,
    judging_versions,
    newest_signed,
    outcomes_document,
    standing_of,
)
from foundation import clock
from patients.models import Subject, SubjectStatus
from patients.services import assign_sub_study, set_status
from visits.rules.schedule import day_in_words


def assess_subject(*, actor: Actor, subject: Subject, as_of: date) -> Assessment:
    """Keep an evaluation of a subject as it is now, without a decision; the same one twice is kept once.

    Raises
    ------
    FutureAssessmentError, NoCriteriaError
    """
    _must_not_be_future(subject, as_of)
    with acting(actor):
        evaluation = evaluation_of(subject, as_of)
        newest = Assessment.objects.filter(subject=subject).order_by("-pk").first()
        if newest is not None and not newest.decision and _same(newest, subject, evaluation):
            return newest
        assessment = _draft(actor, subject, evaluation)
        assessment.digest = content_digest(subject, assessment)
        assessment.save(force_insert=True)
    return assessment


def sign_assessment(
    *,
    actor: Actor,
    user: User,
    subject: Subject,
    password: str,
    username: str | None = None,
    decision: str,
    comment: str = "",
    seen: str = "",
    as_of: date | None = None,
) -> Assessment:
    """Sign the investigator's decision on a subject's eligibility, with the facts and criteria that it rests on.

    Stores the assessment, signs the digest of its content and moves the subject, in one transaction. Before enrolment
    the subject becomes eligible, in the sub-study that takes the offered set, or a screen failure; afterwards the
    status stays, and a decision against an enrolled subject is a protocol deviation to be recorded.

    Parameters
    ----------
    user
        The person who signs: an investigator of the site.
    password, username
        As typed at this moment; see `accounts.services.confirm_components`.
    decision
        Value of `eligibility.models.Decision`.
    comment
        Why; needed where the decision differs from what the criteria say.
    seen
        Digest of the facts that the person saw; empty where nobody looked at a page.
    as_of
        The day that is judged; today while the subject is in screening. An earlier day is for records that are signed
        late: they are out of date at once where a fact has changed or run out since.

    Raises
    ------
    foundation.errors.Forbidden, foundation.errors.NotFound
        The person may not sign eligibility here.
    accounts.errors.SignatureRefused, accounts.errors.AccountLocked
        Wrong password.
    NotEligibleError, CommentNeededError, FactsChangedError, AlreadySignedError, FutureAssessmentError, NoCriteriaError
    """
    _must_be_allowed(user, actor, subject)
    with acting(actor, reason=comment.strip()):
        held = _locked(subject)
        today = clock.today(held.site.time_zone)
        day = as_of or judged_on(held, newest_signed(held), today)
        _must_not_be_future(held, day)
        evaluation = evaluation_of(held, day)
        outlook = _must_hold(evaluation, Decision(decision), comment, seen)
        _must_be_new(held, Decision(decision), today)
        assessment = _draft(actor, held, evaluation)
        assessment.decision, assessment.comment = Decision(decision), comment.strip()
        assessment.digest = content_digest(held, assessment)
        assessment.signature = _signature(
            user, password, username, assessment, statement_of(held, evaluation, decision)
        )
        assessment.save(force_insert=True)
        _move(actor, held, outlook, assessment)
    subject.status, subject.sub_study = held.status, held.sub_study
    return assessment


def statement_of(subject: Subject, evaluation: Evaluation, decision: str) -> str:
    """The sentence that the investigator agrees to by signing."""
    number = len(evaluation.results)
    version, on = evaluation.protocol.version.label, day_in_words(evaluation.as_of)
    reviewed = (
        f"I have reviewed the {number} criteria of protocol {version} and the facts behind them, as of {on}."
    )
    if decision == Decision.NOT_ELIGIBLE:
        return f"{reviewed} {subject.number} is not eligible."
    outlook = evaluation.outlook
    into = f" for {outlook.deciding.title}" if outlook is not None and len(outlook.order) > 1 else ""
    return f"{reviewed} {subject.number} is eligible{into}."


def _must_be_allowed(user: User, actor: Actor, subject: Subject) -> None:
    if actor.id != user.pk:
        raise ValueError("A signature is given by the person who acts.")
    access_of(user).require("eligibility.sign", subject.trial.code, subject.site.code)


def _locked(subject: Subject) -> Subject:
    """The subject's row, locked, so that two signatures come one after the other."""
    Subject.objects.select_for_update().only("pk").get(pk=subject.pk)
    rows = Subject.objects.select_related("patient", "trial", "site", "version").defer("version__definition")
    return rows.get(pk=subject.pk)


def _must_not_be_future(subject: Subject, day: date) -> None:
    if day > clock.today(subject.site.time_zone):
        raise FutureAssessmentError(field="as_of", on=day_in_words(day))


def _must_hold(evaluation: Evaluation, decision: Decision, comment: str, seen: str) -> Outlook:
    """The outlook, if the decision may be signed on it."""
    outlook = evaluation.outlook
    if outlook is None:
        raise NoCriteriaError(version=evaluation.protocol.version.label)
    if seen and seen != evaluation.digest:
        raise FactsChangedError
    if not may_be_signed(decision, outlook.verdict):
        raise NotEligibleError(field="decision", because=f"{outlook.route.because}.")
    if differs(decision, outlook.verdict) and not comment.strip():
        raise CommentNeededError(field="comment")
    return outlook


def _must_be_new(subject: Subject, decision: Decision, today: date) -> None:
    known = standing_of(subject, today)
    if known.state != "signed" or known.assessment is None or known.assessment.decision != decision:
        return
    signature = known.assessment.signature
    if signature is not None and subject.status != SubjectStatus.SCREENING:
        raise AlreadySignedError(name=signature.signer_name, on=day_in_words(signature.at.date()))


def _draft(actor: Actor, subject: Subject, evaluation: Evaluation) -> Assessment:
    """A row that is not stored yet."""
    outlook = evaluation.outlook
    if outlook is None:
        raise NoCriteriaError(version=evaluation.protocol.version.label)
    return Assessment(
        reference=uuid4(),
        subject=subject,
        version_id=judging_versions([subject])[subject.pk],
        as_of=evaluation.as_of,
        facts=evaluation.facts,
        facts_digest=evaluation.digest,
        outcomes=outcomes_document(evaluation),
        verdict=str(outlook.verdict),
        route=outlook.route.decision,
        route_because=outlook.route.because,
        offered=outlook.route.offer or "",
        valid_until=outlook.valid_until,
        by_id=actor.id,
        by_name=actor.name,
    )


def _same(assessment: Assessment, subject: Subject, evaluation: Evaluation) -> bool:
    return assessment.facts_digest == evaluation.digest and (
        assessment.version_id == judging_versions([subject])[subject.pk]
    )


def _signature(
    user: User, password: str, username: str | None, assessment: Assessment, statement: str
) -> Signature:
    return sign(
        user=user,
        password=password,
        username=username,
        meaning=Meaning.APPROVAL,
        target_kind=SIGNED_KIND,
        target_id=str(assessment.reference),
        digest=assessment.digest,
        statement=statement,
    )


def _move(actor: Actor, subject: Subject, outlook: Outlook, assessment: Assessment) -> None:
    """Bring the subject's status and sub-study in line with what was signed, as long as it is not enrolled."""
    if subject.status not in BEFORE_ENROLMENT:
        return
    eligible = assessment.decision == Decision.ELIGIBLE
    wanted = SubjectStatus.ELIGIBLE if eligible else SubjectStatus.SCREEN_FAILURE
    on = assessment.as_of
    if eligible and subject.status == SubjectStatus.SCREEN_FAILURE:
        subject.status = set_status(
            actor=actor, subject=subject, status=SubjectStatus.SCREENING, on=on
        ).status
    subject.status = set_status(actor=actor, subject=subject, status=wanted, on=on).status
    protocol = subject.version.protocol
    eligible_for = outlook.verdict is Verdict.ELIGIBLE and eligible
    sub_study = sub_study_for(protocol, outlook.deciding.name) if eligible_for else ""
    if sub_study != subject.sub_study:
        assign_sub_study(actor=actor, subject=subject, sub_study=sub_study)
        replan(actor=actor, subject=subject)
