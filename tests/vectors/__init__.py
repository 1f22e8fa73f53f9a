"""Published worked examples, each with its source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def vectors(name: str) -> dict[str, Any]:
    """The vector file `name`.json; every row of it must carry its source."""
    content: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    assert content["source"]
    for rows in content.values():
        if isinstance(rows, list):
            assert all(row["source"] for row in rows)
    return content
