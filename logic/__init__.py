"""The language of rules: every criterion, check, condition and derived item of a protocol.

A rule is a line of text. It is compiled once against a :class:`Schema` of facts and then
asked about documents of facts; it answers true, false or *unknown*, with a trace of how.

>>> from datetime import date
>>> schema = Schema({
...     "REFDAT": FactType("date"),
...     "BRTHDAT": FactType("date"),
...     "LB.HGB": FactType("quantity", analyte="HGB"),
... })
>>> rule = compile_rule("LB.HGB > 10 [g/dL] and age(BRTHDAT, REFDAT) < 70", schema)
>>> facts = {"LB": {"HGB": {"value": "6.3", "unit": "mmol/L"}}, "BRTHDAT": "1955-11-21"}
>>> outcome = rule.evaluate(facts, as_of=date(2025, 11, 20))
>>> outcome.value, outcome.missing, outcome.valid_until
(<Truth.TRUE: 'true'>, (), datetime.date(2025, 11, 20))

Imports nothing of Django; knows no clock, no database and no trial.

Grammar
-------
::

    rule        = or
    or          = and { "or" and }
    and         = not { "and" not }
    not         = { "not" } comparison
    comparison  = sum [ ("=" | "!=" | "<" | "<=" | ">" | ">=") sum
                      | ["not"] "in" (set | sum) ]          comparisons are not chained
    sum         = product { ("+" | "-") product }
    product     = signed { ("*" | "/") signed }
    signed      = { "-" } power
    power       = primary [ "^" whole number ]              0 to 20
    primary     = number [ "[" unit "]" ] | text | date | "true" | "false" | "unknown"
                | name | function "(" [ rule { "," rule } ] ")" | quantifier | "(" rule ")" | set
    quantifier  = ("some" | "every" | "count" | "the" | "max" | "min" | "sum" | "latest" | "earliest")
                  "(" variable "in" name [ "where" rule ] ":" rule ")"
    set         = "{" literal { "," literal } "}"           numbers, texts and dates
    number      = 10 | 1.25         text = 'Y' | "Y"        a ' within '…' is doubled
    date        = @2025-11-20 | @2025-11 | @2025 | @2025-03-04T08:30+01:00
    name        = letters, digits and _, with dots: ECOG, LB.HGB, FINDINGS.LUNG, e.EHENDDAT

Keywords are in small letters; white space and line ends do not matter; ≤ ≥ ≠ may be written.

Three values
------------
Strong Kleene logic: *and* is the minimum and *or* the maximum of false < unknown < true. A
comparison is unknown unless it comes out the same for every value that is still possible.
What is known in part is an interval: ``2023-11`` is any day of that November, ``<0.3`` any
number up to 0.3, a count with undecided members any number from the sure ones to all. So
more data never turns a decided answer back, and a full document decides every rule; by
their nature ``known`` and ``coalesce`` speak of what is recorded rather than of the
patient and are outside the first promise, ``finding`` is outside the second.

Facts
-----
The document is a nested mapping; ``LB.HGB`` is its ``HGB`` under ``LB``.

- ``null`` is missing: unknown. So is everything below a ``null``.
- An absent key is what the fact's type says: ``absent="unknown"``, ``"none"``, or a value
  such as ``"N"``. None is a list without members; anything else that is none equals no
  value, and has no order: ``CHILDPOT = 'Y'`` is false, ``X < 5`` unknown.
- A code in ``unknown_codes`` is recorded, and unknown. A rule that asks for it is refused.
- Numbers are whole numbers, decimals or texts (``"12.4"``); a float is refused. Arithmetic
  is exact: 86.7 / (170 / 100)^2 is 30. Only an irrational ``sqrt`` is rounded (40 digits).
- A measured value (``quantity``) is ``{"value", "unit", "ULN", "LLN", "LIMIT_UNIT"}``, its
  limits in the same unit unless ``LIMIT_UNIT`` says another. ``LB.HGB > 10 [g/dL]`` converts
  it by the exact factor of its analyte (:mod:`logic.unit_table`);
  ``LB.BILI / uln(LB.BILI) < 1.5`` and ``LB.ALB > lln(LB.ALB)`` compare in the reported unit.
  A unit that the analyte does not have is unknown. A bare number compares only with a
  measured value without unit, such as an INR.
- Dates are ISO texts or dates, partial ones included. Moments with an offset are compared
  and subtracted by elapsed time; a moment without one cannot be compared with one that has
  one. A date that meets a moment is the whole day.
- ``REFDAT`` is the evaluation date: ``as_of`` if given, else what the document says.
- ``DATES`` holds when facts were recorded, by name, for look-backs.

Functions
---------
=============================  =====================================================================
``uln(q)`` ``lln(q)``          reference limit reported with a measured value
``age(birth, on)``             completed years; born on 29 February: birthday on the 28th elsewhere
``add_years(d, n)``            the same day n years later, clipped to the end of the month; also
                               ``add_months`` and ``add_days``; n may be negative
``days(from, to)``             calendar days, of moments by the dates they were recorded with
``hours(a, b)``                elapsed time between moments, exact; also ``minutes``
``known(x)``                   whether anything is recorded (a partial date is); never unknown
``coalesce(a, b, …)``          the first that is recorded
``if(c, a, b)``                one of two values; what both have in common while c is unknown
``abs`` ``sqrt``               of a number
``body_surface(cm, kg, f)``    in m2, by the formula mosteller, dubois, haycock or gehan-george
``round(x, n)``                to n digits, halves away from zero
``size(LIST)``                 how many members
``max`` ``min`` ``sum``        of a list of plain values, or of several values
``latest`` ``earliest``        the same for dates
``attested(ITEM)``             a judgement: Y is true, N is false, else it waits for an attestation
``finding(P, C, R)``           present if P and C (confirmed), absent if not P and R (ruled out),
                               else unknown
=============================  =====================================================================

Quantifiers
-----------
``some(e in LIST where C: P)``, ``every(…)`` and ``count(…)`` ask P of the members for which
C is true; ``max(e in LIST: e.MM)``, ``min``, ``sum``, ``latest`` and ``earliest`` take a
value of each, ``the(e in LIST where C: e.X)`` the value of the one member there is. In a
list of plain values the variable is the value: ``every(p in PLANPROC: p in {1, 2})``. An
unknown list makes them unknown, a null member has unknown fields, and of no members
``some`` is false, ``every`` true, ``count`` and ``sum`` 0, the others none. Quantifiers
nest; a list may be a field of another's variable.

Outcome
-------
``value``, ``trace`` (the tree with text, value and, for facts, raw value, unit, factor and
note), ``missing`` (facts that could still change the answer), ``valid_until`` (the last
day of the same answer if only the date moves on). ``Rule.verdict`` gives the value alone.

Errors
------
:class:`RuleError` with ``message`` and ``offset`` for a rule that is refused;
``Schema.check_document`` lists the faults of a document by path.
"""

from __future__ import annotations

from logic.errors import FactError, RuleError, UnitError
from logic.facttypes import FactType, Fault
from logic.interval import Interval
from logic.parser import parse
from logic.printer import format_rule
from logic.reading import Values
from logic.rule import Outcome, Rule, compile_rule, prepare
from logic.schema import Schema
from logic.trace import Answer, Trace
from logic.truth import Truth

__all__ = [
    "Answer",
    "FactError",
    "FactType",
    "Fault",
    "Interval",
    "Outcome",
    "Rule",
    "RuleError",
    "Schema",
    "Trace",
    "Truth",
    "UnitError",
    "Values",
    "compile_rule",
    "format_rule",
    "parse",
    "prepare",
]
