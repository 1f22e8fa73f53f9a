"""Writing in the treatment room: randomising a subject, and moving its status along with its treatment."""

from __future__ import annotations

import secrets
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Max

from audit.context import Actor, acting
from casebook.facts import facts_of
from casebook.services.anchors import replan
from foundation import clock
from foundation.sealing import SealBroken, seal, unseal
from patients.models import Subject, SubjectStatus
from patients.services import set_status
from treatment.errors import AlreadyAllocatedError, ListUnreadableError, NotAllocatableError
from treatment.models import Allocation, AllocationList
from treatment.rules.allocation import randomisation_list
from treatment.rules.strata import arm_shares, scheme_of, stratum_of
from treatment.selectors.allocation import Readiness, readiness
from trials.schema import SubStudy
from visits.rules.schedule import day_in_words
from visits.services import supersede_visits

PURPOSE = "randomisation lists"
SEED_BYTES = 32


def allocate_subject(*, actor: Actor, subject: Subject) -> Allocation:
    """Randomise a subject: give it the next place of its list, and plan its visits from today.

    Parameters
    ----------
    subject
        Eligible and routed to a randomised sub-study.

    Returns
    -------
    Allocation
        With the arm. The subject is enrolled, and visits of other arms are no longer planned.

    Raises
    ------
    AlreadyAllocatedError
        A subject is randomised once.
    NotAllocatableError
        No consent, not signed as eligible, not routed, a stratum unknown, or the gate is closed (or missing).
    ListUnreadableError
        The list was made under another secret key.

    References
    ----------
    ICH E9 2.3.2; 21 CFR 11.10(f).
    """
    with acting(actor, reason="randomisation"):
        held = _locked(subject)
        _must_be_new(held)
        on = clock.today(held.site.time_zone)
        document = facts_of(held, on).document
        ready = readiness(held, document, on)
        sub_study = _must_be_ready(held, ready)
        places = _locked_list(held, sub_study, stratum_of(sub_study, document))
        allocation = _give_next_place(actor, held, places, sub_study, on, ready)
        _begin(actor, held, allocation, on)
    subject.status, subject.status_since = SubjectStatus.ENROLLED, on
    return allocation


def _locked(subject: Subject) -> Subject:
    """The subject as it is now, and nobody else's to randomise."""
    found = Subject.objects.select_for_update(of=("self",)).select_related(
        "trial", "site", "version", "patient"
    )
    return found.get(pk=subject.pk)


def _must_be_new(subject: Subject) -> None:
    known = Allocation.objects.filter(subject=subject).first()
    if known is not None:
        arm = subject.version.protocol.arm(known.arm).name
        raise AlreadyAllocatedError(number=subject.number, on=day_in_words(known.on), arm=arm)


def _must_be_ready(subject: Subject, ready: Readiness) -> SubStudy:
    if not ready.ready or ready.sub_study is None:
        raise NotAllocatableError(number=subject.number, because=ready.because)
    return ready.sub_study


def _locked_list(subject: Subject, sub_study: SubStudy, stratum: str) -> AllocationList:
    """The list of a stratum, made when its first subject comes, locked until the place is given."""
    about = {
        "trial": subject.trial,
        "sub_study": sub_study.code,
        "stratum": stratum,
        "scheme": scheme_of(sub_study),
    }
    known = AllocationList.objects.select_for_update().filter(**about).first()
    if known is not None:
        return known
    seed = secrets.token_hex(SEED_BYTES).encode()
    try:
        with transaction.atomic():
            AllocationList.objects.create(
                **about, sealed_seed=seal(seed, purpose=PURPOSE, about=_about(subject.trial.code, about))
            )
    except IntegrityError:  # somebody else's first subject was faster
        return AllocationList.objects.select_for_update().get(**about)
    return AllocationList.objects.select_for_update().get(**about)


def _about(trial: str, names: dict[str, object]) -> str:
    return "|".join([trial, *(str(names[key]) for key in ("sub_study", "stratum", "scheme"))])


def _seed(places: AllocationList) -> str:
    names: dict[str, object] = {
        "sub_study": places.sub_study,
        "stratum": places.stratum,
        "scheme": places.scheme,
    }
    try:
        return unseal(places.sealed_seed, purpose=PURPOSE, about=_about(places.trial.code, names)).decode()
    except SealBroken as error:
        raise ListUnreadableError(sub_study=places.sub_study) from error


def _give_next_place(
    actor: Actor, subject: Subject, places: AllocationList, sub_study: SubStudy, on: date, ready: Readiness
) -> Allocation:
    given = Allocation.objects.filter(list=places).aggregate(n=Max("place"))["n"] or 0
    drawn = randomisation_list(
        _seed(places), arm_shares(sub_study), sub_study.blocks, given + 1, places.stratum
    )[-1]
    return Allocation.objects.create(
        subject=subject,
        list=places,
        place=drawn.number,
        sub_study=sub_study.code,
        stratum=places.stratum,
        arm=drawn.arm,
        on=on,
        at=clock.now(),
        by_id=actor.id,
        by_name=actor.name,
        eligibility=ready.gate.reference[:300] if ready.gate else "",
    )


def _begin(actor: Actor, subject: Subject, allocation: Allocation, on: date) -> None:
    """From now on the subject is enrolled, its visits count from today, and other arms' visits fall away."""
    set_status(actor=actor, subject=subject, status=SubjectStatus.ENROLLED, on=on, reason="randomised")
    replan(actor=actor, subject=subject)
    others = [
        visit.code
        for visit in subject.version.protocol.visits
        if visit.arms and allocation.arm not in visit.arms
    ]
    supersede_visits(actor=actor, subject=subject, codes=others)


def move_along(*, actor: Actor, subject: Subject, statuses: tuple[str, ...], on: date, reason: str) -> None:
    """Move a subject through statuses, one after another.

    Raises
    ------
    patients.errors.StatusChangeRefusedError
    """
    for status in statuses:
        set_status(actor=actor, subject=subject, status=status, on=on, reason=reason)
        subject.status = status
