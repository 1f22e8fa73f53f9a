"""What a person is told about accounts, roles and signatures."""

from __future__ import annotations

from foundation.errors import Conflict, DomainError, Forbidden, Invalid


class SignatureRefused(DomainError):
    """A component was wrong; `tries_left` says how many remain before the account is locked."""

    code = "signature_refused"
    template = "User name or password is not right, so nothing was signed. {what_follows}"
    status = 403

    def __init__(self, *, tries_left: int, field: str | None = None) -> None:
        follows = {0: "The account is locked now, for half an hour.", 1: "One try is left."}
        words = follows.get(tries_left, f"{tries_left} tries are left.")
        super().__init__(field=field, tries_left=tries_left, what_follows=words)


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


class IdentityNotVerified(Forbidden):
    """Signing rights come after somebody's identity was verified (21 CFR 11.100(b))."""

    code = "identity_not_verified"
    template = (
        "Your identity has not been verified yet, so you cannot sign. Ask an administrator to record it."
    )


class AccountabilityNotAccepted(Forbidden):
    """The statement of accountability comes before the first signature (21 CFR 11.10(j))."""

    code = "accountability_not_accepted"
    template = (
        "Before you sign, accept that your electronic signature binds you like a handwritten one:"
        " My account, Statement of accountability."
    )


class PasswordIsTemporary(Forbidden):
    """Who set the password could sign with it (21 CFR 11.200(a)(3))."""

    code = "password_is_temporary"
    template = (
        "An administrator set your password. Set one of your own before you sign: My account, Password."
    )


class NotPrincipal(Forbidden):
    """Only the principal investigator keeps the delegation log of a site."""

    code = "not_principal"
    template = "Only the principal investigator of {site} delegates tasks there."


class PrincipalKnown(Conflict):
    """A site has one principal investigator at a time."""

    code = "principal_known"
    template = "{name} is principal investigator of {site} in those days. Enter the last day of {name} first."


class StatementOutdated(Conflict):
    """Another version of the statement is in force."""

    code = "statement_outdated"
    template = "The statement has a new version. Read it again."


class EditAccessWithdrawn(Forbidden):
    """Edit access to the trial or the site was withdrawn; reading goes on."""

    code = "edit_access_withdrawn"
    template = "{sentence}"


class WritingStopped(Conflict):
    """What whoever reads blinded is told in place of a refusal that names a place, its people, or since when."""

    code = "writing_stopped"
    template = "Writing is stopped for this case at the moment."


class EditAccessReasonMissing(DomainError):
    """Withdrawing edit access, and giving it back, say why."""

    code = "edit_access_reason"
    template = "Say in a few words why."
    status = 422


class EditAccessStopped(Conflict):
    """It is withdrawn there already."""

    code = "edit_access_stopped"
    template = "Edit access to {trial}{site} is withdrawn already."


class EditAccessStopEnded(Conflict):
    """It was given back already."""

    code = "edit_access_given_back"
    template = "Edit access was given back already."
