"""The matrix of subjects × visits against one raw statement that fetches the same rows, and its growth.

`.venv/bin/python -m benchmarks.matrix [--subjects 500] [--grown 10000] [--rounds 7]`

Makes a test database of its own, fills it with subjects × visits × forms, queries and verifications, and asks for the
page of 500 rows and for one statement with the counts of the same visits in turn, pair by pair. Then for a page of 50
rows among 100 subjects and among many. Prints wall and processor seconds of this process, the statements, and ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from django.db import connections

from benchmarks.common import SETUP, open_trial, scratch_database, signed_in, statements_of

# isort: split
from accounts.models import Grant, User
from audit.context import acting
from foundation.clock import now
from tests.conftest import superuser_connection
from trials.models import ProtocolVersion, TrialSite

TRIAL, FORMS = "THERMODOX", ("VS", "RS", "LB", "CP", "IMG", "TR", "RSR", "QS")
VISITS = 14
FLOOR = """
SELECT visit.subject_id, visit.code, visit.state, visit.earliest, visit.latest, visit.happened_on,
       (SELECT count(*) FROM casebook_entry entry WHERE entry.visit_id = visit.id AND entry.state = 'COMPLETE'),
       (SELECT count(*) FROM casebook_query query JOIN casebook_entry entry ON entry.id = query.entry_id
         WHERE entry.visit_id = visit.id AND query.state = 'OPEN'),
       (SELECT count(*) FROM casebook_verification checked JOIN casebook_entry entry ON entry.id = checked.entry_id
         WHERE entry.visit_id = visit.id AND checked.item = '')
  FROM visits_visit visit
 WHERE visit.subject_id IN (SELECT id FROM patients_subject ORDER BY number LIMIT %s)
 ORDER BY visit.subject_id, visit.ordinal
"""
FILL = """
INSERT INTO patients_patient (site_id, code) SELECT %(site)s, 'B-' || n FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO patients_subject (patient_id, trial_id, site_id, version_id, number, sub_study, status)
  SELECT id, %(trial)s, %(site)s, %(version)s, 'TDX-' || lpad(substr(code, 3), 6, '0'), '', 'FOLLOW_UP'
    FROM patients_patient WHERE substr(code, 3)::int BETWEEN %(first)s AND %(last)s;
INSERT INTO visits_visit (subject_id, code, sequence, ordinal, target, earliest, latest, because, happened_on, state,
                          missed_reason)
  SELECT subject.id, plan.code, 1, plan.n, day.target, day.target - 7, day.target + 7, '',
         CASE WHEN plan.n <= 9 THEN day.target END, CASE WHEN plan.n <= 9 THEN 'DONE' ELSE 'PLANNED' END, ''
    FROM patients_subject subject
    JOIN patients_patient patient ON patient.id = subject.patient_id
    CROSS JOIN unnest(%(codes)s) WITH ORDINALITY AS plan(code, n)
    CROSS JOIN LATERAL (SELECT current_date + ((plan.n - 10) * 30)::int AS target) day
   WHERE substr(patient.code, 3)::int BETWEEN %(first)s AND %(last)s;
INSERT INTO casebook_entry (subject_id, visit_id, form, repeat, values, state, not_done, struck_out, frozen, locked,
                            signing, version, updated_at)
  SELECT visit.subject_id, visit.id, form, 1, '{"HGB": {"value": "12.4", "unit": "g/dL"}}',
         CASE WHEN visit.ordinal < 9 THEN 'COMPLETE' ELSE 'IN_PROGRESS' END, '', false, false, false,
         CASE WHEN visit.ordinal < 7 THEN 'SIGNED' ELSE '' END, 1,
         now() - interval '1 day'
    FROM visits_visit visit CROSS JOIN unnest(%(forms)s) form
    JOIN patients_subject subject ON subject.id = visit.subject_id
    JOIN patients_patient patient ON patient.id = subject.patient_id
   WHERE visit.state = 'DONE' AND substr(patient.code, 3)::int BETWEEN %(first)s AND %(last)s;
"""
AFTER = """
INSERT INTO casebook_query (entry_id, subject_id, item, origin, check_id, state, waits_for, asked_by, led_to_change)
  SELECT id, subject_id, 'HGB', 'MANUAL', '', 'OPEN', 'SITE', 'MONITOR', false FROM casebook_entry
   WHERE id %% 40 = 0 AND NOT EXISTS (SELECT 1 FROM casebook_query query WHERE query.entry_id = casebook_entry.id);
