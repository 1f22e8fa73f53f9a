"""A subject with a screening visit whose forms can be entered, signed and locked."""

from __future__ import annotations

from dataclasses import dataclass, field

from accounts import services as accounts
from audit.context import Actor
from casebook import services
from casebook.models import Entry
from casebook.records import Record, casebook_key, form_key, record_of, visit_key
from casebook.rules.cells import Typed
from casebook.selectors import entries, worked_form
from casebook.services import signing, states
from casebook.services.states import Scope
from foundation import clock
from patients.models import Subject
from tests.cast import SETUP, Cast
from tests.conftest import PASSWORD
from visits.models import Visit
from visits.services import record_visit

LAB = (("HGB", "12.4", "g/dL"), ("PLAT", "188", "10^9/L"))


def closed(actor: Actor, entry: Entry) -> Entry:
    """A form that is complete: what nobody answered is left blank."""
    while worked_form(again(entry)).picture.unanswered:
        services.leave_blank(actor=actor, entry=again(entry), missing="ND")
    services.complete_entry(actor=actor, entry=again(entry))
    return again(entry)


@dataclass
class Case:
    """A subject in screening; its visit happened today."""

    cast: Cast
    trial: str = "EXCALIBUR"
    subject: Subject = field(init=False)
    visit: Visit = field(init=False)

    def __post_init__(self) -> None:
        self.subject = self.cast.subject(self.trial)
        self.visit = Visit.objects.get(subject=self.subject, code="SCR")
        today = clock.today(self.subject.site.time_zone)
        record_visit(actor=self.cast.actor(), visit=self.visit, happened_on=today)
        self.visit.refresh_from_db()

    def form(self, form: str = "LB", *, complete: bool = True) -> Entry:
        """A form with a few values, the rest left blank so that it is complete."""
        entry = services.open_entry(
            actor=self.cast.actor(), subject=self.subject, visit=self.visit, form=form
        )
        if form == "LB":
            for item, value, unit in LAB:
                self.save(entry, item, value, unit)
        return closed(self.cast.actor(), entry) if complete else again(entry)

    def form_of_a_log(self) -> Entry:
        """An adverse event, complete."""
        actor = self.cast.actor()
        entry = services.open_entry(actor=actor, subject=self.subject, visit=None, form="AE")
        services.mark_not_done(actor=actor, entry=entry, reason="Nothing happened")
        return again(entry)

    def whole_visit(self) -> None:
        """Every form of the visit, complete."""
        for form in self.subject.version.protocol.visit("SCR").forms:
            self.form(form)

    def save(
        self, entry: Entry, item: str, value: str, unit: str = "", reason: str = "Typing mistake"
    ) -> None:
        """Change one item."""
        services.save_item(
            actor=self.cast.actor(), entry=again(entry), item_id=item, typed=Typed(value, unit), reason=reason
        )

    def key(self, what: str = "form", entry: Entry | None = None) -> str:
        """Name of a record."""
        if what == "casebook":
            return casebook_key(self.subject)
        if what == "visit":
            return visit_key(self.subject, self.visit)
        assert entry is not None
        return form_key(entry)

    def record(self, key: str) -> Record:
        """A record as it stands now."""
        found = record_of(self.subject, key)
        assert found is not None
        return found

    def sign(self, *keys: str, who: str = "investigator", seen: str = "", **more: str) -> signing.Outcome:
        """Somebody signs."""
        return signing.sign_records(
            actor=self.cast.actor(who),
            user=self.cast.people[who],
            wanted=[signing.Wanted(key, seen) for key in keys],
            **{"password": PASSWORD, **more},  # type: ignore[arg-type]
        )

    def scope(self, entry: Entry | None = None, visit: Visit | None = None) -> Scope:
        """What an action is about."""
        return Scope(self.subject, visit, entry)

    def unlocked(self, entry: Entry, hours: int = 4) -> None:
        """One asks, another approves."""
        asked = states.ask_unlock(
            actor=self.cast.actor("coordinator"),
            scope=self.scope(entry, self.visit),
            reason="Wrong unit",
            hours=hours,
        )
        states.approve_unlock(actor=self.cast.actor("datamanager"), unlock=asked)

    def sub_investigator(self) -> str:
        """Somebody whom the principal investigator lets sign forms and visits."""
        user = self.cast.people["investigator2"]
        accounts.grant_role(
            actor=SETUP,
            user=user,
            role="investigator",
            trial=self.subject.trial.code,
            site=self.subject.site.code,
        )
        today = clock.today(self.subject.site.time_zone)
        accounts.delegate(
            actor=self.cast.actor("investigator"),
            user=user,
            trial=self.subject.trial.code,
            site=self.subject.site.code,
            tasks=["sign"],
            starts=today,
            on=today,
        )
        return "investigator2"


def again(entry: Entry) -> Entry:
    """The form as it is now."""
    return entries().get(pk=entry.pk)
