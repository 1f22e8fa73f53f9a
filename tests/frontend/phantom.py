"""A small abdomen with two lesions whose size is known, as raw frames and the metadata that goes with them."""

# ruff: noqa: E501 - tables and markup read better on one line

from __future__ import annotations

from typing import Any

import numpy as np

SIZE, SPACING, THICKNESS, SLICES = 256, 1.5, 5.0, 21
LESIONS = {"T01": (-40.0, 10.0, 0.0, 21.0), "T02": (30.0, -25.0, 20.0, 12.0)}  # centre x y z and radius, mm


def depth(index: int) -> float:
    return (index - SLICES // 2) * THICKNESS


def frame(index: int, *, shift: float = 0.0) -> bytes:
    """Stored values of one slice: 16 bit, little endian; HU = value - 1024."""
    axis = (np.arange(SIZE) - (SIZE - 1) / 2) * SPACING
    x, y = np.meshgrid(axis, axis)
    hu = np.full((SIZE, SIZE), -1000.0)
    hu[(x / 150) ** 2 + (y / 110) ** 2 <= 1] = 45
    hu[((x + 35) / 90) ** 2 + ((y + 5) / 75) ** 2 <= 1] = 110
    for cx, cy, cz, radius in LESIONS.values():
        inside = radius**2 - (depth(index) - cz - shift) ** 2
        if inside > 0:
            hu[(x - cx) ** 2 + (y - cy) ** 2 <= inside] = 40
    hu[(x / 14) ** 2 + ((y - 80) / 14) ** 2 <= 1] = 350
    noise = np.random.default_rng(index).normal(0, 8, hu.shape)
    return bytes(np.clip(hu + noise + 1024, 0, 4095).astype("<u2").tobytes())


def series(name: str, *, marks: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A series as the server tells the viewer."""
    corner = -(SIZE - 1) / 2 * SPACING
    instances = []
    for index in range(SLICES):
        metadata = {
            "00280010": {"vr": "US", "Value": [SIZE]}, "00280011": {"vr": "US", "Value": [SIZE]}, "00280100": {"vr": "US", "Value": [16]},
            "00280101": {"vr": "US", "Value": [12]}, "00280102": {"vr": "US", "Value": [11]}, "00280103": {"vr": "US", "Value": [0]},
            "00280004": {"vr": "CS", "Value": ["MONOCHROME2"]}, "00280030": {"vr": "DS", "Value": [SPACING, SPACING]},
            "00280050": {"vr": "DS", "Value": []}, "00281050": {"vr": "DS", "Value": [60]}, "00281051": {"vr": "DS", "Value": [400]},
            "00281052": {"vr": "DS", "Value": [-1024]}, "00281053": {"vr": "DS", "Value": [1]},
            "00200032": {"vr": "DS", "Value": [corner, corner, depth(index)]}, "00200037": {"vr": "DS", "Value": [1, 0, 0, 0, 1, 0]},
        }  # fmt: skip
        instances.append(
            {
                "sop": f"{name}-{index}",
                "frame": f"/viewer-frames/{name}/{index}/frames/1",
                "metadata": metadata,
            }
        )
    return {
        "series": [
            {
                "id": f"s-{name}",
                "name": "Portal venous, 5 mm",
                "modality": "CT",
                "frame_of_reference": f"for-{name}",
                "instances": instances,
                "marks": marks or [],
            }
        ]
    }
