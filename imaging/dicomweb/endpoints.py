"""What the addresses of DICOMweb share."""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse

from accounts.api import Endpoint
from imaging.selectors.dicomweb import Json

DICOM_JSON = "application/dicom+json"


class Images(Endpoint):
    """Images that one may see. Not throttled: a viewer fetches hundreds of frames at once."""

    sees = "image.view"
    schema = None
    throttle_classes: Any = ()


def told(document: Json | list[Json], status: int = 200) -> JsonResponse:
    """An answer in DICOM JSON."""
    return JsonResponse(document, safe=False, status=status, content_type=DICOM_JSON)
