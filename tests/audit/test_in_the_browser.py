"""The pages of the trail and of earlier moments in a real browser: nothing that axe minds, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from audit import tasks
from audit.services import seal_events
from casebook import services
from casebook.rules.cells import Typed
from casebook.rules.moment import moment_in_addresses
from tests.audit.conftest import moment_of_the_database
from tests.cast import Cast
from tests.eligibility.test_in_the_browser import look, violations
from tests.journeys.conftest import Person, built_front_end, chromium, person  # noqa: F401  fixtures
from visits.models import Visit

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_trail_is_for_everybody(
    cast: Cast,
    person: Callable[..., Person],  # noqa: F811
    width: int,
    scheme: str,
) -> None:
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    services.save_item(actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed("21.0", "g/dL"))
    then = moment_of_the_database()
    services.save_item(
        actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed("12.0", "g/dL"), reason="digits swapped"
    )
    services.save_item(actor=cast.actor(), entry=entry, item_id="ALB", typed=Typed("41", "g/L"))
    services.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Really so low?")
    seal_events()
    tasks.verify()
    who = person("monitor", width=width)
    who.page.emulate_media(color_scheme=scheme)
    moment = moment_in_addresses(then)
    pages = {
        "past-casebook": f"/subjects/{subject.number}/?as_of={moment}",
        "past-form": f"/subjects/{subject.number}/SCR/LB/?as_of={moment}",
        "past-eligibility": f"/subjects/{subject.number}/eligibility/?as_of={moment}",
        "no-moment": f"/subjects/{subject.number}/?as_of=soon",
        "compare": f"/subjects/{subject.number}/compare/?from={moment}",
        "trail": "/audit/?form=LB",
        "review": "/audit/review/?reason=swapped",
        "reviews": "/audit/reviews/",
        "seals": "/audit/seals/",
    }
    for name, address in pages.items():
        who.page.goto(address)
        look(who, f"{name}-{width}-{scheme}")
        assert violations(who) == [], name
        overflow = who.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        assert not overflow, name
