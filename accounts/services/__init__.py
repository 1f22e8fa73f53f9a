"""Everything that writes about people, roles, the door, signatures and tokens."""

from accounts.services.delegation import delegate, end_delegation, must_be_principal, name_principal
from accounts.services.door import end_other_sessions, record_access, session_digest
from accounts.services.editing import give_edit_access_back, withdraw_edit_access
from accounts.services.identity import accept_accountability, verify_identity
from accounts.services.people import create_user, deactivate, reactivate, set_password, set_training_password
from accounts.services.roles import end_grant, grant_role
from accounts.services.signing import (
    ToSeal,
    confirm_components,
    confirm_password,
    may_sign,
    seal_signature,
    sign,
)
from accounts.services.tokens import make_token, revoke_token

__all__ = [
    "ToSeal",
    "accept_accountability",
    "confirm_components",
    "confirm_password",
    "create_user",
    "deactivate",
    "delegate",
    "end_delegation",
    "end_grant",
    "end_other_sessions",
    "give_edit_access_back",
    "grant_role",
    "make_token",
    "may_sign",
    "must_be_principal",
    "name_principal",
    "reactivate",
    "record_access",
    "revoke_token",
    "seal_signature",
    "session_digest",
    "set_password",
    "set_training_password",
    "sign",
    "verify_identity",
    "withdraw_edit_access",
]
