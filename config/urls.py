"""All addresses: what each room offers in its `urls.py`. (`/healthz` is answered earlier: `config.health`.)"""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from config.find import find
from config.rooms import ROOMS

handler404 = "foundation.web.nothing_here"
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("config.api")),
    path("find/", find, name="find"),
    *(path("", include(f"{room}.urls")) for room in ROOMS if find_spec(f"{room}.urls")),
]
