"""The imaging desk, for what reports tell of images."""

from tests.imaging.conftest import _empty_storage, desk

__all__ = ["_empty_storage", "desk"]
