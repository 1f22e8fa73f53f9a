"""Signing forms, visits and casebooks, one or many at once, and bringing signatures in line with a new protocol."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from accounts.access import Access
from accounts.models import DelegatedTask, Meaning, Signature, User
from accounts.selectors import access_of, tasks_of
from accounts.services import ToSeal, confirm_components, may_sign, seal_signature
from audit.context import Actor, acting, current
from audit.models import Event
from casebook.errors import NothingToSignError
from casebook.models import Entry, FormContent, RecordKind, SignedRecord, Signing, SigningBatch
from casebook.records import Part, Record, parts_of, records_of
from casebook.rules.content import CONTENT_VERSION, digest_of
from casebook.rules.dependence import forms_that_follow
from casebook.selectors import LOG
from casebook.services.states import Scope, refusal_for
from foundation import clock
from patients.models import Subject
from patients.selectors import subjects_visible_to

TARGET = "casebook."
BATCH = "casebook.batch"
STATEMENTS = {
    RecordKind.FORM: "I have reviewed this form and confirm that what it says is complete and correct.",
    RecordKind.VISIT: "I have reviewed the forms of this visit and confirm that what they say is complete and correct.",
    RecordKind.CASEBOOK: (
        "As principal investigator I take responsibility for this casebook: I have reviewed it and confirm that what"
        " it says is complete, correct, and in agreement with the source."
    ),
}
"""What is agreed to by signing (ICH E6(R3) 2.12, 3.16.1(o))."""
MEANINGS = {
    RecordKind.FORM: Meaning.APPROVAL,
    RecordKind.VISIT: Meaning.APPROVAL,
    RecordKind.CASEBOOK: Meaning.RESPONSIBILITY,
}
CHANGED = "It changed after the list was shown. Look at it again."
NOT_PRINCIPAL = (
    "Only the principal investigator signs the casebook, and the delegation log does not name you today."
)
NOT_DELEGATED = (
    "The delegation log of the site does not name you for signing today. Ask the principal investigator."
)


@dataclass(frozen=True)
class Wanted:
    """A record that somebody chose to sign, and the digest of what they saw; empty where nobody looked at a page."""

    key: str
    seen: str = ""


@dataclass(frozen=True)
class Refused:
    """A record that was not signed, and why."""

    key: str
    name: str
    sentence: str


@dataclass(frozen=True)
class Outcome:
    """What became of the chosen records; every one of them is in one of the two."""

    signed: tuple[SignedRecord, ...]
    refused: tuple[Refused, ...]


def sign_records(
    *, actor: Actor, user: User, wanted: Sequence[Wanted], password: str, username: str | None = None
) -> Outcome:
    """Sign records; those that may not be signed are told, and the others are signed.

    A record that changed between the page and this moment is refused. Several records are signed in one go: each has
    its own signature, and one more covers the manifest with the digests of all.

    Parameters
    ----------
    actor, user
        The person who signs.
    wanted
        The records by their keys (`casebook.records`).
    password, username
        As typed at this moment; no user name where the person has signed before in the same session.

    Raises
    ------
    NothingToSignError
    accounts.errors.SignatureRefused, accounts.errors.AccountLocked
    accounts.errors.IdentityNotVerified, accounts.errors.AccountabilityNotAccepted, accounts.errors.PasswordIsTemporary

    References
    ----------
    21 CFR 11.50, 11.70, 11.200(a)(1)(i).
    """
    if actor.id != user.pk:
        raise ValueError("A signature is given by the person who acts.")
    if not wanted:
        raise NothingToSignError
    may_sign(user)
    with acting(actor, reason="Signed"):
        confirm_components(user, password, username)
        access = access_of(user)
        subjects = _held(access, wanted)
        records = records_of(subjects)
        log = delegated(user.pk, subjects)
        good: list[Record] = []
        refused: list[Refused] = []
        for each in {one.key: one for one in wanted}.values():
            record = records.get(each.key)
            sentence = "It is not there, or you have no access to it."
            if record is not None:
                sentence = why_not(record, access, log) or _changed(record, each)
            if record is not None and not sentence:
                good.append(record)
            else:
                refused.append(Refused(each.key, record.name if record else each.key, sentence))
        signed = _sign(user, good) if good else ()
    return Outcome(tuple(signed), tuple(refused))


def why_not(record: Record, access: Access, log: set[tuple[int, str]]) -> str:
    """Why a person may not sign a record now, as a sentence; empty where they may.

    Parameters
    ----------
    log
        What the delegation logs allow, from `delegated`.
    """
    subject = record.subject
    scope = Scope(subject, record.visit, record.entry)
    roles = access.roles(subject.trial.code, subject.site.code)
    found, _ = refusal_for("sign", roles, scope, record)
    if found is not None:
        return found.sentence
    if record.kind == RecordKind.CASEBOOK:
        return "" if (subject.pk, DelegatedTask.PRINCIPAL) in log else NOT_PRINCIPAL
    may = {(subject.pk, DelegatedTask.PRINCIPAL), (subject.pk, DelegatedTask.SIGN)}
    return "" if may & log else NOT_DELEGATED


def delegated(user_id: int | None, subjects: Sequence[Subject]) -> set[tuple[int, str]]:
    """Subjects with the tasks that the delegation log of their site gives a person today there."""
    days: dict[date, dict[tuple[str, str], set[str]]] = {}
    found: set[tuple[int, str]] = set()
    for subject in subjects:
        today = clock.today(subject.site.time_zone)
        if today not in days:
            days[today] = tasks_of(user_id, today)
        tasks = days[today].get((subject.trial.code, subject.site.code), set())
        found |= {(subject.pk, task) for task in tasks}
    return found


def settle_signatures(
    *, actor: Actor, subject: Subject, reason: str, forms: Collection[str] | None = None
) -> int:
    """Take back signatures whose forms no longer say what was signed, as after a new protocol version.

    Gives the number of forms that have to be signed again. A change of a value needs no call: the database sees it.

    Parameters
    ----------
    forms
        Codes of the forms to look at; all where None.
    """
    stale = [
        part.entry.pk
        for part in parts_of([subject]).get(subject.pk, [])
        if part.entry.signing == Signing.SIGNED
        and (forms is None or part.entry.form in forms)
        and not part.says(part.signed_digest)
    ]
    if not stale:
        return 0
    with acting(actor, reason=reason):
        return Entry.objects.filter(pk__in=stale, locked=False).update(signing=Signing.AGAIN)


def follow_the_change(
    *, actor: Actor, entry: Entry, items: Collection[str], signed: Collection[str] | None = None
) -> None:
    """Take back signatures of the subject's other forms where they show something else after a change in this one.

    Runs inside the transaction of the change. Where no signed form follows what changed, one statement at most.

    Parameters
    ----------
    signed
        Codes of the other forms that are signed; asked for where None.
    """
    visit = entry.visit.code if entry.visit else ""
    forms = forms_that_follow(entry.protocol, entry.form, items, visit)
    if forms and signed is None:
        signed = _signed_beside(entry)
    if not forms.intersection(signed or ()):
        return
    words = (
        f"{_labels(entry, items)} changed on {entry.protocol.form(entry.form).name} ({entry.visit or LOG})"
    )
    context = current()
    said = context.reason if context else ""
    settle_signatures(
        actor=actor, subject=entry.subject, forms=forms, reason=f"{words}: {said}" if said else words
    )


def _signed_beside(entry: Entry) -> set[str]:
    found = Entry.objects.filter(subject=entry.subject, signing=Signing.SIGNED, locked=False)
    return set(found.exclude(pk=entry.pk).values_list("form", flat=True))


def _labels(entry: Entry, items: Collection[str]) -> str:
    known = entry.protocol.form(entry.form).items_by_id
    return ", ".join(known[item].label for item in sorted(items) if item in known) or "What it says"


def _held(access: Access, wanted: Sequence[Wanted]) -> list[Subject]:
    """The subjects of the chosen records, with their forms locked against a change until all is signed."""
    numbers = {parts[1] for each in wanted if len(parts := each.key.split("/")) > 1}
    subjects = list(subjects_visible_to(access, "sign.entry").filter(number__in=numbers).order_by("pk"))
    held = Entry.objects.filter(subject__in=[subject.pk for subject in subjects]).order_by("pk")
    list(held.select_for_update().values_list("pk", flat=True))
    return subjects


def _changed(record: Record, wanted: Wanted) -> str:
    return CHANGED if wanted.seen and wanted.seen != record.digest else ""


def _sign(user: User, records: Sequence[Record]) -> list[SignedRecord]:
    head = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
    signatures = seal_signature(user=user, records=[_to_seal(record) for record in records])
    batch = _batch(user, records) if len(records) > 1 else None
    parts = {part.entry.pk: part for record in records for part in record.parts}
    _keep(list(parts.values()))
    signed = SignedRecord.objects.bulk_create(
        _row(record, signature, batch, head) for record, signature in zip(records, signatures, strict=True)
    )
    Entry.objects.filter(pk__in=parts).exclude(signing=Signing.SIGNED).update(signing=Signing.SIGNED)
    return signed


def _to_seal(record: Record) -> ToSeal:
    return ToSeal(
        kind=TARGET + record.kind.lower(),
        key=record.key[:60],
        digest=record.digest,
        meaning=MEANINGS[record.kind],
        statement=STATEMENTS[record.kind],
    )


def _batch(user: User, records: Sequence[Record]) -> SigningBatch:
    """One manifest of all records, signed as well."""
    manifest = [{"kind": record.kind, "key": record.key, "digest": record.digest} for record in records]
    digest = digest_of(manifest)
    sealed = ToSeal(
        kind=BATCH,
        key=digest[:32],
        digest=digest,
        meaning=Meaning.APPROVAL,
        statement=f"I sign each of the {len(records)} records of this list.",
    )
    signature = seal_signature(user=user, records=[sealed])[0]
    return SigningBatch.objects.create(signature=signature, manifest=manifest)


def _keep(parts: Sequence[Part]) -> None:
    """What each form says now, unless it is kept already."""
    FormContent.objects.bulk_create(
        (
            FormContent(
                entry=part.entry, subject_id=part.entry.subject_id, digest=part.digest, content=part.content
            )
            for part in parts
        ),
        ignore_conflicts=True,
    )


def _row(record: Record, signature: Signature, batch: SigningBatch | None, head: int) -> SignedRecord:
    return SignedRecord(
        kind=record.kind,
        subject=record.subject,
        visit=record.visit,
        entry=record.entry,
        signature=signature,
        batch=batch,
        protocol_version=record.subject.version.label,
        manifest=record.manifest,
        digest=record.digest,
        trail_head=head,
        content_version=CONTENT_VERSION,
    )
