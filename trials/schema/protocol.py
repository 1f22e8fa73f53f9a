"""The whole protocol as one typed tree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import model_validator

from logic import Schema
from trials.schema import vocabulary
from trials.schema.base import Code, FactName, Name, Part, SettingName, Text
from trials.schema.criteria import CriteriaSet, Criterion, Routing
from trials.schema.endpoints import Endpoint
from trials.schema.facts import Fact
from trials.schema.forms import Codelist, Form
from trials.schema.grading import Grading
from trials.schema.imaging import Charter
from trials.schema.treatment import Dose, Premedication, TimingRule, TimingScope
from trials.schema.trial import Arm, Setting, Source, SubStudy, TrialInfo, VersionInfo
from trials.schema.verification import VerificationPlan
from trials.schema.visits import Anchor, Visit


class Protocol(Part):
    """Everything that a version of a trial's protocol says.

    Other rows point at parts of it by stable code (`visit="M4"`, `form="LB"`), never by copied text.
    """

    trial: TrialInfo
    version: VersionInfo
    sources: dict[str, Source]
    arms: tuple[Arm, ...] = ()
    sub_studies: tuple[SubStudy, ...]
    settings: tuple[Setting, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    visits: tuple[Visit, ...]
    logs: tuple[Name, ...] = ()
    forms: tuple[Form, ...]
    codelists: tuple[Codelist, ...] = ()
    facts: tuple[Fact, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    sets: tuple[CriteriaSet, ...] = ()
    routing: Routing | None = None
    dose: Dose | None = None
    premedication: tuple[Premedication, ...] = ()
    timing: tuple[TimingRule, ...] = ()
    charter: Charter | None = None
    endpoints: tuple[Endpoint, ...] = ()
    gradings: tuple[Grading, ...] = ()
    verification: VerificationPlan | None = None

    @model_validator(mode="before")
    @classmethod
    def _say_every_source(cls, data: Any) -> Any:
        return spell_out_sources(data) if isinstance(data, Mapping) else data

    @cached_property
    def _settings(self) -> dict[str, Setting]:
        return {each.name: each for each in self.settings}

    @cached_property
    def _visits(self) -> dict[str, Visit]:
        return {each.code: each for each in self.visits}

    @cached_property
    def _forms(self) -> dict[str, Form]:
        return {each.code: each for each in self.forms}

    @cached_property
    def _codelists(self) -> dict[str, Codelist]:
        return {each.name: each for each in self.codelists}

    @cached_property
    def _facts(self) -> dict[str, Fact]:
        return {each.name: each for each in self.facts}

    @cached_property
    def _criteria(self) -> dict[str, Criterion]:
        return {each.id: each for each in self.criteria}

    def setting(self, name: SettingName) -> Setting:
        """Return the setting of that name; KeyError where the protocol has none."""
        return self._settings[name]

    def visit(self, code: Code) -> Visit:
        """Return the visit of that code; KeyError where there is none."""
        return self._visits[code]

    def form(self, code: Name) -> Form:
        """Return the form of that code; KeyError where there is none."""
        return self._forms[code]

    def codelist(self, name: Name) -> Codelist:
        """Return the codelist of that name; KeyError where there is none."""
        return self._codelists[name]

    def fact(self, name: FactName) -> Fact:
        """Return the fact of that name; KeyError where there is none."""
        return self._facts[name]

    def criterion(self, criterion_id: Code) -> Criterion:
        """Return the criterion of that id; KeyError where there is none."""
        return self._criteria[criterion_id]

    def criteria_of(self, set_name: Code) -> tuple[Criterion, ...]:
        """Return the criteria of a set, in the order of the pack."""
        return tuple(each for each in self.criteria if set_name in each.sets)

    def sub_study(self, code: Code) -> SubStudy:
        """Return the sub-study of that code; KeyError where there is none."""
        return {each.code: each for each in self.sub_studies}[code]

    def arm(self, code: Code) -> Arm:
        """Return the arm of that code; KeyError where there is none."""
        return {each.code: each for each in self.arms}[code]

    def visits_with(self, form: Name) -> tuple[Visit, ...]:
        """Return the visits that a form belongs to."""
        return tuple(each for each in self.visits if form in each.forms)

    def fact_schema(self) -> Schema:
        """Return the facts that criteria may name; built once."""
        return self._fact_schema

    def timing_schema(self, scope: TimingScope) -> Schema:
        """Return what timing rules of a scope may name (`procedure`, `premedication`, `plan`)."""
        return vocabulary.timing_schema(self, scope)

    def setting_facts(self) -> Mapping[str, object]:
        """Return the settings by name, to be merged into the facts that timing rules are evaluated on."""
        return vocabulary.setting_facts(self)

    @cached_property
    def _fact_schema(self) -> Schema:
        return vocabulary.fact_schema(self)

    def source_title(self, key: Text) -> str:
        """Return the title of a source; KeyError where there is none."""
        return self.sources[key].title

    def canonical(self) -> str:
        """Return the one text of this content: sorted keys, nothing that is only a default."""
        return canonical_text(self.definition())

    def definition(self) -> dict[str, Any]:
        """Return the content as plain JSON values, decimals as text."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the canonical text (UTF-8)."""
        return digest_of(self.definition())


