"""What the sample pages show: invented, and rich enough to see every piece at work."""

# ruff: noqa: E501 - tables and markup read better on one line

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

from foundation import charts

TODAY = date(2026, 11, 21)
FORMS = [
    ("Visit date and status", "complete", 0), ("Vital signs and weight", "in-progress", 1), ("Examination and ECOG", "complete", 0),
    ("Haematology", "complete", 0), ("Liver and chemistry", "in-progress", 2), ("Alpha-fetoprotein", "overdue", 0),
    ("Child-Pugh", "not-started", 0), ("CT / MRI acquisition", "complete", 0), ("Local tumour reading", "not-started", 0),
    ("Central reading", "in-progress", 0), ("FHSI-8", "not-done", 0), ("Study drug", "complete", 0), ("Drug accountability", "overdue", 0),
]  # fmt: skip
VISITS = [("SCR", "02 Jul", -30, 0), ("D1", "14 Jul", -1, 0), ("W4", "12 Aug", -1, 0), ("W8", "09 Sep", 1, 0), ("W12", "05 Oct", -1, 0),
          ("W16", "10 Nov", 5, 0), ("W20", "due 01 Dec", None, 0), ("W24", "29 Dec", None, 0), ("W32", "23 Feb", None, 0), ("EOT", "—", None, 0)]  # fmt: skip
GROUPS = {"Baseline": 2, "Visit": 3, "Laboratory": 4, "Imaging": 3, "Patient": 1, "Treatment": 2}


def shell() -> SimpleNamespace:
    """What the header shows."""
    trial = SimpleNamespace(name="THERMODOX · Phase III, liver metastases", url="#", current=True)
    site = SimpleNamespace(name="NO-01 · Example University Hospital", url="#", current=True)
    other = SimpleNamespace(name="EXCALIBUR", url="#", current=False)
    nav = [
        SimpleNamespace(name=n, url="#", current=n == "Subjects")
        for n in ("Today", "Subjects", "Queries", "Images", "Progress", "Exports", "Protocols")
    ]
    return SimpleNamespace(
        trial=trial, trials=[trial, other], site=site, sites=[site, other], nav=nav, search_url="/subjects/", queries_url="#", queries=9,
        person=SimpleNamespace(name="A. Martin", role="Coordinator", links=[SimpleNamespace(name="Account", url="#", icon="settings")]),
        sign_out_url="/out/", version="1.0",
    )  # fmt: skip


def _cell(row: int, column: int) -> tuple[str, int]:
    if column < 6 and row < 2:
        return ("locked", 0) if column == 0 else ("", 0)
    if column < 5:
        return (
            ["locked", "signed", "signed", "verified", "complete"][column],
            1 if (row, column) in {(5, 4), (9, 3)} else 0,
        )
    if column == 5:
        return FORMS[row % len(FORMS)][1:]
    return ("planned", 0) if row > 1 else ("", 0)


