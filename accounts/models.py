"""People, the roles granted to them, what they signed, and how they came in."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.db.models.query import RawQuerySet
from django.utils.crypto import salted_hmac

from accounts import policies


def fresh_salt() -> str:
    """A random text of 32 characters."""
    return secrets.token_hex(16)


class GrantQuerySet(models.QuerySet["Grant"]):
    """Roles by time."""

    def held_at(self, moment: datetime) -> GrantQuerySet:
        """Grants in force at a moment; the end is the first moment without."""
        return self.filter(models.Q(ends__isnull=True) | models.Q(ends__gt=moment), starts__lte=moment)


_WITH_GRANTS = """
    SELECT u.*, (
      SELECT coalesce(json_agg(json_build_object('role', g.role, 'trial', g.trial, 'site', g.site)
                               ORDER BY g.role, g.trial, g.site), '[]')
      FROM accounts_grant g
      WHERE g.user_id = u.id AND g.starts <= %(moment)s AND (g.ends IS NULL OR g.ends > %(moment)s)) AS grant_rows, (
      SELECT coalesce(json_agg(json_build_object('trial', e.trial, 'site', e.site, 'starts', e.starts,
                                                 'reason', e.reason) ORDER BY e.trial, e.site), '[]')
      FROM accounts_editstop e
      WHERE e.starts <= %(moment)s AND (e.ends IS NULL OR e.ends > %(moment)s)) AS stop_rows
    FROM accounts_user u
    WHERE u.is_active AND (%(key)s::bigint IS NULL OR u.id = %(key)s)
    ORDER BY u.id
