"""Where an export comes from: which protocol, which system, and how far the trail had come."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from audit.models import Event, Seal
from foundation import clock
from trials.models import ProtocolVersion, Trial


def provenance(trial: Trial, by: str) -> dict[str, Any]:
    """The part of a manifest that every export has.

    Parameters
    ----------
    by
        Name of the person who asked.
    """
    newest = Event.objects.order_by("-id").values_list("id", flat=True).first()
    seal = Seal.objects.order_by("-id").first()
    return {
        "trial": trial.code,
        "registry_id": trial.registry_id,
        "created_at": clock.now().isoformat(),
        "created_by": by,
        "system": {"name": "Hilum", "version": settings.VERSION},
        "protocol_versions": [
            {
                "label": version.label,
                "sha256": version.sha256,
                "effective_from": version.effective_from.isoformat(),
            }
            for version in ProtocolVersion.objects.filter(trial=trial).defer("definition")
        ],
        "trail": {
            "newest_event": newest,
            "newest_seal": {"id": seal.pk, "sha256": bytes(seal.digest).hex()} if seal else None,
        },
    }
