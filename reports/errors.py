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


class UnknownSubjectError(DomainError):
    code = "unknown_subject"
    template = "“{subject}” is no subject of {trial} whose images you may have."
    status = 422


class OnlyAsItIsError(DomainError):
    code = "only_as_it_is"
    template = "Images and reads are delivered as they are now; leave the moment out."
    status = 422


class OneSubjectOnlyOfImagesError(DomainError):
    code = "whole_sites_only"
    template = "Tables are made of whole sites; one subject can be chosen for ODM, or for images and reads."
    status = 422


class NothingToDeliverError(DomainError):
    code = "nothing_to_deliver"
    template = "There is no signed read and no accepted image of {whose} yet."
    status = 422


class ExportOutdatedError(DomainError):
    """Images of a delivery were taken out or rejected since."""

    code = "export_outdated"
    template = "Images of {subject}, {visit}, were taken out or rejected since. Ask for a new delivery."
    status = 409


class ExportNotReadyError(DomainError):
    code = "export_not_ready"
    template = "This export is not ready yet."
    status = 409


class CopyNotReadyError(DomainError):
    code = "copy_not_ready"
    template = "This copy is not ready yet."
    status = 409
