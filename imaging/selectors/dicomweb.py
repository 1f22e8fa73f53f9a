"""Images as DICOMweb knows them: found by what a query asks, told in DICOM JSON.

Everything here is that of the stored, de-identified files; studies that were taken out are not there.

References
----------
.. [1] DICOM PS3.18 2026c, section 10.6 "Search Transaction", Annex F "DICOM JSON Model".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Q, QuerySet

from accounts.access import Access
from foundation.errors import NotFound
from imaging.errors import SearchRefusedError
from imaging.models import Instance, Series, Study, StudyState
from imaging.selectors.studies import studies_visible_to

LIMIT, MOST = 200, 5000

Json = dict[str, Any]
Query = Mapping[str, str]

_STUDY_KEYS = {
    "StudyInstanceUID": ("0020000D", "uid"),
    "PatientID": ("00100020", "subject__number"),
    "StudyDate": ("00080020", "shifted_date"),
    "ModalitiesInStudy": ("00080061", "pk"),
}
_SERIES_KEYS = {
    "SeriesInstanceUID": ("0020000E", "uid"),
    "Modality": ("00080060", "modality"),
    "SeriesNumber": ("00200011", "number"),
}
_INSTANCE_KEYS = {
    "SOPInstanceUID": ("00080018", "uid"),
    "InstanceNumber": ("00200013", "number"),
}
_HARMLESS = frozenset({"limit", "offset", "includefield", "fuzzymatching"})
_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")


def search_studies(access: Access, query: Query) -> list[Json]:
    """Studies that match.

    Raises
    ------
    SearchRefusedError
    """
    found = _here(access).filter(_condition(query, (_STUDY_KEYS, "")))
    counted = found.annotate(
        modalities=ArrayAgg("series__modality", distinct=True, default=[]),
        series_count=Count("series", distinct=True),
        slices=Count("series__instances", distinct=True),
    )
    return [_study_json(study) for study in _window(counted.order_by("pk"), query)]


def search_series(access: Access, query: Query, study: str = "") -> list[Json]:
    """Series that match, of one study or of all.

    Raises
    ------
    SearchRefusedError, NotFound
    """
    condition = _condition(query, (_STUDY_KEYS, "study__"), (_SERIES_KEYS, ""))
    found = Series.objects.filter(condition, study__in=_studies(access, study)).select_related(
        "study__subject"
    )
    counted = found.annotate(slices=Count("instances")).order_by("study", "number", "pk")
    return [_series_json(series) for series in _window(counted, query)]


def search_instances(access: Access, query: Query, study: str = "", series: str = "") -> list[Json]:
    """Instances that match, of one series, of one study or of all.

    Raises
    ------
    SearchRefusedError, NotFound
    """
    keys = ((_STUDY_KEYS, "series__study__"), (_SERIES_KEYS, "series__"), (_INSTANCE_KEYS, ""))
    found = _instances(access, study, series).filter(_condition(query, *keys))
    return [_instance_json(instance) for instance in _window(found, query)]


def instances_of(access: Access, study: str, series: str = "", instance: str = "") -> QuerySet[Instance]:
    """Instances of a study, of one of its series, or one of them, in their order in the patient.

    Raises
    ------
    NotFound
        There is none.
    """
    found = _instances(access, study, series)
    if instance:
        found = found.filter(uid=instance)
    if not found.exists():
        raise NotFound
    return found


def metadata_of(instances: Iterable[Instance]) -> list[Json]:
    """What viewers need of each instance to sort, show and measure it."""
    return [_metadata(instance) for instance in instances]


def _here(access: Access) -> QuerySet[Study]:
    return studies_visible_to(access).exclude(state=StudyState.WITHDRAWN)


def _studies(access: Access, uid: str) -> QuerySet[Study]:
    found = _here(access)
    if not uid:
        return found
    found = found.filter(uid=uid)
    if not found.exists():
        raise NotFound
    return found


def _instances(access: Access, study: str, series: str) -> QuerySet[Instance]:
    found = Instance.objects.filter(series__study__in=_studies(access, study))
    if series:
        found = found.filter(series__uid=series)
    return found.select_related("series__study__subject").order_by("series", "depth", "pk")


def _condition(query: Query, *levels: tuple[Mapping[str, tuple[str, str]], str]) -> Q:
    """What a query asks, by keyword or tag. A key that is not searched by is refused, for it would match everything."""
    lookups: dict[str, tuple[str, str]] = {}
    for keys, prefix in levels:
        for keyword, (tag, lookup) in keys.items():
            lookups[keyword] = lookups[tag] = (keyword, prefix + lookup)
    condition = Q()
    for key, value in query.items():
        if key in _HARMLESS or not value:
            continue
        if key not in lookups:
            known = ", ".join(keyword for keys, _ in levels for keyword in keys)
            raise SearchRefusedError(message=f"Images are not searched by {key[:64]}. Known: {known}.")
        condition &= _one(*lookups[key], value)
    return condition


def _one(keyword: str, lookup: str, value: str) -> Q:
    if keyword == "StudyDate":
        first, dash, last = value.partition("-")
        start, end = _day(first), _day(last if dash else first)
        lower = Q(**{f"{lookup}__gte": start}) if start else Q()
        return lower & (Q(**{f"{lookup}__lte": end}) if end else Q())
    values = [part for part in re.split(r"[,\\]", value) if part]
    if keyword == "ModalitiesInStudy":
        return Q(**{f"{lookup}__in": Series.objects.filter(modality__in=values).values("study")})
    if keyword.endswith("Number") and not all(re.fullmatch(r"-?\d{1,9}", each) for each in values):
        raise SearchRefusedError(message=f"{keyword} is a whole number.")
    return Q(**{f"{lookup}__in": values})


def _day(text: str) -> date | None:
    if not text:
        return None
    match = _DAY.fullmatch(text)
    try:
        return date(*map(int, match.groups())) if match else date.fromisoformat(text)
    except ValueError as error:
        raise SearchRefusedError(message="StudyDate is YYYYMMDD, or two of them with a dash.") from error


def _window(found: QuerySet[Any], query: Query) -> QuerySet[Any]:
    limit, offset = _number(query, "limit", LIMIT), _number(query, "offset", 0)
    return found[offset : offset + min(limit, MOST)]


def _number(query: Query, name: str, default: int) -> int:
    text = query.get(name, "") or str(default)
    if not re.fullmatch(r"\d{1,9}", text):
        raise SearchRefusedError(message=f"{name} is a whole number.")
    return int(text)


def _element(vr: str, *values: Any) -> Json:
    present = [value for value in values if value not in (None, "")]
    return {"vr": vr, "Value": present} if present else {"vr": vr}


def _patient(study: Study) -> Json:
    number = study.subject.number
    return {
        "00080020": _element("DA", f"{study.shifted_date:%Y%m%d}" if study.shifted_date else ""),
        "00100010": _element("PN", {"Alphabetic": number}),
        "00100020": _element("LO", number),
        "0020000D": _element("UI", study.uid),
    }


def _study_json(study: Any) -> Json:
    return {
        **_patient(study),
        "00080061": _element("CS", *study.modalities),
        "00120050": _element("LO", str(study.visit)),
        "00201206": _element("IS", study.series_count),
        "00201208": _element("IS", study.slices),
    }


def _series_json(series: Any) -> Json:
    return {
        "0020000D": _element("UI", series.study.uid),
        **_series_elements(series),
        "00201209": _element("IS", series.slices),
    }


def _series_elements(series: Series) -> Json:
    return {
        "00080060": _element("CS", series.modality),
        "0008103E": _element("LO", series.label),
        "0020000E": _element("UI", series.uid),
        "00200011": _element("IS", series.number),
    }


def _instance_json(instance: Instance) -> Json:
    kept = ("00080016", "00280010", "00280011", "00280100")
    return {
        **{tag: instance.attributes[tag] for tag in kept if tag in instance.attributes},
        "00080018": _element("UI", instance.uid),
        "0020000D": _element("UI", instance.series.study.uid),
        "0020000E": _element("UI", instance.series.uid),
        "00200013": _element("IS", instance.number),
    }


def _metadata(instance: Instance) -> Json:
    series = instance.series
    document = {
        **instance.attributes,
        **_patient(series.study),
        **_series_elements(series),
        **_instance_json(instance),
        "00200052": _element("UI", series.frame_of_reference_uid),
    }
    return dict(sorted(document.items()))
