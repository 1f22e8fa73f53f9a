"""Rules that are refused, each with the place where it is wrong."""

from __future__ import annotations

import pytest

from logic import FactType, RuleError, Schema, compile_rule, format_rule, parse

YES_NO = FactType("code", codes=("Y", "N"), unknown_codes=("ND",))
SCHEMA = Schema(
    {
        "REFDAT": FactType("date"),
        "BRTHDAT": FactType("date"),
        "T0": FactType("datetime"),
        "ECOG": FactType("integer"),
        "SEX": YES_NO,
        "FLAG": FactType("boolean"),
        "NAME": FactType("text"),
        "HEIGHT_CM": FactType("number", unit="cm"),
        "LIVMAX_MM": FactType("number", unit="mm"),
        "LB.HGB": FactType("quantity", analyte="HGB"),
        "LB.BILI": FactType("quantity", analyte="BILI"),
        "ROWS": FactType("list", fields={"MM": FactType("number"), "CODE": YES_NO}),
        "NUMS": FactType("list", element=FactType("number")),
    }
)
REFUSED = [
    ("", 0, "the rule is empty"),
    ("ECOG =", 6, "expected a value, but the rule ends here"),
    ("ECOG = 1 AND ECOG = 2", 9, "write 'and'"),
    ("(ECOG = 1", 9, "expected ')' to close the bracket"),
    ("ECOG == 1", 5, "'==' is not part of the language: write ="),
    ("ECOG <> 1", 5, "write !="),
    ("1 < ECOG < 2", 9, "cannot be chained"),
    ("ECOG = 1 # two", 9, "'#' is not part of the language"),
    ("SEX = 'Y", 6, "is not closed"),
    ("LB.HGB > 10 [g/dL", 12, "the unit that begins here is not closed"),
    ("LB.HGB > 10 []", 12, "the unit is empty"),
    ("REFDAT > @2025-02-30", 9, "'2025-02-30' is not a date of the calendar"),
    ("REFDAT > @soon", 9, "a date must follow @"),
    ("ECOG ^ 1.5 = 1", 7, "whole exponent"),
    ("ECOG in {1, ECOG}", 12, "a set may only hold"),
    ("some(e in 5: true)", 10, "expected the name of a list"),
    ("some(e in ROWS e.MM > 1)", 15, "expected ':'"),
    ("ECOGG = 1", 0, "there is no fact ECOGG; did you mean ECOG?"),
    ("ecog = 1", 0, "did you mean ECOG?"),
    ("LB = 1", 0, "LB holds several facts"),
    ("LB.HBG > 1 [g/dL]", 0, "did you mean LB.HGB?"),
    ("SEX = 'X'", 6, "'X' is not one of the codes 'Y', 'N'"),
    ("SEX in {'Y', 'M'}", 13, "'M' is not one of the codes"),
    ("SEX = 'ND'", 6, "counts as unknown"),
    ("LB.HGB > 10", 0, "cannot compare HGB"),
    ("LB.HGB > 10 [mmHg]", 0, "cannot compare HGB"),
    ("LB.HGB > 10 [g/dK]", 9, "unit 'g/dK' is not known; did you mean"),
    ("LB.HGB > LB.BILI", 0, "cannot compare HGB"),
    ("HEIGHT_CM > 1 [kg]", 12, "cannot be converted"),
    ("HEIGHT_CM > LIVMAX_MM", 0, "cannot compare a number in cm with a number in mm"),
    ("ECOG = 'Y'", 0, "cannot compare a number with a text"),
    ("ECOG = unknown", 7, "nothing compares with unknown"),
    ("SEX < 'Y'", 0, "has no order"),
    ("SEX and FLAG", 0, "compare it, as in SEX = 'Y'"),
    ("not ECOG", 4, "expected true or false, but this is a number"),
    ("REFDAT + 1 > REFDAT", 0, "dates are not calculated"),
    ("LB.HGB * LB.HGB > 1", 0, "cannot calculate"),
    ("sqrt(LB.HGB) > 1", 5, "divide it by 1 [g/dL]"),
    ("age(BRTHDAT) > 1", 0, "age is written age(birth, on)"),
    ("aeg(BRTHDAT, REFDAT) > 1", 0, "there is no function aeg; did you mean age?"),
    ("hours(REFDAT, T0) > 1", 6, "expected a date and time, but this is a date"),
    ("some(e in ECOG: true)", 10, "ECOG is not a list"),
    ("some(e in ROWS: e.MMM > 1)", 16, "a member of ROWS has no MMM; did you mean MM?"),
    ("some(ECOG in ROWS: true)", 0, "the name ECOG is already taken"),
    ("some(e in ROWS: some(e in ROWS: true))", 16, "the name e is already taken"),
    ("some(ROWS) = 1", 0, "write some(e in LIST: …)"),
    ("max(ROWS) > 1", 4, "name one, as in max(e in LIST: e.FIELD)"),
    ("ROWS.MM > 1", 0, "ROWS is a list: ask about its members"),
    ("ROWS = 1", 0, "a list cannot be compared"),
    ("round(ECOG, ECOG) = 1", 12, "must be written as a whole number"),
    ("if(FLAG, 1, 'Y') = 1", 12, "expected a number here too"),
    ("latest(ECOG, 1) = 1", 0, "latest is not defined for a number"),
    ("attested(NAME = 'x')", 9, "needs the name of a judgement item"),
    ("{1} = ECOG", 0, "a set may only follow 'in'"),
    ("ECOG in FLAG", 8, "expected a set"),
    ("ECOG 5", 5, "expected an operator or the end of the rule"),
    ("ECOG > 1 [mmHg] [g]", 16, "a unit may only follow a number"),
    ("(" * 80 + "ECOG" + ")" * 80, 60, "nested too deeply"),
]


