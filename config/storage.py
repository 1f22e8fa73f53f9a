"""Where received files lie: in a folder, or in an S3-compatible store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

IN_MEMORY = 64 * 1024 * 1024
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_FORMS = "file:///folder or s3://key:secret@host/bucket"


def storage(url: str, default: Path) -> dict[str, Any]:
    """The entry of `STORAGES` for `STORAGE_URL`; the folder `default` where it names nothing.

    `s3://key:secret@host:port/bucket/prefix?region=…` speaks TLS, `s3+http://…` does not and is for a store on the same
    machine.

    Raises
    ------
    ImproperlyConfigured
        The address is of neither form.
    """
    if not url:
        return _folder(default)
    parts = urlsplit(url)
    if parts.scheme in ("s3", "s3+http"):
        return {"BACKEND": "config.object_storage.ObjectStorage", "OPTIONS": _object_options(parts)}
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise ImproperlyConfigured(f"STORAGE_URL must be of the form {_FORMS}.")
    return _folder(Path(unquote(parts.path)))


def _folder(place: Path) -> dict[str, Any]:
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(place)}}


def _object_options(parts: SplitResult) -> dict[str, Any]:
    bucket, _, prefix = unquote(parts.path).strip("/").partition("/")
    if not (parts.hostname and parts.username and parts.password and _BUCKET.fullmatch(bucket)):
        raise ImproperlyConfigured(f"STORAGE_URL must be of the form {_FORMS}.")
    port = f":{parts.port}" if parts.port else ""
    return {
        "access_key": unquote(parts.username),
        "secret_key": unquote(parts.password),
        "endpoint_url": f"{'https' if parts.scheme == 's3' else 'http'}://{parts.hostname}{port}",
        "bucket_name": bucket,
        "location": prefix,
        "region_name": parse_qs(parts.query).get("region", ["us-east-1"])[0],
        "addressing_style": "path",
        "signature_version": "s3v4",
        "file_overwrite": False,
        "default_acl": None,
        "max_memory_size": IN_MEMORY,
    }
