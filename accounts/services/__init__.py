"""Everything that writes about people, roles, the door, signatures and tokens."""

from accounts.services.door import end_other_sessions, record_access, session_digest
from accounts.services.people import create_user, deactivate, reactivate, set_password, set_training_password
from accounts.services.roles import end_grant, grant_role
from accounts.services.signing import confirm_password, sign
from accounts.services.tokens import make_token, revoke_token

__all__ = [
    "confirm_password",
    "create_user",
    "deactivate",
    "end_grant",
    "end_other_sessions",
    "grant_role",
    "make_token",
    "reactivate",
    "record_access",
    "revoke_token",
    "session_digest",
    "set_password",
    "set_training_password",
    "sign",
]
