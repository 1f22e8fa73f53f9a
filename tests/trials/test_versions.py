"""A published version is final: once, unchangeable in SQL as well, and typed."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction

from audit.context import Actor, acting, service_actor
from config.run.prepare import publish
from foundation.errors import NotFound
from trials.errors import ContentAltered, LabelTaken, PackHasFaults, UnknownTimeZone
from trials.models import ProtocolVersion, Trial, _content, _protocol
from trials.schema import Protocol, digest_of
from trials.selectors import current_version, sites_of
from trials.services import close_site, open_site, publish_protocol, register_site, withdraw_version

THIRD = Path(__file__).parent / "third_trial"
SOMEBODY = service_actor("test")

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> ProtocolVersion:
    return publish_protocol(actor=SOMEBODY, pack=THIRD)


def amended(folder: Path, *, label: str) -> Path:
    """The third trial with another wording of criterion 1, under `label`."""
    pack = folder / f"amended-{label}"
    shutil.copytree(THIRD, pack)
    for name, old, new in (
        ("criteria.yaml", "text: Adults", "text: Adults only"),
        ("protocol.yaml", '"1.0"', f'"{label}"'),
    ):
        path = pack / name
        path.write_text(path.read_text().replace(old, new, 1))
    return pack


def test_a_third_trial_is_published_without_a_line_of_python(version: ProtocolVersion) -> None:
    stored = ProtocolVersion.objects.get(pk=version.pk)
    assert (stored.trial.code, stored.label, stored.effective_from) == ("HEPAFIT", "1.0", date(2026, 1, 15))
    assert len(stored.protocol.criteria) == 10
    assert [visit.code for visit in stored.protocol.visits] == ["SCR", "W2", "W4", "M3"]
    assert [form.code for form in stored.protocol.forms] == ["BL", "WT"]
    assert stored.protocol.trial.short_title == stored.trial.short_title == "HepaFit"


def test_the_digest_can_be_recomputed_from_what_is_stored(version: ProtocolVersion) -> None:
    stored = ProtocolVersion.objects.get(pk=version.pk)
    assert digest_of(stored.definition) == stored.sha256 == Protocol.model_validate(stored.definition).sha256


def test_the_same_content_twice_is_one_version(version: ProtocolVersion) -> None:
    again = publish_protocol(actor=SOMEBODY, pack=THIRD, effective=date(2027, 1, 1))
    assert again == version
    assert again.effective_from == date(2026, 1, 15)
    assert ProtocolVersion.objects.count() == 1


def test_hilum_starts_although_a_pack_changed_after_it_was_published(
    version: ProtocolVersion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(amended(tmp_path, label="1.0"))
    assert (
        "A changed protocol needs a new label. What was published stays in force" in capsys.readouterr().out
    )
    assert ProtocolVersion.objects.get() == version


def test_another_content_needs_another_label(version: ProtocolVersion, tmp_path: Path) -> None:
    with pytest.raises(LabelTaken, match=r"HEPAFIT has a version 1\.0"):
        publish_protocol(actor=SOMEBODY, pack=amended(tmp_path, label="1.0"))
    second = publish_protocol(actor=SOMEBODY, pack=amended(tmp_path, label="1.1"), effective=date(2026, 6, 1))
    assert second.protocol.criteria[0].text == "Adults only"
    assert version.protocol.criteria[0].text == "Adults"


def test_the_version_in_force_depends_on_the_day(version: ProtocolVersion, tmp_path: Path) -> None:
    second = publish_protocol(actor=SOMEBODY, pack=amended(tmp_path, label="1.1"), effective=date(2026, 6, 1))
    with pytest.raises(NotFound, match="in force on 2026-01-14"):
        current_version("HEPAFIT", date(2026, 1, 14))
    assert current_version("HEPAFIT", date(2026, 1, 15)) == version
    assert current_version("HEPAFIT", date(2026, 5, 31)) == version
    assert current_version("HEPAFIT", date(2026, 6, 1)) == second
    withdraw_version(actor=SOMEBODY, version_id=second.pk, reason="a misprint")
    assert current_version("HEPAFIT", date(2026, 6, 1)) == version


def test_a_pack_with_a_fault_is_not_published(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(THIRD, pack)
    path = pack / "visits.yaml"
    path.write_text(path.read_text().replace("forms: [BL, WT]", "forms: [BL, WTX]", 1))
    with pytest.raises(PackHasFaults) as refused:
        publish_protocol(actor=SOMEBODY, pack=pack)
    assert [str(fault) for fault in refused.value.data["faults"]] == [
        f"{path}:3: unknown form 'WTX': did you mean 'WT'?"
    ]
    assert not Trial.objects.exists()


CHANGES = (
    "UPDATE trials_protocolversion SET label = '9'",
    "UPDATE trials_protocolversion SET sha256 = repeat('0', 64)",
    "UPDATE trials_protocolversion SET effective_from = '1999-01-01'",
    "UPDATE trials_protocolversion SET trial_id = trial_id + 1",
    "UPDATE trials_protocolversion SET definition = '{}'",
    "UPDATE trials_protocolversion SET definition = jsonb_set(definition, '{trial,title}', '\"x\"')",
    "DELETE FROM trials_protocolversion",
)


@pytest.mark.parametrize("sql", CHANGES)
def test_sql_cannot_change_a_published_version(version: ProtocolVersion, sql: str) -> None:
    with (
        pytest.raises(IntegrityError, match="published protocol version"),
        acting(SOMEBODY),
        transaction.atomic(),
    ):
        connection.cursor().execute(sql)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
@pytest.mark.parametrize("sql", CHANGES)
def test_the_owner_of_the_tables_cannot_either(sql: str) -> None:
    publish_protocol(actor=SOMEBODY, pack=THIRD)
    with (
        pytest.raises(IntegrityError, match="published protocol version"),
        acting(SOMEBODY, using="owner"),
        connections["owner"].cursor() as cursor,
    ):
        cursor.execute(sql)


def test_a_version_can_be_withdrawn(version: ProtocolVersion) -> None:
    withdrawn = withdraw_version(actor=SOMEBODY, version_id=version.pk, reason="sponsor's letter of 3 March")
    assert withdrawn.state == "WITHDRAWN"


@pytest.mark.django_db(transaction=True)
def test_content_altered_behind_our_back_is_not_used(superuser: object) -> None:
    version = publish_protocol(actor=SOMEBODY, pack=THIRD)
    superuser.execute("SET session_replication_role = replica")  # type: ignore[attr-defined]
    superuser.execute("UPDATE trials_protocolversion SET definition = definition - 'endpoints'")  # type: ignore[attr-defined]
    _protocol.cache_clear()
    _content.cache_clear()
    with pytest.raises(ContentAltered, match="altered in the database"):
        _ = version.protocol


def test_the_tree_is_read_once_per_process(version: ProtocolVersion, statements: object) -> None:
    _ = version.protocol
    with statements() as done:  # type: ignore[operator]
        again = ProtocolVersion.objects.get(pk=version.pk)
        assert again.protocol is version.protocol
    assert len(done.counted) == 1
    assert "definition" not in done.counted[0]


def test_publishing_twice_at_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("publish_protocol", str(THIRD), "--effective", "2026-02-01")
    call_command("publish_protocol", str(THIRD))
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert first.startswith("HEPAFIT 1.0, in force from 2026-02-01, ")


def test_the_command_names_every_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="was not published"):
        call_command("publish_protocol", str(tmp_path))
    assert f"{tmp_path}:0: no .yaml file in this folder" in capsys.readouterr().err


def test_sites_open_and_close(version: ProtocolVersion, actor: Actor) -> None:
    site = register_site(actor=actor, code="NO-01", name="Oslo", country="NO", time_zone="Europe/Oslo")
    other = register_site(actor=actor, code="NO-02", name="Bergen", country="NO", time_zone="Europe/Oslo")
    for each, day in ((site, date(2026, 2, 1)), (other, date(2026, 3, 1))):
        open_site(actor=actor, trial=version.trial, site=each, on=day)
    close_site(actor=actor, trial=version.trial, site=site, on=date(2026, 3, 1), reason="no more patients")
    assert list(sites_of("HEPAFIT")) == [site, other]
    assert list(sites_of("HEPAFIT", date(2026, 2, 28))) == [site]
    assert list(sites_of("HEPAFIT", date(2026, 3, 1))) == [site, other]
    assert list(sites_of("HEPAFIT", date(2026, 3, 2))) == [other]


def test_a_site_has_a_real_time_zone(actor: Actor) -> None:
    with pytest.raises(UnknownTimeZone):
        register_site(actor=actor, code="NO-01", name="Oslo", country="NO", time_zone="Europe/Olso")
