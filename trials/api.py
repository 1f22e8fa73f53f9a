"""Trials and protocols for programs: which forms there are, and what their items take."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from foundation import clock
from foundation.api import Input, Text, asked, page_of, problems, rows_as, whole_list
from foundation.errors import NotFound
from trials import selectors
from trials.models import ProtocolVersion, Trial, VersionState
from trials.schema import Form, Protocol
from trials.schema.forms import ItemType

TAGS = ["trials"]


class VersionShown(serializers.Serializer[Any]):
    """A protocol as it was published."""

    label = serializers.CharField()  # type: ignore[assignment]
    sha256 = serializers.CharField(help_text="Of the content; it never changes.")
    effective_from = serializers.DateField()
    state = serializers.ChoiceField(choices=VersionState.choices)


class TrialShown(serializers.Serializer[Any]):
    """A trial."""

    code = serializers.CharField()
    title = serializers.CharField()
    short_title = serializers.CharField()
    sponsor = serializers.CharField()
    registry_id = serializers.CharField()
    phase = serializers.CharField()


class TrialRow(TrialShown):
    """A trial, with its version in force."""

    version = VersionShown(allow_null=True)


class SiteShown(serializers.Serializer[Any]):
    """A site of a trial."""

    code = serializers.CharField()
    name = serializers.CharField()
    country = serializers.CharField()
    time_zone = serializers.CharField()


class TrialDetail(TrialShown):
    """A trial, with its sites and all versions."""

    sites = SiteShown(many=True)
    versions = VersionShown(many=True)


class CodeShown(serializers.Serializer[Any]):
    """A code and its words."""

    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class LimitsShown(serializers.Serializer[Any]):
    """What is possible for anybody, both ends included."""

    min = serializers.CharField(allow_null=True)
    max = serializers.CharField(allow_null=True)
    unit = serializers.CharField()


class ItemShown(serializers.Serializer[Any]):
    """A question of a form."""

    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.ChoiceField(choices=list(ItemType.__args__))  # type: ignore[attr-defined]
    units = serializers.ListField(child=serializers.CharField(), help_text="Units that may be chosen.")
    unit = serializers.CharField(help_text="The one unit of a plain number.")
    required = serializers.BooleanField()  # type: ignore[assignment]
    codelist = serializers.CharField()
    possible = LimitsShown(allow_null=True)
    show_if = serializers.CharField(help_text="Rule: asked only where it is true; empty: always.")
    derive = serializers.CharField(help_text="Rule: the value is calculated and cannot be sent.")
    help = serializers.CharField()


class GroupShown(serializers.Serializer[Any]):
    """Items under one heading."""

    title = serializers.CharField()
    show_if = serializers.CharField()
    items = ItemShown(many=True)


class CheckShown(serializers.Serializer[Any]):
    """An edit check: false fires."""

    id = serializers.CharField()
    item = serializers.CharField()
    kind = serializers.ChoiceField(choices=["soft", "hard"])
    rule = serializers.CharField()
    message = serializers.CharField()


class CodelistShown(serializers.Serializer[Any]):
    """Codes that an item may take."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    codes = CodeShown(many=True)


class FormRow(serializers.Serializer[Any]):
    """A form, in a list."""

    code = serializers.CharField()
    name = serializers.CharField()
    repeating = serializers.BooleanField()
    date_item = serializers.CharField(help_text="The item that dates its facts; empty: the visit's date.")


class FormDefinition(FormRow):
    """A form, with all that it asks."""

    groups = GroupShown(many=True)
    checks = CheckShown(many=True)
    codelists = CodelistShown(many=True)


class PlannedVisitShown(serializers.Serializer[Any]):
    """A visit of the plan."""

    code = serializers.CharField()
    name = serializers.CharField()
    imaging = serializers.BooleanField()
    forms = serializers.ListField(child=serializers.CharField())


class ProtocolShown(serializers.Serializer[Any]):
    """What a version of the protocol plans."""

    version = VersionShown()
    visits = PlannedVisitShown(many=True)
    logs = serializers.ListField(child=serializers.CharField(), help_text="Forms that run beside the visits.")
    forms = FormRow(many=True)


class VersionQuery(Input):
    """Which version of a protocol."""

    version = Text(required=False, default="", help_text="Its label; without one, the version in force.")


class Trials(Endpoint):
    """Trials that one may see."""

    sees = "report.view"

    @extend_schema(
        operation_id="trials",
        tags=TAGS,
        summary="List trials",
        responses={200: page_of(TrialRow), **problems()},
    )
    def get(self, request: Request) -> Response:
        """Trials that you may see, each with its protocol version in force."""
        found = selectors.trials_in_force(self.access, clock.today())
        return whole_list([_row(each) for each in found])


def _row(found: selectors.TrialInForce) -> dict[str, Any]:
    version = None if found.version is None else VersionShown(found.version).data
    return {**TrialShown(found.trial).data, "version": version}


class OneTrial(Endpoint):
    """A trial."""

    sees = "report.view"

    @extend_schema(
        operation_id="trial", tags=TAGS, summary="Show a trial", responses={200: TrialDetail, **problems(404)}
    )
    def get(self, request: Request, trial: str) -> Response:
        """A trial with its sites and all its protocol versions, the newest first."""
        found = selectors.get_trial(self.access, trial)
        sites, versions = selectors.sites_of(found), selectors.versions_of(found)
        return Response(
            {
                **TrialShown(found).data,
                "sites": rows_as(SiteShown, sites),
                "versions": rows_as(VersionShown, versions),
            }
        )


class ProtocolOfTrial(Endpoint):
    """A protocol."""

    sees = "report.view"

    @extend_schema(
        operation_id="protocol",
        tags=TAGS,
        summary="Show a protocol",
        parameters=[VersionQuery],
        responses={200: ProtocolShown, **problems(404, 422)},
    )
    def get(self, request: Request, trial: str) -> Response:
        """Visits, running logs and forms of a protocol version."""
        version = _version(selectors.get_trial(self.access, trial), request)
        protocol = version.protocol
        shown = {
            "version": version,
            "visits": protocol.visits,
            "logs": protocol.logs,
            "forms": protocol.forms,
        }
        return Response(ProtocolShown(shown).data)


class FormOfTrial(Endpoint):
    """A form as the protocol defines it."""

    sees = "report.view"

    @extend_schema(
        operation_id="protocol_form",
        tags=TAGS,
        summary="Show a form of a protocol",
        parameters=[VersionQuery],
        responses={200: FormDefinition, **problems(404, 422)},
    )
    def get(self, request: Request, trial: str, form: str) -> Response:
        """The items of a form with their units, codes and limits, and its edit checks."""
        protocol = _version(selectors.get_trial(self.access, trial), request).protocol
        found = next((each for each in protocol.forms if each.code == form), None)
        if found is None:
            raise NotFound
        codelists = rows_as(CodelistShown, _codelists(protocol, found))
        return Response(
            {
                **FormRow(found).data,
                "groups": rows_as(GroupShown, found.groups),
                "checks": rows_as(CheckShown, found.checks),
                "codelists": codelists,
            }
        )


def _codelists(protocol: Protocol, form: Form) -> list[Any]:
    used = {item.codelist or ("NY" if item.type == "yesno" else "") for item in form.items}
    return [each for each in protocol.codelists if each.name in used]


def _version(trial: Trial, request: Request) -> ProtocolVersion:
    label = asked(request, VersionQuery)["version"]
    return selectors.version_shown(list(selectors.versions_of(trial)), label, clock.today())
