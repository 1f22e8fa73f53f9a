"""The front door: what a file is, and whether it may go further.

Every file that comes in leaves here with one of four verdicts and a reason that a coordinator understands: accepted,
quarantined (a person must look), rejected (unusable) or skipped (harmless and not needed).

References
----------
.. [1] DICOM PS3.4 2026c, Annex B.5 "Standard SOP Classes".
.. [2] DICOM PS3.3 2026c, C.7.6.1.1.2 "Image Type", C.7.6.1.1.5 "Burned In Annotation".
"""

from __future__ import annotations

import errno
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import IO

from imaging.dicom.describe import unreadable_number
from imaging.dicom.elements import Element, tag_name
from imaging.dicom.errors import DamagedArchive, DicomFault, Malformed, NotDicom
from imaging.dicom.frames import check_pixels, is_lossy, pixel_format, stream_doubts
from imaging.dicom.geometry import plane_of
from imaging.dicom.reader import MAX_OBJECT_BYTES, NOT_DICOM, DicomFile, Values, read, values_of

MAX_ARCHIVE_FILES = 20_000
MAX_ARCHIVE_BYTES = 16 * 1024**3
MAX_RATIO = 200
_RATIO_FLOOR = 1024**2
_CHUNK = 1024**2
_ZIP = b"PK\x03\x04"
# What `zipfile` raises where an archive is damaged: it trusts the sizes and flags that it reads, and hands on what each
# of its decompressors says.
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError)

DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
IMAGE_CLASSES: dict[str, str] = {
    "1.2.840.10008.5.1.4.1.1.2": "CT image",
    "1.2.840.10008.5.1.4.1.1.4": "MR image",
    "1.2.840.10008.5.1.4.1.1.128": "PET image",
}
_MULTI_FRAME_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.2.1": "enhanced CT",
    "1.2.840.10008.5.1.4.1.1.4.1": "enhanced MR",
    "1.2.840.10008.5.1.4.1.1.2.2": "legacy converted enhanced CT",
    "1.2.840.10008.5.1.4.1.1.4.4": "legacy converted enhanced MR",
    "1.2.840.10008.5.1.4.1.1.130": "enhanced PET",
}
_SCREEN_PREFIXES = ("1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.6.", "1.2.840.10008.5.1.4.1.1.3.")
_HIDDEN = frozenset({"thumbs.db", "desktop.ini", ".ds_store", "autorun.inf"})


class Verdict(StrEnum):
    """What becomes of a file."""

    ACCEPTED = "ACCEPTED"
    QUARANTINED = "QUARANTINED"
    REJECTED = "REJECTED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True)
class Examined:
    """A file after examination.

    Attributes
    ----------
    code
        Short stable name of the reason; `ok` for an accepted file.
    reason
        One sentence for the site, without any value from the file; empty for an accepted file.
    file
        The file as read, where it could be read.
    """

    verdict: Verdict
    code: str
    reason: str
    file: DicomFile | None = None


def examine(data: bytes, name: str = "", overruled: frozenset[str] = frozenset()) -> Examined:
    """Decide what a file is and whether it may go further.

    Parameters
    ----------
    data
        The whole file.
    name
        Its path, for the few names that say what a file is.
    overruled
        Codes of quarantine that a person decided to pass over.

    Returns
    -------
    Examined
        Never an exception: whatever is wrong with a file is a verdict with a reason.
    """
    if PurePosixPath(name).name.lower() in _HIDDEN:
        return Examined(Verdict.SKIPPED, "system_file", "A file of the operating system, not an image.")
    if not data:
        return Examined(Verdict.REJECTED, "empty", "The file is empty.")
    if data[:4] == _ZIP:
        return Examined(Verdict.REJECTED, "nested_archive", "A zip archive within an upload is not opened.")
    try:
        file = read(data)
    except (NotDicom, Malformed) as fault:
        return Examined(Verdict.REJECTED, fault.code, fault.message)
    standing = (doubt for doubt in _doubts(file, values_of(file)) if doubt.code not in overruled)
    return next(standing, Examined(Verdict.ACCEPTED, "ok", "", file))


def examined_elsewhere(seen: str, name: str = "") -> Examined:
    """Verdict on a file that a browser looked at and keeps to itself.

    Parameters
    ----------
    seen
        `empty`, `nested_archive` (an archive in an archive), or `not_dicom` for everything else.
    """
    if seen == "empty" or PurePosixPath(name).name.lower() in _HIDDEN:
        return examine(b"", name)
    if seen == "nested_archive":
        return examine(_ZIP, name)
    return Examined(Verdict.REJECTED, "not_dicom", f"{NOT_DICOM} It was not sent.")


