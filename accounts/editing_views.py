"""The page on which edit access to a trial is withdrawn before a data cut, and given back."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts import forms, services
from accounts.access import Access
from accounts.places import known_places
from accounts.requests import Request
from accounts.selectors import edit_stops
from accounts.views import show_error
from foundation.clock import now
from foundation.errors import DomainError, NotFound
from foundation.web import page

PERMISSION = "edit.stop"


@require_http_methods(["GET", "POST"])
def editing(request: Request) -> HttpResponse:
    """Show where edit access is withdrawn or was, and withdraw it."""
    form = forms.EditStopForm(
        request.POST or None,
        initial={"place": f"{request.GET.get('trial', '')}/"},
        places=_places(request.access),
    )
    if request.method == "POST" and form.is_valid():
        trial, _, site = form.cleaned_data["place"].partition("/")
        try:
            services.withdraw_edit_access(
                actor=request.access.actor(trial, site),
                trial=trial,
                site=site,
                reason=form.cleaned_data["reason"],
                starts=form.cleaned_data["starts"],
            )
            return redirect("editing")
        except DomainError as error:
            show_error(form, error)
    context = {"stops": edit_stops(request.access), "form": form, "now": now()}
    return page(request, "accounts/editing.html", context, status=422 if request.method == "POST" else 200)


@require_POST
def give_back(request: Request, stop: int) -> HttpResponse:
    """Give edit access back."""
    found = edit_stops(request.access).filter(pk=stop).first()
    if found is None:
        raise NotFound
    request.access.require(PERMISSION, found.trial, found.site)
    services.give_edit_access_back(
        actor=request.access.actor(found.trial, found.site),
        stop=found,
        reason=request.POST.get("reason", ""),
    )
    return redirect("editing")


def _places(access: Access) -> list[tuple[str, str]]:
    """Trials and sites where the person may withdraw it; all sites only for who may at all of them."""
    return [(trial, site) for trial, site in known_places() if access.may(PERMISSION, trial, site)]
