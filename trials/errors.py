"""Errors of the room."""

from __future__ import annotations

from foundation.errors import Conflict, DomainError, Invalid, NotFound


class PackHasFaults(Invalid):
    """A pack with faults cannot become a version."""

    code = "pack_has_faults"
    template = "The pack of {path} has {count} fault(s) and was not published. The first: {first}"


class LabelTaken(Conflict):
    """Another content was published under this label already."""

    code = "version_label_taken"
    template = "{trial} has a version {label} with another content. A changed protocol needs a new label."


class SiteNotOpen(DomainError):
    """The site does not take part in the trial."""

    code = "site_not_open"
    template = "{site} is not open for {trial}."


class ContentAltered(DomainError):
    """The stored content is not the one that was published."""

    code = "protocol_content_altered"
    template = "The content of the protocol version {sha256} was altered in the database; it is not used."
    status = 500


class NoVersionInForce(NotFound):
    """The trial has no published version in force on that day."""

    code = "no_version_in_force"
    template = "{trial} has no published protocol version in force on {on}."


class UnknownTimeZone(Invalid):
    """The time zone is not in the IANA database."""

    code = "unknown_time_zone"
    template = "{name} is not a time zone, such as Europe/Oslo."


class LaboratoryTaken(Conflict):
    """There is a laboratory of that code."""

    code = "laboratory_code_taken"
    template = "There is a laboratory {laboratory} already."


class RangeWithdrawn(Conflict):
    """The range was withdrawn before."""

    code = "range_withdrawn"
    template = "This range was withdrawn already. Look at what stands now."


class UnreadableTable(Invalid):
    """The file is no table of ranges."""

    code = "unreadable_table"
    template = "{message}"


class NoSuchVersion(NotFound):
    """The trial has no published version under that label."""

    code = "no_such_version"
    template = "{trial} has no version {label}."


class VersionNotApproved(DomainError):
    """The site may not use that version of the protocol on that day."""

    code = "version_not_approved"
    template = (
        "{site} has no approval of {trial} {version} on {on}. "
        "Record the approval first, or use a version that is approved there."
    )
    status = 422


class ApprovalRefused(Invalid):
    """The approval does not make sense as it was given."""

    code = "approval_refused"
    template = "{why}"


class ApprovalTaken(Conflict):
    """There is an approval already."""

    code = "approval_taken"
    template = "{site} has an approval of {version} already. Withdraw it first if it was wrong."
