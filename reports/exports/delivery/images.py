"""The images of a delivery, byte for byte as they are stored, and what de-identification had done to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from imaging.errors import StoredFileError
from imaging.selectors.delivery import StoredImage, images_of, ledgers_of
from imaging.selectors.stored import as_stored
from reports.exports.delivery.order import KEYS, Delivery
from reports.exports.packing import safe_part
from visits.models import visit_label

IMAGES = (
    *KEYS, "FILE", "STATE", "BYTES", "SHA256", "STUDYUID", "SERIESUID", "SOPUID", "MODALITY", "LABEL", "NUMBER",
    "LEDGER",
)  # fmt: skip


def pack_images(delivery: Delivery) -> None:
    """Pack every accepted image that is still what was stored; name those that are not."""
    with delivery.packing.table("tables/images.csv", IMAGES) as add:
        for image, name in _places(delivery, images_of(delivery.accepted)):
            state = _pack(delivery, image, name)
            add(_row(delivery, image, name, state))
            delivery.step()
    for digest, content in ledgers_of(delivery.accepted):
        text = json.dumps(content, indent=1, ensure_ascii=False)
        delivery.packing.content(f"deidentification/{digest}.json", text.encode())


def _places(delivery: Delivery, images: Iterable[StoredImage]) -> Iterator[tuple[StoredImage, str]]:
    """Each image with its name: subject, time point, examination, series, and its place among the slices."""
    for (subject, _), of_visit in groupby(images, key=lambda image: (image.subject, image.visit)):
        number = safe_part(delivery.subjects[subject].number)
        for study, (_, of_study) in enumerate(groupby(of_visit, key=lambda image: image.study), start=1):
            for series, (_, slices) in enumerate(groupby(of_study, key=lambda image: image.series), start=1):
                for place, image in enumerate(slices, start=1):
                    label = safe_part(visit_label(image.visit_code, image.visit_sequence))
                    folder = f"images/{number}/{label}/E{study}/S{series:02}-{safe_part(image.modality)}"
                    yield image, f"{folder}/{place:05}.dcm"


def _pack(delivery: Delivery, image: StoredImage, name: str) -> str:
    try:
        with as_stored(image.key, image.sha256) as stored:
            packed = delivery.packing.file(name, stored)
    except StoredFileError as error:
        delivery.lacks(name, error.code, error.message)
        return error.code
    delivery.seen.add(image.subject)
    delivery.counts["images"] += 1
    delivery.counts["image_bytes"] += packed.bytes
    return "delivered"


def _row(delivery: Delivery, image: StoredImage, name: str, state: str) -> list[Any]:
    return [
        *delivery.keys_of(image.subject, image.visit_code, image.visit_sequence),
        name, state, image.bytes, image.sha256, image.study_uid, image.series_uid, image.uid, image.modality,
        image.label, image.number, image.ledger,
    ]  # fmt: skip