def casebook() -> dict[str, Any]:
    """The matrix."""
    visits = []
    for place, (code, when, off, _n) in enumerate(VISITS):
        target = date(2026, 7, 14) + timedelta(days=28 * place)
        bar = charts.window_bar(
            earliest=target - timedelta(days=3), latest=target + timedelta(days=3), target=target,
            happened=None if off is None else target + timedelta(days=off), open_now=code == "W20",
        )  # fmt: skip
        css = {"W16": "now late", "W20": "due"}.get(code, "future" if off is None else "")
        window = {"W16": "2 d late", "W20": "in 10 d", "SCR": "−28 to −1"}.get(code, "±3 d")
        state = "visit-late" if code == "W16" else "visit-done" if off is not None else "visit-planned"
        visits.append(
            SimpleNamespace(
                code=code,
                when=when,
                bar=bar,
                css=css,
                window=window,
                now="now" if code == "W16" else "",
                name=code.replace("W", "Week "),
                state=state,
            )
        )
    names = [name for name, _s, _q in FORMS] + ["Demography", "Consent"]
    names = names[-2:] + names[:-2]
    groups, row = [], 0
    for group, size in GROUPS.items():
        rows = []
        for name in names[row : row + size]:
            cells = []
            for column, visit in enumerate(visits):
                state, queries = _cell(row, column)
                cells.append(
                    SimpleNamespace(
                        state=state,
                        queries=queries,
                        answered=(row, column) == (5, 4),
                        now=visit.now,
                        visit=visit.name,
                    )
                )
            rows.append(SimpleNamespace(name=name, cells=cells))
            row += 1
        groups.append(SimpleNamespace(name=group, rows=rows))
    legend = [
        ("locked", 15),
        ("signed", 21),
        ("verified", 17),
        ("complete", 9),
        ("in-progress", 3),
        ("overdue", 2),
        ("not-started", 2),
        ("not-done", 1),
        ("query-open", 5),
    ]
    needs = [("overdue", "Alpha-fetoprotein, Week 16", "Sample of 10 Nov. Result not entered for 11 days."), ("overdue", "Drug accountability, Week 16", "Returned tablets not counted."),
             ("query-open", "Liver and chemistry, Week 16", "“Potassium 51 mmol/L. Please check the source.” Monitor, 3 d"), ("signed", "Week 12 is ready to sign", "9 forms verified. Signature of the investigator.")]  # fmt: skip
    parts = [("signed", 36), ("ok", 26), ("none", 1), ("info", 4), ("stop", 3)]
    return {
        "visits": visits,
        "groups": groups,
        "legend": legend,
        "needs": needs,
        "parts": parts,
        "phone": FORMS,
    }


def form() -> dict[str, Any]:
    """The laboratory form."""
    rows = [
        ("BILI", "Bilirubin, total", "41", "µmol/L", True, "3 to 21", "High", "grade 2", "query-open", "check", "41 differs by 52 % from Week 12 (27). Confirm it, or correct it."),
        ("ALB", "Albumin", "33", "g/L", True, "35 to 50", "Low", "grade 1", "", "", ""),
        ("ALT", "Alanine aminotransferase (ALT)", "68", "U/L", False, "7 to 56", "High", "grade 1", "", "", ""),
        ("AST", "Aspartate aminotransferase (AST)", "92", "U/L", False, "10 to 40", "High", "grade 1", "query-answered", "", ""),
        ("ALP", "Alkaline phosphatase", "131", "U/L", False, "44 to 147", "", "", "", "", ""),
        ("INR", "INR", "1.1", "ratio", False, "0.8 to 1.2", "", "", "", "", ""),
        ("CREA", "Creatinine", "88", "µmol/L", True, "59 to 104", "", "", "", "", ""),
        ("NA", "Sodium", "138", "mmol/L", False, "136 to 145", "", "", "", "", ""),
        ("K", "Potassium", "51", "mmol/L", False, "3.5 to 5.1", "", "", "query-open", "stop", "51 mmol/L is outside what is possible (1.5 to 10). Is it 5.1?"),
        ("PLT", "Platelets", "96", "10⁹/L", False, "150 to 400", "Low", "grade 1", "", "", ""),
        ("HGB", "Haemoglobin", "131", "g/L", False, "130 to 170", "", "", "", "", ""),
    ]  # fmt: skip
    names = ("oid", "name", "value", "unit", "choice", "range", "flag", "grade", "query", "level", "message")
    tests = [dict(zip(names, row, strict=True)) for row in rows]
    for test in tests:
        test["arrow"] = "arrow-up" if test["flag"] == "High" else "arrow-down"
        test["tone"] = "stop" if test["grade"] == "grade 2" else "attention"
    values = [("SCR", 14), ("D1", 16), ("W4", 18), ("W8", 22), ("W12", 27), ("W16", 41)]
    return {
        "tests": tests,
        "phone": FORMS,
        "trend": charts.trend(values, low=3, high=21, label="Bilirubin rises from 14 to 41", tone="stop"),
    }


