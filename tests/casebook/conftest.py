"""Fixtures that several tests of the casebook use."""

from __future__ import annotations

import pytest

from audit.context import Actor
from tests.casebook.signing_case import Case
from tests.cast import Cast


@pytest.fixture
def case(cast: Cast) -> Case:
    return Case(cast)


@pytest.fixture
def manager(cast: Cast) -> Actor:
    return cast.actor("datamanager")
