"""`manage.py dicom_receiver --site NO-01 --sender SCANNER1`: take images from a site's network, until it is ended."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from pathlib import Path
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imaging.receiver import Listening, Receiver
from trials.models import Site


class Command(BaseCommand):
    """Listen for C-STORE on behalf of one site."""

    help = "Receive DICOM objects (C-STORE) from the network of one site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the site, the address, and who may send."""
        parser.add_argument("--site", required=True, help="code of the site whose images come")
        parser.add_argument(
            "--sender", action="append", required=True, help="AE title that may send; may be repeated"
        )
        parser.add_argument("--title", default="HILUM", help="our own AE title")
        parser.add_argument("--host", default="127.0.0.1", help="address of the network card to listen on")
        parser.add_argument("--port", type=int, default=11112)
        parser.add_argument("--certificate", type=Path, help="our certificate (PEM); speaks TLS then")
        parser.add_argument("--key", type=Path, help="its private key, where it is in a file of its own")
        parser.add_argument(
            "--authority", type=Path, help="senders must show a certificate of this authority"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen until SIGTERM or SIGINT."""
        site = Site.objects.filter(code=options["site"]).first()
        if site is None:
            raise CommandError(f"There is no site {options['site']}.")
        listening = Listening(
            title=options["title"],
            host=options["host"],
            port=options["port"],
            senders=options["sender"],
            certificate=options["certificate"],
            key=options["key"],
            authority=options["authority"],
        )
        ended = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        receiver = Receiver(site, listening)
        try:
            port = receiver.start()
        except OSError as error:
            raise CommandError(f"Cannot listen: {error}") from error
        place = f"{listening.title} at {listening.host}:{port}"
        self.stdout.write(f"Receiving for {site.code} as {place}; may send: {', '.join(listening.senders)}")
        ended.wait()
        receiver.stop()
