"""What is known about people, their roles, signatures and sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Prefetch, Q, QuerySet

from accounts.access import NOBODY, Access, grants_from, stops_from
from accounts.models import (
    AccessEvent,
    AccessKind,
    ApiToken,
    DelegatedTask,
    Delegation,
    EditStop,
    Grant,
    Signature,
    User,
)
from accounts.policies import ADMIN
from accounts.rules.signatures import seal_of, sealed_text
from foundation.clock import now

type_validity = Literal["valid", "broken"]


@dataclass(frozen=True)
class SignatureState:
    """A signature, and whether it still holds for the content as it is now."""

    signature: Signature
    validity: type_validity

    @property
    def is_valid(self) -> bool:
        """Whether what was signed is unchanged."""
        return self.validity == "valid"


@dataclass(frozen=True)
class OpenSession:
    """A session that is open now: since when, from where."""

    at: datetime
    address: str
    browser: str
    is_this_one: bool


def access_of(user: User | AnonymousUser, *, only: Iterable[str] | None = None) -> Access:
    """What a person may do now; no statement where the session has already read the roles.

    Parameters
    ----------
    only
        Permissions that a token was given; None without such a limit.
    """
    if not isinstance(user, User) or not user.is_active:
        return NOBODY
    rows: Iterable[Mapping[str, object]] | None = getattr(user, "grant_rows", None)
    if rows is None:
        rows = Grant.objects.held_at(now()).filter(user=user).values("role", "trial", "site")
    limit = None if only is None else frozenset(only)
    return Access(
        user_id=user.pk,
        name=user.full_name,
        role_grants=grants_from(rows),
        only=limit,
        stops=stops_from(_stop_rows(user)),
    )


def _stop_rows(user: User) -> Iterable[Mapping[str, object]]:
    rows: Iterable[Mapping[str, object]] | None = getattr(user, "stop_rows", None)
    if rows is None:
        rows = EditStop.objects.in_force(now()).values("trial", "site", "starts", "reason")
    return rows


def edit_stops(access: Access) -> QuerySet[EditStop]:
    """Every withdrawal of edit access, standing or over, in trials where the person may withdraw it; one statement."""
    codes = access.trials("edit.stop")
    found = EditStop.objects.select_related("stopped_by", "resumed_by").order_by("-pk")
    return found if "" in codes else found.filter(trial__in=codes)


def people(search: str = "") -> QuerySet[User]:
    """Everybody by name, with all their grants and who gave them; three statements whatever their number."""
    found: QuerySet[User] = User.objects.order_by("full_name", "username")
    if search:
        found = found.filter(Q(full_name__icontains=search) | Q(username__icontains=search))
    grants = Grant.objects.select_related("granted_by").order_by("trial", "site", "role", "starts")
    return found.prefetch_related(Prefetch("grants", queryset=grants))


def is_last_administrator(user: User) -> bool:
    """Whether nobody else could grant roles at this moment."""
    held = Grant.objects.held_at(now()).filter(role=ADMIN, user__is_active=True)
    return held.filter(user=user).exists() and not held.exclude(user=user).exists()


def signature_of(kind: str, target_id: int | str, digest: str) -> SignatureState | None:
    """The newest signature of a record and whether it holds; None where nobody has signed.

    Parameters
    ----------
    kind, target_id
        The record, as it was signed.
    digest
        SHA-256 of its content as it is now.
    """
    newest = signatures_of(kind, target_id).last()
    if newest is None:
        return None
    holds = newest.digest == digest and is_genuine(newest)
    return SignatureState(newest, "valid" if holds else "broken")


def signatures_of(kind: str, target_id: int | str) -> QuerySet[Signature]:
    """All signatures of a record, oldest first; broken ones stay."""
    return Signature.objects.filter(target_kind=kind, target_id=str(target_id)).order_by("at", "id")


def is_genuine(signature: Signature) -> bool:
    """Whether the row is as it was written: not changed, and not moved to another record."""
    return signature.seal == seal_of(**_sealed_parts(signature))


def _sealed_parts(signature: Signature) -> dict[str, Any]:
    return {
        "signer_id": signature.signer_id,
        "signer_name": signature.signer_name,
        "meaning": signature.meaning,
        "at": signature.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "target_kind": signature.target_kind,
        "target_id": signature.target_id,
        "digest": signature.digest,
        "statement": signature.statement,
    }


def signature_texts() -> Iterator[tuple[int, str, str]]:
    """Key, sealed text and seal of every signature, for a bundle of the trail."""
    for signature in Signature.objects.order_by("id").iterator():
        yield signature.pk, sealed_text(**_sealed_parts(signature)), signature.seal


def forged_signatures() -> Iterator[str]:
    """Every signature row that is not as it was written, as a sentence. A check of `verify_trail`."""
    for signature in Signature.objects.order_by("id").iterator():
        if not is_genuine(signature):
            yield f"signature {signature.pk}: the row is not as it was signed"


def last_sign_in(user: User, *, before: datetime | None = None) -> AccessEvent | None:
    """The newest sign-in, or the newest before a moment."""
    found = AccessEvent.objects.filter(user=user, kind=AccessKind.SIGNED_IN)
    if before is not None:
        found = found.filter(at__lt=before)
    return found.order_by("-id").first()


def open_sessions(user: User, this_session: str) -> list[OpenSession]:
    """Sessions of a person that have not ended, newest first.

    Parameters
    ----------
    this_session
        Digest of the session that asks (`accounts.services.session_digest`).
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_SESSIONS, [user.pk, now()])
        rows = cursor.fetchall()
    return [
        OpenSession(at, address, browser, session == this_session) for at, address, browser, session in rows
    ]


