"""Everything that writes in the imaging room."""

from imaging.services.inbox import match_items, place_items, place_waiting, receive_object, reject_items
from imaging.services.processing import process_batch, sweep
from imaging.services.quality import (
    accept_quality,
    check_quality,
    question_quality,
    restore_study,
    withdraw_study,
)
from imaging.services.quarantine import reject_alike, reject_file, release_alike, release_file
from imaging.services.reading import (
    correct_read,
    erase_measurement,
    open_read,
    queue_reads,
    queue_waiting,
    record_findings,
    record_measurement,
    record_outcome,
    sign_read,
)
from imaging.services.receiving import (
    finish_batch,
    receive_file,
    receive_files,
    start_batch,
)

__all__ = [
    "accept_quality",
    "check_quality",
    "correct_read",
    "erase_measurement",
    "finish_batch",
    "match_items",
    "open_read",
    "place_items",
    "place_waiting",
    "process_batch",
    "question_quality",
    "queue_reads",
    "queue_waiting",
    "receive_file",
    "receive_files",
    "receive_object",
    "record_findings",
    "record_measurement",
    "record_outcome",
    "reject_alike",
    "reject_file",
    "reject_items",
    "release_alike",
    "release_file",
    "restore_study",
    "sign_read",
    "start_batch",
    "sweep",
    "withdraw_study",
]
