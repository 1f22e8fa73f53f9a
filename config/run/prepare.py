"""Before the first request: tables, protocols, and people to try it out."""

from __future__ import annotations

from io import TextIOBase
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands

from accounts.models import User
from accounts.services import set_training_password
from audit.context import service_actor
from config.run.child import say
from trials.errors import LabelTaken

DEMO_ACCOUNTS = (
    "coordinator",
    "investigator",
    "datamanager",
    "monitor",
    "radiologist",
    "radiologist2",
    "adjudicator",
    "sponsor",
    "admin",
    "coordinator2",
    "investigator2",
)


def prepare(*, demonstration: bool) -> None:
    """Bring the database up to date; fill it for training if it is empty and a demonstration is wanted."""
    say("setup", "database: migrating")
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    commands = get_commands()
    if "publish_protocol" in commands:
        for pack in bundled_packs():
            publish(pack)
    if demonstration and "demo" in commands:
        _run("demo")
    for user in demo_accounts():
        set_training_password(actor=service_actor("demo"), user=user, password=settings.DEMO_PASSWORD)


def publish(pack: Path) -> None:
    """Publish a pack; where its label is taken by another content, say so and leave what was published in force.

    Raises
    ------
    CommandError
        The pack has faults.
    """
    try:
        _run("publish_protocol", str(pack))
    except CommandError as error:
        if not isinstance(error.__cause__, LabelTaken):
            raise
        say("setup", f"{error} What was published stays in force, and the pack in {pack.name} is not used.")


class Lines(TextIOBase):
    """What a command prints, line by line as it comes."""

    def write(self, text: str) -> int:
        """Say each line that has words."""
        for line in filter(str.strip, text.splitlines()):
            say("setup", line)
        return len(text)


def _run(command: str, *arguments: str) -> None:
    call_command(command, *arguments, stdout=Lines())


def bundled_packs() -> list[Path]:
    """Folders of the protocol packs that come with Hilum, each followed by its amendments in order."""
    folder = Path(apps.get_app_config("trials").path) / "packs"
    firsts = sorted(pack.parent for pack in folder.glob("*/protocol.y*ml"))
    return [
        pack
        for first in firsts
        for pack in (first, *sorted(each.parent for each in first.glob("amendments/*/protocol.y*ml")))
    ]


def demo_accounts() -> list[User]:
    """The demo accounts that are there, in the order of the README."""
    found = {user.username: user for user in User.objects.filter(username__in=DEMO_ACCOUNTS, is_active=True)}
    return [found[name] for name in DEMO_ACCOUNTS if name in found]
