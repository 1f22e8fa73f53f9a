"""Every page of the house with the person who looks at it, and the addresses that are no pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.journeys.world import World

Address = Callable[[World], str]


@dataclass(frozen=True)
class Stop:
    """A page: the name of its address, who looks, and where it is in a world."""

    name: str
    who: str
    where: Address
    state: str = ""
    """What is opened on the page before it is looked at (a state of the same address)."""


def stop(name: str, who: str, *parts: Callable[[World], object], query: str = "", state: str = "") -> Stop:
    """A stop whose address is made of parts of the world."""
    return Stop(name, who, lambda world: reverse(name, args=[part(world) for part in parts]) + query, state)


def hopeful(world: World) -> object:
    """The candidate's number."""
    return world.hopeful.number


def treated(world: World) -> object:
    """The number of the subject under treatment."""
    return world.treated.number


def just(value: object) -> Callable[[World], object]:
    """A part that is the same in every world."""
    return lambda _: value


STOPS = (
    stop("account_login", ""),
    stop("account_login", "", state="refused"),
    stop("account_inactive", ""),
    stop("account_logout", "coordinator"),
    stop("account", "coordinator"),
    stop("account", "coordinator", state="menu"),
    stop("account_change_password", "coordinator"),
    stop("account_reauthenticate", "coordinator"),
    stop("mfa_index", "coordinator"),
    stop("tokens", "coordinator"),
    stop("today", "coordinator"),
    stop("today", "coordinator", state="keys"),
    stop("subjects", "coordinator"),
    stop("subjects", "coordinator", query="?q=nobody"),
    stop("register", "coordinator"),
    stop("register", "coordinator", state="empty"),
    stop("subject", "coordinator", hopeful),
    stop("subject", "coordinator", treated),
    stop("subject", "coordinator", treated, state="visit"),
    stop("queries", "coordinator"),
    stop("queries", "datamanager"),
    stop("form", "coordinator", hopeful, just("SCR"), just("DM")),
    stop("form", "coordinator", hopeful, just("SCR"), just("LB")),
    stop("form", "coordinator", hopeful, just("SCR"), just("LB"), state="panel"),
    stop("form", "monitor", hopeful, just("SCR"), just("LB"), state="panel"),
    stop("form", "coordinator", hopeful, just("SCR"), just("STG")),
    stop("form", "coordinator", hopeful, just("log"), just("AE")),
    stop("form", "coordinator", treated, just("P1"), just("EX")),
    stop("form-row", "coordinator", treated, just("BL"), just("TU"), just(2)),
    stop("eligibility", "investigator", hopeful),
    stop("eligibility-trials", "investigator", hopeful),
    stop("eligibility-sign", "investigator", hopeful, query="?decision=NOT_ELIGIBLE"),
    stop("treatment", "coordinator", treated),
    stop("treatment", "coordinator", hopeful),
    stop("quality-of-life", "coordinator", treated),
    stop("subject-images", "coordinator", treated),
    stop("visit-images", "coordinator", treated, just("M1")),
    stop("image-inbox", "coordinator"),
    stop("image-batch", "coordinator", lambda world: world.batch.opaque),
    stop("image-study", "datamanager", lambda world: world.study.opaque),
    stop("reading-queue", "reader"),
    stop("reading-case", "reader", lambda world: world.read.opaque),
    stop("progress", "sponsor"),
    stop("exports", "sponsor"),
    stop("export", "sponsor", lambda world: world.export.pk),
    stop("trials:list", "sponsor"),
    stop("trials:list", "coordinator"),
    stop("trials:protocol", "coordinator", just("THERMODOX")),
    stop("people", "admin"),
    stop("add-person", "admin"),
    stop("person", "admin", just("coordinator")),
    stop("new-password", "admin", just("coordinator")),
    stop("audit", "monitor"),
)


def names(resolver: URLResolver | None = None, space: str = "") -> Iterator[str]:
    """The names of all addresses."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from names(pattern, inner)
        elif isinstance(pattern, URLPattern):
            app = f"{space}{pattern.name}"
            yield app