def _doubts(file: DicomFile, values: Values) -> Iterator[Examined]:
    """Everything that stands against a file, the gravest first."""
    pixels = _pixel_fault(file)
    yield from (doubt for doubt in (_examine_class(file, values), pixels) if doubt is not None)
    if pixels is None:
        yield from (_quarantine(doubt.code, doubt.reason, file) for doubt in stream_doubts(file))
    yield from _burned_in_doubts(file, values)
    if (tag := unreadable_number(file)) is not None:
        words = f"{tag_name(tag)} holds no number, or one beyond all bounds."
        yield _quarantine("bad_number", words, file)
    if plane_of(file) is None:
        yield _quarantine("no_geometry", "The image does not say where in the patient it lies.", file)
    if is_lossy(file):
        words = "The image was compressed with loss; the charter wants lossless images."
        yield _quarantine("lossy", words, file)


def _examine_class(file: DicomFile, values: Values) -> Examined | None:
    """Verdict by the kind of object; None for an image of a kind that is read."""
    sop_class = values.text(0x00080016) or Values(file.data, file.meta, file.syntax).text(0x00020002)
    if sop_class == DICOMDIR_CLASS or 0x00041220 in values:
        return Examined(
            Verdict.SKIPPED, "dicomdir", "A directory of the disc (DICOMDIR), not an image.", file
        )
    if not sop_class or not values.text(0x00080018):
        return Examined(
            Verdict.REJECTED, "no_sop_uid", "The object does not say what it is (SOP class and UID).", file
        )
    if sop_class in IMAGE_CLASSES:
        return None
    if sop_class in _MULTI_FRAME_CLASSES:
        kind = _MULTI_FRAME_CLASSES[sop_class]
        return _quarantine(
            "multi_frame", f"An {kind} object of several frames; the reading desk takes slices.", file
        )
    if sop_class.startswith(_SCREEN_PREFIXES):
        return _quarantine(
            "screen_capture", "A screen capture, ultrasound or similar: names may be burned in.", file
        )
    if file.pixel is None:
        return _quarantine("no_image", "Not an image (report, dose record, structure or presentation).", file)
    return _quarantine("other_class", "An image of a kind that the charter does not list.", file)


def _pixel_fault(file: DicomFile) -> Examined | None:
    if file.pixel is None:
        return Examined(Verdict.REJECTED, "no_pixels", "The file ends before the pixel data.", file)
    try:
        expected = pixel_format(file).frame_bytes
        check_pixels(file)
    except DicomFault as fault:
        verdict = Verdict.QUARANTINED if fault.code in ("colour", "multi_frame") else Verdict.REJECTED
        return Examined(verdict, fault.code, fault.message, file)
    surplus = b"" if file.pixel.undefined else file.data[file.pixel.value + expected : file.pixel.value_end]
    if surplus.strip(b"\0"):
        return _quarantine("surplus_pixels", "There are data behind the image, inside its pixel data.", file)
    return None


def _burned_in_doubts(file: DicomFile, values: Values) -> Iterator[Examined]:
    """Doubts where names may stand in the pixels."""
    if values.text(0x00280301).upper() == "YES":
        yield _quarantine("burned_in", "The scanner says that text is burned into the image.", file)
    kinds = {part.upper() for part in values.texts(0x00080008)}
    if any("SCREEN" in kind or "CAPTURE" in kind or "DOSE" in kind for kind in kinds):
        yield _quarantine("screen_capture", "A screen capture: names may be burned in.", file)
    if any(_is_embedded_overlay(element, file) for element in file.elements):
        yield _quarantine("embedded_overlay", "An overlay is hidden in unused bits of the pixels.", file)


def _is_embedded_overlay(element: Element, file: DicomFile) -> bool:
    """Overlay Bit Position (60xx,0102) other than 0: the overlay lies in the pixel data themselves."""
    if element.tag >> 24 != 0x60 or element.tag & 0xFFFF != 0x0102:
        return False
    return any(file.raw(element))


def _quarantine(code: str, reason: str, file: DicomFile) -> Examined:
    return Examined(Verdict.QUARANTINED, code, reason, file)


