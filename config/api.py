"""All addresses for programs, in one table; and their description."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request

from accounts.api import Endpoint, Me
from accounts.decorators import SIGNED_IN, public
from casebook.api import forms, queries, signatures
from casebook.api import visits as recording
from eligibility.api import AssessmentsOfSubject, EligibilityOfSubject, OneAssessment
from foundation.errors import NotFound
from foundation.web import page
from imaging.api import FinishUpload, OneStudy, OneUpload, SendFile, StartUpload, Studies
from patients.api import OneSubject, Subjects
from reports.api import ExportFile, Exports, OneExport
from trials.api import FormOfTrial, OneTrial, ProtocolOfTrial, Trials
from visits.api import VisitsOfSubject

SCHEMA_TYPE = "application/vnd.oai.openapi+json"


class NothingHere(Endpoint):
    """Every other address: a program gets a problem, not a page."""

    sees = SIGNED_IN
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse, whatever the method."""
        super().initial(request, *args, **kwargs)
        raise NotFound


SUBJECT = "subjects/<str:number>/"
VISIT = f"{SUBJECT}visits/<str:visit>/"
FORM = f"{SUBJECT}forms/<str:visit>/<str:form>/"
ROW = f"{FORM}<int:repeat>/"
UPLOAD = "uploads/<uuid:upload>/"

ENDPOINTS: list[URLPattern | URLResolver] = [
    path("me/", Me.as_view(), name="me"),
    path("trials/", Trials.as_view(), name="trials"),
    path("trials/<str:trial>/", OneTrial.as_view(), name="trial"),
    path("trials/<str:trial>/protocol/", ProtocolOfTrial.as_view(), name="protocol"),
    path("trials/<str:trial>/protocol/forms/<str:form>/", FormOfTrial.as_view(), name="protocol-form"),
    path("trials/<str:trial>/locks/", signatures.LocksOfTrial.as_view(), name="locks"),
    path("subjects/", Subjects.as_view(), name="subjects"),
    path(SUBJECT, OneSubject.as_view(), name="subject"),
    path(f"{SUBJECT}visits/", VisitsOfSubject.as_view(), name="visits"),
    path(f"{SUBJECT}visits/unscheduled/", recording.UnscheduledVisit.as_view(), name="visit-unscheduled"),
    path(f"{VISIT}happened/", recording.RecordVisit.as_view(), name="visit-happened"),
    path(f"{VISIT}missed/", recording.MissVisit.as_view(), name="visit-missed"),
    path(f"{VISIT}uploads/", StartUpload.as_view(), name="upload-start"),
    path(f"{SUBJECT}forms/", forms.FormsOfSubject.as_view(), name="forms"),
    path(f"{FORM}rows/", forms.RowsOfForm.as_view(), name="form-rows"),
    path(ROW, forms.OneForm.as_view(), name="form"),
    path(f"{ROW}complete/", forms.CompleteForm.as_view(), name="form-complete"),
    path(f"{ROW}not-done/", forms.FormNotDone.as_view(), name="form-not-done"),
    path(f"{ROW}confirm/", forms.ConfirmFinding.as_view(), name="form-confirm"),
    path(f"{SUBJECT}states/", signatures.StatesOfSubject.as_view(), name="states"),
    path(f"{SUBJECT}signatures/", signatures.SignaturesOfSubject.as_view(), name="signatures"),
    path(f"{SUBJECT}eligibility/", EligibilityOfSubject.as_view(), name="eligibility"),
    path(f"{SUBJECT}assessments/", AssessmentsOfSubject.as_view(), name="assessments"),
    path(f"{SUBJECT}assessments/<uuid:reference>/", OneAssessment.as_view(), name="assessment"),
    path("queries/", queries.Queries.as_view(), name="queries"),
    path("queries/<int:query>/", queries.OneQuery.as_view(), name="query"),
    path("queries/<int:query>/answer/", queries.AnswerQuery.as_view(), name="query-answer"),
    path("queries/<int:query>/close/", queries.CloseQuery.as_view(), name="query-close"),
    path("queries/<int:query>/reopen/", queries.ReopenQuery.as_view(), name="query-reopen"),
    path("studies/", Studies.as_view(), name="studies"),
    path("studies/<uuid:study>/", OneStudy.as_view(), name="study"),
    path(UPLOAD, OneUpload.as_view(), name="upload"),
    path(f"{UPLOAD}files/<int:index>/", SendFile.as_view(), name="upload-file"),
    path(f"{UPLOAD}finish/", FinishUpload.as_view(), name="upload-finish"),
    path("exports/", Exports.as_view(), name="exports"),
    path("exports/<int:export>/", OneExport.as_view(), name="export"),
    path("exports/<int:export>/file/", ExportFile.as_view(), name="export-file"),
]


