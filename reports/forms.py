"""Reading what was chosen for an export."""

from __future__ import annotations

from typing import Any

from django import forms


class DeliveryForm(forms.Form):
    """Of which trial images and reads are wanted, of which sites, or of one subject."""

    trial = forms.ChoiceField(label="Trial")
    subject = forms.CharField(
        label="Subject",
        required=False,
        max_length=32,
        help_text="Number of the only one that you want. Empty: all subjects.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    sites = forms.MultipleChoiceField(
        label="Sites",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all sites.",
    )

    def __init__(
        self, *args: Any, trials: list[tuple[str, str]], sites: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["trial"].choices = trials  # type: ignore[attr-defined]
        self.fields["sites"].choices = sites  # type: ignore[attr-defined]


class ExportForm(forms.Form):
    """Which trial, which sites, in which format, and as of when."""

    trial = forms.ChoiceField(label="Trial")
    format = forms.ChoiceField(
        label="Format",
        required=False,
        choices=[
            ("csv", "Tables (CSV)"),
            ("odm", "CDISC ODM-XML 1.3.2, with every change, who made it and why, and signatures"),
        ],
    )
    subject = forms.CharField(
        label="Subject",
        required=False,
        max_length=32,
        help_text="Number of the only one that you want, of ODM. Empty: all subjects.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
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
