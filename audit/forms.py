"""What somebody asks of the trail."""

from __future__ import annotations

from django import forms

from audit.models import Action
from audit.selectors import TrailFilter

FIELD = {"class": "input"}
DATE = {"class": "input date", "autocomplete": "off"}


class TrailForm(forms.Form):
    """Narrows the report; everything may stay empty."""

    subject = forms.CharField(label="Subject", max_length=40, required=False, widget=forms.TextInput(FIELD))
    actor = forms.CharField(label="Who", max_length=150, required=False, widget=forms.TextInput(FIELD))
    action = forms.ChoiceField(
        label="What",
        choices=[("", "Everything"), *Action.choices],
        required=False,
        widget=forms.Select({"class": "select"}),
    )
    reason = forms.CharField(label="Reason", max_length=200, required=False, widget=forms.TextInput(FIELD))
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(DATE))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(DATE))
    before = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def wanted(self) -> TrailFilter:
        """The filter, of valid values only."""
        given = self.cleaned_data
        return TrailFilter(
            actor=given.get("actor", ""),
            reason=given.get("reason", ""),
            action=given.get("action", ""),
            since=given.get("since"),
            until=given.get("until"),
        )
