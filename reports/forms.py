"""Reading what was chosen for an export."""

from __future__ import annotations

from typing import Any

from django import forms


class ExportForm(forms.Form):
    """Which trial, which sites, and as of when."""

    trial = forms.ChoiceField(label="Trial")
    sites = forms.MultipleChoiceField(
        label="Sites",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all sites.",
    )
    as_of = forms.DateTimeField(
        label="As of",
        required=False,
        help_text="UTC, for example 2026-11-21 14:00. Empty: as it is now.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self, *args: Any, trials: list[tuple[str, str]], sites: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["trial"].choices = trials  # type: ignore[attr-defined]
        self.fields["sites"].choices = sites  # type: ignore[attr-defined]
