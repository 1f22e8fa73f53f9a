"""Who writes, and why: the context that every change in the database must carry.

The trail is written by a trigger, which reads these settings of the transaction; without an actor it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Literal

from celery import current_task
from django.db import IntegrityError, connections, transaction
from django.http import HttpRequest

from audit.guards import as_told
from foundation.middleware import request_id as current_request_id

type_kind = Literal["person", "service"]

_SET = (
    "SELECT set_config('hilum.actor_id', %s, true), set_config('hilum.actor', %s, true),"
    " set_config('hilum.role', %s, true), set_config('hilum.reason', %s, true),"
    " set_config('hilum.origin', %s, true), set_config('hilum.request', %s, true),"
    " set_config('hilum.address', %s, true), set_config('hilum.session', %s, true)"
)


@dataclass(frozen=True)
class Actor:
    """Whoever changes something.

    Parameters
    ----------
    id
        Primary key of the person; None for a service.
    name
        Full name as it is now: the trail keeps it even when the person is renamed.
    role
        The role in which they act, as far as one is known.
    kind
        A person, or a part of the system that acts by itself.
    """

    id: int | None
    name: str
    role: str = ""
    kind: type_kind = "person"


@dataclass(frozen=True)
class Context:
    """What the transaction's settings hold."""

    actor: Actor
    reason: str
    origin: str
    request_id: str
    using: str
    afterwards: list[Callable[[], None]] = field(default_factory=list, compare=False)


_acting: ContextVar[Context | None] = ContextVar("hilum_acting", default=None)
_origin: ContextVar[str] = ContextVar("hilum_origin", default="")
_client: ContextVar[tuple[str, str]] = ContextVar("hilum_client", default=("", ""))


def service_actor(name: str) -> Actor:
    """A part of the system that acts by itself, such as `reminders` or `intake`."""
    return Actor(id=None, name=name, role="service", kind="service")


def request_actor(request: HttpRequest) -> Actor:
    """The person behind a request.

    Raises
    ------
    PermissionError
        Nobody is signed in; there is no anonymous write.
    """
    access = getattr(request, "access", None)
    if access is None or access.user_id is None:
        raise PermissionError("Nobody is signed in, so nobody can act.")
    actor: Actor = access.actor()
    return actor


def current() -> Context | None:
    """The context of the innermost `acting`, or None outside of one."""
    return _acting.get()


def afterwards(work: Callable[[], None]) -> None:
    """Do something once the transaction has ended, whether it was committed or undone; at once outside of one.

    For what must be kept even when everything else is not, such as a wrong password.
    """
    context = _acting.get()
    if context is None:
        work()
    else:
        context.afterwards.append(work)


@contextmanager
def origin(name: str) -> Iterator[None]:
    """Everything written inside comes from here (`task`, `command`, `dicom`), unless `acting` says otherwise."""
    token = _origin.set(name)
    try:
        yield
    finally:
        _origin.reset(token)


@contextmanager
def client(address: str, session: str) -> Iterator[None]:
    """Everything written inside was sent from this address, in this session (its digest, never its key)."""
    token = _client.set((address, session))
    try:
        yield
    finally:
        _client.reset(token)


@contextmanager
def acting(
    actor: Actor, *, reason: str = "", origin: str = "", request_id: str = "", using: str = "default"
) -> Iterator[Context]:
    """One transaction in which `actor` may write.

    It costs one statement besides BEGIN and COMMIT. A nested use belongs to the same transaction and costs nothing
    unless it says something new: then it holds until its end (an inner reason wins), and an error inside undoes the
    whole.

    Parameters
    ----------
    actor
        Who writes.
    reason
        Why, where the data were already complete; kept from the outer use where empty.
    origin, request_id
        Where the change comes from; by default the surrounding request, task or command.
    using
        Alias of the connection.
    """
    outer = _acting.get()
    if outer is not None and outer.using != using:
        outer = None
    context = _context(actor, reason, origin, request_id, using, outer)
    if outer is not None:
        with _told(context.actor), transaction.atomic(using=using, savepoint=False), _inside(context, outer):
            yield context
        return
    try:
        with _told(context.actor), transaction.atomic(using=using), _inside(context, None):
            yield context
        if connections[using].in_atomic_block:
            _forget(using)
    finally:
        for work in context.afterwards:
            work()


@contextmanager
def _told(actor: Actor) -> Iterator[None]:
    """What a guard refuses, as the error that its room registered for it."""
    try:
        yield
    except IntegrityError as error:
        told = as_told(error, actor.role)
        if told is None:
            raise
        raise told from error


@contextmanager
def _inside(context: Context, outer: Context | None) -> Iterator[None]:
    if context != outer:
        _apply(context)
    token = _acting.set(context)
    try:
        yield
    finally:
        _acting.reset(token)
    if outer is not None and context != outer:
        _apply(outer)


def _context(
    actor: Actor, reason: str, origin: str, request_id: str, using: str, outer: Context | None
) -> Context:
    if not actor.name:
        raise ValueError("An actor has a name.")
    if outer is None:
        where, number = _where()
        return Context(actor, reason, origin or _origin.get() or where, request_id or number, using)
    return replace(
        outer,
        actor=actor,
        reason=reason or outer.reason,
        origin=origin or outer.origin,
        request_id=request_id or outer.request_id,
    )


def _where() -> tuple[str, str]:
    """Origin and number of the work that is being done: a request, a task, or a command."""
    if number := current_request_id():
        return "web", number
    if current_task:
        return "task", current_task.request.id or ""
    return "command", ""


def _apply(context: Context) -> None:
    actor = context.actor
    number = "" if actor.id is None else str(actor.id)
    with connections[context.using].cursor() as cursor:
        cursor.execute(
            _SET,
            [
                number,
                actor.name,
                actor.role,
                context.reason,
                context.origin,
                context.request_id,
                *_client.get(),
            ],
        )


def _forget(using: str) -> None:
    """Inside somebody else's transaction the settings would outlive their purpose."""
    with connections[using].cursor() as cursor:
        cursor.execute(_SET, [""] * 8)