PARAMETERS: Mapping[str, str] = {
    "number": "Number of the subject, such as TDX-001-003.",
    "visit": "Name of the visit, such as M4 or D14.2; `log` for a running log.",
    "form": "Code of the form, such as LB.",
    "repeat": "Number of the row; 1 where the form does not repeat.",
    "trial": "Code of the trial.",
    "reference": "Reference of the assessment.",
    "query": "Number of the query.",
    "study": "Identifier of the study.",
    "upload": "Identifier of the upload.",
    "index": "Place of the file in the list that was announced, from 0.",
    "export": "Number of the export.",
}
"""What the parameters of addresses are."""


# Description --------------------------------------------------------------------------------------------------------


def name_parameters(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of every parameter of an address what it is (a hook of drf-spectacular)."""
    for methods in result["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["description"] = PARAMETERS[parameter["name"]]
    return result


@lru_cache(maxsize=1)
def description() -> dict[str, Any]:
    """The OpenAPI document; the same for everybody, so it is made once."""
    document: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return document


@lru_cache(maxsize=1)
def _description_text() -> str:
    return json.dumps(description(), ensure_ascii=False, indent=1)


@public
@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document, as JSON (which is YAML as well)."""
    return HttpResponse(_description_text(), content_type=SCHEMA_TYPE)


@public
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The same for people."""
    context = {"rooms": _rooms(description()), "title": description()["info"]["title"]}
    return page(request, "api/docs.html", context)


def _rooms(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Operations by tag, ready to be shown, in the order of the table of addresses."""
    rooms: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for address, methods in document["paths"].items():
        for method, operation in methods.items():
            rooms[operation["tags"][0]].append(_operation(document, address, method, operation))
    words = {tag["name"]: tag["description"] for tag in document["tags"]}
    return [
        {"name": name, "words": words[name], "operations": found} for name, found in rooms.items() if found
    ]


def _operation(
    document: Mapping[str, Any], address: str, method: str, operation: Mapping[str, Any]
) -> dict[str, Any]:
    answers = operation["responses"]
    done = next(status for status in answers if status.startswith("2"))
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "parts": address.strip("/").split("/"),
        "summary": operation["summary"],
        "paragraphs": [" ".join(each.split()) for each in _plain(operation["description"]).split("\n\n")],
        "permissions": operation["x-permissions"],
        "parameters": [
            {**each, "description": _plain(each.get("description", ""))}
            for each in operation.get("parameters", [])
        ],
        "body": list(_fields(document, _content(operation.get("requestBody", {})))),
        "done": done,
        "answer": list(_fields(document, _content(answers[done]))),
        "problems": [
            {"status": status, "words": _plain(answer["description"])}
            for status, answer in answers.items()
            if not status.startswith("2")
        ],
    }


def _plain(words: str) -> str:
    """Words without the marks of Markdown."""
    return words.replace("`", "")


def _content(part: Mapping[str, Any]) -> Mapping[str, Any]:
    content = part.get("content", {})
    nothing: dict[str, Any] = {}
    found: Mapping[str, Any] = next(iter(content.values()), nothing).get("schema", nothing)
    return found


def _fields(
    document: Mapping[str, Any], shape: Mapping[str, Any], path: str = ""
) -> Iterator[dict[str, Any]]:
    """The fields of a shape, those inside it by their dotted names."""
    shape, seen = _resolved(document, shape)
    required = set(shape.get("required", ()))
    for name, field in shape.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        inner, kind = _inside(document, field)
        yield {
            "name": here + kind,
            "type": _type(document, inner),
            "required": name in required,
            "words": _plain(field.get("description", "")),
            "codes": inner.get("enum", ()),
        }
        if inner.get("properties") and here.count(".") < 2 and seen not in path:
            yield from _fields(document, inner, here + kind)


def _inside(document: Mapping[str, Any], field: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """What a field holds, and a mark for lists (`[]`) and for things by name (`{}`)."""
    found, _ = _resolved(document, field)
    if found.get("type") == "array":
        return _resolved(document, found["items"])[0], "[]"
    if isinstance(found.get("additionalProperties"), Mapping):
        return _resolved(document, found["additionalProperties"])[0], "{}"
    return found, ""


def _resolved(document: Mapping[str, Any], shape: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """A shape without its reference, its choice against null, or its single wrapper; and its name."""
    choices = shape.get("allOf") or shape.get("oneOf") or ()
    solid = [each for each in choices if each.get("type") != "null" and each != {"enum": [""]}]
    if "$ref" not in shape and "type" not in shape and solid:
        return _resolved(document, solid[0])
    if "$ref" not in shape:
        return shape, ""
    name = shape["$ref"].rsplit("/", 1)[-1]
    return document["components"]["schemas"][name], name


def _type(document: Mapping[str, Any], shape: Mapping[str, Any]) -> str:
    kind = shape.get("type", "")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{words}, {shape['format']}" if shape.get("format") else words


app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", schema, name="schema"),
    path("docs/", docs, name="docs"),
    path("v1/", include(ENDPOINTS)),
    re_path(r"^v1/.*$", NothingHere.as_view(), name="nothing"),
]
