"""A bundle is checked by its own program, without Hilum; whoever changes anything in it is found out."""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Signature, User
from accounts.rules.signatures import seal_of
from audit.bundle import verify
from audit.bundle.writing import WHOLE, Contents, bundle
from audit.context import Actor, acting
from audit.models import Event, Seal
from audit.services import anchor_newest_seal
from audit.sql import CANONICAL_TEXT
from foundation.clock import now
from tests.audit.test_tamper import seal_everything, sealed  # noqa: F401  a fixture

type_lines = list[dict[str, Any]]


@pytest.fixture
def signed(sealed: list[Seal], make_user: Callable[..., User]) -> User:  # noqa: F811
    """Two seals, a signature, and one more seal."""
    signer = make_user("gus")
    sign_as(signer)
    seal_everything()
    return signer


def sign_as(signer: User) -> None:
    """A signature of a record that belongs to this test; what a signer must be and know is not its matter."""
    at = now()
    said = {
        "signer_id": signer.pk,
        "signer_name": signer.full_name,
        "meaning": "review",
        "target_kind": "test.record",
        "target_id": "1",
        "digest": "0" * 64,
        "statement": "I have reviewed it.",
    }
    with acting(Actor(id=signer.pk, name=signer.full_name)):
        Signature.objects.create(
            at=at, seal=seal_of(at=at.isoformat(timespec="microseconds"), **said), **said
        )


@pytest.fixture
def whole(signed: User, tmp_path: Path) -> Path:
    path = tmp_path / "trail.zip"
    call_command("export_trail", path, stdout=StringIO())
    return path


def run_inside(path: Path, *arguments: str) -> tuple[int, str]:
    """The bundle's own program, by a Python that sees nothing of Hilum."""
    folder = path.parent / "unpacked"
    with zipfile.ZipFile(path) as archive:
        archive.extract("verify.py", folder)
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify.py"), str(path), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    return done.returncode, done.stdout + done.stderr


def rewritten(path: Path, name: str, change: Callable[[type_lines], type_lines]) -> Path:
    """The bundle with one of its files changed, and a manifest that fits."""
    forged = path.with_name("forged.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(forged, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        for member in old.namelist():
            content = old.read(member)
            if member == name:
                lines = change([json.loads(line) for line in content.splitlines()])
                content = "".join(json.dumps(line) + "\n" for line in lines).encode()
                if name == "events.jsonl":
                    manifest["events"] = len(lines)
            if member != "manifest.json":
                new.writestr(member, content)
        new.writestr("manifest.json", json.dumps(manifest))
    return forged


@pytest.mark.req("AUD-05")
def test_an_untouched_bundle_is_intact(whole: Path) -> None:
    status, said = run_inside(whole)
    assert status == 0, said
    events, seals = Event.objects.count(), Seal.objects.count()
    assert f"intact: {events} events, {seals} seals" in said
    assert "1 signatures" in said
    assert "No anchor was given" in said
    out = StringIO()
    call_command("verify_trail", bundle=whole, stdout=out)
    assert "The trail is intact" in out.getvalue()


def test_the_program_needs_nothing_but_python_3_9() -> None:
    tree = ast.parse(Path(verify.__file__).read_text(), feature_version=(3, 9))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
        )
    }
    assert modules <= set(sys.stdlib_module_names)


def changed_value(lines: type_lines) -> type_lines:
    lines[1]["text"] = lines[1]["text"].replace("Ben", "Bob")
    return lines


def forged_with_its_digest(lines: type_lines) -> type_lines:
    changed = changed_value(lines)
    changed[1]["digest"] = hashlib.sha256(changed[1]["text"].encode()).hexdigest()
    return changed


def swapped_seals(lines: type_lines) -> type_lines:
    return [lines[1], lines[0], *lines[2:]]


def other_identifier(lines: type_lines) -> type_lines:
    lines[2]["text"] = lines[2]["text"].replace(lines[2]["text"].split("\n")[0], "1000000", 1)
    return lines