def canonical_text(definition: Mapping[str, Any]) -> str:
    """Return JSON with sorted keys and no spaces: equal content gives equal text."""
    return json.dumps(definition, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest_of(definition: Mapping[str, Any]) -> str:
    """Return the hexadecimal SHA-256 of a definition's canonical text (UTF-8)."""
    return hashlib.sha256(canonical_text(definition).encode()).hexdigest()


def spell_out_sources(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tree with source and provisional mark said on every part that can carry them.

    An item and a check take the source of their form, a look-back that of its criterion; a part that does
    not say whether it is provisional takes the word of its source.
    """
    spelt = dict(data)
    spelt["forms"] = _each(data.get("forms"), _form_sources)
    spelt["criteria"] = _each(data.get("criteria"), _criterion_sources)
    kept = {key: value for key, value in spelt.items() if value is not None}
    sources = kept.get("sources")
    provisional = {
        key: bool(source.get("provisional", False))
        for key, source in (sources.items() if isinstance(sources, Mapping) else ())
        if isinstance(source, Mapping)
    }
    return {key: value if key == "sources" else _marked(value, provisional) for key, value in kept.items()}


def _each(parts: Any, change: Any) -> Any:
    if not isinstance(parts, (list, tuple)):
        return parts
    return [change(part) if isinstance(part, Mapping) else part for part in parts]


def _sourced(part: Mapping[str, Any], source: Any) -> dict[str, Any]:
    return {"source": source, **part} if source is not None else dict(part)


def _form_sources(form: Mapping[str, Any]) -> dict[str, Any]:
    source = form.get("source")

    def with_items(group: Mapping[str, Any]) -> dict[str, Any]:
        if "items" not in group:
            return dict(group)
        return {**group, "items": _each(group["items"], lambda item: _sourced(item, source))}

    spelt = dict(form)
    for key, change in (("groups", with_items), ("checks", lambda check: _sourced(check, source))):
        if key in form:
            spelt[key] = _each(form[key], change)
    return spelt


def _criterion_sources(criterion: Mapping[str, Any]) -> dict[str, Any]:
    look_back = criterion.get("look_back")
    if not isinstance(look_back, Mapping):
        return dict(criterion)
    return {**criterion, "look_back": _sourced(look_back, criterion.get("source"))}


def _marked(node: Any, provisional: Mapping[str, bool]) -> Any:
    if isinstance(node, (list, tuple)):
        return [_marked(each, provisional) for each in node]
    if not isinstance(node, Mapping):
        return node
    marked = {key: _marked(value, provisional) for key, value in node.items()}
    source = node.get("source")
    if isinstance(source, str) and source and "provisional" not in node:
        marked["provisional"] = provisional.get(source, False)
    return marked
