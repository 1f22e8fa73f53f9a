"""The guards themselves: pure functions from sources to faults, so that each can be shown to fail."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NOT_OURS = {".venv", ".cache", ".data", ".git", "frontend", "staticfiles", "node_modules"}

# Rules ---------------------------------------------------------------------------------------------------------------

IMPURE_MODULES = {
    "asyncio",
    "celery",
    "django",
    "http",
    "os",
    "psycopg2",
    "random",
    "redis",
    "requests",
    "rest_framework",
    "secrets",
    "socket",
    "subprocess",
    "threading",
    "time",
    "urllib",
}
IMPURE_CALLS = {"now", "today", "utcnow"}
IMPURE_NAMES = {"eval", "exec", "input", "open", "print"}

# Trail ---------------------------------------------------------------------------------------------------------------

BYPASS = re.compile(
    r"pgtrigger\.ignore|DISABLE\s+TRIGGER|session_replication_role|bypass_row_security", re.IGNORECASE
)

# Templates -----------------------------------------------------------------------------------------------------------

TEMPLATE_FAULTS: Mapping[str, re.Pattern[str]] = {
    "inline style": re.compile(r"\sstyle\s*=\s*[\"'{]", re.IGNORECASE),
    "style element": re.compile(r"<style\b", re.IGNORECASE),
    "inline script": re.compile(
        r"<script\b(?![^>]*\btype=[\"']application/json)[^>]*>(?!\s*</script)", re.IGNORECASE
    ),
    "event attribute": re.compile(r"\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
    "hx-on": re.compile(r"\shx-on[:\-\w]*\s*=", re.IGNORECASE),
    "script in an attribute": re.compile(r"[\"']\s*(?:js|javascript):", re.IGNORECASE),
    "filter in hx-trigger": re.compile(r"hx-trigger\s*=\s*[\"'][^\"']*\[", re.IGNORECASE),
    "address of another host": re.compile(r"(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE),
    "safe filter": re.compile(r"\|\s*safe\b|\{%\s*autoescape\s+off"),
}


def python_files(*, tests: bool = False) -> Iterator[Path]:
    """Our Python files; those of the tests only if wanted."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).parts
        if parts[0] in NOT_OURS or (parts[0] == "tests" and not tests):
            continue
        yield path


def impurities(source: str) -> list[str]:
    """What makes a rule impure: imports of the outside world, clocks, files."""
    faults = []
    for node in ast.walk(ast.parse(source)):
        outside = [module for module in _imported(node) if module.split(".")[0] in IMPURE_MODULES]
        faults += [f"imports {module}" for module in outside]
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in IMPURE_CALLS:
            faults.append(f"line {node.lineno}: calls .{node.func.attr}()")
        if isinstance(node.func, ast.Name) and node.func.id in IMPURE_NAMES:
            faults.append(f"line {node.lineno}: calls {node.func.id}()")
    return faults


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module]
    return []


def swallowing_handlers(source: str) -> list[int]:
    """Lines of handlers that would catch a bug: bare `except`, `Exception`, `BaseException`."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {each.id for each in caught if isinstance(each, ast.Name)}
        if node.type is None or names & {"Exception", "BaseException"}:
            lines.append(node.lineno)
    return lines


def environment_reads(source: str) -> list[int]:
    """Lines that read or write the environment."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "putenv"}:
            value = node.value
            if isinstance(value, ast.Name) and value.id == "os":
                lines.append(node.lineno)
    return lines


def template_faults(source: str) -> list[str]:
    """What the Content-Security-Policy would refuse, or what would let data be markup."""
    source = re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}|<!--.*?-->", "", source, flags=re.DOTALL)
    return [
        f"line {source.count(chr(10), 0, found.start()) + 1}: {name}"
        for name, pattern in TEMPLATE_FAULTS.items()
        for found in pattern.finditer(source)
    ]


def upward_edges(edges: Iterable[tuple[str, str]], floors: Mapping[str, int]) -> list[tuple[str, str]]:
    """Those edges (from room, to room) that climb, or go sideways to another room of the same floor."""
    return [
        (lower, upper)
        for lower, upper in edges
        if lower != upper and lower in floors and upper in floors and floors[upper] >= floors[lower]
    ]
