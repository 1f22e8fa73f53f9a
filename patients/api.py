"""Subjects for programs."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from foundation.api import Input, PageQuery, Text, asked, keyset_page, page_of, problems, received, rows_as
from patients.models import Subject, SubjectStatus
from patients.selectors import get_subject, subjects_visible_to
from patients.services import enter_patient
from trials.models import Site, Trial

TAGS = ["subjects"]


class SubjectShown(serializers.Serializer[Any]):
    """A patient in one trial."""

    number = serializers.CharField()
    trial = serializers.CharField(source="trial.code")
    site = serializers.CharField(source="site.code")
    patient = serializers.CharField(source="patient.code", help_text="Pseudonymous code at the site.")
    status = serializers.ChoiceField(choices=SubjectStatus.choices)
    status_since = serializers.DateField(allow_null=True)
    sub_study = serializers.CharField(help_text="Empty until the subject is routed.")
    protocol_version = serializers.CharField(source="version.label")
    screened_at = serializers.DateTimeField()


class SubjectQuery(PageQuery):
    """Which subjects."""

    trial = Text(required=False, default="", help_text="Code of a trial.")
    site = Text(required=False, default="", help_text="Code of a site.")
    status = serializers.ChoiceField(choices=SubjectStatus.choices, required=False, default="")
    q = Text(required=False, default="", help_text="Part of the number or of the patient's code.")


class Registration(Input):
    """A patient to register."""

    patient = Text(help_text="Pseudonymous code; never a name, a birth date or a record number.")
    site = Text()
    trials = serializers.ListField(child=Text(), min_length=1, max_length=20)


class Registered(serializers.Serializer[Any]):
    """What came of it."""

    subjects = SubjectShown(many=True, help_text="One for each trial, in the order of their codes.")


class Subjects(Endpoint):
    """Subjects that one may see."""

    sees = "subject.view"
    does = {"POST": "subject.register"}

    @extend_schema(
        operation_id="subjects",
        tags=TAGS,
        summary="List subjects",
        parameters=[SubjectQuery],
        responses={200: page_of(SubjectShown), **problems(404, 422)},
    )
    def get(self, request: Request) -> Response:
        """Subjects of your sites, by number."""
        wanted = asked(request, SubjectQuery)
        found = _narrowed(subjects_visible_to(self.access).defer("version__definition"), wanted)
        return keyset_page(request, found, wanted, lambda rows: rows_as(SubjectShown, rows), key="number")

    @extend_schema(
        operation_id="register_subject",
        tags=TAGS,
        summary="Register a patient",
        request=Registration,
        responses={201: Registered, **problems(400, 403, 404, 409, 422)},
    )
    def post(self, request: Request) -> Response:
        """Register a patient at a site and begin screening for one or more trials, all or nothing.

        A patient who is at the site already is taken as known, so that a second trial can be added later.
        """
        sent = received(request, Registration)
        codes = sorted(set(sent["trials"]))
        for code in codes:
            self.access.require("subject.register", code, sent["site"])
        made = enter_patient(
            actor=self.access.actor(codes[0], sent["site"]),
            site=Site.objects.get(code=sent["site"]),
            code=sent["patient"],
            trials=list(Trial.objects.filter(code__in=codes).order_by("code")),
        )
        return Response({"subjects": rows_as(SubjectShown, made)}, status=201)


def _narrowed(found: QuerySet[Subject], wanted: dict[str, Any]) -> QuerySet[Subject]:
    if wanted["q"]:
        found = found.filter(Q(number__icontains=wanted["q"]) | Q(patient__code__icontains=wanted["q"]))
    for key, lookup in (("trial", "trial__code"), ("site", "site__code"), ("status", "status")):
        if wanted[key]:
            found = found.filter(**{lookup: wanted[key]})
    return found


class OneSubject(Endpoint):
    """A subject."""

    sees = "subject.view"

    @extend_schema(
        operation_id="subject",
        tags=TAGS,
        summary="Show a subject",
        responses={200: SubjectShown, **problems(404)},
    )
    def get(self, request: Request, number: str) -> Response:
        """A subject by its number."""
        return Response(SubjectShown(get_subject(self.access, number)).data)
