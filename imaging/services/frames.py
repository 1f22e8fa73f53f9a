"""Frames for viewers, made from the stored files: a cache, which can be lost and made again at any time."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.core.files.storage import default_storage

from imaging.dicom.errors import DicomFault
from imaging.dicom.frames import decode, encode_frame
from imaging.dicom.reader import read
from imaging.models import Instance
from imaging.services.keeping import write_once

logger = logging.getLogger(__name__)


def make_frames(instances: Iterable[Instance]) -> int:
    """Make the frames that are not there; returns how many.

    A file whose pixels cannot be encoded without loss is logged and has no frame: the file itself is the record.

    Raises
    ------
    OSError
    """
    made = 0
    for instance in instances:
        if not default_storage.exists(instance.frame_key):
            made += _make(instance)
    return made


def _make(instance: Instance) -> bool:
    with default_storage.open(instance.file_key) as stored:
        data = stored.read()
    try:
        write_once(instance.frame_key, encode_frame(decode(read(data))))
    except DicomFault:
        logger.exception("No frame for image %s", instance.pk)
        return False
    return True
