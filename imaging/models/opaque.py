"""Identifiers that are shown where a number or a name would tell something."""

from __future__ import annotations

import uuid

from django.db import models


def opaque_identifier() -> models.UUIDField[uuid.UUID, uuid.UUID]:
    """A random identifier that tells nothing."""
    return models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
