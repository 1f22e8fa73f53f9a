"""Work that a worker does for a person: claimed by one, and taken up again where its worker was lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now

from audit.context import Actor, acting
from foundation import clock
from reports.models import CopyRequest, Export, ExportState, Simulation

GIVEN_UP_AFTER = timedelta(minutes=30)
"""What runs longer than this lost its worker; it is made again."""

type_work = type[Export] | type[Simulation] | type[CopyRequest]


def waiting(model: type_work) -> list[int]:
    """What waits, or whose worker was lost, oldest first."""
    found = model._default_manager.filter(_to_be_made())
    return list(found.order_by("requested_at").values_list("pk", flat=True))


def claim(model: type_work, key: int, actor: Actor) -> bool:
    """Take work that waits; one statement decides who gets it."""
    with acting(actor):
        found = model._default_manager.filter(_to_be_made(), pk=key)
        return bool(found.update(state=ExportState.RUNNING, started_at=Now(), problem=""))


def keep(model: type_work, key: int, actor: Actor, **fields: Any) -> None:
    """Keep how far the work is, or what came of it."""
    with acting(actor):
        model._default_manager.filter(pk=key).update(**fields)


def report(model: type_work, key: int, actor: Actor, **fields: Any) -> None:
    """Keep how far the work is. Whoever reports is alive, however long the work takes: nobody else takes it up."""
    keep(model, key, actor, started_at=Now(), **fields)


def _to_be_made() -> Q:
    lost = Q(state=ExportState.RUNNING, started_at__lt=clock.now() - GIVEN_UP_AFTER)
    return Q(state=ExportState.WAITING) | lost
