"""What one version of a protocol has that another has not, and what differs between them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from trials.rules.overview import timing_of
from trials.schema import Check, Criterion, Form, Grading, Item, Protocol, SubStudy, Visit
from trials.schema.trial import Setting
from trials.schema.verification import SampleOf, VerificationRule

Kind = Literal["added", "retired", "changed"]


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was.

    Attributes
    ----------
    part
        One of `PARTS`.
    where
        Code of the form (or codelist, or sub-study) that it belongs to; empty for what stands by itself.
    aspect
        What of it changed: `type`, `unit`, `options`, `label`, `window`; empty where all of it came or went.
    before, after
        In words; empty where there is nothing.
    """

    part: str
    where: str
    code: str
    label: str
    kind: Kind
    aspect: str = ""
    before: str = ""
    after: str = ""

    @property
    def consequence(self) -> str:
        """What it means for subjects and data, in plain words; empty where the change says it itself."""
        words = CONSEQUENCES.get(self.part, {})
        return words.get(self.aspect or self.kind) or words.get(self.kind, "")

    @property
    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "consequence": self.consequence}


PARTS: Final = (
    "sub-study",
    "arm",
    "stratum",
    "setting",
    "form",
    "item",
    "option",
    "check",
    "visit",
    "log",
    "criterion",
    "grading",
    "verification",
)
"""What is compared, in the order of the list."""
CONSEQUENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "sub-study": {
        "added": "Subjects can be routed to it from this version on.",
        "retired": "Nobody is routed to it any more; its subjects keep their place and their arm.",
        "criteria": "Who is not randomised yet is judged by the other criteria.",
        "arms and ratio": "The next allocation is drawn from a new list; places given stay as they are.",
        "blocks": "The next allocation is drawn from a new list; places given stay as they are.",
    },
    "arm": {
        "added": "Subjects can be allocated to it where a sub-study names it.",
        "retired": "Nobody is allocated to it any more; who is in it stays in it.",
        "changed": "It is shown in the new words, also to subjects who are in it; nothing is allocated anew.",
    },
    "stratum": {
        "added": "Nobody is randomised before its level is recorded; each level draws from a list of its own.",
        "retired": "It is not asked for at randomisation any more; the next allocation is drawn from another list.",
        "levels": "Each level draws from a list of its own; a level that is gone takes nobody in any more.",
        "fact": "At randomisation the level is read from another place.",
    },
    "setting": {
        "added": "Rules that name it use this value from the move on.",
        "retired": "No rule can use it any more.",
        "changed": "What is calculated with it is calculated anew for each subject who is moved; data stay.",
    },
    "grading": {
        "added": "A grade is suggested for values that had none; grades that were entered stay.",
        "retired": "No grade is suggested by it any more; grades that were entered stay.",
        "changed": "The grade suggested for a value may be another one; a signed form that shows it is signed again.",
    },
    "verification": {
        "added": "These items are to be compared with the source to this extent, those entered already as well.",
        "retired": "What holds for all other forms holds for these.",
        "changed": "More or fewer items are to be compared with the source; what was verified stays verified.",
    },
}
"""What a change of these parts means; by its aspect, else by its kind."""


@dataclass(frozen=True)
class Difference:
    """All changes from one version to another, and how many of each part stayed as they were."""

    before: str
    after: str
    changes: tuple[Change, ...]
    kept: Mapping[str, int]

    def of(self, part: str) -> tuple[Change, ...]:
        """Changes of one kind of part."""
        return tuple(each for each in self.changes if each.part == part)

    @property
    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "before": self.before,
            "after": self.after,
            "kept": dict(self.kept),
            "changes": [each.document for each in self.changes],
        }


Aspects = Mapping[str, str]
"""What can differ about a part, in words, by the name of the aspect."""


@dataclass(frozen=True)
class _Part:
    part: str
    where: str
    code: str
    label: str
    aspects: Aspects


