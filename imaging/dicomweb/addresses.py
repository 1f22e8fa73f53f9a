"""Addresses of DICOMweb, as PS3.18 names them: without a slash at the end."""

from __future__ import annotations

from django.urls import URLPattern, path, register_converter

from imaging.dicomweb.retrieve import Files, Frame
from imaging.dicomweb.search import InstancesFound, Metadata, SeriesFound
from imaging.dicomweb.store import StudiesStored


class UidConverter:
    """A DICOM unique identifier."""

    regex = r"[0-9.]{1,64}"

    def to_python(self, value: str) -> str:
        """As it is."""
        return value

    def to_url(self, value: str) -> str:
        """As it is."""
        return value


register_converter(UidConverter, "uid")

_STUDY = "studies/<uid:study_uid>"
_SERIES = f"{_STUDY}/series/<uid:series_uid>"
_INSTANCE = f"{_SERIES}/instances/<uid:instance_uid>"

ADDRESSES: list[URLPattern] = [
    path("studies", StudiesStored.as_view(), name="dicomweb-studies"),
    path("series", SeriesFound.as_view(), name="dicomweb-all-series"),
    path("instances", InstancesFound.as_view(), name="dicomweb-all-instances"),
    path(_STUDY, Files.as_view(), name="dicomweb-study"),
    path(f"{_STUDY}/metadata", Metadata.as_view(), name="dicomweb-study-metadata"),
    path(f"{_STUDY}/series", SeriesFound.as_view(), name="dicomweb-series-of-study"),
    path(f"{_STUDY}/instances", InstancesFound.as_view(), name="dicomweb-instances-of-study"),
    path(_SERIES, Files.as_view(), name="dicomweb-series"),
    path(f"{_SERIES}/metadata", Metadata.as_view(), name="dicomweb-series-metadata"),
    path(f"{_SERIES}/instances", InstancesFound.as_view(), name="dicomweb-instances"),
    path(_INSTANCE, Files.as_view(), name="dicomweb-instance"),
    path(f"{_INSTANCE}/metadata", Metadata.as_view(), name="dicomweb-instance-metadata"),
    path(f"{_INSTANCE}/frames/<int:frame>", Frame.as_view(), name="dicomweb-frame"),
]
