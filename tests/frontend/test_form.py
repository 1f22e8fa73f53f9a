"""Saving field by field, in a real browser: what the user sees, and what the server gets."""

# ruff: noqa: E501 - tables and markup read better on one line

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.template import Context
from playwright.sync_api import Page

from tests.frontend.conftest import until
from tests.frontend.data import form
from tests.frontend.site import Answer, Site, _engine

ROWS = {test["oid"]: test for test in form()["tests"]}
REASON = """<edc-dialog open-now><dialog aria-labelledby="r-t"><form method="post" data-reason><div class="dialog-head"><h2 id="r-t">Why did this value change?</h2></div>
<div class="dialog-body"><label class="choice"><input type="radio" name="reason" value="TYPO" required>Typing mistake</label>
<label class="choice"><input type="radio" name="reason" value="OTHER" data-needs-text>Other</label><textarea name="reason_text"></textarea></div>
<div class="dialog-foot"><button type="button" class="button" data-close>Put back</button><button class="button primary">Save with reason</button></div></form></dialog></edc-dialog>"""


def analyte(oid: str, **changes: Any) -> str:
    """A row of the laboratory table as the server answers it."""
    test = {**ROWS[oid], "level": "", "message": "", **changes}
    return str(_engine.get_template("_analyte.html").render(Context({"test": test})))


