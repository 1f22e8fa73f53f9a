"""What can be wrong with a file. Each carries a code for the record and a sentence for the site."""

from __future__ import annotations


class DicomFault(Exception):
    """A file cannot be used.

    Parameters
    ----------
    code
        Short stable name of the reason.
    message
        One sentence for the person who sent the file. Never holds a value from the file.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NotDicom(DicomFault):
    """The file is something else."""


class Malformed(DicomFault):
    """The file starts as DICOM and breaks its own rules."""


class Undecodable(DicomFault):
    """The pixels cannot be decoded."""


class DamagedArchive(DicomFault):
    """A zip archive breaks its own rules."""

    def __init__(self) -> None:
        super().__init__("bad_archive", "The archive is damaged and cannot be opened.")
