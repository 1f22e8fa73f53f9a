"""The reading queue with 10,000 reads: `python -m benchmarks.reading_queue`.

One trial, 2,000 cases with five time points each, assigned in equal parts to four readers; three of five reads are
signed. What the first reader's page costs: statements, processor time of the application and of PostgreSQL, wall time.
The floor is the one statement that counts this reader's open reads.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from benchmarks.common import (
    SETUP,
    Way,
    app_backend,
    open_trial,
    scratch_database,
    screened,
    side_by_side,
    statements_of,
)

# isort: split
from accounts.models import Meaning, Signature, User
from accounts.policies import RADIOLOGIST
from accounts.selectors import access_of
from accounts.services import create_user, grant_role
from audit.context import acting
from foundation import clock
from imaging.masking import case_code
from imaging.models import ImagingKey, Read, ReadState, Series, Study, StudyState
from imaging.selectors.reads import queue_rows
from patients.models import Patient, Subject
from trials.models import Trial
from visits.models import Visit, VisitState

CASES, POINTS, READERS, SIGNED = 2000, 5, 4, 3


def cases_of(trial: Trial) -> list[Subject]:
    """Subjects like the first one, in bulk."""
    first = screened(trial, "P0")
    patients = Patient.objects.bulk_create(
        [Patient(site=first.patient.site, code=f"P{n}") for n in range(1, CASES)]
    )
    copied = {
        f.name: getattr(first, f.name)
        for f in Subject._meta.fields
        if f.name not in ("id", "number", "patient")
    }
    others = [
        Subject(**copied, number=f"EXC-B-{n:05}", patient=patient) for n, patient in enumerate(patients)
    ]
    return [first, *Subject.objects.bulk_create(others)]


def points_of(subjects: list[Subject]) -> list[Visit]:
    """Time points of each case, weeks apart, with their images."""
    day = clock.today() - timedelta(days=400)
    visits = Visit.objects.bulk_create(
        Visit(
            subject=subject, code=f"W{8 * n}", sequence=90, ordinal=90 + n, state=VisitState.DONE,
            happened_on=day + timedelta(weeks=8 * n),
        )
        for subject in subjects
        for n in range(1, POINTS + 1)
    )  # fmt: skip
    studies = Study.objects.bulk_create(
        Study(
            subject_id=visit.subject_id,
            visit=visit,
            uid=f"2.25.{secrets.randbits(100)}",
            state=StudyState.QC_PASS,
        )
        for visit in visits
    )
    Series.objects.bulk_create(
        Series(subject_id=study.subject_id, study=study, uid=f"{study.uid}.1", modality="CT")
        for study in studies
    )
    return visits


def reads_of(visits: list[Visit], readers: list[User], sha256: str) -> None:
    """One read of each time point; the first ones of each case are signed."""
    now = clock.now()
    made = []
    for n, visit in enumerate(visits):
        signed = n % POINTS < SIGNED
        reader = readers[n // POINTS % READERS]
        made.append(
            Read(
                subject_id=visit.subject_id, visit=visit, reader=reader, charter_sha256=sha256,
                due_on=clock.today() + timedelta(days=n % 30 - 5),
                state=ReadState.SIGNED if signed else ReadState.ASSIGNED,
                signed_at=now if signed else None, signature=_signature(reader) if signed else None,
            )
        )  # fmt: skip
    Signature.objects.bulk_create(read.signature for read in made if read.signature)
    Read.objects.bulk_create(made)


def _signature(user: User) -> Signature:
    return Signature(
        signer=user, signer_name=user.full_name, meaning=Meaning.AUTHOR, target_kind="imaging.read",
        target_id="benchmark", digest="0" * 64, statement="", seal="0" * 64, at=clock.now(),
    )  # fmt: skip


def main() -> None:
    with scratch_database():
        trial = open_trial("EXCALIBUR")
        readers = []
        for n in range(READERS):
            user = create_user(actor=SETUP, username=f"reader{n}", full_name=f"Reader {n}")
            grant_role(actor=SETUP, user=user, role=RADIOLOGIST, trial=trial.code)
            readers.append(user)
        with acting(SETUP):
            subjects = cases_of(trial)
            ImagingKey.objects.bulk_create(
                ImagingKey(subject=subject, sealed="", case_code=case_code()) for subject in subjects
            )
            reads_of(points_of(subjects), readers, subjects[0].version.sha256)
        access = access_of(readers[0])
        own = Read.objects.filter(reader=readers[0]).exclude(state=ReadState.SIGNED)
        print(
            f"{Read.objects.count()} reads, {own.count()} open for this reader, {len(queue_rows(access))} on the page"
        )
        print(f"{statements_of(lambda: queue_rows(access))} statements")
        side_by_side(
            [
                Way("counting the open reads", own.count, app_backend),
                Way("the queue", lambda: queue_rows(access), app_backend),
            ],
            rounds=5,
            times=3,
        )


if __name__ == "__main__":
    main()
