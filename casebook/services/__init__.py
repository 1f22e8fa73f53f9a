"""Writing in the casebook: one function per thing that a person would name."""

from casebook.services.blanks import Blanked, leave_blank, take_back_blanks
from casebook.services.carry import save_carried
from casebook.services.drafts import Kept, draft_of, forget_draft, forget_old_drafts, keep_draft
from casebook.services.entries import (
    SaveResult,
    add_row,
    as_it_stands,
    complete_entry,
    confirm_finding,
    mark_not_done,
    next_row,
    open_entry,
    read_typed,
    record_none,
    save_item,
    strike_out,
    take_back_not_done,
    take_back_strike_out,
)
from casebook.services.queries import answer_query, close_query, raise_query, reopen_query
from casebook.services.verification import verify_entry, verify_item

__all__ = [
    "Blanked",
    "Kept",
    "SaveResult",
    "add_row",
    "answer_query",
    "as_it_stands",
    "close_query",
    "complete_entry",
    "confirm_finding",
    "draft_of",
    "forget_draft",
    "forget_old_drafts",
    "keep_draft",
    "leave_blank",
    "mark_not_done",
    "next_row",
    "open_entry",
    "raise_query",
    "read_typed",
    "record_none",
    "reopen_query",
    "save_carried",
    "save_item",
    "strike_out",
    "take_back_blanks",
    "take_back_not_done",
    "take_back_strike_out",
    "verify_entry",
    "verify_item",
]
