"""The FHSI-8 score for a table of cases: `calculate fhsi8`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from foundation.documents import Document, DocumentError, parse_document
from qol.rules.fhsi_8_version_4 import ResponseRefused, score_fhsi8


class Fhsi8Input(Document):
    """Raw responses by item code."""

    responses: Annotated[dict[str, Any], Field(strict=True)]


def calculate_fhsi8(document: object) -> dict[str, object]:
    """Score one questionnaire; `DocumentError` names a response that the form does not offer."""
    responses = parse_document(Fhsi8Input, document).responses
    try:
        result = score_fhsi8(responses)
    except ResponseRefused as refused:
        raise DocumentError(f"responses.{refused.item}", str(refused)) from None
    return {
        "score": result.score,
        "answered": result.answered,
        "evaluable": result.evaluable,
        "missing": list(result.missing),
        "because": result.because,
    }