def difference(before: Protocol, after: Protocol) -> Difference:
    """Compare two versions in all that `PARTS` names.

    Parts are the same where their codes are; a part with another code is another part.
    """
    changes: list[Change] = []
    kept: dict[str, int] = {}
    for name in PARTS:
        found = list(_compared(_parts(before, name), _parts(after, name)))
        changes += found
        touched = {(each.where, each.code) for each in found}
        kept[name] = len(
            {(each.where, each.code) for each in _parts(before, name)}
            & {(each.where, each.code) for each in _parts(after, name)} - touched
        )
    return Difference(before.version.label, after.version.label, tuple(changes), kept)


FIRST: Final = {
    "item": "type",
    "visit": "window",
    "criterion": "rule",
    "check": "rule",
    "sub-study": "arms and ratio",
    "stratum": "levels",
    "setting": "value",
    "grading": "cut points",
    "verification": "extent",
}
"""The aspect that tells a part that came or went."""


def _compared(before: Iterable[_Part], after: Iterable[_Part]) -> Iterator[Change]:
    old = {(each.where, each.code): each for each in before}
    new = {(each.where, each.code): each for each in after}
    for key, part in new.items():
        if key not in old:
            yield Change(part.part, part.where, part.code, part.label, "added", after=_all_words(part))
            continue
        for aspect, words in part.aspects.items():
            earlier = old[key].aspects.get(aspect, "")
            if earlier != words:
                yield Change(part.part, part.where, part.code, part.label, "changed", aspect, earlier, words)
    for key, part in old.items():
        if key not in new:
            yield Change(part.part, part.where, part.code, part.label, "retired", before=_all_words(part))


def _all_words(part: _Part) -> str:
    first = FIRST.get(part.part, "")
    return part.aspects.get(first, "")


def _parts(protocol: Protocol, name: str) -> list[_Part]:
    if name == "form":
        return [_Part(name, "", form.code, form.name, _form(form)) for form in protocol.forms]
    if name == "item":
        return [
            _Part(name, form.code, item.id, item.label, _item(protocol, item))
            for form in protocol.forms
            for item in form.items
        ]
    if name == "option":
        return [
            _Part(name, each.name, code.code, code.label, {"label": code.label})
            for each in protocol.codelists
            for code in each.codes
        ]
    if name == "check":
        return [
            _Part(name, form.code, check.id, check.message, _check(check))
            for form in protocol.forms
            for check in form.checks
        ]
    if name == "visit":
        return [_Part(name, "", each.code, each.name, _visit(protocol, each)) for each in protocol.visits]
    if name in _OF_DESIGN:
        return _OF_DESIGN[name](protocol)
    if name == "log":
        return [_Part(name, "", code, protocol.form(code).name, {}) for code in protocol.logs]
    return [_Part(name, "", each.id, each.label, _criterion(each)) for each in protocol.criteria]


def _form(form: Form) -> Aspects:
    return {"label": form.name, "applies": form.applies, "repeats": "yes" if form.repeating else "no"}


def _item(protocol: Protocol, item: Item) -> Aspects:
    name = item.codelist or ("NY" if item.type == "yesno" else "")
    codes = {each.name: each for each in protocol.codelists}
    options = ", ".join(code.label for code in codes[name].codes) if name in codes else ""
    limits = item.possible
    return {
        "type": item.type,
        "unit": item.unit or ", ".join(item.units),
        "options": options,
        "label": item.label,
        "required": "yes" if item.required else "no",
        "limits": f"{limits.min} to {limits.max} {limits.unit}".strip() if limits else "",
        "shown if": item.show_if,
        "calculated": item.derive,
    }


def _check(check: Check) -> Aspects:
    return {"rule": check.rule, "kind": check.kind, "label": check.message}


