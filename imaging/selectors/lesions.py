"""The lesions that readers judge: the one place where imaging asks the casebook."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from casebook.models import Entry
from patients.models import Subject
from trials.models import ProtocolVersion
from visits.models import Visit

LESION_FORM, TARGET = "TU", "TARGET"
RESPONSE_FORM, SUSPICION = "RSR", "LOCREC"
BASELINE_KINDS = frozenset({"screening", "baseline"})


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
    kind, organ
        The same role and its organ as codes.
    """

    name: str
    place: str
    role: str
    kind: str = ""
    organ: str = ""


def lesions_of(subject: Subject) -> list[Lesion]:
    """Lesions of the subject's baseline form, targets first, by name; those without a name are left out."""
    return lesions_of_all([subject])[subject.pk]


def lesions_of_all(subjects: Collection[Subject]) -> dict[int, list[Lesion]]:
    """The same by subject; one statement."""
    known = {subject.pk: subject for subject in subjects}
    listed: dict[int, dict[str, Lesion]] = {pk: {} for pk in known}
    rows = Entry.objects.filter(subject__in=known, form=LESION_FORM, struck_out=False).order_by("pk")
    for pk, values in rows.values_list("subject", "values"):
        lesion = _lesion(values, _labels_of(known[pk]))
        if lesion.name:
            listed[pk][lesion.name] = lesion
    return {
        pk: sorted(lesions.values(), key=lambda each: (each.kind != TARGET, each.name))
        for pk, lesions in listed.items()
    }


def _labels_of(subject: Subject) -> dict[str, Mapping[str, str]]:
    """Words of the codes of each item of the lesion form; none where the trial has no such form."""
    protocol = subject.version.protocol
    form = next((each for each in protocol.forms if each.code == LESION_FORM), None)
    return {
        item.id: _labels(protocol, item.codelist) for item in (form.items if form else ()) if item.codelist
    }


def _lesion(values: Mapping[str, Mapping[str, Any]], labels: Mapping[str, Mapping[str, str]]) -> Lesion:
    place, segments = _words(values, "TULOC", labels), _words(values, "TUSEG", labels)
    return Lesion(
        _text(values, "TULNKID"),
        f"{place}, {segments}" if segments else place,
        _words(values, "TUORRES", labels),
        kind=_text(values, "TUORRES"),
        organ=_text(values, "TULOC"),
    )


def as_listed(lesions: Iterable[Lesion]) -> dict[str, list[str]]:
    """Role, organ and place of lesions by name, as they are kept with a signed read."""
    return {each.name: [each.kind, each.organ, each.place] for each in lesions}


def organs_of(subject: Subject) -> dict[str, str]:
    """Organs that the lesion form knows, by code, in words; none where the trial has no such form."""
    return dict(_labels_of(subject).get("TULOC", {}))


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


def suspected_visits(visits: Collection[int]) -> set[int]:
    """Visits at which the site says that it saw a local recurrence; readers are never told, only asked sooner."""
    said = {f"values__{SUSPICION}__value": "Y"}
    rows = Entry.objects.filter(visit__in=list(visits), form=RESPONSE_FORM, struck_out=False, **said)
    return {visit for visit in rows.values_list("visit", flat=True) if visit is not None}


def first_visits(visits: Collection[int]) -> set[int]:
    """Visits before treatment: their scans decide about eligibility."""
    rows = list(Visit.objects.filter(pk__in=list(visits)).values_list("pk", "code", "subject__version"))
    versions = ProtocolVersion.objects.filter(pk__in={version for *_, version in rows})
    early = {
        (version.pk, plan.code)
        for version in versions
        for plan in version.protocol.visits
        if plan.kind in BASELINE_KINDS
    }
    return {visit for visit, code, version in rows if (version, code) in early}
