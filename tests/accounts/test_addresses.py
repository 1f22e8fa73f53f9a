"""Every address says who may see it: a view without a mark fails here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.decorators import PUBLIC, SIGNED_IN, mark_of
from accounts.policies import PERMISSIONS

PUBLIC_ADDRESSES = {"sign-in/", "sign-in/second-factor/", "sign-in/closed/", "sign-out/"}
ROOM = "accounts"


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, address)
        else:
            yield address, pattern


ALL = dict(patterns(get_resolver("accounts.urls")))


@pytest.mark.req("ACC-02")
@pytest.mark.parametrize("address", sorted(ALL))
def test_every_address_says_who_may_see_it(address: str) -> None:
    mark = mark_of(ALL[address].callback)
    assert mark in {*PERMISSIONS, PUBLIC, SIGNED_IN}
    assert (mark == PUBLIC) is (address in PUBLIC_ADDRESSES)
