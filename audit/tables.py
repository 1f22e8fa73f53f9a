"""Which tables the trail follows: every table, but those listed here with a reason.

A model says itself what the trail needs to know about it::

    class Identity(models.Model):
        audit_masked = ("sealed",)              # columns whose values never enter the trail
        audit_subject = "entry__subject"        # where the subject stands, if not in a key named `subject`

`audit_subject` follows foreign keys of the model to the table that holds the subject's number; `"pk"` says that the
row is the subject. A model with a foreign key `subject` needs neither line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

EXEMPT: dict[str, str] = {
    "audit_event": "the trail itself; nobody but its trigger writes it",
    "audit_seal": "the trail's seals; nobody but hilum_seal() writes them",
    "django_migrations": "written by the migrator, which no person is",
    "django_content_type": "a list of our own models, written by the migrator",
    "auth_permission": "a list that Django derives from our models; nothing here asks it",
    "django_session": "technical state of a browser; signing in and out is in accounts_accessevent",
    "axes_accessattempt": "counter of failures, before anybody is known; each failure is in accounts_accessevent",
    "axes_accessattemptexpiration": "when a counter of failures ends; goes with axes_accessattempt",
    "axes_accessfailurelog": "not in use; accounts_accessevent has each failure",
    "axes_accesslog": "not in use; accounts_accessevent has each sign-in",
}

MASKED: dict[str, tuple[str, ...]] = {
    "mfa_authenticator": ("data",),
    "account_emailconfirmation": ("key",),
}


@dataclass(frozen=True)
class Tracked:
    """One table of the trail, in the words of its trigger's arguments."""

    table: str
    key: str
    subject: str
    masked: tuple[str, ...]


class UndeclaredSubject(Exception):
    """`audit_subject` of a model names a path that is not there."""


def tracked_tables() -> Iterator[Tracked]:
    """Every table that the trail follows, by name."""
    for model in sorted(apps.get_models(include_auto_created=True), key=lambda each: each._meta.db_table):
        meta = model._meta
        if meta.managed and not meta.proxy and meta.db_table not in EXEMPT:
            key = meta.pk.column
            assert key is not None
            yield Tracked(meta.db_table, key, _subject(model), masked_columns(model))


def masked_columns(model: type[models.Model]) -> tuple[str, ...]:
    """Columns of a model whose values never enter the trail."""
    declared: tuple[str, ...] = getattr(model, "audit_masked", MASKED.get(model._meta.db_table, ()))
    return declared


def _subject(model: type[models.Model]) -> str:
    path: str | None = getattr(model, "audit_subject", None)
    if path is None:
        return f".{_column(model, 'subject')}" if _has_subject(model) else ""
    if path == "pk":
        return f".{model._meta.pk.column}"
    first, *rest = path.split("__")
    if not rest:
        return f".{_column(model, first)}"
    return _query(model, first, rest)


def _query(model: type[models.Model], first: str, rest: list[str]) -> str:
    start = _key(model, first)
    table = _target(start)
    query = f"FROM public.{table._meta.db_table} t0"
    for number, name in enumerate(rest[:-1]):
        step = _key(table, name)
        table = _target(step)
        query += (
            f" JOIN public.{table._meta.db_table} t{number + 1}"
            f" ON t{number + 1}.{table._meta.pk.column} = t{number}.{step.column}"
        )
    wanted = _column(table, rest[-1])
    here = f"t0.{_target(start)._meta.pk.column} = ($1->>'{start.column}')::bigint"
    return f"SELECT t{len(rest) - 1}.{wanted} {query} WHERE {here}"


def _has_subject(model: type[models.Model]) -> bool:
    try:
        return isinstance(model._meta.get_field("subject"), models.ForeignKey)
    except FieldDoesNotExist:
        return False


def _key(model: type[models.Model], name: str) -> models.ForeignKey[models.Model]:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist as error:
        raise UndeclaredSubject(f"{model._meta.label} has no {name!r} on the way to its subject.") from error
    if not isinstance(field, models.ForeignKey):
        raise UndeclaredSubject(f"{model._meta.label}.{name} is no foreign key.")
    return field


def _column(model: type[models.Model], name: str) -> str:
    if name == "pk":
        return str(model._meta.pk.column)
    return str(_key(model, name).column)


def _target(key: models.ForeignKey[models.Model]) -> type[models.Model]:
    target = key.remote_field.model
    assert not isinstance(target, str)
    return target
