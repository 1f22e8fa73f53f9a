"""Everything that writes in the imaging room."""

from imaging.services.processing import process_batch, sweep
from imaging.services.quality import accept_quality, check_quality
from imaging.services.quarantine import reject_file, release_file
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
    receive_unmatched,
    start_batch,
)

__all__ = [
    "accept_quality",
    "check_quality",
    "correct_read",
    "erase_measurement",
    "finish_batch",
    "open_read",
    "process_batch",
    "queue_reads",
    "queue_waiting",
    "receive_file",
    "receive_files",
    "receive_unmatched",
    "record_findings",
    "record_measurement",
    "record_outcome",
    "reject_file",
    "release_file",
    "sign_read",
    "start_batch",
    "sweep",
]
