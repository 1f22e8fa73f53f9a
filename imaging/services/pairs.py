"""Comparing the two readers of a time point; where the charter's rule says that they differ, an adjudicator decides."""

from __future__ import annotations

import secrets

from foundation import clock
from imaging.models import Adjudication, Read, ReadState
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.rules.disagreement import differences
from imaging.rules.working_days import add_working_days
from imaging.selectors.priors import reading_of
from imaging.selectors.reads import results
from imaging.selectors.results import readers_wanted

ADJUDICATION_DAYS = 5


def compare_readers(read: Read) -> Adjudication | None:
    """Compare a read that was just signed with the other reader's; inside the transaction of the signature.

    A corrected read makes a new pair, which is compared anew; what was adjudicated before stays on record and no longer
    counts. Hidden repeats and reads of adjudicators are compared with nothing.
    """
    if read.repeat_of_id or read.number == ADJUDICATORS_NUMBER or readers_wanted(read.subject) < 2:
        return None
    other = (
        results()
        .filter(visit=read.visit_id, state=ReadState.SIGNED)
        .exclude(number__in=(read.number, ADJUDICATORS_NUMBER))
        .select_related("visit", "subject__version")
        .order_by("version")
        .last()
    )
    charter = read.subject.version.protocol.charter
    if other is None or charter is None:
        return None
    first, second = sorted((read, other), key=lambda each: each.number)
    differ = differences(reading_of(first), reading_of(second), charter.adjudicate_on)
    if not differ:
        return None
    found, _new = Adjudication.objects.get_or_create(
        first=first,
        second=second,
        defaults={
            "subject_id": read.subject_id,
            "visit_id": read.visit_id,
            "first_is_a": bool(secrets.randbelow(2)),
            "differences": list(differ),
            "due_on": add_working_days(
                clock.today(), int(charter.due.get("adjudication", ADJUDICATION_DAYS))
            ),
        },
    )
    return found
