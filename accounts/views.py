"""Pages of the room: signing in, one's own account, people and their roles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account import views as allauth
from allauth.mfa.base import views as factors
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import forms, selectors, services
from accounts.adapter import REFUSED
from accounts.errors import GrantEnded
from accounts.middleware import ENDED
from accounts.models import ApiToken, Grant, User
from audit.context import request_actor
from foundation.clock import now
from foundation.errors import DomainError, Invalid, NotFound
from foundation.web import page


class SignInView(allauth.LoginView):
    """User name and password; says why a session ended."""

    template_name = "accounts/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With `ended`: `idle` or `expired` where that ended the last session."""
        return {**super().get_context_data(**kwargs), "ended": self.request.session.get(ENDED, "")}


class SecondFactorView(factors.AuthenticateView):
    """The code of the second factor."""

    template_name = "accounts/sign_in_factor.html"


class SignOutView(allauth.LogoutView):
    """Asks on GET, signs out on POST."""

    template_name = "accounts/sign_out.html"


sign_in = SignInView.as_view()
second_factor = SecondFactorView.as_view()
sign_out = SignOutView.as_view()


def locked(request: HttpRequest, credentials: Any = None, *args: Any, **kwargs: Any) -> HttpResponse:
    """The sign-in page after too many failures: the same words for accounts that exist and those that do not."""
    return page(request, "accounts/sign_in.html", {"refused": REFUSED}, status=429)


@require_GET
def sign_in_closed(request: HttpRequest) -> HttpResponse:
    """Where a deactivated account would be led."""
    return page(request, "accounts/sign_in.html", {"refused": REFUSED}, status=403)


@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """My account: roles, sessions, what happened at the door."""
    user = me(request)
    context = {
        "grants": Grant.objects.held_at(now()).filter(user=user).select_related("granted_by"),
        "sessions": selectors.open_sessions(user, services.session_digest(request)),
        "events": selectors.recent_access(user),
    }
    return page(request, "accounts/account.html", context)


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Sign me out everywhere else."""
    services.end_other_sessions(request, me(request))
    return redirect("account")


@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """My tokens; a new one is shown once."""
    form, made = forms.TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        _, made = services.make_token(
            actor=request_actor(request),
            user=me(request),
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            lifetime=timedelta(days=form.cleaned_data["days"]),
        )
        form = forms.TokenForm()
    context = {"form": form, "made": made, "tokens": selectors.tokens_of(me(request)), "now": now()}
    return page(request, "accounts/tokens.html", context, status=422 if form.errors else 200)


@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """One of my tokens opens nothing any more."""
    token = ApiToken.objects.filter(pk=token_id, user=me(request)).first()
    if token is None:
        raise NotFound
    services.revoke_token(actor=request_actor(request), token=token)
    return redirect("tokens")


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, their roles, who gave them and when."""
    search = request.GET.get("q", "").strip()
    return page(
        request, "accounts/people.html", {"people": selectors.people(search), "search": search, "now": now()}
    )


@require_http_methods(["GET", "POST"])
def add_person(request: HttpRequest) -> HttpResponseBase:
    """A new account."""
    form = forms.PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = services.create_user(actor=request_actor(request), **form.cleaned_data)
        except Invalid as error:
            show_error(form, error)
        else:
            return redirect("person", username=user.username)
    return page(request, "accounts/person_add.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
def person(request: HttpRequest, username: str) -> HttpResponse:
    """One account: roles of all times, and what happened at the door."""
    return _person_page(request, somebody(username), forms.GrantForm())


@require_POST
def add_grant(request: HttpRequest, username: str) -> HttpResponseBase:
    """A role for somebody."""
    user, form = somebody(username), forms.GrantForm(request.POST)
    if form.is_valid():
        trial, site = form.where()
        given = {
            "role": form.cleaned_data["role"],
            "trial": trial,
            "site": site,
            "ends": form.cleaned_data["ends"],
        }
        try:
            services.grant_role(actor=request_actor(request), user=user, **given)
        except DomainError as error:
            show_error(form, error)
        else:
            return redirect("person", username=user.username)
    return _person_page(request, user, form)


@require_POST
def finish_grant(request: HttpRequest, username: str, grant_id: int) -> HttpResponse:
    """Somebody's role ends now."""
    grant = Grant.objects.filter(pk=grant_id, user=somebody(username)).first()
    if grant is None:
        raise NotFound
    if grant.ends is not None and grant.ends <= now():
        raise GrantEnded
    services.end_grant(actor=request_actor(request), grant=grant, reason=_reason(request))
    return redirect("person", username=username)


@require_http_methods(["GET", "POST"])
def new_password(request: HttpRequest, username: str) -> HttpResponseBase:
    """A new password for somebody who forgot theirs."""
    user, form = somebody(username), forms.PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_password(actor=request_actor(request), user=user, **form.cleaned_data)
        except DomainError as error:
            show_error(form, error)
        else:
            return redirect("person", username=user.username)
    return page(
        request,
        "accounts/person_password.html",
        {"person": user, "form": form},
        status=422 if form.errors else 200,
    )


@require_POST
def close_account(request: HttpRequest, username: str) -> HttpResponse:
    """Somebody signs in no more."""
    services.deactivate(actor=request_actor(request), user=somebody(username), reason=_reason(request))
    return redirect("person", username=username)


@require_POST
def reopen_account(request: HttpRequest, username: str) -> HttpResponse:
    """Somebody may sign in again."""
    services.reactivate(actor=request_actor(request), user=somebody(username), reason=_reason(request))
    return redirect("person", username=username)


def _person_page(request: HttpRequest, user: User, form: forms.GrantForm) -> HttpResponse:
    context = {
        "person": user,
        "grants": user.grants.select_related("granted_by").order_by("trial", "site", "role", "starts"),
        "events": selectors.recent_access(user),
        "form": form,
        "now": now(),
    }
    return page(request, "accounts/person.html", context, status=422 if form.errors else 200)


def me(request: HttpRequest) -> User:
    """Whoever is signed in."""
    user = request.user
    if not isinstance(user, User):
        raise NotFound
    return user


def somebody(username: str) -> User:
    """The person with this user name.

    Raises
    ------
    NotFound
    """
    user: User | None = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound
    return user


def _reason(request: HttpRequest) -> str:
    form = forms.ReasonForm(request.POST)
    if not form.is_valid():
        raise Invalid({"reason": "Say why."}, field="reason")
    return str(form.cleaned_data["reason"])


def show_error(form: Any, error: DomainError) -> None:
    """The message of a broken rule at the field where it belongs."""
    messages = error.errors if isinstance(error, Invalid) and error.errors else {error.field: error.message}
    for name, message in messages.items():
        form.add_error(name if name in form.fields else None, message)
