"""Where the built files of the front end lie."""

from __future__ import annotations

from functools import cache

from django_vite.core.asset_loader import DjangoViteAssetLoader


@cache
def asset_url(path: str) -> str:
    """Address of a built file; its name carries a digest, so that browsers may keep it for ever.

    Parameters
    ----------
    path
        The file in the source, as `vite` names it in its manifest: ``generated/sprite.svg``.
    """
    return str(DjangoViteAssetLoader.instance().generate_vite_asset_url(path, "default"))
