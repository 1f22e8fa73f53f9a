"""Who is let into the interface for programs: the base of every endpoint, and who one is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.http.response import HttpResponseBase
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Access
from accounts.decorators import SIGNED_IN
from accounts.errors import ScopeMissing
from accounts.models import ApiToken
from accounts.policies import ROLES
from audit.context import origin
from foundation.api import AlwaysTheSame, PersonThrottle, StrangerThrottle, problems
from foundation.errors import Forbidden, NotFound

ORIGIN = "api"


class Endpoint(APIView):
    """An address for programs. It says who may see it and who may write there; a test walks all of them.

    Who holds `sees` nowhere is told that nothing is here, as on pages. Who sees a thing and may not do what was asked
    is told so (403). The method still asks for the trial and site: `self.access.require(…)`.
    """

    parser_classes: Any = (JSONParser,)
    content_negotiation_class = AlwaysTheSame
    throttle_classes = (PersonThrottle,)

    sees: ClassVar[str] = ""
    """Permission to see it, or `SIGNED_IN` for what is one's own."""
    does: ClassVar[Mapping[str, str]] = {}
    """Permission that a writing method needs besides, by method."""
    also: ClassVar[tuple[str, ...]] = ()
    """Permissions that every role with `sees` holds too, and that a token must have been given."""

    @property
    def access(self) -> Access:
        """What the caller may do."""
        return cast("Access", self.request._request.access)  # type: ignore[attr-defined]  # noqa: SLF001

    def needed(self, method: str) -> tuple[str, ...]:
        """Permissions that a method needs."""
        names = (*self.also, self.sees, self.does.get(method, ""))
        return tuple(dict.fromkeys(name for name in names if name and name != SIGNED_IN))

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer; what is written meanwhile says that it came this way."""
        with origin(ORIGIN):
            return super().dispatch(request, *args, **kwargs)

    def check_permissions(self, request: Request) -> None:
        """Only people who may see this somewhere, and only with what their token was given.

        Raises
        ------
        foundation.errors.NotFound, foundation.errors.Forbidden, accounts.errors.ScopeMissing
        """
        super().check_permissions(request)
        method = request.method or ""
        if any("\x00" in str(part) for part in self.kwargs.values()):
            raise NotFound
        for name in self.needed(method):
            if self.access.only is not None and name not in self.access.only:
                raise ScopeMissing(permission=name)
        if self.sees != SIGNED_IN and not self.access.may_anywhere(self.sees):
            raise NotFound
        wanted = self.does.get(method)
        if wanted is not None and not self.access.may_anywhere(wanted):
            raise Forbidden
        if wanted is not None:
            self.access.require_editing(wanted)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a refusal; addresses that try too often without a key have to wait."""
        if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
            throttle = StrangerThrottle()
            if not throttle.allow_request(self.request, self):
                exc = exceptions.Throttled(throttle.wait())
        return super().handle_exception(exc)


class Description(AutoSchema):
    """The OpenAPI description of an endpoint; it says which permission is needed."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """The operation, with `x-permissions`."""
        operation = super().get_operation(*args, **kwargs)
        if operation is not None and isinstance(self.view, Endpoint):
            operation["x-permissions"] = list(self.view.needed(self.method))
        return operation


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the description names a token."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """HTTP bearer."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token from My account, Access tokens: `Authorization: Bearer hilum_…`.",
        }


class RoleShown(serializers.Serializer[Any]):
    """A role that is held now."""

    role = serializers.ChoiceField(choices=list(ROLES.items()))
    trial = serializers.CharField(help_text="Empty: all trials.")
    site = serializers.CharField(help_text="Empty: all sites.")


class TokenShown(serializers.Serializer[Any]):
    """The token that the request came with."""

    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField()


class MeShown(serializers.Serializer[Any]):
    """Who asks, and what they may do."""

    name = serializers.CharField()
    roles = RoleShown(many=True)
    token = TokenShown(allow_null=True)


class Me(Endpoint):
    """Who one is here."""

    sees = SIGNED_IN

    @extend_schema(operation_id="me", tags=["me"], summary="Who I am", responses={200: MeShown, **problems()})
    def get(self, request: Request) -> Response:
        """The person behind the session or token, the roles held now, and what the token was given."""
        token = request.auth if isinstance(request.auth, ApiToken) else None
        shown = {"name": self.access.name, "roles": self.access.role_grants, "token": token}
        return Response(MeShown(shown).data)
