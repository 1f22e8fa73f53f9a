"""Images for programs, as the site sees them: studies, and sending files for a visit."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any, cast
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from foundation.api import (
    Input,
    NumberPageQuery,
    Text,
    TooLarge,
    asked,
    keyset_page,
    page_of,
    problems,
    received,
    rows_as,
)
from foundation.tasks import enqueue
from imaging.dicom.intake import MAX_ARCHIVE_BYTES
from imaging.models import Batch, BatchState, FileState, Study, StudyState
from imaging.selectors import pictures, studies
from imaging.services import finish_batch, receive_file, start_batch
from imaging.services.receiving import MAX_FILES, Announced
from imaging.tasks import process_batch
from patients.selectors import get_subject
from visits.selectors import get_visit

TAGS = ["images"]
IN_MEMORY = 2 * 1024 * 1024
CHUNK = 1024 * 1024
FILES_SHOWN = 500


class QualityFinding(serializers.Serializer[Any]):
    """Something that the quality check found."""

    code = serializers.CharField()
    severity = serializers.CharField()
    sentence = serializers.CharField()


class StudyShown(serializers.Serializer[Any]):
    """The images of one examination, at one visit. They were de-identified before they were kept."""

    id = serializers.UUIDField(source="opaque")
    key = serializers.IntegerField(source="pk", help_text="For `after`.")
    subject = serializers.CharField(source="subject.number")
    visit = serializers.CharField()
    state = serializers.ChoiceField(choices=StudyState.choices)
    findings = QualityFinding(many=True)
    accepted_because = serializers.CharField()
    received_at = serializers.DateTimeField()
    checked_at = serializers.DateTimeField(allow_null=True)


class SeriesShown(serializers.Serializer[Any]):
    """Slices that belong together."""

    id = serializers.UUIDField(source="series.opaque")
    modality = serializers.CharField(source="series.modality")
    label = serializers.CharField(source="series.label", help_text="Contrast phase or sequence.")  # type: ignore[assignment]
    contrast = serializers.BooleanField(source="series.contrast")
    thickness_mm = serializers.DecimalField(
        source="series.thickness_mm", max_digits=8, decimal_places=3, allow_null=True
    )
    slices = serializers.IntegerField()
    missing = serializers.IntegerField(help_text="Slices that are missing between others.")
    distance = serializers.CharField(help_text="Between slices, in words.")


class StudyDetail(StudyShown):
    """A study with its series."""

    series = SeriesShown(many=True)


class StudiesQuery(NumberPageQuery):
    """Which studies."""

    trial = Text(required=False, default="")
    subject = Text(required=False, default="", help_text="Number of a subject.")
    state = serializers.ChoiceField(choices=StudyState.choices, required=False, default="")


class AnnouncedFile(Input):
    """A file that will be sent."""

    path = Text(max_length=4000)
    size = serializers.IntegerField(min_value=0, max_value=2**53, help_text="Bytes.")


class Manifest(Input):
    """Everything that will be sent, in a fixed order."""

    files = serializers.ListField(child=AnnouncedFile(), min_length=1, max_length=MAX_FILES)


class Started(serializers.Serializer[Any]):
    """What has to be sent."""

    upload = serializers.UUIDField()
    missing = serializers.ListField(
        child=serializers.IntegerField(), help_text="Indexes of the files that have not arrived."
    )


class ReceiptShown(serializers.Serializer[Any]):
    """What became of one file at once."""

    index = serializers.IntegerField()
    state = serializers.ChoiceField(choices=["received", "duplicate", "rejected"])
    reason = serializers.CharField()


class FileShown(serializers.Serializer[Any]):
    """A file that was not simply accepted."""

    index = serializers.IntegerField()
    state = serializers.ChoiceField(choices=FileState.choices)
    code = serializers.CharField()
    reason = serializers.CharField()


class UploadRow(serializers.Serializer[Any]):
    """How far an upload has come."""

    id = serializers.UUIDField(source="opaque")
    subject = serializers.CharField(source="subject.number")
    visit = serializers.CharField()
    state = serializers.ChoiceField(choices=BatchState.choices)
    problem = serializers.CharField()
    started_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)


class UploadShown(UploadRow):
    """How far an upload has come, and its files."""

    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Number of files by state.")
    files = FileShown(many=True, help_text="Those that were not simply accepted, 500 at most.")


class AnyBytes(BaseParser):
    """A file as it is, kept on the disc while it comes in."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, IO[bytes]]:
        """Take the body.

        Raises
        ------
        foundation.api.TooLarge
        """
        kept = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the view closes it
        while chunk := stream.read(CHUNK):
            kept.write(chunk)
            if kept.tell() > MAX_ARCHIVE_BYTES:
                kept.close()
                raise TooLarge
        return {"content": cast("IO[bytes]", kept)}


