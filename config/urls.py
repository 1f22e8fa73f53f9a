"""All addresses: those of the house, then those that each room offers in its `urls.py`."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from config.health import healthz
from config.rooms import ROOMS

urlpatterns: list[URLPattern | URLResolver] = [path("healthz", healthz, name="healthz")]
urlpatterns += [path("", include(f"{room}.urls")) for room in ROOMS if find_spec(f"{room}.urls")]
