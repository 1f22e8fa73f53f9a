"""Writing in the quality-of-life room."""

from qol.services.invitations import PATIENT, Sent, answered_on_paper, invite, receive_answers, revoke
from qol.services.licences import Loaded, load_instrument

__all__ = [
    "PATIENT",
    "Loaded",
    "Sent",
    "answered_on_paper",
    "invite",
    "load_instrument",
    "receive_answers",
    "revoke",
]
