"""What comes after the first months: signatures, an unlock, an amendment, a disagreement, images that wait."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from accounts.selectors import access_of
from audit.context import acting
from casebook import services as casebook
from casebook.models import Unlock
from casebook.records import form_key
from casebook.services.places import ask_place_unlock, lock_place
from casebook.services.signing import Wanted, sign_records
from foundation import clock
from imaging.models import Adjudication, Origin, Read
from imaging.services import receive_object
from patients.models import Subject
from reports.impact.running import make_simulation, request_simulation
from tests.conftest import PASSWORD
from tests.imaging.dicom_files import changed
from tests.journeys.world import SETUP, World, scan, send
from trials.laboratories.services import add_range, register_laboratory
from trials.packs import amendments
from trials.services import approve_version, publish_protocol
from visits.models import Visit

AMENDMENT = "2023-05"


@dataclass(frozen=True)
class Aftermath:
    """Where it can be looked at."""

    signed: int
    unlock: int
    laboratory: str
    range_id: int
    pair: UUID
    arrived: UUID
    held: int
    place_lock: int
    place_unlock: int
    amendment: str = AMENDMENT


def after(world: World) -> Aftermath:
    """What came later in a world; it happens when somebody asks first."""
    if world.later is None:
        world.later = _bring_on(world)
    return world.later  # type: ignore[no-any-return]


def _bring_on(world: World) -> Aftermath:
    _amend(world)
    laboratory, range_id = _laboratory(world)
    signed, unlock = _signed(world)
    held = _held(world)
    return Aftermath(
        signed, unlock, laboratory, range_id, _pair(world), _arrived(world), held, *_locked(world)
    )


def _amend(world: World) -> None:
    """Excalibur of May 2023, approved at home and tried on the subjects."""
    cast = world.cast
    later = publish_protocol(actor=SETUP, pack=amendments("EXCALIBUR")[AMENDMENT])
    approve_version(
        actor=cast.actor("sponsor"),
        site=cast.home,
        version=later,
        approved_on=clock.today(),
        document="Letter 7",
    )
    sponsor = access_of(cast.people["sponsor"])
    make_simulation(request_simulation(actor=cast.actor("sponsor"), access=sponsor, version=later).pk)


def _laboratory(world: World) -> tuple[str, int]:
    keeper = world.cast.actor("datamanager")
    made = register_laboratory(actor=keeper, code="LAB-1", name="Biochemistry", sites=[world.cast.home])
    fields = {
        "test": "HGB",
        "unit": "g/L",
        "low": "134",
        "high": "170",
        "valid_from": "2024-01-01",
        "sex": "M",
    }
    return made.code, add_range(actor=keeper, laboratory=made, fields=fields).pk


def _signed(world: World) -> tuple[int, int]:
    """A signed form, and a wish to unlock the casebook."""
    cast, subject = world.cast, world.treated
    visit = Visit.objects.get(subject=subject, code="M1")
    entry = casebook.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="VS")
    casebook.mark_not_done(actor=cast.actor(), entry=entry, reason="Not measured")
    signer = cast.people["investigator"]
    done = sign_records(
        actor=cast.actor("investigator"), user=signer, wanted=[Wanted(form_key(entry))], password=PASSWORD
    )
    with acting(cast.actor()):
        wish = Unlock.objects.create(
            subject=subject, reason="Wrong unit", hours=4, asked_by=cast.people["coordinator"]
        )
    return done.signed[0].pk, wish.pk


def _locked(world: World) -> tuple[int, int]:
    """The other site locked, where nobody was screened for Thermodox, and a wish to unlock it."""
    cast, trial = world.cast, world.treated.trial
    keeper = cast.actor("datamanager")
    lock = lock_place(actor=keeper, trial=trial, site=cast.away, reason="Nobody was screened")
    wish = ask_place_unlock(actor=keeper, trial=trial, site=cast.away, reason="Somebody comes", hours=4)
    return lock.pk, wish.pk


def _pair(world: World) -> UUID:
    """Two reads of the same images that differ."""
    first = world.read
    with acting(SETUP, origin="test"):
        second = Read.objects.create(
            subject=first.subject, visit=first.visit, reader=world.cast.people["radiologist2"], number=2,
            charter_sha256=first.charter_sha256, due_on=clock.today(),
        )  # fmt: skip
        return Adjudication.objects.create(
            subject=first.subject, visit=first.visit, first=first, second=second, first_is_a=True,
            differences=["ltp"], due_on=clock.today(),
        ).opaque  # fmt: skip


def _held(world: World) -> int:
    """A slice of which the scanner says that text is burned in."""
    content = changed(next(iter(scan(world.treated, "M1").values())), BurnedInAnnotation="YES")
    return send(world.cast, world.treated, "M1", {"burned.dcm": content}).files.get(code="burned_in").pk


def _arrived(world: World) -> UUID:
    """An object over the network whose subject nobody could tell."""
    content = next(iter(scan(world.treated, "BL").values()))
    return receive_object(
        actor=world.cast.actor(),
        content=BytesIO(content),
        origin=Origin.DICOM,
        subjects=Subject.objects.none(),
        site=world.cast.home,
    ).opaque
