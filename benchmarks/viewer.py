"""What a reader waits for: the first picture, the whole series, the next case.

`.venv/bin/python -m benchmarks.viewer [--slices 500] [--rounds 3] [--megabits 100]`

Two cases of one series each, opened in a real headless Chromium over a line of so many megabits a second, from a real
gunicorn with one process. Times are those of the marks that the page itself sets; a browser without a graphics card
draws by processor, on the same machine as the server. `make setup` builds the page.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common import SETUP, open_trial, scratch_database, screened

# isort: split
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.wsgi import get_wsgi_application
from django.test import Client
from django_vite.core.asset_loader import DjangoViteAppClient, DjangoViteAssetLoader, DjangoViteConfig
from playwright.sync_api import BrowserContext, Page, sync_playwright

from accounts.models import User
from benchmarks.frames import Running, reader_of
from benchmarks.ingest import series, visits_of
from imaging.gate import FrameGate
from imaging.models import Origin, Read
from imaging.services import process_batch, receive_files
from tests.browser import find_browser

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in this thread
MARKS = "name => performance.getEntriesByName(name).map(mark => mark.startTime)"
PATIENCE = 120_000


def cases(folder: Path, slices: int) -> tuple[User, list[str]]:
    """A reader, and the addresses of two cases, with their pictures stored."""
    trial = open_trial("THERMODOX")
    user = reader_of(trial.code)
    for number, visit in enumerate(visits_of([screened(trial, f"B-{n}") for n in range(2)])):
        paths = series(folder / f"scanner-{number}", slices, number + 1)
        files = [(path.name, path) for path in paths]
        batch = receive_files(actor=SETUP, visit=visit, files=files, origin=Origin.COMMAND)
        process_batch(batch.pk)
    return user, [f"/reading/{read.opaque}/" for read in Read.objects.filter(reader=user).order_by("pk")]


def as_built() -> None:
    """Pages name the built files, as in production."""
    manifest = Path(settings.BASE_DIR) / "frontend" / "dist" / "manifest.json"
    built = DjangoViteAppClient(DjangoViteConfig(dev_mode=False, manifest_path=str(manifest)))
    DjangoViteAssetLoader.instance()._apps["default"] = built  # noqa: SLF001


def marked(page: Page, name: str, since: float = 0.0) -> float:
    """Milliseconds from a moment of the page until it set a mark the next time."""
    page.wait_for_function(
        f"since => ({MARKS})('{name}').some(at => at > since)", arg=since, timeout=PATIENCE
    )
    found: list[float] = page.evaluate(MARKS, name)
    return next(at for at in found if at > since) - since


def one_round(context: BrowserContext, base: str, addresses: list[str], megabits: int) -> dict[str, float]:
    """All waits once, with an empty cache at the beginning."""
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.clearBrowserCache")
    speed = megabits * 1e6 / 8
    limits = {"offline": False, "latency": 2, "downloadThroughput": speed, "uploadThroughput": speed}
    line.send("Network.emulateNetworkConditions", limits)
    waits: dict[str, float] = {}
    page.goto(base + addresses[0])
    waits["first picture, nothing fetched before"] = marked(page, "picture")
    waits["whole series"] = marked(page, "all pictures")
    marked(page, "next case is here")
    page.evaluate(
        "url => document.dispatchEvent(new CustomEvent('edc:next-case', { detail: { url } }))", addresses[1]
    )
    started = page.evaluate(MARKS, "to the next case")[-1]
    waits["next case"] = marked(page, "picture", started)
    page.close()
    again = context.new_page()
    again.goto(base + addresses[0])
    waits["first picture, opened before"] = marked(again, "picture")
    again.close()
    return waits


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabits", type=int, default=100)
    wanted = parser.parse_args()
    with scratch_database(), tempfile.TemporaryDirectory() as name:
        storage: Any = default_storage
        storage._wrapped = FileSystemStorage(location=Path(name) / "files")  # noqa: SLF001
        as_built()
        user, addresses = cases(Path(name), wanted.slices)
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        server = Running(FrameGate(get_wsgi_application()))
        base = f"http://localhost:{server.port}"
        waits: dict[str, list[float]] = {}
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(**find_browser().launch_options())
                for _ in range(wanted.rounds):
                    context = browser.new_context(viewport={"width": 1440, "height": 900})
                    context.add_cookies(
                        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base}]
                    )
                    for what, wait in one_round(context, base, addresses, wanted.megabits).items():
                        waits.setdefault(what, []).append(wait)
                    context.close()
        finally:
            server.end()
        print(f"{wanted.slices} slices, {wanted.megabits} megabits a second")
        for what, each in waits.items():
            print(f"{what:40}{statistics.median(each):8.0f} ms ({min(each):.0f} to {max(each):.0f})")


if __name__ == "__main__":
    main()
