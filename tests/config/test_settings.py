"""Settings in earnest: strict, complete, and clean under Django's own checks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment import BASE_DIR, VARIABLES

EARNEST = {
    "TRAINING": "False",
    "SECRET_KEY": "k5-" + "aBcDeFgHiJ" * 6,
    "ALLOWED_HOSTS": "edc.example.org",
    "DATABASE_URL": "postgres://hilum_app:secret@127.0.0.1:1/hilum",
    "MIGRATION_DATABASE_URL": "none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
SHOW = "from django.conf import settings as s; import json; print(json.dumps({name: getattr(s, name) for name in %r}))"


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, with this environment only."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in VARIABLES and not name.startswith("DJANGO_")
    }
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_deployment_checks_are_clean() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **EARNEST)
    assert done.returncode == 0, done.stderr


def test_the_guard_sees_a_weak_secret() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **{**EARNEST, "SECRET_KEY": "short"})
    assert done.returncode == 1
    assert "security.W009" in done.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"TRAINING": "no"}, "TRAINING must be True or False"),
        ({"DEBUG": "1"}, "DEBUG must be True or False"),
        ({"PART11_SIGNING": "True"}, "PART11_LETTER has to name the letter"),
        ({"PART11_LETTER": "FDA-2026-114"}, "PART11_LETTER must be a document and its day"),
        ({"PART11_LETTER": "FDA-2026-114, 2026-02-30"}, "PART11_LETTER must be a document and its day"),
    ],
)
def test_a_wrong_setting_stops_the_start(change: dict[str, str], message: str) -> None:
    done = manage("check", **{**EARNEST, **change})
    assert done.returncode != 0
    assert message in done.stderr


@pytest.mark.req("SIG-07")
def test_signatures_for_the_fda_need_the_organisations_letter() -> None:
    letter = {"PART11_SIGNING": "True", "PART11_LETTER": "FDA-2026-114, 2026-05-01"}
    assert manage("check", **EARNEST, **letter).returncode == 0


def test_in_earnest_cookies_travel_by_tls_only() -> None:
    names = [
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_SSL_REDIRECT",
        "SESSION_COOKIE_NAME",
        "TRAINING",
    ]
    done = manage("shell", "--no-imports", "-c", SHOW % names, **EARNEST)
    assert done.returncode == 0, done.stderr
    assert '"SESSION_COOKIE_SECURE": true' in done.stdout
    assert '"SECURE_SSL_REDIRECT": true' in done.stdout
    assert '"SESSION_COOKIE_NAME": "__Host-hilum_session"' in done.stdout
    assert '"TRAINING": false' in done.stdout


def test_a_command_that_asks_no_database_starts_none(tmp_path: Path) -> None:
    done = manage("check", HILUM_DATA=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "postgres").exists()


def test_health_is_answered_without_a_database_a_session_or_a_known_host() -> None:
    ask = (
        "from django.test import Client; answer = Client().get('/healthz', headers={'host': 'elsewhere.example'});"
        "print(answer.status_code, answer.json()['database'], answer.json()['broker'], dict(answer.cookies))"
    )
    done = manage("shell", "--no-imports", "-c", ask, **EARNEST)
    assert done.stdout.strip() == "503 does not answer does not answer {}", done.stderr
