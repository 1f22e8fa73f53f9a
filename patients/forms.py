"""Reading what was typed into the few fields of this room."""

from __future__ import annotations

from django import forms


class RegisterForm(forms.Form):
    """A new patient: where, under which code, and for which trials screening begins."""

    site = forms.ChoiceField(label="Site")
    code = forms.CharField(
        label="Patient code",
        max_length=32,
        help_text="The code of your own identification log. Never a name, a birth date or a record number.",
    )
    trials = forms.MultipleChoiceField(label="Screen for", widget=forms.CheckboxSelectMultiple)

    def __init__(
        self, *args: object, sites: list[tuple[str, str]], trials: list[tuple[str, str]], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["site"].choices = sites  # type: ignore[attr-defined]
        self.fields["trials"].choices = trials  # type: ignore[attr-defined]
        if len(sites) == 1:
            self.fields["site"].initial = sites[0][0]