class Studies(Endpoint):
    """Studies that one may see."""

    sees = "image.view"

    @extend_schema(
        operation_id="studies",
        tags=TAGS,
        summary="List imaging studies",
        parameters=[StudiesQuery],
        responses={200: page_of(StudyShown), **problems(404, 422)},
    )
    def get(self, request: Request) -> Response:
        """Studies of your sites, in the order in which they came."""
        wanted = asked(request, StudiesQuery)
        found = studies.studies_visible_to(self.access)
        for key, lookup in (
            ("trial", "subject__trial__code"),
            ("subject", "subject__number"),
            ("state", "state"),
        ):
            if wanted[key]:
                found = found.filter(**{lookup: wanted[key]})
        return keyset_page(request, found, wanted, lambda rows: rows_as(StudyShown, rows), key="pk")


class OneStudy(Endpoint):
    """A study."""

    sees = "image.view"

    @extend_schema(
        operation_id="study", tags=TAGS, summary="Show a study", responses={200: StudyDetail, **problems(404)}
    )
    def get(self, request: Request, study: UUID) -> Response:
        """A study with its series and what the quality check says."""
        found: Study = studies.get_study(self.access, study)
        series = rows_as(SeriesShown, pictures.series_of(found))
        return Response({**StudyShown(found).data, "series": series})


class StartUpload(Endpoint):
    """Images for a visit."""

    sees = "image.view"
    also = ("subject.view",)
    does = {"POST": "image.upload"}

    @extend_schema(
        operation_id="start_upload",
        tags=TAGS,
        summary="Announce images for a visit",
        request=Manifest,
        responses={201: Started, **problems(400, 403, 404, 413, 422)},
    )
    def post(self, request: Request, number: str, visit: str) -> Response:
        """Say which files you will send; the answer says which are missing. The same list again resumes."""
        subject = get_subject(self.access, number, "image.upload")
        sent = received(request, Manifest)
        batch, missing = start_batch(
            actor=self.access.actor(subject.trial.code, subject.site.code),
            visit=get_visit(subject, visit),
            files=[Announced(each["path"], each["size"]) for each in sent["files"]],
        )
        return Response({"upload": str(batch.opaque), "missing": missing}, status=201)


class SendFile(Endpoint):
    """One file of an upload."""

    sees = "image.view"
    does = {"PUT": "image.upload"}
    parser_classes = (AnyBytes,)

    @extend_schema(
        operation_id="send_file",
        tags=TAGS,
        summary="Send a file of an upload",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={200: ReceiptShown, **problems(403, 404, 409, 413, 422)},
    )
    def put(self, request: Request, upload: UUID, index: int) -> Response:
        """Send one file as it is: a DICOM object, or a zip archive of them. The same file twice is one."""
        batch = _uploading(self, upload)
        actor = self.access.actor(batch.subject.trial.code, batch.subject.site.code)
        with cast("Mapping[str, IO[bytes]]", request.data).get("content", BytesIO()) as content:
            size = content.seek(0, 2)
            content.seek(0)
            receipt = receive_file(actor=actor, batch=batch, index=index, content=content, size=size)
        return Response({"index": index, "state": receipt.state, "reason": receipt.reason})


class FinishUpload(Endpoint):
    """The end of an upload."""

    sees = "image.view"
    does = {"POST": "image.upload"}

    @extend_schema(
        operation_id="finish_upload",
        tags=TAGS,
        summary="Say that everything was sent",
        request=None,
        responses={202: UploadShown, **problems(403, 404, 409)},
    )
    def post(self, request: Request, upload: UUID) -> Response:
        """Everything was sent; the images are processed now. Refused while files are missing."""
        batch = _uploading(self, upload)
        actor = self.access.actor(batch.subject.trial.code, batch.subject.site.code)
        finish_batch(actor=actor, batch=batch)
        enqueue(process_batch, batch.pk)
        return Response(_upload(_uploading(self, upload)), status=202)


class OneUpload(Endpoint):
    """An upload."""

    sees = "image.view"

    @extend_schema(
        operation_id="upload",
        tags=TAGS,
        summary="Show an upload",
        responses={200: UploadShown, **problems(404)},
    )
    def get(self, request: Request, upload: UUID) -> Response:
        """How far an upload has come, and what became of its files."""
        return Response(_upload(studies.get_batch(self.access, upload)))


def _uploading(endpoint: Endpoint, upload: UUID) -> Batch:
    """The upload, for somebody who may send files for its site.

    Raises
    ------
    foundation.errors.NotFound, foundation.errors.Forbidden
    """
    batch = studies.get_batch(endpoint.access, upload)
    endpoint.access.require("image.upload", batch.subject.trial.code, batch.subject.site.code)
    return batch


def _upload(batch: Batch) -> dict[str, Any]:
    """An upload, and what became of its files."""
    files = studies.files_with_a_reason(batch)[:FILES_SHOWN]
    return {
        **UploadRow(batch).data,
        "counts": dict(studies.file_counts(batch)),
        "files": rows_as(FileShown, files),
    }
