"""What a site waits for before its images are under way: names taken out of a series in the browser, then the sending.

`.venv/bin/python -m benchmarks.upload [--slices 500] [--rounds 3]`

A series of 512 by 512 pixels, chosen on the upload page of a real gunicorn in headless Chromium; times are those of the
marks that the page sets. The floor is the same page reading and hashing the same files, as an upload would that only
checks what it sends.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.common import SETUP, open_trial, scratch_database, screened

# isort: split
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.wsgi import get_wsgi_application
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, sync_playwright

from accounts.models import Grant, User
from audit.context import acting
from benchmarks.frames import Running
from benchmarks.ingest import series, visits_of
from benchmarks.viewer import as_built, marked
from foundation import clock
from tests.browser import find_browser

READ_AND_HASHED = """async input => {
  const start = performance.now()
  for (const file of input.files) await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
  return performance.now() - start
}"""


def coordinator_of(trial: str, site: str) -> User:
    """Somebody at the site who sends images."""
    with acting(SETUP):
        user = User.objects.create_user("sender", "a password of a benchmark", full_name="Sender")
        starts = clock.now() - timedelta(days=1)
        Grant.objects.create(user=user, role="coordinator", trial=trial, site=site, starts=starts)
    return user


def letter_beside(path: Path) -> Path:
    """No image: it is refused, and the page stays to say so, with its marks."""
    letter = path.with_name("letter.txt")
    letter.write_text("Dear colleague")
    return letter


def one_round(page: Page, url: str, paths: list[Path]) -> dict[str, float]:
    """All waits once."""
    page.goto(url)
    chosen = page.locator("edc-upload input:not([webkitdirectory])")
    chosen.evaluate("input => document.body.append(Object.assign(input.cloneNode(), { id: 'floor' }))")
    page.locator("#floor").set_input_files(paths)
    waits = {"read and hashed": page.locator("#floor").evaluate(READ_AND_HASHED)}
    chosen.set_input_files(paths)
    start = marked(page, "files chosen")
    waits["names taken out"] = marked(page, "names are out") - start
    waits["names taken out and sent"] = marked(page, "files sent") - start
    return waits


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    with scratch_database(), tempfile.TemporaryDirectory() as name:
        storage: Any = default_storage
        storage._wrapped = FileSystemStorage(location=Path(name) / "files")  # noqa: SLF001
        as_built()
        trial = open_trial("THERMODOX")
        visits = visits_of([screened(trial, f"B-{n}") for n in range(wanted.rounds)])
        client = Client()
        client.force_login(coordinator_of(trial.code, visits[0].subject.site.code))
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        server = Running(get_wsgi_application())
        base = f"http://localhost:{server.port}"
        urls = [base + reverse("visit-images", args=[each.subject.number, str(each)]) for each in visits]
        waits: dict[str, list[float]] = {}
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(**find_browser().launch_options())
                for number, url in enumerate(urls):
                    paths = series(Path(name) / f"scanner-{number}", wanted.slices, number + 1)
                    paths.append(letter_beside(paths[0]))
                    context = browser.new_context()
                    context.add_cookies(
                        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base}]
                    )
                    for what, wait in one_round(context.new_page(), url, paths).items():
                        waits.setdefault(what, []).append(wait)
                    context.close()
        finally:
            server.end()
        print(f"{wanted.slices} slices")
        for what, each in waits.items():
            print(f"{what:40}{statistics.median(each):8.0f} ms ({min(each):.0f} to {max(each):.0f})")


if __name__ == "__main__":
    main()
