"""Colours of the design language: readable on every surface, and told apart by colour-blind eyes.

References: WCAG 2.2, 1.4.3 and 1.4.11 (contrast); Machado, Oliveira, Fernandes 2009 (colour blindness);
CIE 142-2001 (CIEDE2000).
"""

# ruff: noqa: E501 - tables and markup read better on one line

from __future__ import annotations

import math
import re
from itertools import combinations
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "frontend" / "src" / "css"
TONES = ("none", "info", "ok", "attention", "stop", "signed")
SURFACES = ("surface", "canvas", "sunken")
TEXTS = ("ink", "ink-2", "ink-3", "accent", *TONES)
EYES = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
Colour = tuple[float, float, float]


def tokens(theme: str) -> dict[str, Colour]:
    """Linear light of each colour of a theme, by name."""
    text = (CSS / "tokens.css").read_text()
    both = re.findall(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", text)
    single = re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", text)
    found = {name: (light if theme == "light" else dark) for name, light, dark in both} | dict(single)
    return {name: linear(colour) for name, colour in found.items()}


def linear(colour: str) -> Colour:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return r, g, b


def contrast(one: Colour, other: Colour) -> float:
    light, dark = sorted((0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def seen(colour: Colour, eye: str) -> Colour:
    r, g, b = (min(max(sum(m * c for m, c in zip(row, colour, strict=True)), 0), 1) for row in EYES[eye])
    return r, g, b


def lab(colour: Colour) -> Colour:
    r, g, b = colour
    xyz = (
        (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047,
        0.2126729 * r + 0.7151522 * g + 0.0721750 * b,
        (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883,
    )
    x, y, z = (v ** (1 / 3) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(one: Colour, other: Colour) -> float:
    """Difference of two Lab colours."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean**7 / (mean**7 + 25**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    dh = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    h = h1 + h2 if c1 * c2 == 0 else (h1 + dh / 2) % 360
    big_h = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(dh) / 2)
    l, c = (l1 + l2) / 2, (c1 + c2) / 2  # noqa: E741 - the formula's own name
    t = (
        1 - 0.17 * math.cos(math.radians(h - 30)) + 0.24 * math.cos(math.radians(2 * h))
        + 0.32 * math.cos(math.radians(3 * h + 6)) - 0.20 * math.cos(math.radians(4 * h - 63))
    )  # fmt: skip
    sl = 1 + 0.015 * (l - 50) ** 2 / math.sqrt(20 + (l - 50) ** 2)
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * t
    turn = (
        -math.sin(math.radians(60 * math.exp(-(((h - 275) / 25) ** 2))))
        * 2
        * math.sqrt(c**7 / (c**7 + 25**7))
    )
    parts = ((l2 - l1) / sl, (c2 - c1) / sc, big_h / sh)
    return math.sqrt(sum(part**2 for part in parts) + turn * parts[1] * parts[2])


def test_the_difference_formula_agrees_with_a_published_pair() -> None:
    """Sharma, Wu, Dalal 2005, table 1, pairs 1, 7 and 20."""
    assert ciede2000((50, 2.6772, -79.7751), (50, 0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)
    assert ciede2000((50, 0, 0), (50, -1, 2)) == pytest.approx(2.3669, abs=1e-4)
    assert ciede2000((50, 2.5, 0), (61, -5, 29)) == pytest.approx(22.8977, abs=1e-4)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("text", TEXTS)
def test_text_can_be_read_on_every_surface(theme: str, text: str) -> None:
    colours = tokens(theme)
    for surface in SURFACES:
        assert contrast(colours[text], colours[surface]) >= 4.5, surface


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tone", TONES)
def test_a_tone_can_be_read_on_its_own_tint_and_its_shape_can_be_seen(theme: str, tone: str) -> None:
    colours = tokens(theme)
    assert contrast(colours[tone], colours[f"{tone}-tint"]) >= 4.5
    assert contrast(colours["ink"], colours[f"{tone}-tint"]) >= 7
    for ground in (*SURFACES, f"{tone}-tint", "accent-tint"):
        assert contrast(colours[f"{tone}-glyph"], colours[ground]) >= 3, ground


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "ground", "least"),
    [
        ("border", "surface", 3), ("border", "canvas", 3), ("focus", "surface", 3), ("focus", "canvas", 3), ("on-accent", "accent", 4.5),
        ("on-accent", "accent-strong", 4.5), ("header-ink", "header", 7), ("header-ink-2", "header", 4.5), ("header-ink-2", "header-field", 4.5),
        ("on-training", "training", 7), ("accent", "accent-tint", 4.5), ("ink-2", "accent-tint", 4.5),
    ],
)  # fmt: skip
def test_furniture_keeps_its_contrast(theme: str, front: str, ground: str, least: float) -> None:
    colours = tokens(theme)
    assert contrast(colours[front], colours[ground]) >= least


@pytest.mark.parametrize(("theme", "least"), [("light", 13.0), ("dark", 9.0)])
@pytest.mark.parametrize("eye", EYES)
def test_states_stay_apart_for_every_eye(theme: str, least: float, eye: str) -> None:
    colours = tokens(theme)
    shown = {tone: lab(seen(colours[f"{tone}-glyph"], eye)) for tone in TONES}
    for one, other in combinations(TONES, 2):
        assert ciede2000(shown[one], shown[other]) >= least, (one, other)


def test_colours_are_named_once() -> None:
    """Style sheets of the staff pages name tokens, not colours; the reading page is dark by itself."""
    for sheet in CSS.glob("*.css"):
        if sheet.name in {"tokens.css", "print.css", "viewer.css", "epro.css"}:
            continue
        named = set(re.findall(r"#[0-9a-f]{3,8}\b(?=[;, )])", sheet.read_text()))
        assert named <= {"#6dbbd9", "#8ab8ff", "#5d7280", "#1d1300"}, (
            sheet.name,
            named,
        )  # on the dark header, in both themes
