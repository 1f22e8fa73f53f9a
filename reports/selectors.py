"""Reading the reports room."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.access import Access
from foundation.errors import NotFound
from reports.models import Export


def exports_visible_to(access: Access) -> QuerySet[Export]:
    """A person's own exports of trials that they may still export."""
    trials = access.trials("export.run")
    condition = Q() if "" in trials else Q(trial__code__in=trials)
    mine = Export.objects.filter(condition, requested_by_id=access.user_id)
    return mine.select_related("trial", "requested_by").defer("manifest")


def get_export(access: Access, export_id: int) -> Export:
    """One of a person's own exports.

    Raises
    ------
    NotFound
    """
    found = exports_visible_to(access).filter(pk=export_id).first()
    if found is None:
        raise NotFound(what="export", name=str(export_id))
    return found