def slipped_in(lines: type_lines) -> type_lines:
    parts = lines[1]["text"].split("\n")
    text = "\n".join([parts[0], *parts[1:3], "", *parts[4:]])
    digest = hashlib.sha256(text.encode()).hexdigest()
    return [*lines[:2], {"text": text, "digest": digest}, *lines[2:]]


def forged_signature(lines: type_lines) -> type_lines:
    lines[0]["text"] = lines[0]["text"].replace("reviewed", "approved")
    return lines


def forged_signature_with_its_digest(lines: type_lines) -> type_lines:
    forged_signature(lines)
    lines[0]["digest"] = hashlib.sha256(lines[0]["text"].encode()).hexdigest()
    return lines


FORGERIES: dict[str, tuple[str, Callable[[type_lines], type_lines], str]] = {
    "a value": ("events.jsonl", changed_value, "its content is not what was recorded"),
    "a value and its digest": ("events.jsonl", forged_with_its_digest, "not those that were sealed"),
    "an event less": (
        "events.jsonl",
        lambda lines: [*lines[:1], *lines[2:]],
        "1 of its 3 events are missing",
    ),
    "the tail": ("events.jsonl", lambda lines: lines[:-2], "events are missing"),
    "the order": ("events.jsonl", lambda lines: [lines[1], lines[0], *lines[2:]], "out of order"),
    "an event twice": ("events.jsonl", slipped_in, "out of order"),
    "an identifier": ("events.jsonl", other_identifier, "content"),
    "two seals swapped": ("seals.jsonl", swapped_seals, "does not continue the seal before it"),
    "a seal less": ("seals.jsonl", lambda lines: [lines[0], *lines[2:]], "does not continue"),
    "a signature": ("signatures.jsonl", forged_signature, "its content is not"),
    "a signature and its seal": ("signatures.jsonl", forged_signature_with_its_digest, "recorded another"),
    "a signature less": ("signatures.jsonl", lambda lines: [], "it is missing"),
}


@pytest.mark.req("AUD-05")
@pytest.mark.parametrize("forgery", sorted(FORGERIES))
def test_a_forgery_is_found(whole: Path, forgery: str) -> None:
    name, change, said = FORGERIES[forgery]
    status, answer = run_inside(rewritten(whole, name, change))
    assert status == 1
    assert "First broken place" in answer
    assert said in answer


