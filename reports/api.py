"""Exports for programs: asked for, watched, fetched."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from foundation.api import (
    Input,
    NumberPageQuery,
    Text,
    asked,
    keyset_page,
    page_of,
    problems,
    received,
    rows_as,
)
from foundation.errors import NotFound
from foundation.tasks import enqueue
from reports import services, tasks
from reports.archives import file_name, take_archive
from reports.models import ExportFormat, ExportState
from reports.selectors import exports_visible_to, get_export
from trials.selectors import trials_visible_to

TAGS = ["exports"]
ARCHIVE = "application/zip"


class ExportShown(serializers.Serializer[Any]):
    """An export that you asked for."""

    id = serializers.IntegerField(source="pk")
    trial = serializers.CharField(source="trial.code")
    sites = serializers.ListField(child=serializers.CharField(), help_text="None: all sites of the trial.")
    subject = serializers.CharField(
        source="subject.number", default=None, help_text="The only one; null: all of these sites."
    )
    format = serializers.ChoiceField(choices=ExportFormat.choices)
    as_of = serializers.DateTimeField(allow_null=True)
    requested_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=ExportState.choices)
    done = serializers.IntegerField(help_text="Files and reads that are made.")
    total = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Of the archive; empty until it is done.")
    problem = serializers.CharField(help_text="Why it failed, or what is missing in it.")


class ExportDetail(ExportShown):
    """An export with its manifest."""

    manifest = serializers.JSONField(
        allow_null=True, help_text="Files with SHA-256, what is missing, and what was left out."
    )


class Wanted(Input):
    """What to export."""

    trial = Text()
    sites = serializers.ListField(
        child=Text(),
        required=False,
        default=list,
        max_length=1000,
        help_text="None: all that you may export.",
    )
    format = serializers.ChoiceField(
        choices=ExportFormat.choices,
        required=False,
        default=ExportFormat.CSV,
        help_text="`odm`: with every change and signature. `dicom` also needs `image.view` and `read.oversee`.",
    )
    subject = Text(
        required=False,
        default="",
        help_text="Number of the only subject, of ODM, images and reads; empty: all.",
    )
    as_of = serializers.DateTimeField(
        required=False,
        default=None,
        allow_null=True,
        help_text="A moment in the past, of data; null: as it is now.",
    )


class Exports(Endpoint):
    """One's own exports."""

    sees = "export.run"
    does = {"POST": "export.run"}

    @extend_schema(
        operation_id="exports",
        tags=TAGS,
        summary="List exports",
        parameters=[NumberPageQuery],
        responses={200: page_of(ExportShown), **problems(404, 422)},
    )
    def get(self, request: Request) -> Response:
        """Exports that you asked for, the newest first."""
        wanted = asked(request, NumberPageQuery)
        found = exports_visible_to(self.access)
        return keyset_page(request, found, wanted, lambda rows: rows_as(ExportShown, rows), key="-pk")

    @extend_schema(
        operation_id="request_export",
        tags=TAGS,
        summary="Ask for an export",
        request=Wanted,
        responses={202: ExportShown, **problems(400, 403, 404, 422)},
    )
    def post(self, request: Request) -> Response:
        """Ask for an export; a worker makes it. Look at it again until its state is `DONE` or `FAILED`."""
        sent = received(request, Wanted)
        trial = trials_visible_to(self.access, (self.sees,)).filter(code=sent["trial"]).first()
        if trial is None:
            raise NotFound
        made = services.request_export(
            actor=self.access.actor(trial.code),
            access=self.access,
            trial=trial,
            file_format=sent["format"],
            sites=tuple(sent["sites"]),
            subject=sent["subject"],
            as_of=sent["as_of"],
        )
        enqueue(tasks.make_export, made.pk)
        return Response(ExportShown(get_export(self.access, made.pk)).data, status=202)


class OneExport(Endpoint):
    """An export."""

    sees = "export.run"

    @extend_schema(
        operation_id="export",
        tags=TAGS,
        summary="Show an export",
        responses={200: ExportDetail, **problems(404)},
    )
    def get(self, request: Request, export: int) -> Response:
        """An export: its progress, then its manifest."""
        return Response(ExportDetail(get_export(self.access, export)).data)


class ExportFile(Endpoint):
    """The archive of an export."""

    sees = "export.run"

    @extend_schema(
        operation_id="export_file",
        tags=TAGS,
        summary="Fetch the archive of an export",
        responses={
            (200, ARCHIVE): OpenApiResponse(OpenApiTypes.BINARY, description="A zip archive."),
            **problems(404, 409),
        },
    )
    def get(self, request: Request, export: int) -> FileResponse:
        """The archive; its SHA-256 stands in the export."""
        found = get_export(self.access, export)
        archive = take_archive(actor=self.access.actor(found.trial.code), export=found)
        return FileResponse(archive, as_attachment=True, filename=file_name(found), content_type=ARCHIVE)
