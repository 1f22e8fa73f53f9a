"""What forms look like to programs: what is answered, and what may be sent."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from casebook.models import EntryState, QueryState
from casebook.rules.cells import MISSING_REASONS
from casebook.rules.status import WORDS
from foundation.api import Input, Problem, Text

VALUE = {
    "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}],
    "description": "As text, numbers too; several codes as a list; null where there is none.",
}


@extend_schema_field(VALUE)
class KeptValue(serializers.Field[Any, Any, Any, Any]):
    """A value as it is kept."""

    def to_representation(self, value: Any) -> Any:
        """Give it as it is."""
        return value


@extend_schema_field(VALUE)
class SentValue(serializers.Field[Any, Any, Any, Any]):
    """A value as a program sends it; the service reads text."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": 'Send this as text in quotes; a number too, such as "12.40", so that no digit is lost.'
    }

    def to_internal_value(self, data: Any) -> str:
        """Text, or a list of codes."""
        if isinstance(data, list) and all(isinstance(each, str) for each in data):
            return ",".join(data)
        if not isinstance(data, str) or "\x00" in data:
            self.fail("invalid")
        return data


class CellShown(serializers.Serializer[Any]):
    """What is kept of one item; only what says something is there."""

    value = KeptValue()
    unit = serializers.CharField(required=False)
    low = serializers.CharField(required=False, help_text="Lower limit of normal, in the same unit.")
    high = serializers.CharField(required=False, help_text="Upper limit of normal, in the same unit.")
    missing = serializers.ChoiceField(choices=list(MISSING_REASONS.items()), required=False)
    confirmed = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="Why the value stands, by edit check."
    )


class FindingShown(serializers.Serializer[Any]):
    """Something to look at in a form."""

    check_id = serializers.CharField()
    item = serializers.CharField()
    level = serializers.ChoiceField(choices=["stop", "check"])
    message = serializers.CharField()
    reason = serializers.CharField(help_text="Why somebody confirmed the value in spite of it.")


class QueryOfForm(serializers.Serializer[Any]):
    """A query of a form that is not closed."""

    id = serializers.IntegerField(source="pk")
    item = serializers.CharField()
    state = serializers.ChoiceField(choices=QueryState.choices)


class FormShown(serializers.Serializer[Any]):
    """A form of a subject with everything worked out."""

    subject = serializers.CharField()
    visit = serializers.CharField(help_text="`log` for a running log.")
    form = serializers.CharField()
    repeat = serializers.IntegerField()
    protocol_version = serializers.CharField()
    opened = serializers.BooleanField(help_text="Whether anything was ever entered.")
    state = serializers.ChoiceField(choices=EntryState.choices)
    not_done = serializers.CharField(help_text="Why it was not done, where it was not.")
    struck_out = serializers.BooleanField()
    frozen = serializers.BooleanField()
    locked = serializers.BooleanField()
    version = serializers.IntegerField(help_text="Grows by one with every change.")
    updated_at = serializers.DateTimeField(allow_null=True)
    values = serializers.DictField(
        child=CellShown(), help_text="By item; an item without a value is not there."
    )
    derived = serializers.DictField(child=CellShown(), help_text="What the form calculates.")
    shown = serializers.ListField(
        child=serializers.CharField(), help_text="Items that are asked, given the values; in reading order."
    )
    unanswered = serializers.ListField(
        child=serializers.CharField(), help_text="Items that are needed before the form is complete."
    )
    findings = FindingShown(many=True)
    queries = QueryOfForm(many=True)


class FormOfSubject(serializers.Serializer[Any]):
    """A form that is planned or entered, in a list."""

    visit = serializers.CharField(help_text="`log` for a running log.")
    form = serializers.CharField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=list(WORDS.items()), allow_null=True, help_text="Null for logs.")
    repeats = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers of its rows so far.")
    open_queries = serializers.IntegerField(help_text="Open or answered.")


class SentCell(Input):
    """One item: its new value, what you saw before, and why it changes."""

    value = SentValue(required=False, allow_null=True, default="")
    unit = Text(required=False, allow_blank=True, default="")
    low = Text(required=False, allow_blank=True, default="")
    high = Text(required=False, allow_blank=True, default="")
    missing = serializers.ChoiceField(choices=list(MISSING_REASONS.items()), required=False, default="")
    expected = serializers.DictField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The cell that you saw, `{}` for an empty one. Where it is no longer that, nothing is written (409).",
    )
    reason = Text(
        required=False, allow_blank=True, default="", help_text="Why; needed once the form is complete (428)."
    )


class SentForm(Input):
    """Items to save; each is saved by itself."""

    items = serializers.DictField(child=SentCell(), allow_empty=False, help_text="By item.")
    reason = Text(
        required=False,
        allow_blank=True,
        default="",
        help_text="For every item that has no reason of its own.",
    )


class SentItems(Input):
    """The same, its items not looked at yet, so that a malformed one does not keep the others out."""

    items = serializers.DictField(allow_empty=False)
    reason = Text(required=False, allow_blank=True, default="")


class ItemResult(serializers.Serializer[Any]):
    """What became of one item."""

    item = serializers.CharField()
    status = serializers.IntegerField(help_text="200, or the status of the problem.")
    changed = serializers.BooleanField()
    problem = Problem(required=False)
    stored = CellShown(required=False, allow_null=True, help_text="With 409: what stands there now.")


class Saved(serializers.Serializer[Any]):
    """What became of each item, and the form as it is now."""

    results = ItemResult(many=True)
    form = FormShown()


class PartlyRefused(Problem):
    """Some items were refused; the others are saved."""

    results = ItemResult(many=True)
    form = FormShown()


class NotDone(Input):
    """Why a form was not done."""

    reason = Text(max_length=200)


class Confirmation(Input):
    """Why a value stands in spite of an edit check."""

    item = Text()
    check_id = Text()
    reason = Text(max_length=500)
