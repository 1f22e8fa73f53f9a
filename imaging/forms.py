"""Parsing what people and the viewer send; deciding nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest

from imaging.errors import ManifestRefusedError, MeasurementRefusedError
from imaging.models import ImageQuality
from imaging.services.receiving import Announced


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(max_length=300)


class FindingsForm(forms.Form):
    """What the reader says of the images as a whole."""

    image_quality = forms.ChoiceField(choices=[("", ""), *ImageQuality.choices], required=False)
    quality_reason = forms.CharField(max_length=300, required=False)
    new_lesion = forms.ChoiceField(choices=[("", ""), ("Y", "Yes"), ("N", "No")], required=False)
    comment = forms.CharField(max_length=4000, required=False)


def manifest(request: HttpRequest) -> list[Announced]:
    """The list of files that a browser announces.

    Raises
    ------
    ManifestRefusedError
    """
    document = _json(request)
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, list) or not all(_is_announced(each) for each in files):
        raise ManifestRefusedError(message="The list of files is not understood.")
    return [Announced(each["path"], each["size"]) for each in files]


def _is_announced(each: object) -> bool:
    return isinstance(each, dict) and isinstance(each.get("path"), str) and type(each.get("size")) is int


@dataclass(frozen=True)
class SentMark:
    """A mark as the viewer sent it."""

    action: str
    mark: UUID
    content: dict[str, Any]


def sent_mark(request: HttpRequest) -> SentMark:
    """What the viewer says of a mark.

    Raises
    ------
    MeasurementRefusedError
    """
    document = _json(request)
    if not isinstance(document, dict) or document.get("action") not in ("save", "delete"):
        raise MeasurementRefusedError(message="The mark is not understood.")
    try:
        return SentMark(document["action"], UUID(str(document.get("id"))), document)
    except ValueError as error:
        raise MeasurementRefusedError(message="The mark has no number.") from error


def _json(request: HttpRequest) -> Any:
    try:
        return json.loads(request.body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
