"""Parsing what people and the viewer send; deciding nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest

from imaging.dicom.writing import Box
from imaging.errors import (
    AreaNotUnderstoodError,
    DayNotUnderstoodError,
    ManifestRefusedError,
    MeasurementRefusedError,
)
from imaging.models import ImageQuality
from imaging.rules.new_lesions import WORDS
from imaging.services.receiving import Announced


def quality_in(request: HttpRequest) -> dict[str, Any]:
    """A question to the site about a study, or its rejection.

    Raises
    ------
    DayNotUnderstoodError
    """
    due = str(request.POST.get("due_on", "")).strip()
    try:
        due_on = date.fromisoformat(due) if due else None
    except ValueError as error:
        raise DayNotUnderstoodError(field="due_on", typed=due) from error
    return {
        "reason": reason_in(request),
        "corrective_action": reason_in(request, "corrective_action"),
        "due_on": due_on,
        "reject": request.POST.get("decision") == "reject",
    }


def reader_record_in(request: HttpRequest) -> dict[str, Any]:
    """What is put on record of a reader.

    Raises
    ------
    DayNotUnderstoodError
    """
    return {
        "kind": request.POST.get("kind", ""),
        "on": _day(request, "on"),
        "until": _day(request, "until") if request.POST.get("until") else None,
        "reference": request.POST.get("reference", ""),
        "reason": reason_in(request),
    }


def _day(request: HttpRequest, name: str) -> date:
    typed = str(request.POST.get(name, "")).strip()
    try:
        return date.fromisoformat(typed)
    except ValueError as error:
        raise DayNotUnderstoodError(field=name, typed=typed) from error


def reason_in(request: HttpRequest, name: str = "reason") -> str:
    """What a person gave as the reason; empty where there is none, for the service to refuse."""
    return str(request.POST.get(name, "")).strip()[:300]


def areas_in(request: HttpRequest) -> list[Box]:
    """Areas of a picture that are to be covered.

    Raises
    ------
    AreaNotUnderstoodError
    """
    typed = request.POST.getlist("area")
    if not typed:  # a browser that did not send them must not let the pictures pass as they are
        raise AreaNotUnderstoodError(typed="none was sent")
    try:
        return [Box.parsed(text) for text in typed]
    except ValueError as error:
        raise AreaNotUnderstoodError(typed="; ".join(typed)[:200]) from error


class FindingsForm(forms.Form):
    """What the reader says of the images as a whole."""

    image_quality = forms.ChoiceField(choices=[("", ""), *ImageQuality.choices], required=False)
    quality_reason = forms.CharField(max_length=300, required=False)
    new_lesion = forms.ChoiceField(choices=[("", ""), *WORDS.items()], required=False)
    non_target = forms.CharField(max_length=16, required=False)
    overall = forms.CharField(max_length=16, required=False)
    response_comment = forms.CharField(max_length=300, required=False)
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
    return [Announced(each["path"], each["size"], each.get("refused", "")) for each in files]


def _is_announced(each: object) -> bool:
    return (
        isinstance(each, dict)
        and isinstance(each.get("path"), str)
        and type(each.get("size")) is int
        and each.get("refused", "") in ("", "empty", "not_dicom", "nested_archive")
    )


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


def seconds(request: HttpRequest) -> int:
    """Seconds of work that the page counted; none where it says nonsense."""
    text = request.POST.get("seconds", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def time_point(request: HttpRequest) -> int | None:
    """Number of the earlier time point that is asked for; None where none or nonsense is."""
    text = request.GET.get("time_point", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _json(request: HttpRequest) -> Any:
    try:
        return json.loads(request.body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
