"""What every template knows of the house."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def house(request: HttpRequest) -> dict[str, Any]:
    """`training`: is this an installation for training, with a banner? `request_id`: the request's number."""
    return {"training": settings.TRAINING, "request_id": getattr(request, "request_id", "")}
