"""The archive as a whole: its parts, its manifest, and how to check it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from textwrap import fill
from typing import IO, Any

from imaging.selectors.delivery import amount_of, subjects_in
from reports.exports.delivery.images import pack_images
from reports.exports.delivery.order import Delivery, Order
from reports.exports.delivery.quality import LeftOut, pack_quality
from reports.exports.delivery.reads import pack_reads
from reports.exports.packing import Member, Packing, packing_to
from reports.exports.provenance import provenance

MANIFEST, SUMS, README = "manifest.json", "SHA256SUMS", "README.txt"
SHOWN = 100
"""So many problems, and so much of what is kept back, are kept for the page; the archive's own manifest has all."""
COUNTED = ("images", "image_bytes", "reads", "reports", "adjudications")

NOTES = {
    "readers": "Readers are called R1 (first), R2 (second) and ADJUDICATOR. Who they are is a list of its own, apart "
    "from this archive; its READ is the READ of the tables.",
    "dates": "Dates in the images are shifted, by another number of days for each subject. Days of visits and "
    "examinations are not in this archive, for they would tell by how many.",
    "texts": "Reasons and comments stand as people typed them.",
    "blinding": "Not for blinded readers: folders and tables name subject and visit.",
    "dicomdir": "There is no DICOMDIR; tables/images.csv says which file is which.",
}

READ_ME = """{trial}: images and signed reads
Made by Hilum {version} on {moment} for {by}.

{standing}

To check that every file is here and is what it was:

    sha256sum -c SHA256SUMS

images/             DICOM files, byte for byte as they are stored, by subject, time point, examination and series.
                    Their SHA-256 was compared with the one that was kept when they came.
reads/              every signed read as a DICOM structured report (TID 1500), all versions.
tables/images.csv   each image: its file, SHA-256, identifiers, and LEDGER, which names what was done to it.
deidentification/   what was kept, emptied, replaced and removed, without any value; one file for images alike.
tables/examinations.csv, tables/quality.csv
                    verdicts on quality, and the decisions that led to them.
tables/reads.csv    each signed read. RESULT = Y: it counts for its time point. SUPERSEDED = Y: a later version was
                    signed. REPEAT_OF: a hidden repeat, never a result. IMAGES_SINCE: what changed in its images
                    or the earlier reads on which it rests. STANDING = IMAGES_WITHDRAWN: its images were taken out.
tables/answers.csv, tables/measurements.csv, tables/adjudications.csv
                    what the reads say, lengths in mm, and what was decided between two readers.
manifest.json       all of this with sizes, what is missing, and what was left out and why.

{notes}
"""


def write_delivery(order: Order, archive: IO[bytes]) -> dict[str, Any]:
    """Write the archive.

    Returns
    -------
    dict
        The manifest without the long list of files, which stands in the archive.

    Raises
    ------
    OSError
        Storage or disk did not do their part; what was written so far is worth nothing.
    """
    head = provenance(order.trial, order.by)
    moment = datetime.fromisoformat(head["created_at"])
    with packing_to(archive, moment) as packing:
        delivery = _begun(order, packing, moment)
        left_out = pack_quality(delivery)
        pack_reads(delivery)
        pack_images(delivery)
        manifest = _manifest(head, delivery, left_out)
        packing.content(README, _read_me(manifest).encode())
        _pack_manifest(packing, manifest)
        _pack_sums(packing)
        tables = [asdict(member) for member in packing.written() if _is_short(member)]
    return _short(manifest, tables, sorted(delivery.accepted))


def _begun(order: Order, packing: Packing, moment: datetime) -> Delivery:
    subjects = subjects_in(order.scope)
    scope = replace(order.scope, among=tuple(subjects))
    amount = amount_of(scope)
    return Delivery(order, scope, packing, subjects, moment, amount.images + amount.reads)


def _manifest(head: Mapping[str, Any], delivery: Delivery, left_out: LeftOut) -> dict[str, Any]:
    scope = delivery.scope
    subject = delivery.subjects[scope.subject].number if scope.subject is not None else None
    return {
        "content": "images and signed reads",
        **head,
        "sites": list(scope.sites) or "all",
        "subject": subject,
        "subjects": len(delivery.seen),
        "complete": not delivery.problems,
        "counts": {name: delivery.counts[name] for name in COUNTED},
        "notes": NOTES,
        "problems": delivery.problems,
        "left_out": {"examinations": left_out.examinations, "files": left_out.files},
    }


def _read_me(manifest: Mapping[str, Any]) -> str:
    missing = len(manifest["problems"])
    standing = (
        f"INCOMPLETE: {missing} {'file is' if missing == 1 else 'files are'} missing; manifest.json names them under "
        "“problems”."
        if missing
        else "Complete: every accepted image and every signed read is here."
    )
    return READ_ME.format(
        trial=manifest["trial"],
        version=manifest["system"]["version"],
        moment=manifest["created_at"],
        by=manifest["created_by"],
        standing=standing,
        notes="\n".join(fill(note, 118) for note in NOTES.values()),
    )


def _pack_manifest(packing: Packing, manifest: Mapping[str, Any]) -> None:
    """The manifest; its list of files is written line by line, for it may be long."""
    with packing.text(MANIFEST) as out:
        out.write(json.dumps(manifest, indent=2, ensure_ascii=False).removesuffix("\n}"))
        out.write(',\n  "files": [')
        for number, member in enumerate(packing.written()):
            out.write(("," if number else "") + "\n    " + json.dumps(asdict(member)))
        out.write("\n  ]\n}\n")


def _pack_sums(packing: Packing) -> None:
    with packing.text(SUMS) as out:
        for member in packing.written():
            out.write(f"{member.sha256}  {member.name}\n")


def _is_short(member: Member) -> bool:
    return "/" not in member.name or member.name.startswith("tables/")


def _short(
    manifest: Mapping[str, Any], files: list[dict[str, Any]], examinations: list[int]
) -> dict[str, Any]:
    """What is kept with the export."""
    left_out = manifest["left_out"]
    return {
        **manifest,
        "problems": manifest["problems"][:SHOWN],
        "problem_count": len(manifest["problems"]),
        "left_out": {name: rows[:SHOWN] for name, rows in left_out.items()},
        "left_out_count": {name: len(rows) for name, rows in left_out.items()},
        "files": files,
        "examinations": examinations,
    }
