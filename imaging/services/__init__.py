"""Everything that writes in the imaging room."""

from imaging.services.adjudication import (
    hold_adjudication,
    read_anew,
    release_adjudication,
    sign_adjudication,
)
from imaging.services.answers import (
    erase_measurement,
    record_findings,
    record_measurement,
    record_outcome,
    record_size,
    record_time,
)
from imaging.services.choosing import choose_lesion, drop_lesion
from imaging.services.inbox import match_items, place_items, place_waiting, receive_object, reject_items
from imaging.services.originals import destroy_expired, destroy_leftovers
from imaging.services.processing import process_batch, sweep
from imaging.services.quality import (
    accept_quality,
    check_quality,
    question_quality,
    restore_study,
    withdraw_study,
)
from imaging.services.quarantine import (
    reject_alike,
    reject_file,
    reject_held,
    release_alike,
    release_file,
    release_held,
)
from imaging.services.readers import record_reader
from imaging.services.reading import open_read, queue_reads, queue_repeats, queue_waiting
from imaging.services.receiving import (
    finish_batch,
    receive_file,
    receive_files,
    receive_some,
    start_batch,
)
from imaging.services.signing import correct_read, sign_read

__all__ = [
    "accept_quality",
    "check_quality",
    "choose_lesion",
    "correct_read",
    "destroy_expired",
    "destroy_leftovers",
    "drop_lesion",
    "erase_measurement",
    "finish_batch",
    "hold_adjudication",
    "match_items",
    "open_read",
    "place_items",
    "place_waiting",
    "process_batch",
    "question_quality",
    "queue_reads",
    "queue_repeats",
    "queue_waiting",
    "read_anew",
    "receive_file",
    "receive_files",
    "receive_object",
    "receive_some",
    "record_findings",
    "record_measurement",
    "record_outcome",
    "record_reader",
    "record_size",
    "record_time",
    "reject_alike",
    "reject_file",
    "reject_held",
    "reject_items",
    "release_adjudication",
    "release_alike",
    "release_file",
    "release_held",
    "restore_study",
    "sign_adjudication",
    "sign_read",
    "start_batch",
    "sweep",
    "withdraw_study",
]
