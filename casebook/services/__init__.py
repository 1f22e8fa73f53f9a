"""Writing in the casebook: one function per thing that a person would name."""

from casebook.services.entries import (
    SaveResult,
    add_row,
    complete_entry,
    confirm_finding,
    mark_not_done,
    open_entry,
    save_item,
    strike_out,
)
from casebook.services.queries import answer_query, close_query, raise_query, reopen_query
from casebook.services.verification import verify_entry, verify_item

__all__ = [
    "SaveResult",
    "add_row",
    "answer_query",
    "close_query",
    "complete_entry",
    "confirm_finding",
    "mark_not_done",
    "open_entry",
    "raise_query",
    "reopen_query",
    "save_item",
    "strike_out",
    "verify_entry",
    "verify_item",
]
