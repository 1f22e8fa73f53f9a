"""States and signatures, to be read. Programs sign nothing: a signature is a person's, with their own components."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Endpoint
from accounts.models import Meaning
from casebook.models import RecordKind, Signing
from casebook.pages.places import WORDS, site_rows
from casebook.pages.standing import signatures_of_subject
from casebook.records import parts_of
from casebook.selectors import LOG
from foundation.api import page_of, problems, rows_as, whole_list
from patients.selectors import get_subject
from trials.selectors import get_trial


class StateOfForm(serializers.Serializer[Any]):
    """A form on all its axes."""

    visit = serializers.CharField(help_text="`log` for a running log.")
    form = serializers.CharField()
    repeat = serializers.IntegerField()
    state = serializers.CharField()
    struck_out = serializers.BooleanField()
    signing = serializers.ChoiceField(
        choices=[("", "Not signed"), *Signing.choices],
        help_text="`AGAIN`: signed, and changed or opened since.",
    )
    frozen = serializers.BooleanField()
    locked = serializers.BooleanField()
    unlocked_until = serializers.DateTimeField(
        allow_null=True,
        help_text="Unlocked for a time; nothing is entered afterwards until it is locked again.",
    )
    digest = serializers.CharField(help_text="SHA-256 of what the form says now.")


class SignedForm(serializers.Serializer[Any]):
    """A form in the manifest of a signature."""

    visit = serializers.CharField()
    form = serializers.CharField()
    repeat = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of what the form said then.")


class SignatureShown(serializers.Serializer[Any]):
    """A signature: who, when, with which meaning, and whether it still holds."""

    kind = serializers.ChoiceField(choices=RecordKind.choices)
    signer = serializers.CharField(help_text="Printed name at the time of signing.")
    at = serializers.DateTimeField()
    meaning = serializers.ChoiceField(choices=Meaning.choices)
    statement = serializers.CharField()
    protocol_version = serializers.CharField()
    digest = serializers.CharField()
    genuine = serializers.BooleanField(help_text="Whether the row is as it was signed.")
    changed = serializers.IntegerField(help_text="Forms that say something else now.")
    forms = SignedForm(many=True)


class StatesOfSubject(Endpoint):
    """States of a casebook."""

    sees = "entry.view"
    also = ("subject.view",)

    @extend_schema(
        operation_id="states",
        tags=["signatures"],
        summary="List the states of a casebook's forms",
        responses={200: page_of(StateOfForm), **problems(404)},
    )
    def get(self, request: Request, number: str) -> Response:
        """Every form that was opened: complete, signed, frozen, locked."""
        subject = get_subject(self.access, number, "entry.view")
        rows = [
            {
                "visit": str(part.entry.visit or LOG),
                "form": part.entry.form,
                "repeat": part.entry.repeat,
                "state": part.entry.state,
                "struck_out": part.entry.struck_out,
                "signing": part.signing,
                "frozen": part.entry.frozen,
                "locked": part.entry.locked,
                "unlocked_until": part.entry.unlocked_until,
                "digest": part.digest,
            }
            for part in parts_of([subject]).get(subject.pk, [])
        ]
        return whole_list(rows_as(StateOfForm, rows))


class SignaturesOfSubject(Endpoint):
    """Signatures in a casebook."""

    sees = "entry.view"
    also = ("subject.view",)

    @extend_schema(
        operation_id="signatures",
        tags=["signatures"],
        summary="List the signatures of a casebook",
        responses={200: page_of(SignatureShown), **problems(404)},
    )
    def get(self, request: Request, number: str) -> Response:
        """Every signature on a form, a visit or the casebook, newest first; those that no longer hold stay."""
        subject = get_subject(self.access, number, "entry.view")
        rows = [
            {
                "kind": each.record.kind,
                "signer": each.record.signature.signer_name,
                "at": each.record.signature.at,
                "meaning": each.record.signature.meaning,
                "statement": each.record.signature.statement,
                "protocol_version": each.record.protocol_version,
                "digest": each.record.digest,
                "genuine": each.genuine,
                "changed": each.changed,
                "forms": each.record.manifest,
            }
            for each in signatures_of_subject(subject)
        ]
        return whole_list(rows_as(SignatureShown, rows))


class SiteLockShown(serializers.Serializer[Any]):
    """How far a site of a trial is from its lock, and the lock."""

    site = serializers.CharField()
    casebooks = serializers.IntegerField()
    locked = serializers.IntegerField(help_text="Casebooks that are locked.")
    ready = serializers.IntegerField(help_text="Casebooks that could be locked now.")
    forms = serializers.IntegerField(help_text="Forms that are not complete.")
    queries = serializers.IntegerField(help_text="Queries that are not closed.")
    unsigned = serializers.IntegerField(help_text="Forms that are not signed as they stand.")
    standing = serializers.ChoiceField(
        choices=list(WORDS.items()),
        help_text="`open`: two persons unlocked it for a time; `over`: that time has passed.",
    )
    locked_at = serializers.DateTimeField(allow_null=True)
    open_until = serializers.DateTimeField(allow_null=True)
    digest = serializers.CharField(help_text="SHA-256 of what was locked; empty where it never was.")


class LocksOfTrial(Endpoint):
    """Locks of a trial's sites."""

    sees = "entry.view"

    @extend_schema(
        operation_id="locks",
        tags=["signatures"],
        summary="List the sites of a trial with their locks",
        responses={200: page_of(SiteLockShown), **problems(404)},
    )
    def get(self, request: Request, trial: str) -> Response:
        """Casebooks in all, locked and ready, what is left to do, and the lock of each site."""
        found = get_trial(self.access, trial, ("entry.view",))
        rows = [
            {
                "site": row.closing.site.code,
                "casebooks": row.closing.casebooks,
                "locked": row.closing.locked,
                "ready": row.ready,
                "forms": row.closing.forms,
                "queries": row.closing.queries,
                "unsigned": row.closing.unsigned,
                "standing": row.closing.standing,
                "locked_at": row.closing.lock.made_at if row.closing.lock else None,
                "open_until": row.closing.lock.open_until if row.closing.lock else None,
                "digest": row.closing.lock.digest if row.closing.lock else "",
            }
            for row in site_rows(self.access, found)
        ]
        return whole_list(rows_as(SiteLockShown, rows))