def eligibility() -> dict[str, Any]:
    """Criteria of both kinds."""
    inclusion = [
        ("TD-I-1", "Age 18 years or over", "63 years", "limit ≥ 18", "Demography, 02 Jul", "met"), ("TD-I-2", "Histologically confirmed colorectal adenocarcinoma with liver metastases", "Histology: adenocarcinoma", "", "Pathology report, 18 May", "met"),
        ("TD-I-4", "At least one measurable lesion, RECIST 1.1", "2 target lesions: 34 mm, 21 mm", "limit ≥ 10 mm", "Central reading, 08 Jul", "met"), ("TD-I-6", "ECOG performance status 0 or 1", "1", "limit ≤ 1", "Examination, 02 Jul", "met"),
        ("TD-I-7", "Platelets 75 ×10⁹/L or more", "142 ×10⁹/L", "limit ≥ 75", "Haematology, 02 Jul", "met"), ("TD-I-9", "ALT and AST not above 5 times the upper limit", "ALT 44, AST 52 U/L", "limit ≤ 280, ≤ 200", "Chemistry, 02 Jul", "met"),
    ]  # fmt: skip
    exclusion = [
        ("E1-E-1", "Earlier systemic treatment for this cancer", "None recorded", "", "Medical history, 02 Jul", "absent", ""), ("E1-E-2", "Extrahepatic disease other than resectable lung nodules", "Local: one nodule of 6 mm. Central reading not done", "", "Imaging, 06 Jul", "unknown", "unknown"),
        ("E1-E-3", "Ascites that needs drainage", "None", "", "Child-Pugh, 02 Jul", "absent", ""), ("E1-E-7", "Pregnant or breast-feeding", "Does not apply: male", "", "Demography, 02 Jul", "not-applicable", ""),
        ("E1-E-9", "QTcF above 480 ms", "491 ms (mean of 3)", "limit ≤ 480", "ECG, 02 Jul 10:20", "present", "against"),
    ]  # fmt: skip
    names = ("id", "text", "fact", "limit", "source", "outcome", "css")
    return {
        "inclusion": [
            {**dict(zip(names, row, strict=False)), "provisional": row[0] == "TD-I-6"} for row in inclusion
        ],
        "exclusion": [dict(zip(names, row, strict=True)) for row in exclusion],
    }


def dashboard() -> dict[str, Any]:
    """Charts and cards."""
    dice = random.Random(4)
    counts, total = [], 0
    for month in range(17):
        total += dice.choice([4, 5, 6, 7, 8, 9, 10])
        counts.append((date(2025 + (6 + month) // 12, (6 + month) % 12 + 1, 15), total))
    plan = [(date(2025, 7, 1), 0), (date(2026, 3, 1), 70), (date(2027, 4, 1), 200)]
    steps, alive, lower, upper = [(0.0, 1.0)], 1.0, [(0.0, 1.0)], [(0.0, 1.0)]
    for n in range(1, 50):
        alive *= 0.965
        spread = 0.02 * math.sqrt(n)
        steps.append((n * 0.4, alive))
        lower.append((n * 0.4, max(alive - spread, 0)))
        upper.append((n * 0.4, min(alive + spread, 1)))
    curve = charts.Curve(
        "All",
        steps,
        lower,
        upper,
        [3.1, 5.3, 8.8, 11.2, 14.9, 19.8],
        [(0, 118), (4, 64), (8, 36), (12, 18), (16, 8)],
    )
    bars = charts.bars(
        [("Extrahepatic disease beyond lung", [("stop", 14), ("attention", 3)]), ("Platelets below limit", [("stop", 9)]), ("Resectable at board", [("stop", 6), ("attention", 5)]), ("Consent withdrawn", [("stop", 2)])],
        label="Screen failures by criterion", tones=[("stop", "Against"), ("attention", "Unknown")],
    )  # fmt: skip
    sites = [
        ("109 Example Regional Hospital", 14, 41, "62 d", "19 d", True),
        ("121 Example Cancer Centre", 11, 28, "44 d", "13 d", True),
        ("104 Example University Hospital", 17, 9, "30 d", "4 d", False),
    ]
    return {
        "enrolment": charts.enrolment(
            counts, target=200, plan=plan, today=TODAY, label=f"{total} of 200 enrolled"
        ),
        "survival": charts.survival(
            [curve], x_label="Months since randomisation", label="Median 7.8 months", median=7.8
        ),
        "bars": bars,
        "sites": sites,
    }


PAGES = {
    "viewer": dict,
    "casebook": casebook,
    "form": form,
    "eligibility": eligibility,
    "dashboard": dashboard,
    "upload": dict,
}
