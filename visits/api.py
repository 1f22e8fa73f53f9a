"""Visits for programs: reading them. Recording one moves what is entered too, so it stands in the casebook."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from foundation.api import page_of, problems, rows_as, whole_list
from patients.selectors import get_subject
from visits.models import VisitState
from visits.selectors import visits_of

TAGS = ["visits"]


class VisitShown(serializers.Serializer[Any]):
    """A visit, planned or recorded."""

    name = serializers.CharField(
        source="__str__", help_text="The code, with a number where there are several."
    )
    code = serializers.CharField()
    sequence = serializers.IntegerField()
    state = serializers.ChoiceField(choices=VisitState.choices)
    target = serializers.DateField(allow_null=True)
    earliest = serializers.DateField(allow_null=True, help_text="First day of the window.")
    latest = serializers.DateField(allow_null=True, help_text="Last day of the window.")
    because = serializers.CharField(help_text="How the dates were worked out.")
    happened_on = serializers.DateField(allow_null=True)
    missed_reason = serializers.CharField()


class VisitsOfSubject(Endpoint):
    """Visits of a subject."""

    sees = "subject.view"

    @extend_schema(
        operation_id="visits",
        tags=TAGS,
        summary="List the visits of a subject",
        responses={200: page_of(VisitShown), **problems(404)},
    )
    def get(self, request: Request, number: str) -> Response:
        """Visits with their windows, in the order of the protocol."""
        subject = get_subject(self.access, number)
        return whole_list(rows_as(VisitShown, visits_of(subject)))
