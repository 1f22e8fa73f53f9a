"""Tables of the imaging room.

A *batch* is what somebody sent for one visit, with each file and its fate. A *study* holds series and instances as they
are kept: de-identified, under identifiers of our own. A *read* is one reader's judgement of one time point; what is
marked in it (outcomes, measurements) is only ever added to, and a signed read never changes.

Every table but the keys names its subject, for the trail and for row-level security. Pages of readers show the `opaque`
identifiers only.
"""

from imaging.models.adjudications import (
    Adjudication,
    AdjudicationState,
    Choice,
)
from imaging.models.batches import (
    Batch,
    BatchFile,
    BatchState,
    Destruction,
    FileState,
    InboxItem,
    InboxState,
    Origin,
)
from imaging.models.keys import (
    ImagingKey,
    PatientNumber,
)
from imaging.models.readers import ReaderRecord, ReaderRecordKind
from imaging.models.reads import (
    ChosenLesion,
    ImageQuality,
    LesionOutcome,
    Measurement,
    Order,
    Question,
    Read,
    ReadingTime,
    ReadState,
)
from imaging.models.studies import (
    Instance,
    Ledger,
    QualityChoice,
    QualityDecision,
    Series,
    Study,
    StudyState,
)

__all__ = [
    "Adjudication",
    "AdjudicationState",
    "Batch",
    "BatchFile",
    "BatchState",
    "Choice",
    "ChosenLesion",
    "Destruction",
    "FileState",
    "ImageQuality",
    "ImagingKey",
    "InboxItem",
    "InboxState",
    "Instance",
    "Ledger",
    "LesionOutcome",
    "Measurement",
    "Order",
    "Origin",
    "PatientNumber",
    "QualityChoice",
    "QualityDecision",
    "Question",
    "Read",
    "ReadState",
    "ReaderRecord",
    "ReaderRecordKind",
    "ReadingTime",
    "Series",
    "Study",
    "StudyState",
]
