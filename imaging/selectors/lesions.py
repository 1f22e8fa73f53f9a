"""The lesions that readers judge: the one place where imaging asks the casebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casebook.selectors import rows_of_subject
from patients.models import Subject

LESION_FORM = "TU"


@dataclass(frozen=True)
class Lesion:
    """A lesion as a blinded reader may know it.

    Attributes
    ----------
    name
        `T01`, `NT01`.
    place
        Organ and segments, in words.
    role
        Target, non-target or new, in words.
    """

    name: str
    place: str
    role: str


def lesions_of(subject: Subject) -> list[Lesion]:
    """Lesions of the subject's baseline form, by name; those without a name are left out."""
    protocol = subject.version.protocol
    form = next((each for each in protocol.forms if each.code == LESION_FORM), None)
    if form is None:
        return []
    labels = {item.id: _labels(protocol, item.codelist) for item in form.items if item.codelist}
    lesions = {}
    for row in rows_of_subject(subject):
        name = _text(row.values, "TULNKID") if row.form == LESION_FORM else ""
        if name:
            place = _words(row.values, "TULOC", labels)
            segments = _words(row.values, "TUSEG", labels)
            lesions[name] = Lesion(
                name, f"{place}, {segments}" if segments else place, _words(row.values, "TUORRES", labels)
            )
    return [lesions[name] for name in sorted(lesions)]


def _labels(protocol: Any, codelist: str) -> Mapping[str, str]:
    return {code.code: code.label for code in protocol.codelist(codelist).codes}


def _text(values: Mapping[str, Mapping[str, Any]], item: str) -> str:
    value = (values.get(item) or {}).get("value")
    return str(value).strip() if isinstance(value, str) else ""


def _words(
    values: Mapping[str, Mapping[str, Any]], item: str, labels: Mapping[str, Mapping[str, str]]
) -> str:
    value = (values.get(item) or {}).get("value")
    codes = value if isinstance(value, list) else [value] if value else []
    return ", ".join(labels.get(item, {}).get(str(code), str(code)) for code in codes)
