"""Wiring of the room."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.urls import reverse

from audit.installation import append_only
from foundation import panels


class ImagingConfig(AppConfig):
    """Images in, checked, and read blinded."""

    name = "imaging"
    verbose_name = "Imaging"

    def ready(self) -> None:
        # These read models, which exist only now.
        from casebook.registry import register_lock_condition, register_needs, register_visit_hold  # noqa: PLC0415
        from imaging.locking import images_of_visit, images_on_their_way, unsigned_reads  # noqa: PLC0415
        from imaging.needs import images_needed  # noqa: PLC0415

        register_lock_condition("reads", unsigned_reads, says="Every read that was begun is signed")
        register_lock_condition("images", images_on_their_way, says="No images are being processed")
        register_visit_hold(images_of_visit)
        register_needs("images", "image.upload", images_needed)
        for table in (
            "imaging_chosenlesion",
            "imaging_lesionoutcome",
            "imaging_measurement",
            "imaging_ledger",
            "imaging_qualitydecision",
            "imaging_readerrecord",
            "imaging_readingtime",
        ):
            append_only(table)
        panels.register("subject", order=40, title="Images", url=_images_of, permission="image.view")


def _images_of(subject: Any) -> str:
    return reverse("subject-images", args=[subject.number])
