"""Keeping one image: de-identify, store, and write down where it belongs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from audit.context import Actor, service_actor
from imaging.dicom.covering import WRONG_AREA, covered
from imaging.dicom.deidentify import Deidentified, deidentify, identity_words, words_of
from imaging.dicom.describe import Description, describe
from imaging.dicom.errors import DicomFault
from imaging.dicom.first_step import blinded_number, first_step_of, without_block, words_found
from imaging.dicom.geometry import Plane
from imaging.dicom.reader import DicomFile, read, values_of
from imaging.dicom.writing import Box
from imaging.models import FileState, ImagingKey, Instance, Ledger, PatientNumber, Series, Study, StudyState
from imaging.services.identity import identity_of, other_subject_with
from patients.models import Subject
from visits.models import Visit

INTAKE = service_actor("intake")
_DEPTH = Decimal("0.0001")
_THICKNESS = Decimal("0.001")


@dataclass(frozen=True)
class Fate:
    """What became of one file."""

    state: FileState
    code: str = ""
    reason: str = ""
    instance: Instance | None = None
    marks: tuple[Box, ...] = ()


def _quarantine(code: str, reason: str) -> Fate:
    return Fate(FileState.QUARANTINED, code, reason)


@dataclass(frozen=True)
class Candidate:
    """An image that passed the front door.

    Attributes
    ----------
    overruled
        Codes of quarantine that a person decided to pass over.
    covers
        Areas of the picture that are covered before it is kept.
    """

    file: DicomFile
    overruled: frozenset[str] = frozenset()
    covers: tuple[Box, ...] = ()


@dataclass(frozen=True)
class _Cleaned:
    """A candidate after de-identification.

    Attributes
    ----------
    number
        The blinded patient number; empty where the file has none.
    patient
        The same under the subject's key.
    fault
        Why there is no result.
    uncovered
        SHA-256 of the pixel data before areas were covered; empty where none were.
    """

    candidate: Candidate
    number: str = ""
    patient: str = ""
    result: Deidentified | None = None
    description: Description | None = None
    names_sent: bool = False
    words_left: bool = False
    fault: DicomFault | None = None
    uncovered: str = ""


class Keeper:
    """Keeps the images of one visit, and remembers rows that the next file needs as well.

    Parameters
    ----------
    visit
        With subject, trial, site and version.
    actor
        Who writes: intake, or the person who released a file.
    """

    def __init__(self, visit: Visit, *, actor: Actor = INTAKE) -> None:
        self._visit = visit
        self._actor = actor
        self._identity = identity_of(actor=actor, visit=visit)
        self._numbers = _live_numbers(visit.subject_id)
        self._owners: dict[str, Subject | None] = {}
        self._studies: dict[str, Study] = {}
        self._series: dict[tuple[int, str], Series] = {}
        self._ledgers: dict[str, Ledger] = {}

    def keep(self, candidates: Sequence[Candidate]) -> list[Fate]:
        """De-identify and store images; runs inside the caller's transaction. As many statements for many as for one.

        Raises
        ------
        OSError
            The storage does not take a file; what it took before is found there the next time.
        """
        cleaned = [self._cleaned(candidate) for candidate in candidates]
        known = self._known([each.result.sop_uid for each in cleaned if each.result is not None])
        before = set(known)
        fates = [self._fate(each, known) for each in cleaned]
        Instance.objects.bulk_create(instance for uid, instance in known.items() if uid not in before)
        return fates

    def _cleaned(self, candidate: Candidate) -> _Cleaned:
        """The candidate without its identity; nothing is written yet."""
        try:
            step = first_step_of(candidate.file)
        except DicomFault as fault:
            return _Cleaned(candidate, fault=fault)
        file = without_block(candidate.file) if step else candidate.file
        number = step.number if step else self._blinded(file)
        patient = self._identity.fingerprint(number) if number else ""
        named = identity_words(file)
        try:
            result = deidentify(file, self._identity)
            uncovered = result.pixel_sha256 if candidate.covers else ""
            if candidate.covers:
                result = covered(result, candidate.covers)
            description = describe(read(result.data))
        except DicomFault as fault:
            return _Cleaned(candidate, number, patient, fault=fault)
        left = words_of(result, self._identity)
        if step:
            result.ledger.take_over(step.emptied, step.replaced, step.removed)
        return _Cleaned(
            candidate,
            number,
            patient,
            result,
            description,
            names_sent=bool(step and named),
            words_left=bool(named & left) or bool(step and words_found(step, left)),
            uncovered=uncovered,
        )

    def _known(self, uids: Sequence[str]) -> dict[str, Instance]:
        """Images of the subject that are here under these identifiers."""
        same = Instance.objects.filter(subject=self._visit.subject_id, uid__in=uids)
        return {instance.uid: instance for instance in same.select_related("series__study")}

    def _fate(self, cleaned: _Cleaned, known: dict[str, Instance]) -> Fate:
        overruled = cleaned.candidate.overruled
        if "other_patient" not in overruled and (doubt := self._doubt(cleaned)):
            return _quarantine("other_patient", doubt)
        if cleaned.fault is not None and cleaned.fault.code == WRONG_AREA:
            return _quarantine("writing", cleaned.fault.message)
        if cleaned.fault is not None:
            return Fate(FileState.REJECTED, cleaned.fault.code, cleaned.fault.message)
        if cleaned.names_sent and "names_sent" not in overruled:
            return _quarantine(
                "names_sent", "Names should have been taken out before it was sent, and some were not."
            )
        if cleaned.words_left and "words_left" not in overruled:
            return _quarantine(
                "words_left", "A word that identifies somebody stands where it does not belong."
            )
        if cleaned.result is None or cleaned.description is None:
            raise AssertionError("A candidate without a fault has a result.")
        return self._place(cleaned, cleaned.result, cleaned.description, known)

    def _blinded(self, file: DicomFile) -> str:
        """The hospital's patient number (or, without one, name), blinded; empty where the file has neither."""
        number = patient_number(file)
        return blinded_number(number, self._visit.subject.site.code) if number else ""

    def _doubt(self, cleaned: _Cleaned) -> str:
        """Why an image may be somebody else's; empty where nothing speaks against this subject."""
        patient = cleaned.patient
        if not patient or patient in self._numbers:
            return ""
        if patient not in self._owners:
            self._owners[patient] = other_subject_with(cleaned.number, self._visit.subject)
        if owner := self._owners[patient]:
            same_trial = owner.trial_id == self._visit.subject.trial_id
            return f"Images with this patient number came for {owner if same_trial else 'a subject of another trial'}."
        if self._is_another(patient):
            return "The patient number differs from that of this subject's earlier images."
        return ""

    def _is_another(self, patient: str) -> bool:
        """Whether the patient number is none of this subject's. Only the first file has to look at the database."""
        if not patient or patient in self._numbers:
            return False
        if not self._numbers:
            ImagingKey.objects.select_for_update().get(subject=self._visit.subject_id)  # one first image only
            self._numbers = _live_numbers(self._visit.subject_id)
        return bool(self._numbers) and patient not in self._numbers

    def _number(self, patient: str) -> PatientNumber | None:
        """The first image that is accepted says whose images these are; so does one that a person let pass."""
        if patient and patient not in self._numbers:
            self._numbers[patient], _new = PatientNumber.objects.get_or_create(
                subject=self._visit.subject,
                digest=patient,
                ended_at=None,
                defaults={"confirmed_by": self._actor.name if self._actor.kind == "person" else ""},
            )
        return self._numbers.get(patient)

    def _place(
        self, cleaned: _Cleaned, result: Deidentified, description: Description, known: dict[str, Instance]
    ) -> Fate:
        same = known.get(result.sop_uid)
        if same is not None and same.series.study.state == StudyState.WITHDRAWN:
            return _quarantine("withdrawn", "This examination was taken out of the trial before.")
        if same is not None:
            if (same.uncovered_sha256 or same.pixel_sha256) == (cleaned.uncovered or result.pixel_sha256):
                return Fate(FileState.DUPLICATE, "duplicate", "This image is here already.", same)
            return _quarantine("uid_conflict", "Another image with the same identifier is here already.")
        if description.plane is None:
            return _quarantine("no_geometry", "The image does not say where in the patient it lies.")
        study = self._study(description, cleaned.patient)
        if study.state == StudyState.WITHDRAWN:
            return _quarantine("withdrawn", "This examination was taken out of the trial before.")
        if study.visit_id != self._visit.pk:
            return _quarantine(
                "other_visit", f"Images of this examination were sent for {study.visit} before."
            )
        known[result.sop_uid] = self._stored(study, cleaned, result, description, description.plane)
        return Fate(FileState.ACCEPTED, "ok", "", known[result.sop_uid])

    def _study(self, description: Description, patient: str) -> Study:
        if description.study_uid not in self._studies:
            study, _new = Study.objects.select_related("visit").get_or_create(
                subject=self._visit.subject,
                uid=description.study_uid,
                defaults={
                    "visit": self._visit,
                    "shifted_date": _date(description.study_date),
                    "patient_number": self._number(patient),
                },
            )
            self._studies[description.study_uid] = study
        return self._studies[description.study_uid]

    def _series_of(self, study: Study, description: Description) -> Series:
        place = (study.pk, description.series_uid)
        if place not in self._series:
            thickness = description.thickness_mm
            self._series[place], _new = Series.objects.get_or_create(
                study=study,
                uid=description.series_uid,
                defaults={
                    "subject_id": study.subject_id,
                    "frame_of_reference_uid": description.frame_of_reference_uid,
                    "modality": description.modality,
                    "label": description.label,
                    "number": description.series_number,
                    "kernel": description.kernel,
                    "scanner": description.scanner,
                    "contrast": description.contrast,
                    "thickness_mm": None if thickness is None else thickness.quantize(_THICKNESS),
                },
            )
        return self._series[place]

    def _stored(
        self,
        study: Study,
        cleaned: _Cleaned,
        result: Deidentified,
        description: Description,
        plane: Plane,
    ) -> Instance:
        """The file in the storage and its row, which is still to be written."""
        series = self._series_of(study, description)
        sha256 = hashlib.sha256(result.data).hexdigest()
        place = f"images/{study.opaque}/{series.opaque}/{sha256[:40]}"
        return Instance(
            subject_id=study.subject_id,
            series=series,
            uid=result.sop_uid,
            number=description.instance_number,
            depth=plane.depth.quantize(_DEPTH),
            file_key=write_once(f"{place}.dcm", result.data),
            file_sha256=sha256,
            file_bytes=len(result.data),
            pixel_offset=result.pixel_offset,
            pixel_length=result.pixel_length,
            pixel_sha256=result.pixel_sha256,
            uncovered_sha256=cleaned.uncovered,
            frame_key=f"{place}.jhc",
            attributes=description.attributes,
            ledger=self._ledger(result),
        )

    def _ledger(self, result: Deidentified) -> Ledger:
        content = result.ledger.as_dict()
        digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        if digest not in self._ledgers:
            self._ledgers[digest], _new = Ledger.objects.get_or_create(
                digest=digest, defaults={"content": content}
            )
        return self._ledgers[digest]


def patient_number(file: DicomFile) -> str:
    """The hospital's number of the patient, or the name where a file has none."""
    values = values_of(file)
    return values.text(0x00100020) or values.text(0x00100010)


def _live_numbers(subject_id: int) -> dict[str, PatientNumber]:
    live = PatientNumber.objects.filter(subject=subject_id, ended_at=None)
    return {each.digest: each for each in live}


def write_once(key: str, data: bytes) -> str:
    """Store under a name that follows from the content: what is there already is the same."""
    if not default_storage.exists(key):
        key = default_storage.save(key, ContentFile(data))
    return key


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:8]}")
    except ValueError:
        return None
