"""A small server of sample pages: the real templates and the built files, under the real security policy."""

# ruff: noqa: E501 - tables and markup read better on one line

from __future__ import annotations

import json
import mimetypes
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.template import Context, Engine
from django.test import RequestFactory

from tests.frontend.data import PAGES, shell

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "frontend" / "dist"
POLICY = (
    "default-src 'none'; script-src 'self'{wasm}; style-src 'self'; img-src 'self' data:{blob}; font-src 'self'; connect-src 'self'; "
    "worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
Answer = tuple[int, str, str | bytes]

_engine = Engine(
    dirs=[str(Path(__file__).parent / "pages"), str(ROOT / "templates")],
    builtins=["foundation.templatetags.pieces"],
    libraries={"i18n": "django.templatetags.i18n", "static": "django.templatetags.static", "django_vite": "django_vite.templatetags.django_vite", "pieces": "foundation.templatetags.pieces"},
)  # fmt: skip


def render(template: str, context: dict[str, Any], cookies: dict[str, str] | None = None) -> str:
    """A sample page as a browser would get it."""
    request = RequestFactory().get("/")
    request.COOKIES.update(cookies or {})
    whole = {"shell": shell(), "training": True, "request": request, "csrf_token": "token", **context}
    return _engine.get_template(template).render(Context(whole))


class Site:
    """Serves pages, built files, and answers that a test sets."""

    def __init__(self) -> None:
        self.routes: dict[str, Callable[[dict[str, Any]], Answer]] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method: str, target: str, body: bytes, headers: Any) -> Answer:
        path = urlsplit(target).path
        data = _parse(body, headers.get("Content-Type", ""))
        self.requests.append((f"{method} {path}", data))
        for prefix, handler in self.routes.items():
            if path.startswith(prefix):
                return handler(data if method == "POST" else {"path": path})
        if path.startswith("/static/"):
            file = DIST / path.removeprefix("/static/")
            return (
                (200, mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes())
                if file.is_file()
                else (404, "text/plain", "")
            )
        name = path.strip("/")
        if name in PAGES:
            cookies = dict(
                part.strip().split("=", 1) for part in headers.get("Cookie", "").split(";") if "=" in part
            )
            return 200, "text/html; charset=utf-8", render(f"{name}.html", PAGES[name](), cookies)
        return 404, "text/html", "<p role='alert'>Not here.</p>"


def _parse(body: bytes, kind: str) -> dict[str, Any]:
    if kind.startswith("application/json"):
        return dict(json.loads(body))
    if kind.startswith("application/x-www-form-urlencoded"):
        return {
            name: values[0] if len(values) == 1 else values
            for name, values in parse_qs(body.decode(), keep_blank_values=True).items()
        }
    return {"raw": body}


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, kind, content = site.answer(self.command, self.path, body, self.headers)
            raw = content.encode() if isinstance(content, str) else content
            viewer = self.path.startswith("/viewer")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            if not self.path.startswith("/static/"):  # files have no policy of their own, as under WhiteNoise
                self.send_header(
                    "Content-Security-Policy",
                    POLICY.format(
                        wasm=" 'wasm-unsafe-eval'" if viewer else "", blob=" blob:" if viewer else ""
                    ),
                )
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = _do  # noqa: N815 - the names are the library's

        def log_message(self, *args: Any) -> None:
            """Keep quiet."""

    return Handler