@pytest.mark.parametrize(("text", "offset", "message"), REFUSED)
def test_a_bad_rule_is_refused_where_it_is_wrong(text: str, offset: int, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        compile_rule(text, SCHEMA)
    assert message in caught.value.message
    assert caught.value.offset == offset


def test_a_rule_must_give_what_is_demanded_of_it() -> None:
    assert compile_rule("ECOG = 1", SCHEMA, result="truth").kind == "truth"
    with pytest.raises(RuleError, match="should give truth, but gives number"):
        compile_rule("ECOG + 1", SCHEMA, result="truth")
    with pytest.raises(RuleError, match="cannot give a list"):
        compile_rule("NUMS", SCHEMA)


def test_a_rule_tells_which_facts_it_uses() -> None:
    rule = compile_rule("some(e in ROWS: e.MM > HEIGHT_CM) and age(BRTHDAT, REFDAT) > 3", SCHEMA)
    assert rule.names == {"ROWS", "HEIGHT_CM", "BRTHDAT", "REFDAT"}


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ('( ECOG = 1 )and not(FLAG or SEX="Y")', "ECOG = 1 and not (FLAG or SEX = 'Y')"),
        ("ECOG≥1 or (ECOG ≠ 2 or FLAG)", "ECOG >= 1 or (ECOG != 2 or FLAG)"),
        ("((ECOG - 1) - 2) - (3 - 4) > -(-1)", "ECOG - 1 - 2 - (3 - 4) > --1"),
        ("(ECOG/2)^2 * (3 + 1) = 0", "(ECOG / 2)^2 * (3 + 1) = 0"),
        ("LB.HGB>10[g/dL]", "LB.HGB > 10 [g/dL]"),
        ("ECOG not in{0,1}", "ECOG not in {0, 1}"),
        ("NAME = 'it''s'", "NAME = 'it''s'"),
        ("max( e in ROWS where e.CODE='Y' :e.MM)>1", "max(e in ROWS where e.CODE = 'Y': e.MM) > 1"),
        (
            "REFDAT < @2025-03-04T08:30+01:00\n  or REFDAT>@2023",
            "REFDAT < @2025-03-04T08:30+01:00 or REFDAT > @2023",
        ),
    ],
)
def test_the_one_spelling_of_a_rule(text: str, formatted: str) -> None:
    assert format_rule(parse(text)) == formatted
    assert compile_rule(text, SCHEMA).formatted == formatted
