"""Accounts of people."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.errors import LastAdministratorRefused, SelfChangeRefused, UsernameTaken
from accounts.models import ApiToken, User, fresh_salt
from accounts.selectors import is_last_administrator
from audit.context import Actor, acting
from foundation.clock import now
from foundation.errors import Invalid


def create_user(
    *,
    actor: Actor,
    username: str,
    full_name: str,
    email: str = "",
    password: str | None = None,
    time_zone: str = "Europe/Oslo",
) -> User:
    """A new account; without a password nobody can sign in to it yet.

    Raises
    ------
    accounts.errors.UsernameTaken
        The name is or was somebody else's.
    foundation.errors.Invalid
        A value is missing or refused.
    """
    user = User(
        username=User.normalize_username(username.strip()),
        full_name=full_name.strip(),
        email=email.strip(),
        time_zone=time_zone,
    )
    if User.objects.filter(username__iexact=user.username).exists():
        raise UsernameTaken({"username": "This user name is taken."}, username=user.username)
    if password is not None:
        _check_password(password, user)
    user.set_password(password)
    user.password_is_temporary = password is not None
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise Invalid({name: " ".join(texts) for name, texts in error.message_dict.items()}) from error
    with acting(actor):
        user.save(force_insert=True)
    return user


def set_password(*, actor: Actor, user: User, password: str, reason: str = "") -> None:
    """A new password; every session that was open with the old one is over.

    The person signs nothing until they have set one of their own: otherwise whoever set it could sign for them.

    Raises
    ------
    accounts.errors.SelfChangeRefused
        It is the actor's own: that is changed with the old one typed.
    foundation.errors.Invalid
        The password is too short, too common, or too much like the person's name.
    """
    if actor.id == user.pk:
        raise SelfChangeRefused
    _check_password(password, user)
    user.set_password(password)
    user.session_salt = fresh_salt()
    user.password_is_temporary = True
    with acting(actor, reason=reason):
        user.save(update_fields=["password", "session_salt", "password_is_temporary"])


def set_training_password(*, actor: Actor, user: User, password: str) -> None:
    """The password of a demo account, however weak; nothing is written where it is this one already.

    Raises
    ------
    RuntimeError
        The installation is not one for training.
    """
    if not settings.TRAINING:
        raise RuntimeError("Passwords are set without their rules in training only.")
    if user.check_password(password):
        return
    user.set_password(password)
    user.session_salt = fresh_salt()
    user.password_is_temporary = False
    with acting(actor):
        user.save(update_fields=["password", "session_salt", "password_is_temporary"])


def deactivate(*, actor: Actor, user: User, reason: str) -> None:
    """Nobody signs in to this account any more; its open sessions and tokens are over, its signatures stay.

    Raises
    ------
    accounts.errors.SelfChangeRefused
        It is the actor's own.
    accounts.errors.LastAdministratorRefused
        Nobody would be left who can grant roles.
    """
    if actor.id == user.pk:
        raise SelfChangeRefused
    with acting(actor, reason=reason):
        User.objects.select_for_update().get(pk=user.pk)
        if is_last_administrator(user):
            raise LastAdministratorRefused
        user.is_active = False
        user.session_salt = fresh_salt()
        user.save(update_fields=["is_active", "session_salt"])
        ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=now())


def reactivate(*, actor: Actor, user: User, reason: str) -> None:
    """The person can sign in again; roles that have not ended are held again.

    Raises
    ------
    accounts.errors.SelfChangeRefused
        It is the actor's own.
    """
    if actor.id == user.pk:
        raise SelfChangeRefused
    with acting(actor, reason=reason):
        User.objects.filter(pk=user.pk, is_active=False).update(is_active=True)
    user.is_active = True


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid({"password": " ".join(error.messages)}, field="password") from error