"""


class UserManager(BaseUserManager["User"]):
    """Makes people; `accounts.services.create_user` is what everything but a test's set-up calls."""

    def active_with_grants(self, moment: datetime, key: int | None = None) -> RawQuerySet[User]:
        """Everybody who is active, or one of them, with the roles held at a moment (`held_at`) as `grant_rows`.

        And with what edit access is withdrawn (`in_force`) as `stop_rows`. Plain SQL, for each request asks it.
        """
        return self.raw(_WITH_GRANTS, {"moment": moment, "key": key})

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """A person with a hashed password; without one nobody can sign in."""
        user = User(username=User.normalize_username(username), **fields)
        user.set_password(password)
        user.save(force_insert=True, using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """By name of the account, whatever its case."""
        user: User = self.get(username__iexact=username)
        return user


class Identification(models.TextChoices):
    """How somebody's identity was verified before they were given the right to sign (21 CFR 11.100(b))."""

    DOCUMENT = "document", "Official document, seen in person"
    VIDEO = "video", "Official document, shown by video"
    EMPLOYER = "employer", "Confirmed in writing by the institution"


class User(AbstractBaseUser):
    """A person. One person has one account, and an account's name is never given to another person.

    `password_is_temporary` holds from the moment an administrator sets a password until the person sets their own.
    """

    audit_masked: ClassVar = ("password", "session_salt")

    username = models.CharField("user name", max_length=60, unique=True)
    full_name = models.CharField("full name", max_length=150)
    email = models.EmailField("e-mail", blank=True)
    time_zone = models.CharField("time zone", max_length=60, default="Europe/Oslo")
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    password_is_temporary = models.BooleanField("password set by an administrator", default=False)
    identity_verified_at = models.DateTimeField("identity verified at", null=True, blank=True)
    identity_verified_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    identity_verified_how = models.CharField(
        "how the identity was verified", max_length=10, choices=Identification, blank=True
    )
    accountability_version = models.PositiveSmallIntegerField("statement of accountability", default=0)
    accountability_at = models.DateTimeField("accountability accepted at", null=True, blank=True)
    session_salt = models.CharField(max_length=32, default=fresh_salt, editable=False)
    last_login = None  # accounts.AccessEvent knows, and a sign-in does not rewrite the person

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="username_once_whatever_its_case",
                violation_error_message="This user name is taken, perhaps by somebody who left.",
            ),
            models.UniqueConstraint(
                Lower("email"),
                condition=~models.Q(email=""),
                name="e_mail_once",
                violation_error_message="Another account has this e-mail address. One person has one account.",
            ),
            models.CheckConstraint(
                condition=models.Q(identity_verified_by__isnull=True)
                | ~models.Q(identity_verified_by=models.F("id")),
                name="nobody_verifies_their_own_identity",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    def get_full_name(self) -> str:
        """The name that the trail and signatures print."""
        return self.full_name

    def get_short_name(self) -> str:
        """The name in the page's head."""
        return self.full_name

    def get_session_auth_hash(self) -> str:
        """Changes with the password and with `session_salt`; every session that holds another one is over."""
        return salted_hmac(
            "accounts.session", f"{self.password}{self.session_salt}", algorithm="sha256"
        ).hexdigest()


class Grant(models.Model):
    """A role that somebody holds in a trial, at one site or at all of them, from one moment to another."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(max_length=20, choices=list(policies.ROLES.items()))
    trial = models.CharField(
        max_length=40, blank=True, help_text="Code of the trial; empty for administrators."
    )
    site = models.CharField(max_length=20, blank=True, help_text="Code of the site; empty for all sites.")
    starts = models.DateTimeField()
    ends = models.DateTimeField(null=True, blank=True, help_text="The first moment without the role.")
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    granted_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects: ClassVar[models.Manager[Grant]] = models.Manager.from_queryset(GrantQuerySet)()

    class Meta:
        ordering = ["user", "trial", "site", "role", "starts"]
        indexes = [models.Index(fields=["user", "ends"], name="accounts_grant_of_user")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends__isnull=True) | models.Q(ends__gte=models.F("starts")),
                name="grant_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=models.Q(role=policies.ADMIN, trial="", site="")
                | (~models.Q(role=policies.ADMIN) & ~models.Q(trial="")),
                name="only_administrators_hold_a_role_without_a_trial",
            ),
            models.CheckConstraint(
                condition=models.Q(granted_by__isnull=True) | ~models.Q(granted_by=models.F("user")),
                name="nobody_grants_a_role_to_themselves",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.trial} {self.site}".strip()


class EditStopQuerySet(models.QuerySet["EditStop"]):
    """Withdrawals by time."""

    def in_force(self, moment: datetime) -> EditStopQuerySet:
        """Those that hold at a moment."""
        return self.filter(models.Q(ends__isnull=True) | models.Q(ends__gt=moment), starts__lte=moment)


class EditStop(models.Model):
    """Edit access to a trial, or to a site of it, is withdrawn: all roles keep only reading (ICH E6(R3) 3.16.1(r))."""

    trial = models.CharField(max_length=40, help_text="Code of the trial.")
    site = models.CharField(max_length=20, blank=True, help_text="Code of the site; empty for all sites.")
    reason = models.CharField(max_length=500)
    starts = models.DateTimeField(help_text="The first moment without edit access.")
    stopped_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    stopped_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    ends = models.DateTimeField(null=True, help_text="The first moment with edit access again.")
    resumed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    resumed_reason = models.CharField(max_length=500, blank=True)

    objects: ClassVar[models.Manager[EditStop]] = models.Manager.from_queryset(EditStopQuerySet)()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(trial="") & ~models.Q(reason=""),
                name="edit_access_is_withdrawn_from_a_trial_with_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(ends__isnull=True, resumed_by__isnull=True)
                | (models.Q(ends__isnull=False, resumed_by__isnull=False) & ~models.Q(resumed_reason="")),
                name="edit_access_is_given_back_by_a_person_with_a_reason",
            ),
            models.UniqueConstraint(
                fields=["trial", "site"],
                condition=models.Q(ends__isnull=True),
                name="edit_access_is_withdrawn_once",
            ),
        ]

    def __str__(self) -> str:
        return f"no edit access to {self.trial} {self.site}".strip()


class DelegatedTask(models.TextChoices):
    """What a principal investigator entrusts to somebody at the site (ICH E6(R3) 2.3, 2.12)."""

    PRINCIPAL = "principal", "Principal investigator: signs the casebook"
    SIGN = "sign", "Signs forms and visits"
    ELIGIBILITY = "eligibility", "Judges eligibility"
    CONSENT = "consent", "Obtains consent"
    ENTRY = "entry", "Enters data and answers queries"
    SAFETY = "safety", "Judges and reports adverse events"
    IMAGES = "images", "Uploads images"


class Delegation(models.Model):
    """One line of a site's delegation log: who may do what in a trial, from which day to which."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="delegations")
    trial = models.CharField(max_length=40, help_text="Code of the trial.")
    site = models.CharField(max_length=20, help_text="Code of the site.")
    task = models.CharField(max_length=12, choices=DelegatedTask)
    starts = models.DateField("first day")
    ends = models.DateField("last day", null=True, blank=True)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    entered_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        ordering = ["trial", "site", "user", "starts"]
        indexes = [models.Index(fields=["user", "trial", "site"], name="accounts_delegation_of_user")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends__isnull=True) | models.Q(ends__gte=models.F("starts")),
                name="delegation_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=models.Q(entered_by__isnull=True) | ~models.Q(entered_by=models.F("user")),
                name="nobody_delegates_to_themselves",
            ),
            models.UniqueConstraint(
                fields=["trial", "site"],
                condition=models.Q(task="principal", ends__isnull=True),
                name="one_principal_investigator_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_task_display()}"


class Meaning(models.TextChoices):
    """What a signature says (21 CFR 11.50(a)(3))."""

    AUTHOR = "author", "Author"
    REVIEW = "review", "Review"
    APPROVAL = "approval", "Approval"
    RESPONSIBILITY = "responsibility", "Responsibility"


class Signature(models.Model):
    """An electronic signature, valid while what was signed is unchanged. The database refuses to change a row."""

    signer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signer_name = models.CharField(max_length=150, help_text="Printed name at the time of signing.")
    meaning = models.CharField(max_length=20, choices=Meaning.choices)
    at = models.DateTimeField(editable=False)
    target_kind = models.CharField(max_length=60)
    target_id = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was signed, hexadecimal.")
    statement = models.TextField(help_text="The sentence that the signer agreed to.")
    seal = models.CharField(max_length=64, help_text="SHA-256 over all of the above: a row cannot be moved.")

    class Meta:
        ordering = ["target_kind", "target_id", "at"]
        indexes = [
            models.Index(fields=["target_kind", "target_id", "at"], name="accounts_signature_of_target")
        ]

    def __str__(self) -> str:
        return f"{self.signer_name}, {self.get_meaning_display()}"


class AccessKind(models.TextChoices):
    """What happened at the door."""

    SIGNED_IN = "signed_in", "Signed in"
    SIGNED_OUT = "signed_out", "Signed out"
    FAILED = "failed", "Sign-in failed"
    LOCKED = "locked", "Locked after failures"
    IDLE = "idle", "Ended after a pause"
    EXPIRED = "expired", "Ended after its longest time"
    PASSWORD_CHANGED = "password_changed", "Password changed"
    SESSIONS_ENDED = "sessions_ended", "All other sessions ended"
    FACTOR_ADDED = "factor_added", "Second factor added"
    FACTOR_REMOVED = "factor_removed", "Second factor removed"
    SIGNATURE_REFUSED = "signature_refused", "Signature refused"


class AccessEvent(models.Model):
    """One event at the door. Rows are added and never changed; the trail holds each as well."""

    at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    kind = models.CharField(max_length=20, choices=AccessKind.choices)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    username = models.CharField(max_length=150, help_text="As typed.")
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=200, blank=True)
    session = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the session's key.")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["user", "-id"], name="accounts_accessevent_of_user")]

    def __str__(self) -> str:
        return f"{self.username}: {self.get_kind_display()}"


class ApiToken(models.Model):
    """A key for a program that acts for a person. Only its digest is kept."""

    audit_masked: ClassVar = ("digest",)

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60, help_text="What it is for.")
    prefix = models.CharField(max_length=12, help_text="Its first characters, to tell tokens apart.")
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(
        default=list, help_text="Permissions that it may use; it never has more than its person."
    )
    created_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
