"""Foreign keys and migrations go the same way as imports: down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.models import Field
from django.db.models.fields.related import RelatedField

from config.rooms import FLOORS, ROOMS
from tests.architecture.guards import upward_edges


def relations() -> Iterator[tuple[str, str, Field]]:
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields(include_parents=False):
            if isinstance(field, RelatedField) and model._meta.app_label in ROOMS:
                yield model._meta.app_label, field.related_model._meta.app_label, field


def test_foreign_keys_point_downwards() -> None:
    assert upward_edges(((own, other) for own, other, _ in relations()), FLOORS) == []


def test_relations_across_rooms_leave_no_name_above() -> None:
    named = [
        str(field)
        for own, other, field in relations()
        if own != other and other in ROOMS and not field.remote_field.hidden
    ]
    assert named == []


def test_migrations_depend_downwards() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    edges = [
        (app, needed)
        for (app, _), migration in loader.disk_migrations.items()
        for needed, _ in migration.dependencies
        if needed != "__setting__"
    ]
    assert upward_edges(edges, FLOORS) == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_one_last_migration(room: str) -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    assert len(loader.graph.leaf_nodes(room)) <= 1


@pytest.mark.parametrize(
    ("edge", "bad"),
    [
        (("visits", "patients"), False),
        (("patients", "visits"), True),
        (("qol", "safety"), True),
        (("audit", "foundation"), False),
        (("foundation", "audit"), True),
        (("visits", "visits"), False),
        (("visits", "contenttypes"), False),
    ],
)
def test_the_guard_sees_an_edge_that_climbs(edge: tuple[str, str], *, bad: bool) -> None:
    assert upward_edges([edge], FLOORS) == ([edge] if bad else [])
