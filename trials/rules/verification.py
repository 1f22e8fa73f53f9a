"""Does the plan of verification name what is there, once, and shares that can be drawn?"""

from __future__ import annotations

from collections.abc import Iterator

from trials.rules.findings import Finding, Loc, repeated, unknown_reference
from trials.schema import Protocol, SampleOf


def plan(protocol: Protocol) -> Iterator[Finding]:
    """Yield unknown or repeated forms and items, and samples without a share."""
    found = protocol.verification
    if found is None:
        return
    at: Loc = ("verification",)
    yield from _share(found.otherwise, found.sample, at)
    forms = {form.code for form in protocol.forms}
    items = {f"{form.code}.{item.id}": item.type for form in protocol.forms for item in form.items}
    for i, rule in enumerate(found.rules):
        here: Loc = (*at, "rules", i)
        yield from _share(rule.extent, rule.sample, here)
        if not rule.forms and not rule.items:
            yield Finding(here, "a rule names forms, items, or both")
        for j, code in enumerate(rule.forms):
            yield from unknown_reference((*here, "forms", j), "form", code, forms)
        for j, name in enumerate(rule.items):
            yield from unknown_reference((*here, "items", j), "item", name, items)
            if items.get(name) == "derived":
                yield Finding((*here, "items", j), f"'{name}' is worked out and has no source")
    for key in ("forms", "items"):
        named = (
            ((*at, "rules", i, key, j), each)
            for i, rule in enumerate(found.rules)
            for j, each in enumerate(getattr(rule, key))
        )
        yield from repeated(named, key.removesuffix("s"))


def _share(extent: str, sample: SampleOf | None, at: Loc) -> Iterator[Finding]:
    if extent == "sample" and sample is None:
        yield Finding(at, "a sample needs its share: `sample: {percent: 20}`")
    if extent != "sample" and sample is not None:
        yield Finding((*at, "sample"), f"a share is given, but '{extent}' is verified")
    if sample is not None and not 0 < sample.percent < 100:
        yield Finding((*at, "sample", "percent"), "a share lies between 1 and 99 per cent")
