"""All rows of a repeating form on one page."""

from __future__ import annotations

from django.http import HttpResponse

from accounts.decorators import permission
from accounts.requests import Request
from casebook.facts import facts_of
from casebook.pages.banner import subject_banner
from casebook.pages.moment import as_it_stood
from casebook.pages.rows import rows_page
from casebook.rules.status import planned_forms
from casebook.selectors import find_entry
from foundation import clock
from foundation.errors import NotFound
from foundation.web import page


@permission("entry.view")
@as_it_stood
def rows(request: Request, number: str, visit: str, form: str) -> HttpResponse:
    """The rows of a running log, or of a repeating form at a visit."""
    place = find_entry(request.access, number, visit, form)
    subject = place.subject
    protocol = subject.version.protocol
    definition = protocol.form(form)
    if not definition.repeating:
        raise NotFound(what="table", name=form)
    asked = form in planned_forms(protocol, place.visit.code if place.visit else None)
    may_write = request.access.may("entry.write", subject.trial.code, subject.site.code)
    shown = rows_page(place, definition, request.GET.get("sort", ""))
    context = {
        "subject": subject,
        "visit": place.visit,
        "place": visit,
        "shown": shown,
        "banner": subject_banner(
            subject, request.access, facts_of(subject, clock.today(subject.site.time_zone))
        ),
        "may_add": may_write and asked,
        "may_say_none": may_write and asked and place.visit is None and shown.nothing,
    }
    return page(request, "casebook/rows.html", context)