@pytest.mark.req("AUD-05")
def test_a_file_that_was_cut_is_told(whole: Path) -> None:
    cut = whole.with_name("cut.zip")
    cut.write_bytes(whole.read_bytes()[:-200])
    assert run_inside(whole)[0] == 0
    done = subprocess.run(
        [sys.executable, verify.__file__, str(cut)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "is no whole bundle" in done.stderr
    broken = rewritten(whole, "events.jsonl", lambda lines: [{"digest": "zz"}, *lines])
    assert run_inside(broken)[0] == 1


@pytest.mark.req("AUD-06")
def test_a_tail_that_was_dropped_with_its_seals_misses_the_anchor(whole: Path, tmp_path: Path) -> None:
    newest = Seal.objects.latest("id")
    anchor = tmp_path / "anchor.json"
    anchor.write_text(json.dumps({"seal": newest.pk, "digest": bytes(newest.digest).hex()}))
    assert run_inside(whole, "--anchor", str(anchor)) == (0, run_inside(whole, "--anchor", str(anchor))[1])
    kept = Seal.objects.order_by("id")[1].last_id
    shorter = rewritten(
        rewritten(whole, "seals.jsonl", lambda lines: lines[:2]).rename(tmp_path / "half.zip"),
        "events.jsonl",
        lambda lines: [line for line in lines if int(line["text"].split("\n")[0]) <= kept],
    )
    without_signatures = rewritten(
        shorter.rename(tmp_path / "less.zip"), "signatures.jsonl", lambda lines: []
    )
    assert run_inside(without_signatures)[0] == 0  # by itself it looks whole
    status, said = run_inside(without_signatures, "--anchor", str(anchor))
    assert status == 1
    assert "was anchored outside" in said


@pytest.mark.req("AUD-11")
def test_content_that_is_withheld_is_not_in_it_and_the_chain_still_holds(
    signed: User, tmp_path: Path
) -> None:
    path = tmp_path / "part.zip"
    path.write_bytes(b"".join(bundle(Contents(subjects=frozenset(), others=False, sections=False), "x")))
    with zipfile.ZipFile(path) as archive:
        assert b"Ada" not in archive.read("events.jsonl")
        assert "signatures.jsonl" not in archive.namelist()
    status, said = run_inside(path)
    assert status == 0
    assert "is withheld; their digests fit" in said
    forged = rewritten(path, "events.jsonl", lambda lines: [lines[0], *lines[2:]])
    assert run_inside(forged)[0] == 1


@pytest.mark.req("AUD-11")
def test_signatures_come_with_the_events_that_recorded_them(signed: User, tmp_path: Path) -> None:
    path = tmp_path / "part.zip"
    path.write_bytes(b"".join(bundle(Contents(subjects=frozenset(), others=False), "x")))
    status, said = run_inside(path)
    assert status == 0, said
    assert "1 signatures" in said
    with zipfile.ZipFile(path) as archive:
        given = [json.loads(line) for line in archive.read("events.jsonl").splitlines()]
    assert sum("text" in each for each in given) == 1
    forged = rewritten(path, "signatures.jsonl", lambda lines: [])
    assert run_inside(forged)[0] == 1


@pytest.mark.req("AUD-05")
@pytest.mark.django_db(transaction=True)
def test_a_bundle_shows_one_moment_while_others_sign(make_user: Callable[..., User], tmp_path: Path) -> None:
    first, second = make_user("gus"), make_user("ida")
    sign_as(first)
    seal_everything()
    path, made = tmp_path / "trail.zip", bundle(WHOLE, "x")
    with path.open("wb") as out:
        out.write(next(made))
        other = Thread(target=lambda: (sign_as(second), connection.close()))
        other.start()
        other.join()
        out.writelines(made)
    assert Signature.objects.count() == 2
    status, said = run_inside(path)
    assert status == 0, said
    assert "1 signatures" in said


@pytest.mark.req("AUD-05")
def test_the_command_checks_a_bundle_too(whole: Path, tmp_path: Path) -> None:
    forged = rewritten(whole, "events.jsonl", changed_value)
    with pytest.raises(CommandError, match="First broken place: event") as refusal:
        call_command("verify_trail", bundle=forged)
    assert refusal.value.returncode == 1
    with pytest.raises(CommandError, match="no whole bundle") as refusal:
        call_command("verify_trail", bundle=tmp_path / "nothing.zip")
    assert refusal.value.returncode == 2
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.json").write_text("{}")
    with pytest.raises(CommandError, match="is no anchor"):
        call_command("verify_trail", bundle=whole, anchors=tmp_path / "a")
    with pytest.raises(FileExistsError):
        call_command("export_trail", whole)


@pytest.mark.req("AUD-06")
def test_the_anchors_of_the_storage_come_along(signed: User, tmp_path: Path) -> None:
    anchor_newest_seal()
    path = tmp_path / "trail.zip"
    call_command("export_trail", path, stdout=StringIO())
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.startswith("anchors/")]
        assert json.loads(archive.read(name))["seal"] == Seal.objects.latest("id").pk


@pytest.mark.req("AUD-01")
def test_events_say_from_where_and_in_which_session(
    client_for: Callable[..., Any], make_user: Callable[..., User], superuser: Any
) -> None:
    browser = client_for(make_user("ada"))
    browser.post("/account/tokens/", {"name": "x", "scopes": ["entry.view"], "days": "30"})
    event = Event.objects.filter(origin="web").latest("id")
    assert event.address == "127.0.0.1"
    assert event.session == hashlib.sha256(browser.session.session_key.encode()).hexdigest()
    superuser.execute(
        "SET session_replication_role = replica; UPDATE audit_event SET session = NULL, address = NULL"
    )
    superuser.execute(f"SELECT {CANONICAL_TEXT} FROM audit_event e ORDER BY id DESC LIMIT 1")
    (text,) = superuser.fetchone()
    assert len(json.loads(text.split("\n")[6])) == 7  # as it was recorded before there were these columns
