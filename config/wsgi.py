"""The WSGI application that gunicorn serves."""

import os
from wsgiref.types import WSGIApplication

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_pages = get_wsgi_application()

from imaging.gate import FrameGate  # noqa: E402  the rooms can be imported only now

application: WSGIApplication = FrameGate(_pages)
