"""What can go wrong in the reports room, as sentences."""

from __future__ import annotations

from foundation.errors import DomainError


class UnknownFormatError(DomainError):
    code = "unknown_format"
    template = "“{format}” is not a format of export. Known: {known}."
    status = 422


class FutureMomentError(DomainError):
    code = "future_moment"
    template = "{moment} is in the future; data can be shown as they stood in the past only."
    status = 422


class UnknownSiteError(DomainError):
    code = "unknown_site"
    template = "{site} is not a site of {trial} that you may export."
    status = 422


class ExportNotReadyError(DomainError):
    code = "export_not_ready"
    template = "This export is not ready yet."
    status = 409


class CopyNotReadyError(DomainError):
    code = "copy_not_ready"
    template = "This copy is not ready yet."
    status = 409
