"""A page shows the panels that upper rooms offer and the visitor may see."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from foundation import panels

SUBJECT = SimpleNamespace(
    number="TDX-001-003", trial=SimpleNamespace(code="THERMODOX"), site=SimpleNamespace(code="NO-01")
)


class Visitor:
    """May do what is named, at one site of one trial."""

    def __init__(self, *permissions: str, site: str = "NO-01") -> None:
        self.permissions, self.site = permissions, site

    def may(self, permission: str, trial: str, site: str | None = None) -> bool:
        return permission in self.permissions and trial == "THERMODOX" and site == self.site


@pytest.fixture(autouse=True)
def _two_panels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "_panels", panels.defaultdict(list))
    register = panels.register
    register(
        "subject", order=20, title="Images", url=lambda s: f"/images/{s.number}/", permission="image.view"
    )
    register(
        "subject",
        order=10,
        title="Eligibility",
        url=lambda s: f"/el/{s.number}/",
        permission="eligibility.view",
    )
    register("subject", order=5, title="Not here", url=lambda s: None, permission="image.view")


def titles(visitor: Visitor) -> list[str]:
    return [panel.title for panel in panels.panels_for("subject", SUBJECT, visitor)]


def test_panels_come_in_order_with_their_addresses() -> None:
    shown = panels.panels_for("subject", SUBJECT, Visitor("image.view", "eligibility.view"))
    assert [(panel.title, panel.url) for panel in shown] == [
        ("Eligibility", "/el/TDX-001-003/"),
        ("Images", "/images/TDX-001-003/"),
    ]


def test_a_panel_is_hidden_from_who_may_not_see_it() -> None:
    assert titles(Visitor("image.view")) == ["Images"]


def test_a_panel_is_hidden_at_another_site() -> None:
    assert titles(Visitor("image.view", "eligibility.view", site="NO-02")) == []


def test_a_panel_cannot_be_registered_twice() -> None:
    with pytest.raises(ValueError, match="already registered"):
        panels.register("subject", order=1, title="Images", url=lambda s: None, permission="image.view")
