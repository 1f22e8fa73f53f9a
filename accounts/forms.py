"""What people type about accounts, roles, tokens and signatures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms

from accounts.models import DelegatedTask, Identification
from accounts.places import known_places
from accounts.policies import PERMISSIONS, ROLES
from foundation.clock import now


class PersonForm(forms.Form):
    """A new account."""

    full_name = forms.CharField(label="Full name", max_length=150)
    username = forms.CharField(label="User name", max_length=60, help_text="Never given to another person.")
    email = forms.EmailField(label="E-mail", required=False)
    time_zone = forms.ChoiceField(label="Time zone", choices=[], initial="Europe/Oslo")
    password = forms.CharField(
        label="First password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. The person changes it.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = forms.ChoiceField(choices=[(name, name) for name in sorted(available_timezones())])
        self.fields["time_zone"].choices = zones.choices  # type: ignore[attr-defined]


class GrantForm(forms.Form):
    """A role for somebody."""

    role = forms.ChoiceField(label="Role", choices=list(ROLES.items()))
    place = forms.ChoiceField(label="Trial and site", required=False, help_text="None for administrators.")
    ends = forms.DateTimeField(
        label="Until (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Empty: open.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [  # type: ignore[attr-defined]
            ("", "None"),
            *((f"{trial}/{site}", f"{trial}, {site or 'all sites'}") for trial, site in known_places()),
        ]

    def where(self) -> tuple[str, str]:
        """Codes of the trial and the site; empty where there is none."""
        trial, _, site = self.cleaned_data["place"].partition("/")
        return trial, site


class EditStopForm(forms.Form):
    """Where edit access is withdrawn, from when, and why."""

    place = forms.ChoiceField(label="Trial and site", choices=[])
    starts = forms.DateTimeField(
        label="From (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Empty: now.",
    )
    reason = forms.CharField(label="Reason", max_length=500, help_text="Everybody concerned reads it.")

    def __init__(self, *args: Any, places: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [  # type: ignore[attr-defined]
            (f"{trial}/{site}", f"{trial}, {site or 'all sites'}") for trial, site in places
        ]

    def clean_starts(self) -> datetime | None:
        """A moment that is not past: what was written until now was written with the right to do so."""
        starts: datetime | None = self.cleaned_data["starts"]
        if starts is not None and starts < now() - timedelta(minutes=1):
            raise forms.ValidationError("This is past. Leave it empty for now, or give a moment to come.")
        return starts


class PasswordForm(forms.Form):
    """A new password for somebody who forgot theirs."""

    password = forms.CharField(
        label="New password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. Tell it in person; the person changes it.",
    )
    reason = forms.CharField(label="Reason", max_length=500)


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label="Reason", max_length=500)


class TokenForm(forms.Form):
    """A key for a program."""

    name = forms.CharField(label="What it is for", max_length=60)
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=[(name, name) for name in sorted(PERMISSIONS)],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(label="Days until it ends", min_value=1, max_value=365, initial=90)


class SignForm(forms.Form):
    """The password, typed again to sign. Shown by `accounts/_sign_dialog.html`."""

    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(
            attrs={"class": "input", "autocomplete": "current-password", "autofocus": True}
        ),
    )


def _places(trial_sites: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(f"{trial}/{site}", f"{trial}, {site}") for trial, site in trial_sites if site]


class IdentityForm(forms.Form):
    """How somebody's identity was verified."""

    how = forms.ChoiceField(label="How it was verified", choices=Identification.choices)


class PrincipalForm(forms.Form):
    """Whoever is principal investigator of a site, from which day on."""

    place = forms.ChoiceField(label="Trial and site", choices=[])
    starts = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}))
    ends = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: open.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = _places(known_places())  # type: ignore[attr-defined]


class DelegationForm(forms.Form):
    """Tasks that a principal investigator entrusts to somebody."""

    username = forms.ChoiceField(label="To whom", choices=[])
    place = forms.ChoiceField(label="Trial and site", choices=[])
    tasks = forms.MultipleChoiceField(
        label="Tasks",
        choices=[each for each in DelegatedTask.choices if each[0] != DelegatedTask.PRINCIPAL],
        widget=forms.CheckboxSelectMultiple,
    )
    starts = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}))
    ends = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: open.",
    )

    def __init__(
        self, *args: Any, people: list[tuple[str, str]], places: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].choices = people  # type: ignore[attr-defined]
        self.fields["place"].choices = _places(places)  # type: ignore[attr-defined]


class EndForm(forms.Form):
    """The last day of a line in the delegation log."""

    ends = forms.DateField(label="Last day", widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label="Reason", max_length=500)
