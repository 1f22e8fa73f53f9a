from __future__ import annotations

import pytest
from django.db import DatabaseError, connection

from accounts.models import User
from audit.context import Actor, acting
from audit.models import Event

pytestmark = pytest.mark.django_db


@pytest.mark.req("AUD-08")
def test_a_write_without_an_actor_fails() -> None:
    with pytest.raises(DatabaseError, match="hilum: no actor"):
        User.objects.create(username="x", full_name="X")


def test_one_event_per_row(actor: Actor) -> None:
    before = Event.objects.count()
    with acting(actor, reason="new colleague"):
        user = User.objects.create(username="x", full_name="X")
    event = Event.objects.latest("id")
    assert Event.objects.count() == before + 1
    assert (event.action, event.table_name, event.row_id) == ("I", "accounts_user", str(user.pk))
    assert event.after["full_name"] == "X"
    with connection.cursor() as c:
        c.execute("select current_user"); print(c.fetchall())
