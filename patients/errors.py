"""What can go wrong in the patients room, as sentences."""

from __future__ import annotations

from foundation.errors import DomainError


class PatientCodeTakenError(DomainError):
    code = "patient_code_taken"
    template = "Patient {patient} is already registered at {site}. Open that patient instead."
    status = 409


class PatientCodeMalformedError(DomainError):
    code = "patient_code_malformed"
    template = (
        "“{patient}” cannot be a patient code. Use 2 to 32 letters, digits or hyphens, "
        "and never a name, a birth date or a record number."
    )
    status = 422


class AlreadyScreenedError(DomainError):
    code = "already_screened"
    template = "This patient is already in {trial}, as subject {number}."
    status = 409


class SiteNotOpenError(DomainError):
    code = "site_not_open"
    template = "{site} is not open for {trial} on {on}."
    status = 422


class StatusChangeRefusedError(DomainError):
    code = "status_change_refused"
    template = "A subject that is “{old}” cannot become “{new}”."
    status = 409


class MoveRefusedError(DomainError):
    code = "move_refused"
    template = "{why}"
    status = 422
