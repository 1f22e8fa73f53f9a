"""A visit of 34 values, saved value by value: keys, requests, statements, and processor time for each save.

`.venv/bin/python -m benchmarks.entry [--rounds 7]`

The keys are those that the journey `tests/journeys/test_entry.py` holds as its bound. Each save is the whole request
(session, sign-in, leave, checks, trail, the row drawn anew), against a bare Django view that saves one row behind
session and sign-in, in turn; and so is the look by which a page learns that nobody else changed the form.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from datetime import timedelta

from benchmarks.common import (
    SETUP,
    Way,
    app_backend,
    open_trial,
    post_as_a_page,
    scratch_database,
    screened,
    side_by_side,
    signed_in,
    statements_of,
)
from benchmarks.field_save import bare, floor

# isort: split
from accounts.models import Grant, User
from audit.context import acting
from casebook.rules.picture import codelist_of
from foundation import clock
from patients.models import Subject
from tests.journeys.week8 import CHARACTERS, FIELDS, MOST_KEYS, VISIT
from visits.services import plan_visits_for

type_save = tuple[str, dict[str, str], str]


def saves_of(subject: Subject) -> Iterator[type_save]:
    """The request of each value of the visit: its address, what is sent, and another value that will do as well."""
    protocol = subject.version.protocol
    for code, typed in VISIT:
        form = protocol.form(code)
        asked = [item for item in form.items if item.type != "derived"]
        for item, text in zip(asked, typed, strict=False):
            if not text:
                continue
            codes = codelist_of(protocol, item)
            value, other = (codes.codes[0].code, codes.codes[-1].code) if codes else (text, _nearby(text))
            unit = item.units[0] if item.units else ""
            yield (
                f"/subjects/{subject.number}/W8/{code}/save/",
                {"item": item.id, "value": value, "unit": unit},
                other,
            )


def _nearby(text: str) -> str:
    """A number with another last digit; anything else as it is."""
    if not text.replace(".", "").isdigit():
        return text
    return f"{text[:-1]}{int(text[-1]) - 1 if text[-1] == '9' else int(text[-1]) + 1}"


def entry(user: User, subject: Subject) -> Way:
    """One value after the other; at the end of the visit it begins again with other values."""
    client = signed_in(user)
    saves = list(saves_of(subject))
    turns = itertools.cycle([(place, again) for again in (False, True) for place in range(len(saves))])

    def save() -> None:
        place, again = next(turns)
        address, sent, other = saves[place]
        body = {**sent, "value": other} if again else sent
        answer = post_as_a_page(client, address, body)
        assert answer.status_code == 200, answer.content

    return Way("a value of the visit", save, app_backend)


def look(user: User, subject: Subject) -> Way:
    """The look of a page at a form that nobody changed."""
    client = signed_in(user)
    address = f"/subjects/{subject.number}/W8/IMG/live/"

    def ask() -> None:
        assert client.get(address, {"seen": 0, "with": ""}).status_code == 204

    return Way("a look that finds nothing new", ask, app_backend)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    wanted = parser.parse_args()
    with scratch_database():
        subject = screened(open_trial("EXCALIBUR"), "B-1")
        randomised = clock.today("Europe/Oslo") - timedelta(days=56)
        plan_visits_for(actor=SETUP, subject=subject, anchors={"RANDOMISATION": [randomised]})
        with acting(SETUP):
            user = User.objects.create_user(
                "coordinator", "a password of a benchmark", full_name="Coordinator"
            )
            Grant.objects.create(
                user=user, role="coordinator", trial="EXCALIBUR", site="NO-01", starts=clock.now()
            )
        floor()
        values = len(list(saves_of(subject)))
        print(
            f"{values} values: at most {MOST_KEYS} keys ({CHARACTERS} characters in {FIELDS} fields), {values} requests"
        )
        ways = [bare(user), entry(user, subject), look(user, subject)]
        side_by_side(ways, rounds=wanted.rounds, times=values)
        counts = [statements_of(ways[1].work) for _ in range(values)]
        print(f"statements: a save {min(counts)} to {max(counts)}, a look {statements_of(ways[2].work)}")


if __name__ == "__main__":
    main()
