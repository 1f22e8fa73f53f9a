"""What monitors have to compare with the source: by site, subject and form; a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts.access import Access
from casebook.models import Entry, EntryState, Verification
from casebook.rules.verification import Check, Place, is_planned, sourced_items, standing
from casebook.sampling import SamplingSeed
from casebook.selectors import entries
from patients.models import Subject
from patients.selectors import within


@dataclass(frozen=True)
class FormToVerify:
    """A form with what the plan asks of it: item → how it stands."""

    entry: Entry
    items: Mapping[str, Check]

    def count(self, *checks: Check) -> int:
        """How many items stand so."""
        return sum(check in checks for check in self.items.values())

    @property
    def waits(self) -> int:
        """Items that are to be looked at: never verified, or changed since."""
        return self.count("due", "changed")


@dataclass
class SubjectToVerify:
    """A subject's forms with anything to verify or verified."""

    subject: Subject
    forms: list[FormToVerify] = field(default_factory=list)

    @property
    def waits(self) -> int:
        """Items to be looked at."""
        return sum(form.waits for form in self.forms)

    @property
    def changed(self) -> int:
        """Items that changed since they were verified."""
        return sum(form.count("changed") for form in self.forms)

    @property
    def planned(self) -> int:
        """Items that the plan asks for or that were verified beyond it."""
        return sum(form.count("due", "changed", "verified") for form in self.forms)

    @property
    def verified(self) -> int:
        """Items that agree with their source as they stand."""
        return self.planned - self.waits

    @property
    def waiting(self) -> list[FormToVerify]:
        """Forms that a monitor has to open."""
        return [form for form in self.forms if form.waits]


@dataclass
class SiteToVerify:
    """A site's part in a trial, and its subjects."""

    trial: str
    site: str
    name: str
    subjects: list[SubjectToVerify] = field(default_factory=list)

    @property
    def waits(self) -> int:
        """Items to be looked at."""
        return sum(each.waits for each in self.subjects)

    @property
    def changed(self) -> int:
        """Items that changed since they were verified."""
        return sum(each.changed for each in self.subjects)

    @property
    def planned(self) -> int:
        """Items that the plan asks for."""
        return sum(each.planned for each in self.subjects)

    @property
    def verified(self) -> int:
        """Items that agree with their source as they stand."""
        return self.planned - self.waits

    @property
    def forms(self) -> int:
        """Forms that a monitor has to open."""
        return sum(len(each.waiting) for each in self.subjects)


def sites_to_verify(access: Access, permission: str = "verify.entry") -> list[SiteToVerify]:
    """What is to be verified at the sites where the person holds the permission; four statements.

    Only complete forms are compared; what is being entered may still change.
    """
    condition = within(access, permission, trial="subject__trial__code", site="subject__site__code")
    found = list(_complete(entries().filter(condition)))
    sites: dict[tuple[str, str], SiteToVerify] = {}
    subjects: dict[int, SubjectToVerify] = {}
    for form in forms_to_verify(found):
        if not form.items:
            continue
        subject = form.entry.subject
        if subject.pk not in subjects:
            place = (subject.trial.code, subject.site.code)
            site = sites.setdefault(place, SiteToVerify(*place, subject.site.name))
            subjects[subject.pk] = SubjectToVerify(subject)
            site.subjects.append(subjects[subject.pk])
        subjects[subject.pk].forms.append(form)
    return sorted(sites.values(), key=lambda each: (-each.waits, each.trial, each.site))


def _complete(found: QuerySet[Entry]) -> QuerySet[Entry]:
    complete = found.filter(state=EntryState.COMPLETE, not_done="", struck_out=False)
    return complete.order_by("subject__number", "visit__ordinal", "visit__sequence", "form", "repeat")


def forms_to_verify(found: Sequence[Entry]) -> list[FormToVerify]:
    """What the plan asks of these forms; three statements."""
    if not found:
        return []
    ranks = ranks_of({entry.subject_id for entry in found})
    seeds = dict(SamplingSeed.objects.values_list("trial_id", "seed"))
    verified = _verified(found)
    return [
        FormToVerify(
            entry,
            _standing(
                entry, ranks[entry.subject_id], seeds.get(entry.subject.trial_id, ""), verified[entry.pk]
            ),
        )
        for entry in found
    ]


def _standing(entry: Entry, rank: int, seed: str, verified: Mapping[str, str]) -> dict[str, Check]:
    place = Place(
        subject=entry.subject.number,
        rank=rank,
        visit=str(entry.visit) if entry.visit else "",
        form=entry.form,
        repeat=entry.repeat,
    )
    protocol = entry.protocol
    stands = {
        item: standing(is_planned(protocol, place, item, seed), entry.values, item, verified)
        for item in sourced_items(protocol.form(entry.form), entry.values)
    }
    return {item: check for item, check in stands.items() if check}


def ranks_of(subjects: Iterable[int]) -> dict[int, int]:
    """Which subject of its trial and site each one is, the first being 1; a later one never moves an earlier."""
    ranked = Subject.objects.annotate(
        rank=Window(RowNumber(), partition_by=[F("trial_id"), F("site_id")], order_by=F("pk").asc())
    ).values_list("pk", "rank")
    wanted = set(subjects)
    return {key: rank for key, rank in ranked.order_by("pk") if key in wanted}


def _verified(found: Sequence[Entry]) -> Mapping[int, dict[str, str]]:
    """Digest of the newest verification of each item of these entries."""
    newest: dict[int, dict[str, str]] = defaultdict(dict)
    rows = Verification.objects.filter(entry__in=[entry.pk for entry in found if entry.opened])
    for entry, item, digest in rows.order_by("at", "pk").values_list("entry_id", "item", "digest"):
        newest[entry][item] = digest
    return newest


def verification_marks(entry: Entry) -> Mapping[str, Check]:
    """How each item of a form stands against its source; nothing before the form is complete."""
    if not entry.opened or entry.state != EntryState.COMPLETE or entry.not_done or entry.struck_out:
        return {}
    return forms_to_verify([entry])[0].items


@dataclass(frozen=True)
class VerificationDue:
    """Items of one form that wait for a monitor.

    Attributes
    ----------
    items
        How many are to be looked at.
    changed
        How many of them were verified before and changed since.
    """

    number: str
    trial: str
    site: str
    visit: str
    form: str
    repeat: int
    items: int
    changed: int


def verification_due(access: Access) -> list[VerificationDue]:
    """Forms that wait for a monitor at the sites where the person verifies; four statements."""
    return [
        VerificationDue(
            number=each.subject.number,
            trial=site.trial,
            site=site.site,
            visit=str(form.entry.visit) if form.entry.visit else "log",
            form=form.entry.form,
            repeat=form.entry.repeat,
            items=form.waits,
            changed=form.count("changed"),
        )
        for site in sites_to_verify(access)
        for each in site.subjects
        for form in each.waiting
    ]
