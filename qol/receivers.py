"""What the room does when the casebook changes."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from audit.context import Actor
from casebook.models import Entry
from casebook.signals import entry_saved
from qol.rules.questionnaire import questionnaire_of
from qol.services import PATIENT, answered_on_paper


@receiver(entry_saved, dispatch_uid="qol.close_links_of_entered_forms")
def close_links_of_entered_forms(
    sender: type[Entry], entry: Entry, items: frozenset[str], actor: Actor, **_: Any
) -> None:
    """A link is closed when the site enters the answers of that visit itself."""
    questionnaire = questionnaire_of(entry.subject.version.protocol)
    if questionnaire is None or entry.form != questionnaire.form or actor == PATIENT:
        return
    if items & set(questionnaire.items.values()):
        answered_on_paper(actor=actor, entry=entry)
