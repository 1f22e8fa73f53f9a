"""What somebody asks of the trail, and what they say after reading it."""

from __future__ import annotations

from typing import Any

from django import forms

from audit.models import Action, ReviewResult, Risk
from audit.registry import registered_looks
from audit.selectors import TrailFilter

FIELD = {"class": "input"}
SELECT = {"class": "select"}
AREA = {"class": "textarea", "rows": 3}
DATE = {"class": "input date", "autocomplete": "off"}
WINDOW = ("subject", "site", "actor", "action", "form", "reason", "look", "since", "until")
"""Fields that say which part of the trail is meant."""


class TrailForm(forms.Form):
    """Narrows the report; everything may stay empty."""

    subject = forms.CharField(label="Subject", max_length=40, required=False, widget=forms.TextInput(FIELD))
    site = forms.ChoiceField(label="Site", required=False, widget=forms.Select(SELECT))
    actor = forms.CharField(label="Who", max_length=150, required=False, widget=forms.TextInput(FIELD))
    action = forms.ChoiceField(
        label="What",
        choices=[("", "Everything"), *Action.choices],
        required=False,
        widget=forms.Select(SELECT),
    )
    form = forms.ChoiceField(label="Form", required=False, widget=forms.Select(SELECT))
    reason = forms.CharField(label="Reason", max_length=200, required=False, widget=forms.TextInput(FIELD))
    look = forms.ChoiceField(label="Look for", required=False, widget=forms.Select(SELECT))
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(DATE))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(DATE))
    before = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, sites: list[tuple[str, str]], form_names: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offered = {
            "site": sites,
            "form": form_names,
            "look": [(look.code, look.title) for look in registered_looks().values()],
        }
        for name, choices in offered.items():
            self.fields[name].choices = [("", "All" if name != "look" else "Anything"), *choices]  # type: ignore[attr-defined]

    def wanted(self, zone: str) -> TrailFilter:
        """The filter, of valid values only."""
        given = self.cleaned_data
        return TrailFilter(
            actor=given.get("actor", ""),
            reason=given.get("reason", ""),
            action=given.get("action", ""),
            form=given.get("form", ""),
            look=given.get("look", ""),
            zone=zone,
            since=given.get("since"),
            until=given.get("until"),
        )

    def window(self) -> dict[str, str]:
        """What the trail was narrowed to, for the record of a review."""
        return {name: str(value) for name in WINDOW if (value := self.cleaned_data.get(name))}


class ReviewForm(forms.Form):
    """What a reviewer says of a window."""

    focus = forms.CharField(label="What you looked for", max_length=300, widget=forms.TextInput(FIELD))
    risk = forms.ChoiceField(
        label="Risk", choices=Risk.choices, widget=forms.Select(SELECT), help_text="For subjects and results."
    )
    result = forms.ChoiceField(label="Result", choices=ReviewResult.choices, widget=forms.Select(SELECT))
    finding = forms.CharField(label="What you found", max_length=5000, widget=forms.Textarea(AREA))
    follow_up = forms.CharField(
        label="Follow-up",
        max_length=5000,
        required=False,
        widget=forms.Textarea(AREA),
        help_text="Needed where something is followed up.",
    )