@dataclass(frozen=True)
class Arrived:
    """One file as it came, or why it was not read.

    Attributes
    ----------
    path
        Where it lay in the folder or archive, for the person who sent it.
    data
        Its bytes; None where it was refused unread.
    """

    path: str
    data: bytes | None
    code: str = ""
    reason: str = ""


def is_archive(name: str, head: bytes) -> bool:
    """Whether a file that was sent is a zip archive, by its first bytes and its name."""
    return head[:4] in (_ZIP, b"PK\x05\x06") or (name.lower().endswith(".zip") and head[:2] == b"PK")


def unpack(stream: IO[bytes], name: str = "archive.zip") -> Iterator[Arrived]:
    """Files of a zip archive, one at a time and within bounds.

    Parameters
    ----------
    stream
        The archive, seekable.
    name
        Put before the paths.

    Yields
    ------
    Arrived
        Each file, or the reason why it was refused. Nothing is ever written, so a path that climbs out of the archive
        cannot hurt; it is refused all the same, because an honest archive has none.
    """
    try:
        with _naming_damage():
            archive = zipfile.ZipFile(stream)
            members = archive.infolist()
    except DamagedArchive as fault:
        yield Arrived(name, None, fault.code, fault.message)
        return
    if len(members) > MAX_ARCHIVE_FILES:
        yield Arrived(name, None, "too_many_files", f"The archive has more than {MAX_ARCHIVE_FILES:,} files.")
        return
    left = MAX_ARCHIVE_BYTES
    for member in members:
        if member.is_dir():
            continue
        arrived = _member(archive, member, f"{name}/{member.filename}", left)
        left -= len(arrived.data or b"")
        yield arrived
        if arrived.code in ("bomb", "archive_too_large"):
            return


@contextmanager
def _naming_damage() -> Iterator[None]:
    """One error for all damage. A disk that fails is none: its error goes on, and the batch is tried again."""
    try:
        yield
    except _DAMAGE as fault:
        raise DamagedArchive from fault
    except OSError as fault:
        # bzip2's own, which has no number, and a seek to before the file's beginning.
        if fault.errno not in (None, errno.EINVAL):
            raise
        raise DamagedArchive from fault


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str, left: int) -> Arrived:
    refusal = _refusal(member)
    if refusal is not None:
        return Arrived(path, None, *refusal)
    limit = min(left, MAX_OBJECT_BYTES)
    chunks: list[bytes] = []
    size = 0
    try:
        with _naming_damage(), archive.open(member) as source:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > _RATIO_FLOOR and size > MAX_RATIO * max(member.compress_size, 1):
                    return Arrived(
                        path,
                        None,
                        "bomb",
                        "The archive unpacks to far more than it holds; it was not opened.",
                    )
                if size > limit:
                    return Arrived(path, None, "archive_too_large", "The archive is too large when unpacked.")
                chunks.append(chunk)
    except DamagedArchive:
        return Arrived(path, None, "bad_member", "The file is damaged inside the archive.")
    data = b"".join(chunks)
    if data[:4] == _ZIP:
        return Arrived(path, None, "nested_archive", "A zip archive inside an archive is not opened.")
    return Arrived(path, data)


def _refusal(member: zipfile.ZipInfo) -> tuple[str, str] | None:
    """Why an archive member is not even opened; None where it may be."""
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or ":" in name.split("/")[0] or ".." in name.split("/") or "\0" in name:
        return "traversal", "The path leads out of the archive."
    if stat.S_ISLNK(member.external_attr >> 16):
        return "link", "A link, not a file."
    if member.flag_bits & 1:
        return "encrypted", "The archive is protected by a password."
    if member.file_size > MAX_OBJECT_BYTES:
        return "too_large", f"The file is larger than {MAX_OBJECT_BYTES // 1024**2} MB."
    if member.file_size > _RATIO_FLOOR and member.file_size > MAX_RATIO * max(member.compress_size, 1):
        return "bomb", "The archive unpacks to far more than it holds; it was not opened."
    return None


def list_files(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """Files of folders and single files as (path to show, file), in the order of their names.

    Links are not followed: they may lead anywhere.

    Raises
    ------
    FileNotFoundError
        A path is not there.
    """
    found: list[tuple[str, Path]] = []
    for start in paths:
        if not start.exists():
            raise FileNotFoundError(f"There is no file {start}.")
        if start.is_dir():
            inside = sorted(each for each in start.rglob("*") if each.is_file() and not each.is_symlink())
            found += [(each.relative_to(start.parent).as_posix(), each) for each in inside]
        else:
            found.append((start.name, start))
    return found
