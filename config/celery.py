"""The Celery application; which queue a task goes to is said where the task is written (`foundation.tasks`)."""

import os
import warnings

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import import_modules

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# A worker run by root is what Celery warns about; it takes JSON only, and root is seen in training and containers.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("hilum")
app.config_from_object("django.conf:settings", namespace="CELERY")


@import_modules.connect
def listen_for_life(**_: object) -> None:
    """Load the handlers of `config.heartbeat`, which need the settings."""
    app.loader.import_module("config.heartbeat")
