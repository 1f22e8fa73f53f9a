"""Pages around the right to sign: accountability, identity, and the delegation log of each site."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import forms, selectors, services
from accounts.models import DelegatedTask, Delegation, User
from accounts.rules.accountability import CURRENT, STATEMENTS
from accounts.views import me, show_error, somebody
from audit.context import request_actor
from foundation.clock import today
from foundation.errors import DomainError, Invalid, NotFound
from foundation.web import page


@require_http_methods(["GET", "POST"])
def accountability(request: HttpRequest) -> HttpResponse:
    """The statement that comes before the first signature; accepted by its version."""
    user = me(request)
    if request.method == "POST":
        version = request.POST.get("version", "")
        services.accept_accountability(user=user, version=int(version) if version.isdigit() else 0)
        return redirect("account")
    context = {
        "statement": STATEMENTS[CURRENT],
        "version": CURRENT,
        "accepted": _accepted(user),
        "letter": settings.PART11_LETTER if settings.PART11_SIGNING else None,
    }
    return page(request, "accounts/accountability.html", context)


def _accepted(user: User) -> bool:
    return user.accountability_version == CURRENT


@require_POST
def verify_identity(request: HttpRequest, username: str) -> HttpResponse:
    """Somebody's identity was verified."""
    services.verify_identity(
        actor=request_actor(request), user=somebody(username), how=request.POST.get("how", "")
    )
    return redirect("person", username=username)


@require_http_methods(["GET", "POST"])
def name_principal(request: HttpRequest, username: str) -> HttpResponseBase:
    """Somebody becomes principal investigator of a site."""
    user, form = somebody(username), forms.PrincipalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        trial, _, site = form.cleaned_data["place"].partition("/")
        try:
            services.name_principal(
                actor=request_actor(request),
                user=user,
                trial=trial,
                site=site,
                starts=form.cleaned_data["starts"],
                ends=form.cleaned_data["ends"],
            )
        except DomainError as error:
            show_error(form, error)
        else:
            return redirect("person", username=username)
    context = {
        "person": user,
        "form": form,
        "lines": user.delegations.filter(task=DelegatedTask.PRINCIPAL).select_related("entered_by"),
        "identity": forms.IdentityForm(),
    }
    return page(request, "accounts/person_signing.html", context, status=422 if form.errors else 200)


@require_POST
def end_principal(request: HttpRequest, username: str, line: int) -> HttpResponse:
    """A principal investigator's last day."""
    found = Delegation.objects.filter(pk=line, user=somebody(username), task=DelegatedTask.PRINCIPAL).first()
    if found is None:
        raise NotFound
    _end(request, found)
    return redirect("name-principal", username=username)


@require_GET
def delegations(request: HttpRequest) -> HttpResponse:
    """The delegation logs of my sites."""
    return _log(request, None)


def _log(request: HttpRequest, form: forms.DelegationForm | None) -> HttpResponse:
    access = request.access  # type: ignore[attr-defined]
    places = selectors.delegation_places(access)
    chosen = request.GET.get("place", "")
    trial, _, site = (chosen or "/".join(places[0] if places else ("", ""))).partition("/")
    if (trial, site) not in places:
        trial, site = places[0] if places else ("", "")
    own = _own_places(access.user_id)
    context = {
        "places": [f"{a}/{b}" for a, b in places],
        "place": f"{trial}/{site}",
        "trial": trial,
        "site": site,
        "lines": selectors.delegations_of(trial, site),
        "keeps": (trial, site) in own,
        "form": form or _form(own, initial={"starts": today(), "place": f"{trial}/{site}"}),
        "today": today(),
        "me": access.user_id,
    }
    return page(request, "accounts/delegations.html", context, status=422 if form else 200)


def _own_places(user_id: int | None) -> list[tuple[str, str]]:
    """Sites where somebody is principal investigator today."""
    held = selectors.tasks_of(user_id, today())
    return sorted(place for place, tasks in held.items() if DelegatedTask.PRINCIPAL in tasks)


def _form(own: list[tuple[str, str]], *args: object, **kwargs: object) -> forms.DelegationForm:
    people = [(each.username, each.full_name) for each in selectors.staff_of(own)]
    return forms.DelegationForm(*args, people=people, places=own, **kwargs)


@require_POST
def delegate(request: HttpRequest) -> HttpResponse:
    """The principal investigator entrusts tasks to somebody."""
    access = request.access  # type: ignore[attr-defined]
    trial, _, site = request.POST.get("place", "").partition("/")
    access.require("delegation.keep", trial, site)
    form = _form(_own_places(access.user_id), request.POST)
    if not form.is_valid():
        return _log(request, form)
    try:
        services.delegate(
            actor=access.actor(trial, site),
            user=somebody(form.cleaned_data["username"]),
            trial=trial,
            site=site,
            tasks=form.cleaned_data["tasks"],
            starts=form.cleaned_data["starts"],
            ends=form.cleaned_data["ends"],
            on=today(),
        )
    except DomainError as error:
        show_error(form, error)
        return _log(request, form)
    return redirect(f"{reverse('delegations')}?place={trial}/{site}")


@require_POST
def end_delegation(request: HttpRequest, line: int) -> HttpResponse:
    """The principal investigator ends a line of the log."""
    access = request.access  # type: ignore[attr-defined]
    found = Delegation.objects.filter(pk=line).exclude(task=DelegatedTask.PRINCIPAL).first()
    if found is None or not access.may("delegation.view", found.trial, found.site):
        raise NotFound
    access.require("delegation.keep", found.trial, found.site)
    services.must_be_principal(access.user_id, found.trial, found.site, today())
    _end(request, found)
    return redirect(f"{reverse('delegations')}?place={found.trial}/{found.site}")


def _end(request: HttpRequest, line: Delegation) -> None:
    form = forms.EndForm(request.POST)
    if not form.is_valid():
        raise Invalid({name: " ".join(texts) for name, texts in form.errors.items()})  # type: ignore[arg-type]
    services.end_delegation(actor=request_actor(request), delegation=line, **form.cleaned_data)