_OPEN_SESSIONS = """
    SELECT e.at, e.address, e.browser, e.session FROM accounts_accessevent e
    JOIN django_session s ON encode(sha256(s.session_key::bytea), 'hex') = e.session
    WHERE e.user_id = %s AND e.kind = 'signed_in' AND s.expire_date > %s
      AND NOT EXISTS (
        SELECT FROM accounts_accessevent o WHERE o.user_id = e.user_id AND o.id > e.id
          AND (o.kind IN ('sessions_ended', 'password_changed') AND o.session <> e.session))
    ORDER BY e.id DESC
"""


def recent_access(user: User, limit: int = 20) -> QuerySet[AccessEvent]:
    """What happened at the door of an account, newest first."""
    return AccessEvent.objects.filter(Q(user=user) | Q(user=None, username__iexact=user.username)).order_by(
        "-id"
    )[:limit]


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """All tokens of a person, newest first, ended ones too."""
    return ApiToken.objects.filter(user=user).order_by("-id")


def user_of_token(digest: str) -> tuple[User, ApiToken] | None:
    """The person, with roles, and the token of a digest; None where it opens nothing now."""
    token = ApiToken.objects.filter(digest=digest, revoked_at=None, expires_at__gt=now()).first()
    if token is None:
        return None
    user = next(iter(User.objects.active_with_grants(now(), token.user_id)), None)
    return None if user is None else (user, token)


def tasks_of(user_id: int | None, on: date) -> dict[tuple[str, str], set[str]]:
    """Tasks delegated to somebody on a day, by codes of trial and site; one statement."""
    held = Delegation.objects.filter(Q(ends=None) | Q(ends__gte=on), user=user_id, starts__lte=on)
    found: dict[tuple[str, str], set[str]] = {}
    for trial, site, task in held.values_list("trial", "site", "task"):
        found.setdefault((trial, site), set()).add(task)
    return found


def is_principal(user_id: int | None, trial: str, site: str, on: date) -> bool:
    """Whether somebody is principal investigator of a trial at a site on a day."""
    return DelegatedTask.PRINCIPAL in tasks_of(user_id, on).get((trial, site), set())


def delegations_of(trial: str, site: str) -> QuerySet[Delegation]:
    """The delegation log of a trial at a site, in the order of its lines."""
    found = Delegation.objects.filter(trial=trial, site=site)
    return found.select_related("user", "entered_by").order_by("user__full_name", "starts", "task")


def delegation_places(access: Access) -> list[tuple[str, str]]:
    """Codes of the trials and sites whose delegation log a person may see, in order; one statement."""
    known = Delegation.objects.order_by("trial", "site").values_list("trial", "site").distinct()
    return [place for place in known if access.may("delegation.view", *place)]


def staff_of(places: Iterable[tuple[str, str]]) -> QuerySet[User]:
    """People who hold a role at one of these sites now, by name; one statement."""
    here = Q(pk__in=[])
    for trial, site in places:
        here |= Q(grants__trial=trial, grants__site=site)
    now_held = Q(grants__ends__isnull=True) | Q(grants__ends__gt=now())
    people: QuerySet[User] = User.objects.filter(here & now_held, is_active=True)
    return people.distinct().order_by("full_name")
