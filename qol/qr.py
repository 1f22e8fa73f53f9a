"""An address as a QR code: SVG with classes and attributes only, as the security policy wants it."""

from __future__ import annotations

import qrcode  # type: ignore[import-untyped]
from django.utils.html import format_html
from django.utils.safestring import SafeString

QUIET_ZONE = 4
"""Light modules around the code (ISO/IEC 18004, 6.3.8)."""


def qr_code(text: str, label: str) -> SafeString:
    """Draw a text as a QR code of error correction level M, dark on light in every colour scheme."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return format_html(
        '<svg class="qr" role="img" aria-label="{}" viewBox="0 0 {} {}" width="240" height="240" '
        'shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#ffffff"/>'
        '<path fill="#000000" d="{}"/></svg>',
        label,
        len(rows),
        len(rows),
        path,
    )
