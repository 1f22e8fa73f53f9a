"""What a person is told about accounts, roles and signatures."""

from __future__ import annotations

from foundation.errors import Conflict, DomainError, Forbidden, Invalid


class SignatureRefused(DomainError):
    """The password was wrong; `tries_left` says how many remain before the account is locked."""

    code = "signature_refused"
    template = "The password is not right, so nothing was signed. {tries_left} tries are left."
    status = 403


class AccountLocked(Forbidden):
    """Too many failures."""

    code = "account_locked"
    template = (
        "This account is locked after too many failures. Try again in half an hour, or ask an administrator."
    )


class SelfGrantRefused(Forbidden):
    """Nobody gives a role to themselves."""

    code = "self_grant"
    template = "Nobody grants a role to themselves or ends their own. Ask another administrator."


class LastAdministratorRefused(Conflict):
    """Somebody must be left who can grant roles."""

    code = "last_administrator"
    template = "This is the last administrator. Grant the role to somebody else first."


class UsernameTaken(Invalid):
    """An account's name is used once, even by somebody who left."""

    code = "username_taken"
    template = "The user name {username} is taken, perhaps by somebody who left."


class UnknownRole(Invalid):
    """No such role, or not for a trial and site like these."""

    code = "unknown_role"
    template = "{role} cannot be granted for the trial {trial!r}."


class GrantEnded(Conflict):
    """The role has ended already."""

    code = "grant_ended"
    template = "This role has ended already."


class SelfChangeRefused(Forbidden):
    """Nobody closes or opens their own account."""

    code = "self_change"
    template = "Nobody does this to their own account. Ask another administrator."


class ScopeMissing(Forbidden):
    """A token does only what it was made for."""

    code = "scope_missing"
    template = "This token was not given “{permission}”."
