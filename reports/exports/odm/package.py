"""An archive with the ODM file of a trial or a subject, and the manifest that says what it is."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict
from typing import IO, Any

from reports.exports.csv_files import Hashing, Written
from reports.exports.frame import Wanted
from reports.exports.odm.document import Progress, write_odm
from reports.exports.provenance import provenance

NAME = "odm.xml"


def write_odm_package(
    wanted: Wanted, archive: IO[bytes], by: str, progress: Progress | None = None
) -> dict[str, Any]:
    """Write the archive; gives its manifest."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        with packed.open(NAME, "w", force_zip64=True) as out:
            written, subjects = write_odm_file(wanted, out, progress)
        manifest = {
            **provenance(wanted.trial, by),
            "sites": list(wanted.sites) or "all",
            "subject": wanted.subject or None,
            "as_of": wanted.as_of.isoformat() if wanted.as_of else None,
            "subjects": subjects,
            "files": [asdict(written)],
        }
        packed.writestr("manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False))
    return manifest


def write_odm_file(wanted: Wanted, out: IO[bytes], progress: Progress | None = None) -> tuple[Written, int]:
    """Write the file, and tell its size and digest, and how many subjects it holds; a row is a subject."""
    hashing = Hashing(out)
    subjects = write_odm(wanted, hashing, progress)  # type: ignore[arg-type]
    return Written(NAME, subjects, hashing.size, hashing.digest.hexdigest()), subjects
