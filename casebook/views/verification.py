"""Source verification: what waits at each site, and how far each subject is."""

from __future__ import annotations

from django.http import HttpResponse

from accounts.decorators import permission
from accounts.requests import Request
from casebook.pages.addresses import form_url
from casebook.verifying import FormToVerify, SiteToVerify, sites_to_verify
from foundation.web import page


@permission("verification.view")
def verification(request: Request) -> HttpResponse:
    """What is to be compared with the source, by site; one site's subjects and forms when it is chosen."""
    sites = sites_to_verify(request.access, "verification.view")
    chosen = _chosen(sites, request.GET.get("trial", ""), request.GET.get("site", ""))
    context = {
        "sites": sites,
        "chosen": chosen,
        "subjects": [
            {"each": each, "forms": [_line(form) for form in each.waiting]} for each in chosen.subjects
        ]
        if chosen
        else [],
    }
    return page(request, "casebook/verification.html", context)


def _chosen(sites: list[SiteToVerify], trial: str, site: str) -> SiteToVerify | None:
    fitting = [
        each for each in sites if (not trial or each.trial == trial) and (not site or each.site == site)
    ]
    return fitting[0] if fitting and (site or len(sites) == 1) else None


def _line(form: FormToVerify) -> dict[str, object]:
    entry = form.entry
    labels = entry.protocol.form(entry.form)
    return {
        "name": labels.name,
        "place": str(entry.visit) if entry.visit else "running log",
        "row": entry.repeat if labels.repeating else "",
        "url": form_url(entry.subject, entry.visit, entry.form, entry.repeat),
        "due": form.count("due"),
        "changed": form.count("changed"),
    }
