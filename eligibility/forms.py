"""What people send: the day to look at, and a decision to sign."""

from __future__ import annotations

from datetime import date

from django import forms

from casebook.rules.dates import DateFault, read_date
from eligibility.models import Decision


def read_day(text: str, today: date) -> tuple[date | None, str]:
    """The day that somebody asked for and what is wrong with it; no day where the page should choose.

    Parameters
    ----------
    text
        As in a date field: `2026-11-10`, `10 Nov 2026`, `t-7`.
    """
    if not text.strip():
        return None, ""
    try:
        day = date.fromisoformat(read_date(text, today))
    except DateFault as fault:
        return None, str(fault)
    if day > today:
        return None, f"{text.strip()} is in the future. Eligibility can be judged up to today."
    return day, ""


class SignForm(forms.Form):
    """A decision, and the password typed again. Shown by `eligibility/_sign_dialog.html`."""

    decision = forms.ChoiceField(choices=Decision.choices)
    comment = forms.CharField(required=False, max_length=1000)
    seen = forms.CharField(required=False, max_length=64)
    password = forms.CharField(strip=False, max_length=500)
