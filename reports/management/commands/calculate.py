"""`calculate TOPIC`: the rules of the house for a table of cases, JSON in and JSON out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from eligibility.calculator import calculate_eligibility
from endpoints.calculator import calculate_endpoints
from foundation.documents import DocumentError, read_json, write_json
from imaging.calculator import calculate_recist
from qol.calculator import calculate_fhsi8
from treatment.calculator import calculate_dose, calculate_timing
from visits.calculator import calculate_visits

TOPICS: dict[str, Callable[[object], dict[str, object]]] = {
    "eligibility": calculate_eligibility,
    "visits": calculate_visits,
    "dose": calculate_dose,
    "timing": calculate_timing,
    "fhsi8": calculate_fhsi8,
    "recist": calculate_recist,
    "endpoints": calculate_endpoints,
}
BAD_INPUT = 2


def calculate(topic: str, raw: bytes) -> str:
    """The answer to one document as JSON text.

    Raises
    ------
    DocumentError
        Unknown topic, or a document that the topic cannot use.
    """
    if topic not in TOPICS:
        raise DocumentError("topic", f"unknown topic {topic!r}; known: {', '.join(TOPICS)}")
    return write_json(TOPICS[topic](read_json(raw)))


class Command(BaseCommand):
    """Reads one JSON document from standard input and writes the answer to standard output.

    Uses no database and no server. Bad input ends with status 2 and one JSON object on standard error.
    """

    help = "Answer one JSON document with the rules that the application uses: " + ", ".join(TOPICS)
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("topic", nargs="?", default="", help=", ".join(TOPICS))

    def handle(self, *args: object, **options: Any) -> None:
        source: BinaryIO = options.get("stdin") or sys.stdin.buffer
        try:
            answer = calculate(options["topic"], source.read())
        except DocumentError as fault:
            self._refuse(fault)
        self.stdout.write(answer)

    def _refuse(self, fault: DocumentError) -> NoReturn:
        text = json.dumps({"path": fault.path, "error": fault.error}, ensure_ascii=False)
        self.stderr.write(text, style_func=str)
        sys.exit(BAD_INPUT)
