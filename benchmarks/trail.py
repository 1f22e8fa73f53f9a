"""What does it cost to verify the trail? Against SHA-256 over the same bytes, in turn, pair by pair.

Run: `python -m benchmarks.trail [EVENTS [ROUNDS]]`; one million events and three rounds where nothing is said. It makes
a scratch database beside the others in the configured cluster and drops it at the end.

Three ways: the floor (read the events' texts from a file, one SHA-256 each), Hilum's own verification of the database,
and the program of a bundle, offline. The figures are processor seconds; the database's are told apart.
"""

from __future__ import annotations

import hashlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import psutil

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import OperationalError, connection, connections  # noqa: E402  after setup

from audit.bundle import verify  # noqa: E402
from audit.bundle.writing import Contents, bundle  # noqa: E402
from audit.models import Event, Seal  # noqa: E402
from audit.sql import CANONICAL_TEXT  # noqa: E402
from audit.verification import Count, faults, read_events  # noqa: E402

SCRATCH = "hilum_benchmark_trail"
PER_TRANSACTION, PER_SEAL = 10, 10_000
EVENTS = f"""
    INSERT INTO audit_event
    SELECT (x).* FROM (
      SELECT e, row(e.id, e.at, e.transaction_id, e.actor_id, e.actor, e.role, e.action, e.table_name, e.row_id,
        e.subject_id, e.before, e.after, e.reason, e.origin, e.request_id,
        e.address, e.session, sha256(convert_to({CANONICAL_TEXT}, 'UTF8')))::audit_event AS x
      FROM (
        SELECT n AS id, timestamptz '2025-01-01' + n * interval '1 s' AS at, n / {PER_TRANSACTION} AS transaction_id,
          n %% 40 AS actor_id, 'Coordinator Person' AS actor, 'coordinator' AS role, 'U' AS action,
          'casebook_entry' AS table_name, (n %% 90000)::text AS row_id, n %% 1000 AS subject_id,
          jsonb_build_object('values', jsonb_build_object('HGB', jsonb_build_object('value', (n %% 170)::text,
            'unit', 'g/L')), 'version', n %% 30) AS before,
          jsonb_build_object('values', jsonb_build_object('HGB', jsonb_build_object('value', (n %% 171)::text,
            'unit', 'g/L')), 'version', n %% 30 + 1) AS after,
          'Typing mistake' AS reason, 'web' AS origin, md5(n::text) AS request_id, '10.0.0.1' AS address,
          md5('a' || n %% 40) || md5('b' || n %% 40) AS session
        FROM generate_series(%s::bigint, %s::bigint) n
      ) e
    ) made
"""
BLOCK = """
    INSERT INTO audit_seal
    SELECT %(id)s, now(), 0, %(start)s, %(end)s, first, last, number, %(previous)s,
      sha256(%(previous)s::bytea || convert_to(format('%%s %%s %%s %%s %%s %%s', 0, %(start)s, %(end)s, first, last,
        number), 'UTF8') || digests)
    FROM (SELECT min(id) AS first, max(id) AS last, count(*) AS number, string_agg(digest, NULL ORDER BY id) AS digests
      FROM audit_event WHERE transaction_id >= %(start)s AND transaction_id < %(end)s) block
    RETURNING digest
"""


@contextmanager
def scratch(events: int) -> Iterator[None]:
    """A database with nothing but a sealed trail."""
    owner, app = connections["owner"], connections["default"]
    usual = owner.settings_dict["NAME"]
    drop()
    with owner.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {SCRATCH}")
    for each in (owner, app):
        each.close()
        each.settings_dict["NAME"] = SCRATCH
    try:
        with owner.schema_editor() as editor:
            editor.create_model(Event)
            editor.create_model(Seal)
        fill(events)
        yield
    finally:
        for each in (owner, app):
            each.close()
            each.settings_dict["NAME"] = usual
        drop()


def drop() -> None:
    """Take the database away; a connection that was just closed may need a moment to end."""
    for _ in range(50):
        try:
            with connections["owner"].cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {SCRATCH}")
        except OperationalError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{SCRATCH} is in use and was not dropped.")


def fill(events: int) -> None:
    """The events, and a seal for every ten thousand."""
    with connections["owner"].cursor() as cursor:
        for first in range(1, events + 1, 100_000):
            cursor.execute(EVENTS, [first, min(first + 99_999, events)])
        previous, transactions = verify.FIRST_PREVIOUS, PER_SEAL // PER_TRANSACTION
        for number, start in enumerate(range(0, events // PER_TRANSACTION + 1, transactions), start=1):
            limits = {"id": number, "start": start, "end": start + transactions, "previous": previous}
            cursor.execute(BLOCK, limits)
            previous = bytes(cursor.fetchone()[0])
        cursor.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{connection.settings_dict["USER"]}"')
        cursor.execute("ANALYZE")


def texts_to(path: Path) -> array[int]:
    """The texts of all events in one file, and their lengths."""
    lengths = array("L")
    with path.open("wb") as out:
        for _, _, _, text, _ in read_events():
            lengths.append(out.write(text.encode()))
    return lengths


def floor(path: Path, lengths: array[int]) -> None:
    """One SHA-256 for each text."""
    with path.open("rb", buffering=1 << 20) as texts:
        for length in lengths:
            hashlib.sha256(texts.read(length)).digest()


def in_the_database(events: int) -> None:
    """Hilum's own verification."""
    count = Count()
    assert list(faults(count)) == []
    assert count.events == events


def offline(path: Path) -> None:
    """The program of a bundle, by a Python that sees nothing of Hilum."""
    subprocess.run([sys.executable, "-I", "-S", verify.__file__, str(path)], check=True, capture_output=True)


def measured(work: Callable[[], None]) -> tuple[float, float, float]:
    """Processor seconds of Python (children included) and of the database, and seconds on the clock."""
    backend = psutil.Process(connection.connection.info.backend_pid) if connection.connection else None
    before, wall, base = _python(), time.perf_counter(), _of(backend)
    work()
    return _python() - before, _of(backend) - base, time.perf_counter() - wall


def _python() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _of(process: psutil.Process | None) -> float:
    if process is None:
        return 0.0
    used = process.cpu_times()
    return used.user + used.system


def main() -> int:
    """Print each way's figures and its ratio to the floor of the same round."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder, scratch(events):
        texts, packed = Path(folder, "texts"), Path(folder, "trail.zip")
        lengths = texts_to(texts)
        with packed.open("wb") as out:
            made = measured(lambda: out.writelines(bundle(Contents(sections=False), "benchmark")))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{events} events, {sum(lengths) / events:.0f} bytes each; bundle {packed.stat().st_size >> 20} MB, "
              f"made in {made[0]:.1f} + {made[1]:.1f} s, at most {peak} MB of memory")  # fmt: skip
        ways = {"database": lambda: in_the_database(events), "offline": lambda: offline(packed)}
        ratios: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(rounds):
            base = measured(lambda: floor(texts, lengths))
            print(f"round {number + 1}: floor {base[0]:.2f} s")
            for name, work in ways.items():
                python, database, wall = measured(work)
                ratios[name].append(python / base[0])
                print(f"  {name}: {python:.2f} s Python + {database:.2f} s PostgreSQL, {wall:.1f} s on the clock, "
                      f"{ratios[name][-1]:.2f} times the floor")  # fmt: skip
        for name, found in ratios.items():
            spread = f"{min(found):.2f} to {max(found):.2f}"
            print(f"{name}: {statistics.median(found):.2f} times SHA-256 over the same bytes ({spread})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
