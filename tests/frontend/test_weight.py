"""The weight of what a browser fetches: a budget, so that pages stay quick where the network is slow."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import brotli
import pytest

from tests.frontend.site import DIST

pytestmark = pytest.mark.usefixtures("built")


def manifest() -> dict[str, Any]:
    return dict(json.loads((DIST / "manifest.json").read_text()))


def packed(file: str) -> int:
    """Bytes on the wire: fonts are packed already, the rest travels as brotli."""
    raw = (DIST / file).read_bytes()
    return len(raw) if file.endswith(".woff2") else len(brotli.compress(raw))


def scripts(entry: str) -> Iterator[str]:
    """The script of an entry and all that it imports at once."""
    seen: set[str] = set()
    todo = [entry]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        yield manifest()[name]["file"]
        todo += manifest()[name].get("imports", [])


@pytest.mark.parametrize(
    ("entry", "script", "style"),
    [("app", 25_000, 15_000), ("epro", 12_000, 6_000), ("viewer", 8_000, 3_000), ("upload", 5_000, 0), ("cover", 3_000, 0)],
)
def test_a_page_stays_within_its_budget(entry: str, script: int, style: int) -> None:
    files = list(scripts(f"src/{entry}.js"))
    assert sum(map(packed, files)) <= script
    assert sum(map(packed, manifest()[f"src/{entry}.js"].get("css", []))) <= style


def test_a_staff_page_needs_few_files() -> None:
    assert len(list(scripts("src/app.js"))) == 1
    assert len(manifest()["src/app.js"]["css"]) == 1


def test_the_font_and_the_sprite_are_small() -> None:
    assert packed(manifest()["generated/inter-latin.woff2"]["file"]) <= 45_000
    assert packed(manifest()["generated/sprite.svg"]["file"]) <= 8_000


def test_a_first_visit_stays_under_a_hundred_kilobytes_without_its_html() -> None:
    entry = manifest()["src/app.js"]
    files = [
        entry["file"],
        *entry["css"],
        manifest()["generated/inter-latin.woff2"]["file"],
        manifest()["generated/sprite.svg"]["file"],
    ]
    assert sum(map(packed, files)) <= 80_000


def test_the_viewer_comes_only_when_it_is_asked_for() -> None:
    entries = manifest()
    assert "desk" in "".join(entries["src/viewer.js"]["dynamicImports"])
    desk = next(entry["file"] for name, entry in entries.items() if name.endswith("viewer/desk.js"))
    assert desk not in list(scripts("src/viewer.js")) + list(scripts("src/app.js"))
    assert len(gzip.compress((DIST / desk).read_bytes())) <= 1_150_000


def test_nothing_built_makes_code_from_text_or_calls_out() -> None:
    for name in ("src/app.js", "src/epro.js", "src/viewer.js"):
        for file in scripts(name):
            text = (DIST / file).read_text()
            assert "https://" not in text.replace("https://htmx.org", "").replace(
                "https://four.htmx.org", ""
            ), file
