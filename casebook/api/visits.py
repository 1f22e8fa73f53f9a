"""Recording visits; what is counted from them moves along."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from casebook.services.anchors import replan
from foundation.api import Input, Text, problems, received
from patients.selectors import get_subject
from visits.api import VisitShown
from visits.selectors import get_visit
from visits.services import add_unscheduled_visit, miss_visit, record_visit

TAGS = ["visits"]


class Happened(Input):
    """The day of a visit."""

    happened_on = serializers.DateField(help_text="The calendar day at the site; not in the future.")
    reason = Text(required=False, default="", allow_blank=True, help_text="Why a recorded day is corrected.")


class HappenedUnplanned(Input):
    """The day of a visit that no plan asked for."""

    happened_on = serializers.DateField()


class Missed(Input):
    """Why a visit did not take place."""

    reason = Text(max_length=300)


class RecordVisit(Endpoint):
    """A visit that happened."""

    sees = "subject.view"
    does = {"POST": "visit.record"}

    @extend_schema(
        operation_id="record_visit",
        tags=TAGS,
        summary="Record that a visit happened",
        request=Happened,
        responses={200: VisitShown, **problems(400, 403, 404, 409, 422)},
    )
    def post(self, request: Request, number: str, visit: str) -> Response:
        """Record the day of a visit. Visits that are counted from it are planned anew."""
        subject = get_subject(self.access, number, "visit.record")
        found = get_visit(subject, visit)
        actor = self.access.actor(subject.trial.code, subject.site.code)
        done = record_visit(actor=actor, visit=found, **received(request, Happened))
        replan(actor=actor, subject=subject)
        return Response(VisitShown(done).data)


class MissVisit(Endpoint):
    """A visit that did not take place."""

    sees = "subject.view"
    does = {"POST": "visit.record"}

    @extend_schema(
        operation_id="miss_visit",
        tags=TAGS,
        summary="Record that a visit was missed",
        request=Missed,
        responses={200: VisitShown, **problems(400, 403, 404, 409, 422)},
    )
    def post(self, request: Request, number: str, visit: str) -> Response:
        """Record that a visit did not take place, and why."""
        subject = get_subject(self.access, number, "visit.record")
        found = get_visit(subject, visit)
        actor = self.access.actor(subject.trial.code, subject.site.code)
        return Response(VisitShown(miss_visit(actor=actor, visit=found, **received(request, Missed))).data)


class UnscheduledVisit(Endpoint):
    """A visit that no plan asked for."""

    sees = "subject.view"
    does = {"POST": "visit.record"}

    @extend_schema(
        operation_id="add_unscheduled_visit",
        tags=TAGS,
        summary="Record an unscheduled visit",
        request=HappenedUnplanned,
        responses={201: VisitShown, **problems(400, 403, 404, 422)},
    )
    def post(self, request: Request, number: str) -> Response:
        """Record a visit that no plan asked for; it may hold any form of a follow-up visit."""
        subject = get_subject(self.access, number, "visit.record")
        sent: dict[str, Any] = received(request, HappenedUnplanned)
        actor = self.access.actor(subject.trial.code, subject.site.code)
        made = add_unscheduled_visit(actor=actor, subject=subject, **sent)
        return Response(VisitShown(made).data, status=201)
