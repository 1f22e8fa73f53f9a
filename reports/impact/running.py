"""Asking for a simulation and making it, away from the request that asks."""

from __future__ import annotations

from typing import Any

from accounts.access import Access
from audit.context import Actor, acting, service_actor
from foundation.errors import DomainError, NotFound
from patients.models import Subject
from reports import work
from reports.impact.candidates import compared_with
from reports.impact.simulation import simulate
from reports.models import ExportState, Simulation
from reports.services import sites_to_export
from trials.models import ProtocolVersion

ACTOR = service_actor("simulations")


def request_simulation(*, actor: Actor, access: Access, version: ProtocolVersion) -> Simulation:
    """Ask what a version would do to the subjects whose data the person may have; a worker finds out.

    Raises
    ------
    foundation.errors.NotFound, foundation.errors.Forbidden
    """
    access.require("export.run", version.trial.code)
    if actor.id is None:
        raise PermissionError("A simulation is made for a person.")
    sites = sites_to_export(access, version.trial, ())
    with acting(actor):
        return Simulation.objects.create(version=version, sites=list(sites), requested_by_id=actor.id)


def newest_simulation(access: Access, version: ProtocolVersion) -> Simulation | None:
    """The last simulation of a version that the person asked for."""
    found = Simulation.objects.filter(version=version, requested_by=access.user_id)
    return found.order_by("-pk").first()


def get_simulation(access: Access, simulation_id: int) -> Simulation:
    """A simulation that the person asked for, in a trial whose data they still may have.

    Raises
    ------
    NotFound
    """
    found = (
        Simulation.objects.filter(pk=simulation_id, requested_by=access.user_id)
        .select_related("version__trial")
        .defer("version__definition")
        .first()
    )
    if found is None or not access.may("export.run", found.version.trial.code):
        raise NotFound
    return found


def make_simulation(simulation_id: int) -> None:
    """Make a simulation that waits. Safe to run twice: only one run claims it."""
    if not work.claim(Simulation, simulation_id, ACTOR):
        return
    found = Simulation.objects.select_related("version__trial").get(pk=simulation_id)
    try:
        _update(simulation_id, state=ExportState.DONE, result=_made(found))
    except DomainError as error:
        _update(simulation_id, state=ExportState.FAILED, problem=str(error)[:300])


def _made(simulation: Simulation) -> dict[str, Any]:
    trial, candidate = simulation.version.trial, simulation.version.protocol
    subjects = Subject.objects.all()
    if simulation.sites:
        subjects = subjects.filter(site__code__in=simulation.sites)
    impact = simulate(
        trial,
        compared_with(trial, candidate),
        candidate,
        subjects=subjects,
        progress=lambda done, total: _update(simulation.pk, done=done, total=total),
    )
    return impact.document


def _update(simulation_id: int, **fields: Any) -> None:
    work.keep(Simulation, simulation_id, ACTOR, **fields)
