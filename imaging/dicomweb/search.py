"""QIDO-RS: which studies, series and instances there are."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from imaging.dicomweb.endpoints import Images, told
from imaging.selectors import dicomweb


class SeriesFound(Images):
    """Series of a study, or of all."""

    def get(self, request: Request, study_uid: str = "") -> HttpResponse:
        """Search series."""
        return told(dicomweb.search_series(self.access, request.query_params.dict(), study_uid))


class InstancesFound(Images):
    """Instances of a series, of a study, or of all."""

    def get(self, request: Request, study_uid: str = "", series_uid: str = "") -> HttpResponse:
        """Search instances."""
        query = request.query_params.dict()
        return told(dicomweb.search_instances(self.access, query, study_uid, series_uid))


class Metadata(Images):
    """What the headers of a study, a series or an instance say (WADO-RS)."""

    def get(
        self, request: Request, study_uid: str, series_uid: str = "", instance_uid: str = ""
    ) -> HttpResponse:
        """Headers, without pixels."""
        found = dicomweb.instances_of(self.access, study_uid, series_uid, instance_uid)
        return told(dicomweb.metadata_of(found))
