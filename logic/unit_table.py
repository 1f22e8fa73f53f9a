"""The conversion table: one row per analyte and unit, each with its source.

``factor`` turns a value in ``unit`` into the canonical unit of the analyte, exactly. The
first row of an analyte is its canonical unit. Factors between a mass and an amount of
substance belong to one analyte: 1 mmol/L of haemoglobin is not 1 mmol/L of glucose.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

DEFINITION = "definition of the units (SI prefixes; hour 3600 s, day 24 h)"
POUND = "International yard and pound agreement 1959: 1 lb = 0.45359237 kg, 1 in = 2.54 cm"
KATAL = "definition of the enzyme unit: 1 U = 1 umol/min, 1 kat = 1 mol/s, so 1 ukat = 60 U"
COUNT = "definition: 10^9 per litre = 10^3 per microlitre = G/L"
MONOMER = "haemoglobin monomer, 1 mmol/L = 1.6114 g/dL (16 114 g/mol)"
BILIRUBIN = "bilirubin 584.7 g/mol, customary factor 17.1 (17.104 before rounding)"
CREATININE = "creatinine 113.12 g/mol, customary factor 88.4"
GLUCOSE = "glucose 180.16 g/mol, customary factor 18.016 mg/dL per mmol/L"
UREA = "urea 60.06 g/mol, 1 mmol/L = 6.006 mg/dL"
CALCIUM = "calcium 40.08 g/mol, 1 mmol/L = 4.008 mg/dL"
HCG = "hCG, WHO international units: 1 mIU/mL = 1 IU/L"


class UnitRow(NamedTuple):
    """One unit of one analyte."""

    analyte: str
    unit: str
    factor: Fraction
    source: str


def _rows(analyte: str, *units: tuple[str, str, str]) -> tuple[UnitRow, ...]:
    return tuple(UnitRow(analyte, unit, Fraction(factor), source) for unit, factor, source in units)


def _cells(analyte: str) -> tuple[UnitRow, ...]:
    return _rows(analyte, ("10^9/L", "1", COUNT), ("/uL", "1/1000", COUNT), ("10^6/L", "1/1000", COUNT))


def _enzyme(analyte: str) -> tuple[UnitRow, ...]:
    return _rows(analyte, ("U/L", "1", DEFINITION), ("ukat/L", "60", KATAL), ("nkat/L", "0.06", KATAL))


def _length(analyte: str, canonical: str) -> tuple[UnitRow, ...]:
    in_mm = {
        "mm": (Fraction(1), DEFINITION),
        "cm": (Fraction(10), DEFINITION),
        "m": (Fraction(1000), DEFINITION),
        "in": (Fraction("25.4"), POUND),
    }
    order = [canonical, *(unit for unit in in_mm if unit != canonical)]
    return tuple(
        UnitRow(analyte, unit, in_mm[unit][0] / in_mm[canonical][0], in_mm[unit][1]) for unit in order
    )


def _single(unit: str, *analytes: str) -> tuple[UnitRow, ...]:
    return tuple(UnitRow(analyte, unit, Fraction(1), DEFINITION) for analyte in analytes)


ROWS: tuple[UnitRow, ...] = (
    # haematology
    *_rows("HGB", ("g/dL", "1", DEFINITION), ("g/L", "0.1", DEFINITION), ("mmol/L", "1.6114", MONOMER)),
    *_cells("NEUT"),
    *_cells("PLAT"),
    *_cells("WBC"),
    *_cells("LYM"),
    *_cells("MONO"),
    *_cells("EOS"),
    *_cells("BASO"),
    *_cells("BANDS"),
    *_rows("RBC", ("10^12/L", "1", COUNT), ("10^6/uL", "1", COUNT)),
    *_rows("HCT", ("%", "1", DEFINITION), ("L/L", "100", DEFINITION), ("1", "100", DEFINITION)),
    # liver
    *_rows(
        "BILI",
        ("umol/L", "1", DEFINITION),
        ("mg/dL", "17.1", BILIRUBIN),
        ("mg/L", "1.71", BILIRUBIN),
    ),
    *_rows(
        "BILDIR",
        ("umol/L", "1", DEFINITION),
        ("mg/dL", "17.1", BILIRUBIN),
        ("mg/L", "1.71", BILIRUBIN),
    ),
    *_enzyme("AST"),
    *_enzyme("ALT"),
    *_enzyme("ALP"),
    *_enzyme("GGT"),
    *_enzyme("LDH"),
    *_enzyme("AMYLASE"),
    *_enzyme("LIPASE"),
    *_rows("ALB", ("g/L", "1", DEFINITION), ("g/dL", "10", DEFINITION), ("mg/dL", "0.01", DEFINITION)),
    *_rows("PROT", ("g/L", "1", DEFINITION), ("g/dL", "10", DEFINITION)),
    # kidney and electrolytes
    *_rows(
        "CREAT",
        ("umol/L", "1", DEFINITION),
        ("mg/dL", "88.4", CREATININE),
        ("mmol/L", "1000", DEFINITION),
    ),
    *_rows("UREA", ("mmol/L", "1", DEFINITION), ("mg/dL", "500/3003", UREA)),
    *_rows("EGFR", ("mL/min/1.73m2", "1", DEFINITION)),
    *_rows("CRCL", ("mL/min", "1", DEFINITION), ("mL/s", "60", DEFINITION)),
    *_rows("SODIUM", ("mmol/L", "1", DEFINITION), ("mEq/L", "1", DEFINITION)),
    *_rows("K", ("mmol/L", "1", DEFINITION), ("mEq/L", "1", DEFINITION)),
    *_rows(
        "CA",
        ("mmol/L", "1", DEFINITION),
        ("mg/dL", "125/501", CALCIUM),
        ("mEq/L", "0.5", DEFINITION),
    ),
    *_rows("GLUC", ("mmol/L", "1", DEFINITION), ("mg/dL", "125/2252", GLUCOSE)),
    # coagulation, inflammation, markers, pregnancy
    *_single("1", "INR", "RATIO"),
    *_rows("CRP", ("mg/L", "1", DEFINITION), ("mg/dL", "10", DEFINITION)),
    *_rows("CEA", ("ug/L", "1", DEFINITION), ("ng/mL", "1", DEFINITION), ("ng/dL", "0.01", DEFINITION)),
    *_rows("AFP", ("ug/L", "1", DEFINITION), ("ng/mL", "1", DEFINITION)),
    *_rows("CA199", ("kU/L", "1", DEFINITION), ("U/mL", "1", DEFINITION)),
    *_rows("HCG", ("IU/L", "1", HCG), ("mIU/mL", "1", HCG)),
    # vital signs, body, heart
    *_single("%", "LVEF", "PCT", "SPO2"),
    *_length("HEIGHT", "cm"),
    *_length("LENGTH", "mm"),
    *_length("LDIAM", "mm"),
    *_length("SAXIS", "mm"),
    *_length("MARGIN", "mm"),
    *_rows("WEIGHT", ("kg", "1", DEFINITION), ("g", "0.001", DEFINITION), ("lb", "0.45359237", POUND)),
    *_single("kg/m2", "BMI"),
    *_single("m2", "BSA"),
    *_single("degC", "TEMP"),
    *_rows("SYSBP", ("mmHg", "1", DEFINITION)),
    *_rows("DIABP", ("mmHg", "1", DEFINITION)),
    *_single("/min", "PULSE", "RESP"),
    *_rows("QTCF", ("ms", "1", DEFINITION), ("s", "1000", DEFINITION)),
    # treatment
    *_rows("DOSE", ("mg", "1", DEFINITION), ("g", "1000", DEFINITION), ("ug", "0.001", DEFINITION)),
    *_single("mg/m2", "DOSEM2", "CUMDOSE"),
    *_single("mg/kg", "DOSEKG"),
    *_rows("CONC", ("mg/mL", "1", DEFINITION), ("g/L", "1", DEFINITION)),
    *_rows("VOLUME", ("mL", "1", DEFINITION), ("L", "1000", DEFINITION), ("dL", "100", DEFINITION)),
    *_rows("FLOW", ("mL/day", "1", DEFINITION), ("mL/h", "24", DEFINITION)),
    *_rows("POWER", ("W", "1", DEFINITION), ("kW", "1000", DEFINITION)),
    *_rows(
        "DURATION",
        ("min", "1", DEFINITION),
        ("s", "1/60", DEFINITION),
        ("h", "60", DEFINITION),
        ("days", "1440", DEFINITION),
        ("weeks", "10080", DEFINITION),
    ),
)

ALIASES: dict[str, tuple[str, ...]] = {
    "10^9/L": (
        "x10^9/L",
        "10*9/L",
        "10e9/L",
        "10E9/L",
        "x10E9/L",
        "G/L",
        "Giga/L",
        "10^3/uL",
        "x10^3/uL",
        "10*3/uL",
        "10e3/uL",
        "K/uL",
        "10^3/mm3",
        "10*3/mm3",
        "K/mm3",
        "/nL",
    ),
    "10^6/L": ("x10^6/L", "10*6/L", "M/L", "Mpt/L"),
    "/uL": ("1/uL", "/mm3", "/mm^3", "cells/uL", "cells/mm3", "cells/mm^3"),
    "10^12/L": ("x10^12/L", "10*12/L", "T/L"),
    "10^6/uL": ("x10^6/uL", "10*6/uL", "M/uL", "10^6/mm3"),
    "1": ("ratio", "{INR}", "INR"),
    "%": ("percent", "pct"),
    "U/L": ("IE/L", "E/L", "[U]/L", "UI/L"),
    "IU/L": ("[IU]/L",),
    "mIU/mL": ("mIE/mL", "m[IU]/mL"),
    "kU/L": ("kIU/L", "kU/l"),
    "U/mL": (),
    "ukat/L": ("mikrokat/L", "mckat/L"),
    "umol/L": ("mcmol/L", "micromol/L", "mikromol/L"),
    "mEq/L": ("meq/L", "mval/L"),
    "ug/L": ("mcg/L", "microg/L"),
    "ug": ("mcg", "microg"),
    "mg/dL": ("mg%", "mg/100mL"),
    "g/dL": ("g%", "g/100mL"),
    "kg/m2": ("kg/m^2",),
    "mg/m2": ("mg/m^2",),
    "m2": ("m^2",),
    "mL/min/1.73m2": ("mL/min/1.73m^2", "mL/min/{1.73_m2}", "mL/min/1,73m2"),
    "mL/day": ("mL/d", "mL/24h"),
    "mL/h": ("mL/hr",),
    "degC": ("°C", "C", "Cel"),
    "mmHg": ("mm[Hg]",),
    "/min": ("beats/min", "bpm", "breaths/min", "1/min"),
    "in": ("inch", "inches", "[in_i]"),
    "lb": ("lbs", "pound", "pounds", "[lb_av]"),
    "kg": ("kilogram",),
    "min": ("minute", "minutes", "mins"),
    "s": ("sec", "second", "seconds"),
    "h": ("hr", "hour", "hours"),
    "days": ("day", "d"),
    "weeks": ("week", "wk"),
    "ms": ("msec",),
}
"""Other spellings of a unit that mean exactly the same."""