INSERT INTO casebook_verification (entry_id, subject_id, item, digest, by_id)
  SELECT id, subject_id, '', repeat('0', 64), %(person)s FROM casebook_entry
   WHERE id %% 2 = 0 AND state = 'COMPLETE'
     AND NOT EXISTS (SELECT 1 FROM casebook_verification known WHERE known.entry_id = casebook_entry.id);
"""


def prepare() -> dict[str, Any]:
    """Trial, site and a monitor."""
    trial = open_trial(TRIAL)
    version = ProtocolVersion.objects.get(trial=trial)
    with acting(SETUP):
        person = User.objects.create_user("monitor", "a password of a benchmark", full_name="Monitor")
        Grant.objects.create(user=person, role="monitor", trial=TRIAL, site="", starts=now())
    plan = [visit.code for visit in version.protocol.visits if visit.code != "UNS"]
    return {
        "site": TrialSite.objects.get(trial=trial).site_id,
        "trial": trial.pk,
        "version": version.pk,
        "codes": plan[:VISITS],
        "forms": list(FORMS),
        "person": person.pk,
    }


def fill(world: dict[str, Any], first: int, last: int) -> None:
    """Subjects from one number to another, past the triggers: this measures reading."""
    connection = superuser_connection()
    with connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for part in (FILL, AFTER):
            cursor.execute(part, {**world, "first": first, "last": last})
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    connection.close()


def floor(rows: int) -> int:
    """One statement with the same rows."""
    with connections["default"].cursor() as cursor:
        cursor.execute(FLOOR, [rows])
        return len(cursor.fetchall())


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall and processor milliseconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - wall) * 1000, (time.process_time() - processor) * 1000


def middle(values: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):7.1f} ms ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=500)
    parser.add_argument("--grown", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    wanted = parser.parse_args()
    with scratch_database():
        measure(wanted)


def measure(wanted: argparse.Namespace) -> None:
    """The two tables."""
    world = prepare()
    client = signed_in(User.objects.get(username="monitor"))

    def page(rows: int, more: str = "") -> Any:
        answer = client.get(f"/casebooks/?trial={TRIAL}&rows={rows}{more}")
        assert answer.status_code == 200
        return answer

    fill(world, 1, 100)
    few = paired(lambda: page(50), lambda: floor(50), wanted.rounds)
    fill(world, 101, wanted.subjects)
    whole = paired(lambda: page(500), lambda: floor(500), wanted.rounds)
    size = len(page(500).content) // 1000
    print(f"500 × {VISITS}: {statements_of(lambda: page(500))} statements, {size} KB of HTML")
    show("page of 500", whole)
    fill(world, wanted.subjects + 1, wanted.grown)
    many = paired(lambda: page(50), lambda: floor(50), wanted.rounds)
    show("50 of 100", few)
    show(f"50 of {wanted.grown}", many)
    print(f"growth: × {statistics.median(many[1]) / statistics.median(few[1]):.2f} of processor time")
    for more in ("&show=overdue", "&show=queries", "&sort=deadline", "&sort=queries"):
        print(
            f"{more:16} {middle([timed(lambda more=more: page(50, more))[0] for _ in range(wanted.rounds)])}"
        )


def paired(
    ours: Callable[[], Any], least: Callable[[], Any], rounds: int
) -> tuple[list[float], list[float], list[float]]:
    """Wall and processor time of ours, and wall time of the floor, in turn."""
    ours(), least()
    walls, processors, floors = [], [], []
    for _ in range(rounds):
        wall, processor = timed(ours)
        walls.append(wall)
        processors.append(processor)
        floors.append(timed(least)[0])
    return walls, processors, floors


def show(name: str, found: tuple[list[float], list[float], list[float]]) -> None:
    """One table."""
    walls, processors, floors = found
    ratio = [ours / least for ours, least in zip(walls, floors, strict=True)]
    print(
        f"{name:16} wall {middle(walls)}\n{'':16} processor {middle(processors)}\n{'':16} floor {middle(floors)}"
    )
    print(f"{'':16} ratio {statistics.median(ratio):.1f} ({min(ratio):.1f} to {max(ratio):.1f})")


if __name__ == "__main__":
    main()
