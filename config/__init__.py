"""The top floor: settings from the environment, addresses, Celery, health. Nobody imports it."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
