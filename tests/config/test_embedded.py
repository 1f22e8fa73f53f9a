"""The embedded servers: shared by those who use them, stopped by the last, whole or not there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from config.broker import broker_url
from config.embedded.postgres import SUPERUSER, Postgres
from config.embedded.sockets import LONGEST_SOCKET_PATH, socket_folder
from config.embedded.users import Users
from config.embedded.valkey import valkey_socket
from config.environment import BASE_DIR
from config.secrets import installation_secret

HOLD = """
import sys
from pathlib import Path
from config.embedded.users import Users
users = Users(Path(sys.argv[1]))
with users.alone():
    users.join()
print("joined", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def another_user(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the server of `tmp_path`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "server")],
        cwd=BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "joined\n"
        yield process
        process.kill()


def joined(folder: Path) -> Users:
    users = Users(folder)
    with users.alone():
        users.join()
    return users


def test_the_only_user_is_the_last(tmp_path: Path) -> None:
    users = joined(tmp_path / "server")
    with users.alone():
        assert users.leave()
        assert not users.leave()


def test_a_user_beside_another_is_not_the_last(tmp_path: Path, another_user: subprocess.Popen[str]) -> None:
    users = joined(tmp_path / "server")
    with users.alone():
        assert not users.leave()


def test_a_killed_user_counts_no_longer(tmp_path: Path, another_user: subprocess.Popen[str]) -> None:
    users = joined(tmp_path / "server")
    another_user.kill()
    another_user.wait()
    with users.alone():
        assert users.leave()


@pytest.mark.servers
def test_a_server_is_made_started_and_stopped_and_keeps_its_data(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres")
    for statement in ("CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)"):
        server.start()
        connection = psycopg2.connect(host=str(server.sockets), user=SUPERUSER, dbname="postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.execute("SHOW listen_addresses")
            assert cursor.fetchone() == ("",)
        connection.close()
        assert server.pid() is not None
        server.stop_when_last()
        assert server.pid() is None


@pytest.mark.servers
def test_an_interrupted_first_start_leaves_nothing_half_made(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    server = Postgres(tmp_path / "postgres")
    server.start()
    assert server.pid() is not None
    assert not unfinished.exists()
    server.stop_when_last()


def test_a_number_that_another_process_got_is_no_server(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres")
    server.folder.mkdir()
    (server.folder / "postmaster.pid").write_text("1\n")
    assert server.pid() is None


@pytest.mark.parametrize(("spare", "inside"), [(0, True), (-1, False)])
def test_a_socket_lies_in_the_data_unless_its_path_were_too_long(spare: int, *, inside: bool) -> None:
    data = Path("/" + "x" * (LONGEST_SOCKET_PATH - len("/") - len("/a.sock") - spare))
    assert (socket_folder(data, "a.sock") == data) is inside
    assert len(str(socket_folder(data, "a.sock") / "a.sock")) <= LONGEST_SOCKET_PATH


def test_two_installations_have_two_brokers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert broker_url(tmp_path / "a") != broker_url(tmp_path / "b")
    assert broker_url(tmp_path / "a") == f"redis+socket://{valkey_socket(tmp_path / 'a')}"


def test_a_given_broker_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "rediss://broker.example:6380/1")
    assert broker_url(tmp_path) == "rediss://broker.example:6380/1"


def test_the_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    secret = installation_secret(tmp_path / "new" / "secret_key")
    assert len(secret) >= 50
    assert installation_secret(tmp_path / "new" / "secret_key") == secret
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o077 == 0
