"""What can go wrong with images and reads, as sentences."""

from __future__ import annotations

from foundation.errors import DomainError


class ManifestRefusedError(DomainError):
    code = "manifest_refused"
    template = "{message}"
    status = 422


class BatchIncompleteError(DomainError):
    """Nothing is half-received."""

    code = "batch_incomplete"
    template = "{count} of {total} files have not arrived yet, the first of them {first}. Send them again."
    status = 409


class BatchClosedError(DomainError):
    code = "batch_closed"
    template = "This upload was finished already. Start a new one for further files."
    status = 409


class FileNotExpectedError(DomainError):
    code = "file_not_expected"
    template = "File {index} is not in the list of this upload."
    status = 422


class VisitTakesNoImagesError(DomainError):
    code = "visit_takes_no_images"
    template = "No images are planned at {visit}. Send them to the visit at which they were taken."
    status = 422


class NotInQuarantineError(DomainError):
    code = "not_in_quarantine"
    template = "This file is not in quarantine: {state}."
    status = 409


class CannotDecideError(DomainError):
    code = "cannot_decide"
    template = "Nothing can be decided about this study now: {state}."
    status = 409


class NotWaitingError(DomainError):
    code = "not_waiting"
    template = "This examination was decided about in the meantime."
    status = 409


class CannotReleaseError(DomainError):
    code = "cannot_release"
    template = "This file cannot be released: {reason}"
    status = 409


class ReasonMissingError(DomainError):
    code = "reason_missing"
    template = "Say in a few words why."
    status = 422


class SubjectMissingError(DomainError):
    code = "subject_missing"
    template = "Choose a subject and a visit."
    status = 422


class DayNotUnderstoodError(DomainError):
    code = "day_not_understood"
    template = "{typed} is not a day. Write it as 2026-11-21."
    status = 422


class ReadLockedError(DomainError):
    code = "read_locked"
    template = "This read is signed and cannot be changed. A correction is a new version."
    status = 409


class ReadWaitsError(DomainError):
    code = "read_waits"
    template = "An earlier time point of this case comes first."
    status = 409


class UnknownLesionError(DomainError):
    code = "unknown_lesion"
    template = "Lesion {lesion} is not in the list of this case."
    status = 422


class ReaderRecordRefusedError(DomainError):
    code = "reader_record_refused"
    template = "{message}"
    status = 422


class LesionRefusedError(DomainError):
    code = "lesion_refused"
    template = "{message}"
    status = 422


class OutcomeRefusedError(DomainError):
    code = "outcome_refused"
    template = "{message}"
    status = 422


class MeasurementRefusedError(DomainError):
    code = "measurement_refused"
    template = "{message}"
    status = 422


class ReadIncompleteError(DomainError):
    code = "read_incomplete"
    template = "Before you sign: {missing}."
    status = 422


class AdjudicationHeldError(DomainError):
    code = "adjudication_held"
    template = "Another adjudicator has this case open. It is free again in a few minutes."
    status = 409


class AdjudicationRefusedError(DomainError):
    code = "adjudication_refused"
    template = "{message}"
    status = 422


class SearchRefusedError(DomainError):
    code = "search_refused"
    template = "{message}"
    status = 422


class NotAcceptableError(DomainError):
    code = "not_acceptable"
    template = "This is given as {offered}, which your Accept header does not allow."
    status = 406


class NotDicomMessageError(DomainError):
    code = "unsupported_media_type"
    template = 'Send DICOM objects as multipart/related; type="application/dicom".'
    status = 415


class MessageBrokenError(DomainError):
    code = "message_broken"
    template = "{message}"
    status = 400


class NoImagesError(DomainError):
    code = "no_images"
    template = "The images of this read are not here any more; a report needs them."
    status = 409


class CannotCoverError(DomainError):
    code = "cannot_cover"
    template = "These files are not held back for anything in the picture."
    status = 422


class AreaNotUnderstoodError(DomainError):
    code = "area_not_understood"
    template = "This is no area of the picture: {typed}. Give left, top, right and bottom in pixels."
    status = 422


class StoredFileError(DomainError):
    """The storage does not give back what was stored."""

    status = 409


class StoredFileMissingError(StoredFileError):
    code = "file_missing"
    template = "The stored file is not there any more."


class StoredFileChangedError(StoredFileError):
    code = "file_changed"
    template = "The stored file is not what was stored: its SHA-256 differs."