class Server:
    """Accepts, unless a test says otherwise."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.next: list[Callable[[dict[str, Any]], Answer]] = []
        self.saves: list[dict[str, Any]] = []
        site.routes["/save/"] = self.save
        site.routes["/panel/"] = lambda data: (
            200,
            "text/html",
            f'<section class="sheet"><button>Panel of {data["path"].split("/")[2]}</button></section>',
        )

    def save(self, data: dict[str, Any]) -> Answer:
        self.saves.append(data)
        return self.next.pop(0)(data) if self.next else self.accept(data)

    def accept(self, data: dict[str, Any]) -> Answer:
        if data["item"] not in ROWS:
            return 200, "text/html", ""
        problems = '<hx-partial hx-target="#problems" hx-swap="innerHTML"><section class="problems"><h2>Fewer things to look at</h2></section></hx-partial>'
        return (
            200,
            "text/html",
            analyte(data["item"], value=data["value"], unit=data.get("unit", "")) + problems,
        )


@pytest.fixture
def server(site: Site) -> Server:
    return Server(site)


@pytest.fixture
def opened(page: Page, site: Site, server: Server) -> Page:
    page.goto(f"{site.url}/form/")
    return page


def state(page: Page) -> str:
    return page.locator(".save-state").inner_text()


def saved(page: Page) -> None:
    until(lambda: "All changes saved" in state(page))


def test_a_value_is_saved_when_its_field_is_left_and_nothing_is_sent_before(
    opened: Page, server: Server
) -> None:
    opened.fill("#f-K", "5.1")
    assert server.saves == []
    opened.keyboard.press("Enter")
    saved(opened)
    assert server.saves[0] | {} == {"item": "K", "value": "5.1", "expected": '{"value":"51","unit":"mmol/L"}'}
    assert opened.evaluate("document.activeElement.id") == "f-PLT"
    assert opened.locator("#row-K .message").count() == 0
    assert opened.locator("#problems h2").inner_text() == "Fewer things to look at"


def held(server: Server) -> threading.Event:
    """The next save is answered only when the event is set."""
    go = threading.Event()

    def slowly(data: dict[str, Any]) -> Answer:
        go.wait(10)
        return server.accept(data)

    server.next.append(slowly)
    return go


def test_saved_is_said_only_of_everything_that_was_typed(opened: Page, server: Server) -> None:
    """An earlier "All changes saved" does not stand while a later value is typed, left or on its way."""
    opened.fill("#f-K", "5.1")
    opened.keyboard.press("Enter")
    saved(opened)
    opened.keyboard.press("9")
    assert state(opened) == "Not saved yet"
    go = held(server)
    opened.keyboard.press("Tab")
    assert "All changes saved" not in state(opened)
    until(lambda: state(opened) == "Saving…")
    go.set()
    saved(opened)
    assert len(server.saves) == 2


def test_a_value_typed_back_is_not_called_unsaved(opened: Page, server: Server) -> None:
    kept = opened.input_value("#f-HGB")
    opened.fill("#f-HGB", "1")
    assert state(opened) == "Not saved yet"
    opened.fill("#f-HGB", kept)
    assert state(opened) == ""
    assert server.saves == []


def test_a_resting_choice_is_not_called_saved(opened: Page, server: Server) -> None:
    opened.fill("#f-K", "5.1")
    opened.keyboard.press("Enter")
    saved(opened)
    opened.focus("input[name=FAST][value=Y]")
    opened.keyboard.press("ArrowRight")
    assert state(opened) == "Not saved yet"
    saved(opened)
    assert [save["item"] for save in server.saves] == ["K", "FAST"]


def test_typed_back_while_the_save_is_on_its_way_is_saved_back(opened: Page, server: Server) -> None:
    go = held(server)
    opened.fill("#f-HGB", "13")
    opened.keyboard.press("Tab")
    until(lambda: server.saves)
    opened.fill("#f-HGB", "131")
    opened.keyboard.press("Tab")
    go.set()
    until(lambda: len(server.saves) == 2)
    saved(opened)
    assert [save["value"] for save in server.saves] == ["13", "131"]


def test_leaving_a_field_unchanged_sends_nothing(opened: Page, server: Server) -> None:
    opened.focus("#f-K")
    for _ in range(3):
        opened.keyboard.press("Enter")
    opened.wait_for_timeout(300)
    assert server.saves == []


def test_the_title_counts_what_must_be_corrected(opened: Page) -> None:
    assert opened.title().startswith("1 to correct · ")
    opened.fill("#f-K", "5.1")
    opened.keyboard.press("Tab")
    saved(opened)
    assert not opened.title().startswith("1 to correct")


def test_typing_on_while_the_save_is_on_its_way_keeps_what_was_typed(opened: Page, server: Server) -> None:
    arrived, go = threading.Event(), threading.Event()

    def slowly(data: dict[str, Any]) -> Answer:
        arrived.set()
        go.wait(5)
        return server.accept(data)

    server.next.append(slowly)
    opened.fill("#f-HGB", "13")
    opened.keyboard.press("Control+s")
    arrived.wait(5)
    opened.locator("#f-HGB").press_sequentially("5.4")
    until(lambda: state(opened) == "Saving…")
    go.set()
    until(lambda: state(opened) == "Not saved yet")  # the server has 13
    assert opened.input_value("#f-HGB") == "135.4"
    assert opened.evaluate("document.activeElement.id") == "f-HGB"
    opened.keyboard.press("Tab")
    saved(opened)
    assert len(server.saves) == 2
    assert server.saves[1]["value"] == "135.4"
    assert '"value":"13"' in server.saves[1]["expected"]


def test_a_broken_network_loses_nothing_and_the_save_is_made_up_for(opened: Page, server: Server) -> None:
    opened.context.set_offline(True)
    opened.fill("#f-NA", "140")
    opened.keyboard.press("Tab")
    until(lambda: state(opened) == "Not saved: 1 change. Trying again")
    opened.fill("#f-HGB", "120")
    opened.keyboard.press("Tab")
    until(lambda: state(opened) == "Not saved: 2 changes. Trying again")
    assert opened.input_value("#f-NA") == "140"
    opened.context.set_offline(False)
    saved(opened)
    assert [(save["item"], save["value"]) for save in server.saves] == [("NA", "140"), ("HGB", "120")]


def test_a_failing_server_is_asked_again(opened: Page, server: Server) -> None:
    server.next.append(lambda data: (500, "text/html", "broken"))
    opened.fill("#f-NA", "140")
    opened.keyboard.press("Tab")
    until(lambda: "Trying again" in state(opened))
    saved(opened)
    assert len(server.saves) == 2


def test_somebody_signed_out_is_told_so_and_keeps_what_was_typed(opened: Page, server: Server) -> None:
    server.next.append(lambda data: (403, "text/html", "no"))
    opened.fill("#f-NA", "140")
    opened.keyboard.press("Tab")
    until(lambda: "You are signed out" in state(opened))
    assert opened.input_value("#f-NA") == "140"


def test_somebody_who_may_not_write_any_more_is_told_why_and_not_that_they_are_signed_out(
    opened: Page, server: Server
) -> None:
    why = "Edit access to site NO-01 was withdrawn on 3 Mar 2025, 10:00 CET: data cut."
    server.next.append(lambda data: (403, "text/html", f'<p role="alert">{why}</p>'))
    opened.fill("#f-NA", "140")
    opened.keyboard.press("Tab")
    opened.get_by_text(why).wait_for()
    assert "You are signed out" not in state(opened)
    assert opened.input_value("#f-NA") == "140"


def test_a_reason_is_asked_and_travels_with_the_value(opened: Page, server: Server) -> None:
    server.next.append(lambda data: (428, "text/html", REASON))
    opened.fill("#f-HGB", "113")
    opened.keyboard.press("Tab")
    until(lambda: opened.locator("dialog[open]").count())
    assert state(opened) == "Waiting for a reason"
    assert opened.evaluate("document.activeElement.value") == "TYPO"
    opened.keyboard.press("Space")
    opened.keyboard.press("Enter")
    saved(opened)
    assert server.saves[1]["reason"] == "TYPO"
    assert server.saves[1]["value"] == "113"
    assert opened.locator("dialog[open]").count() == 0


def test_escape_from_the_reason_puts_the_saved_value_back(opened: Page, server: Server) -> None:
    server.next.append(lambda data: (428, "text/html", REASON))
    opened.fill("#f-HGB", "113")
    opened.keyboard.press("Tab")
    until(lambda: opened.locator("dialog[open]").count())
    opened.keyboard.press("Escape")
    until(lambda: opened.input_value("#f-HGB") == "131")
    assert opened.evaluate("document.activeElement.id") == "f-HGB"
    opened.wait_for_timeout(200)
    assert len(server.saves) == 1


def test_other_needs_a_sentence(opened: Page, server: Server) -> None:
    server.next.append(lambda data: (428, "text/html", REASON))
    opened.fill("#f-HGB", "113")
    opened.keyboard.press("Tab")
    until(lambda: opened.locator("dialog[open]").count())
    opened.check("input[value=OTHER]")
    opened.click("text=Save with reason")
    assert opened.locator("dialog[open]").count() == 1
    opened.fill("textarea[name=reason_text]", "Wrong tube")
    opened.click("text=Save with reason")
    saved(opened)
    assert server.saves[1]["reason_text"] == "Wrong tube"


def test_escape_in_a_field_puts_the_saved_value_back(opened: Page, server: Server) -> None:
    opened.fill("#f-HGB", "1")
    opened.keyboard.press("Escape")
    assert opened.input_value("#f-HGB") == "131"
    opened.keyboard.press("Tab")
    opened.wait_for_timeout(200)
    assert server.saves == []


def test_a_refused_value_stays_in_its_field_with_the_message(opened: Page, server: Server) -> None:
    server.next.append(
        lambda data: (
            422,
            "text/html",
            analyte(
                "K",
                value=data["value"],
                level="stop",
                message="“4,l” is not a number. Use digits and a decimal point, for example 4.1.",
            ),
        )
    )
    opened.fill("#f-K", "4,l")
    opened.keyboard.press("Tab")
    until(lambda: state(opened) == "1 field was not accepted")
    assert opened.input_value("#f-K") == "4,l"
    assert "is not a number" in opened.locator("#m-K").inner_text()
    opened.fill("#f-K", "4.1")
    opened.keyboard.press("Tab")
    saved(opened)


def refuse(data: dict[str, Any]) -> Answer:
    return 422, "text/html", analyte(data["item"], value=data["value"], level="stop", message="Not a number.")


def test_one_refused_value_is_not_forgotten_over_another(opened: Page, server: Server) -> None:
    server.next += [refuse, refuse]
    for item in ("K", "NA"):
        opened.fill(f"#f-{item}", "4,l")
        opened.keyboard.press("Tab")
    until(lambda: state(opened) == "2 fields were not accepted")
    opened.fill("#f-HGB", "120")
    opened.keyboard.press("Tab")
    until(lambda: len(server.saves) == 3)
    opened.fill("#f-K", "4.1")
    opened.keyboard.press("Tab")
    until(lambda: state(opened) == "1 field was not accepted")
    opened.focus("#f-NA")
    opened.keyboard.press("Escape")
    saved(opened)


def test_a_form_with_a_refused_value_is_not_marked_complete(opened: Page, server: Server) -> None:
    opened.evaluate(
        "window.done = 0; document.querySelector('[data-complete]').addEventListener('click', () => { window.done += 1 })"
    )
    server.next.append(refuse)
    opened.fill("#f-K", "4,l")
    opened.keyboard.press("Tab")
    until(lambda: state(opened) == "1 field was not accepted")
    opened.click("[data-complete]")
    until(lambda: opened.evaluate("document.activeElement.id") == "f-K")
    opened.fill("#f-K", "4.1")
    opened.keyboard.press("Control+Enter")
    until(lambda: opened.evaluate("window.done") == 1)
    assert server.saves[-1]["value"] == "4.1"


def test_reasons_are_asked_one_after_the_other(opened: Page, server: Server) -> None:
    first = threading.Event()

    def ask(data: dict[str, Any]) -> Answer:
        first.wait(5)
        return 428, "text/html", REASON

    server.next += [ask, lambda data: (428, "text/html", REASON)]
    for item, value in (("HGB", "113"), ("NA", "139")):
        opened.fill(f"#f-{item}", value)
        opened.keyboard.press("Tab")
    first.set()
    for count in (1, 2):
        until(lambda: opened.locator("dialog[open]").count())
        opened.wait_for_timeout(200)
        assert len(server.saves) == count  # nothing is sent behind the question
        opened.keyboard.press("Space")
        opened.keyboard.press("Enter")
    saved(opened)
    assert [(save["item"], save.get("reason")) for save in server.saves] == [
        ("HGB", None), ("NA", None), ("HGB", "TYPO"), ("NA", "TYPO")
    ]  # fmt: skip


def conflict(data: dict[str, Any]) -> Answer:
    row = analyte("K", value=data["value"], level="stop", message="B. Rossi changed this at 14:01 to 4.3.")
    row = row.replace('"value":"4.1"', '"value":"4.3"')
    return (
        409,
        "text/html",
        row.replace(
            "</p></div>",
            '</p><button type="button" data-use="stored">Keep 4.3</button><button type="button" data-use="mine">Use 4.1</button></div>',
        ),
    )


@pytest.mark.parametrize(("choice", "value", "saves"), [("stored", "4.3", 1), ("mine", "4.1", 2)])
def test_a_conflict_is_decided_by_the_person(
    opened: Page, server: Server, choice: str, value: str, saves: int
) -> None:
    server.next.append(conflict)
    opened.fill("#f-K", "4.1")
    opened.keyboard.press("Tab")
    until(lambda: state(opened) == "Someone else changed this")
    opened.click(f"[data-use={choice}]")
    until(lambda: len(server.saves) == saves and opened.input_value("#f-K") == value)
    if choice == "mine":
        saved(opened)
        assert '"value":"4.3"' in server.saves[1]["expected"]


def test_a_conflict_is_not_forgotten_over_another_save(opened: Page, server: Server) -> None:
    server.next.append(conflict)
    opened.fill("#f-K", "4.1")
    opened.keyboard.press("Tab")
    until(lambda: state(opened) == "Someone else changed this")
    opened.fill("#f-HGB", "120")
    opened.keyboard.press("Tab")
    until(lambda: len(server.saves) == 2)
    opened.wait_for_timeout(200)
    assert state(opened) == "Someone else changed this"


def test_walking_through_radios_saves_only_where_the_person_rests(opened: Page, server: Server) -> None:
    opened.focus("input[name=FAST][value=Y]")
    for _ in range(2):
        opened.keyboard.press("ArrowRight")
    opened.wait_for_timeout(200)
    assert server.saves == []
    until(lambda: server.saves, 3)
    assert [save["value"] for save in server.saves] == ["U"]


def test_a_choice_is_saved_at_once_when_its_group_is_left(opened: Page, server: Server) -> None:
    opened.focus("input[name=FAST][value=Y]")
    opened.keyboard.press("2")
    opened.keyboard.press("Tab")
    until(lambda: server.saves, 0.6)
    assert server.saves[0] == {"item": "FAST", "value": "N", "expected": '{"value":"Y"}'}


def test_a_date_is_sent_as_iso_and_shown_as_it_is_spoken(opened: Page, server: Server) -> None:
    opened.fill("#f-LBDAT", "t-10")
    opened.keyboard.press("Tab")
    until(lambda: server.saves)
    assert server.saves[0]["value"] == "2026-11-11"


def test_a_confirmed_check_names_the_check(opened: Page, server: Server) -> None:
    opened.click("#row-BILI [data-confirm]")
    until(lambda: server.saves)
    assert server.saves[0]["confirm"] == "LB-07"
    assert server.saves[0]["value"] == "41"


def test_f8_walks_through_the_problems_and_back(opened: Page) -> None:
    found = []
    for _ in range(4):
        opened.keyboard.press("F8")
        found.append(opened.evaluate("document.activeElement.closest('[data-item]').dataset.item"))
    assert found == ["BILI", "K", "WT", "AE"]
    opened.keyboard.press("Shift+F8")
    assert opened.evaluate("document.activeElement.closest('[data-item]').dataset.item") == "WT"


def test_arrows_move_in_the_result_column(opened: Page) -> None:
    opened.focus("#f-ALB")
    opened.keyboard.press("ArrowDown")
    assert opened.evaluate("document.activeElement.id") == "f-ALT"
    opened.keyboard.press("ArrowUp")
    assert opened.evaluate("document.activeElement.id") == "f-ALB"


def test_the_panel_follows_the_field_and_f9_goes_there(opened: Page) -> None:
    opened.focus("#f-CREA")
    until(lambda: "Panel of CREA" in opened.locator("#item-panel").inner_text())
    opened.keyboard.press("F9")
    assert opened.evaluate("document.activeElement.textContent") == "Panel of CREA"


def test_complete_waits_for_the_last_value(opened: Page, server: Server) -> None:
    opened.evaluate(
        "window.done = []; document.querySelector('[data-complete]').addEventListener('click', () => window.done.push(document.querySelector('.save-state').textContent))"
    )
    opened.fill("#f-HGB", "120")
    opened.keyboard.press("Control+Enter")
    until(lambda: opened.evaluate("window.done.length") == 1)
    assert [save["value"] for save in server.saves] == ["120"]


# ---- keys


def ecog(page: Page) -> None:
    """A choice whose labels carry numbers that are not their places."""
    page.evaluate(
        """document.querySelector('#row-FAST .choices').innerHTML = ['0, fully active', '1, restricted', '2, up more than half of the day']
        .map((words, code) => `<label class="choice"><input type="radio" name="FAST" value="${code}" data-part="value">${words}</label>`).join('')"""
    )
    page.focus("input[name=FAST][value='0']")


@pytest.mark.parametrize(("key", "value"), [("0", "0"), ("1", "1"), ("2", "2")])
def test_a_digit_is_the_number_of_an_option_before_it_is_its_place(
    opened: Page, server: Server, key: str, value: str
) -> None:
    ecog(opened)
    opened.keyboard.press(key)
    opened.keyboard.press("Enter")
    until(lambda: server.saves)
    assert server.saves[0]["value"] == value


def test_a_digit_that_no_numbered_option_has_chooses_none(opened: Page, server: Server) -> None:
    ecog(opened)
    opened.keyboard.press("3")
    assert opened.locator("input[name=FAST]:checked").count() == 0


def test_a_letter_chooses_the_only_option_that_begins_with_it(opened: Page, server: Server) -> None:
    opened.focus("input[name=FAST][value=Y]")
    opened.keyboard.press("u")
    opened.keyboard.press("Enter")
    until(lambda: server.saves)
    assert server.saves[0]["value"] == "U"


def test_a_digit_chooses_in_a_list_too(opened: Page, server: Server) -> None:
    opened.focus("#f-LAB")
    opened.keyboard.press("2")
    opened.keyboard.press("Enter")
    until(lambda: server.saves)
    assert server.saves[0]["value"] == "C"


def test_u_turns_the_unit_and_travels_with_the_value(opened: Page, server: Server) -> None:
    item = next(oid for oid, test in ROWS.items() if test["choice"])
    opened.fill(f"#f-{item}", "2.4")
    opened.keyboard.press("u")
    assert opened.input_value(f"#f-{item}") == "2.4"
    assert server.saves == []
    opened.keyboard.press("Enter")
    until(lambda: server.saves)
    assert (server.saves[0]["value"], server.saves[0]["unit"]) == ("2.4", "mg/dL")


# ---- what is offered beside a field


def offer(page: Page, item: str, parts: str, origin: str = "earlier") -> None:
    page.evaluate(
        """([item, parts, origin]) => { const box = document.createElement('div'); Object.assign(box.dataset, { proposal: parts, origin, source: '7' })
        box.innerHTML = '<button type="button" data-take>Still so</button>'; document.querySelector(`#m-${item}`).append(box) }""",
        [item, parts, origin],
    )


def test_what_is_offered_is_taken_by_one_key_and_names_where_it_is_from(opened: Page, server: Server) -> None:
    offer(opened, "HGB", '{"value": "13.3", "unit": "g/dL"}')
    opened.focus("#f-HGB")
    assert opened.input_value("#f-HGB") == "131"
    opened.keyboard.press("F2")
    saved(opened)
    assert (server.saves[0]["value"], server.saves[0]["earlier"]) == ("13.3", "7")
    assert opened.evaluate("document.activeElement.id") != "f-HGB"


def test_without_an_offer_the_key_does_nothing(opened: Page, server: Server) -> None:
    opened.focus("#f-HGB")
    opened.keyboard.press("F2")
    opened.wait_for_timeout(200)
    assert server.saves == []


def test_an_offer_beside_another_row_outlives_a_save(opened: Page, server: Server) -> None:
    offer(opened, "HGB", '{"value": "13.3"}', "draft")

    def with_neighbour(data: dict[str, Any]) -> Answer:
        status, kind, text = server.accept(data)
        row = f'<hx-partial hx-target="#row-HGB" hx-swap="outerMorph">{analyte("HGB")}</hx-partial>'
        return status, kind, str(text) + row

    server.next.append(with_neighbour)
    opened.fill("#f-K", "5.1")
    opened.keyboard.press("Tab")
    saved(opened)
    assert opened.locator("#row-HGB [data-proposal]").count() == 1


# ---- sent again


def test_a_save_that_was_not_answered_is_sent_again_under_its_number(
    opened: Page, site: Site, server: Server
) -> None:
    numbers: list[str] = []
    opened.on(
        "request", lambda sent: numbers.append(sent.headers["x-request-id"]) if "/save/" in sent.url else None
    )
    server.next.append(lambda data: (502, "text/html", "gone"))
    opened.fill("#f-K", "5.1")
    opened.keyboard.press("Tab")
    until(lambda: "Trying again" in state(opened))
    saved(opened)
    assert numbers[0] == numbers[1]
    assert "again" not in server.saves[0]
    assert server.saves[1]["again"] == numbers[0]


def test_what_is_typed_on_after_a_save_without_answer_tells_its_number(opened: Page, server: Server) -> None:
    numbers: list[str] = []
    opened.on(
        "request", lambda sent: numbers.append(sent.headers["x-request-id"]) if "/save/" in sent.url else None
    )
    server.next.append(lambda data: (502, "text/html", "gone"))
    opened.fill("#f-K", "5.1")
    opened.keyboard.press("Tab")
    until(lambda: "Trying again" in state(opened))
    opened.fill("#f-K", "5.2")
    opened.keyboard.press("Tab")
    saved(opened)
    assert numbers[0] != numbers[-1]
    assert server.saves[-1]["again"] == numbers[0]
    assert server.saves[-1]["value"] == "5.2"


# ---- drafts and company


def wire(page: Page, site: Site, **addresses: str) -> None:
    """The form knows more addresses."""
    page.evaluate(
        "(names) => { const form = document.querySelector('edc-form'); Object.assign(form.dataset, names) }",
        addresses,
    )


def test_what_is_refused_is_kept_as_a_draft_and_forgotten_when_it_is_saved(
    opened: Page, site: Site, server: Server
) -> None:
    kept: list[str] = []
    site.routes["/draft/"] = lambda data: kept.append(data["items"]) or (204, "text/html", "")  # type: ignore[func-returns-value]
    wire(opened, site, draftUrl="/draft/")
    server.next.append(refuse)
    opened.fill("#f-K", "4,l")
    opened.keyboard.press("Tab")
    until(lambda: kept, 15)
    assert '"K":{"value":"4,l"' in kept[0]
    opened.fill("#f-K", "4.1")
    opened.keyboard.press("Tab")
    saved(opened)
    until(lambda: kept[-1] == "{}", 15)
    assert opened.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_form_that_saves_everything_keeps_no_draft(opened: Page, site: Site, server: Server) -> None:
    kept: list[str] = []
    site.routes["/draft/"] = lambda data: kept.append(data["items"]) or (204, "text/html", "")  # type: ignore[func-returns-value]
    wire(opened, site, draftUrl="/draft/")
    opened.fill("#f-K", "4.1")
    opened.keyboard.press("Tab")
    saved(opened)
    opened.wait_for_timeout(5500)
    assert kept == []