def _visit(protocol: Protocol, visit: Visit) -> Aspects:
    return {
        "window": timing_of(visit, protocol) or "when it happens",
        "label": visit.name,
        "forms": ", ".join(visit.forms),
        "imaging": "yes" if visit.imaging else "no",
    }


def _criterion(criterion: Criterion) -> Aspects:
    back = criterion.look_back
    return {
        "rule": criterion.rule,
        "applies": criterion.applies,
        "look-back": f"{back.days} days" if back else "",
        "wording": criterion.text,
        "sets": ", ".join(criterion.sets),
    }


# Design: arms, sub-studies, strata, settings, gradings, verification -----------------------------------------------


def _arms(protocol: Protocol) -> list[_Part]:
    return [
        _Part("arm", "", each.code, each.name, {"name": each.name, "description": each.description})
        for each in protocol.arms
    ]


def _sub_studies(protocol: Protocol) -> list[_Part]:
    return [_Part("sub-study", "", each.code, each.name, _sub_study(each)) for each in protocol.sub_studies]


def _sub_study(study: SubStudy) -> Aspects:
    return {
        "arms and ratio": ", ".join(f"{share.arm} {share.ratio}" for share in study.arms),
        "blocks": ", ".join(map(str, study.blocks)),
        "criteria": study.criteria_set,
        "label": study.name,
    }


def _strata(protocol: Protocol) -> list[_Part]:
    return [
        _Part(
            "stratum",
            study.code,
            each.name,
            each.label,
            {"levels": ", ".join(each.levels), "fact": each.fact, "label": each.label},
        )
        for study in protocol.sub_studies
        for each in study.strata
    ]


def _settings(protocol: Protocol) -> list[_Part]:
    return [_Part("setting", "", each.name, each.label, _setting(each)) for each in protocol.settings]


def _setting(setting: Setting) -> Aspects:
    said = setting.value
    value = "none" if said is None else ("no", "yes")[said] if isinstance(said, bool) else said
    return {"value": f"{value} {setting.unit}".strip(), "choices": ", ".join(setting.choices)}


def _gradings(protocol: Protocol) -> list[_Part]:
    return [_Part("grading", "", each.name, each.term, _grading(each)) for each in protocol.gradings]


def _grading(grading: Grading) -> Aspects:
    unit = f" {grading.unit}" if grading.unit else ""
    cuts = (
        f"{cut.grade}: {'from' if cut.inclusive else 'beyond'} {cut.at}"
        + (unit if cut.of == "unit" else f" × {cut.of}")
        for cut in grading.cuts
    )
    return {
        "cut points": ", ".join(cuts),
        "graded": grading.item or grading.analyte,
        "worse": grading.worse,
        "measure": grading.measure.replace("_", " "),
        "baseline": grading.baseline,
        "term": ", ".join((grading.term, *grading.also)),
    }


def _verification(protocol: Protocol) -> list[_Part]:
    plan = protocol.verification
    if plan is None:
        return []
    first, rest = str(plan.first_subjects), _extent(plan.otherwise, plan.sample)
    of_all = [
        _Part("verification", "", "first subjects", "Verified in full at each site", {"extent": first}),
        _Part("verification", "", "otherwise", "Forms that no rule names", {"extent": rest}),
    ]
    return of_all + [part for rule in plan.rules for part in _verified(rule)]


def _verified(rule: VerificationRule) -> Iterator[_Part]:
    aspects = {"extent": _extent(rule.extent, rule.sample)}
    for name in (*rule.forms, *rule.items):
        yield _Part("verification", "", name, "Compared with the source", aspects)


def _extent(extent: str, sample: SampleOf | None) -> str:
    return f"{sample.percent} % of {sample.per}s" if extent == "sample" and sample else extent


_OF_DESIGN: Final[Mapping[str, Callable[[Protocol], list[_Part]]]] = {
    "sub-study": _sub_studies,
    "arm": _arms,
    "stratum": _strata,
    "setting": _settings,
    "grading": _gradings,
    "verification": _verification,
}
