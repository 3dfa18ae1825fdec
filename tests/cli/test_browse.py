"""The browser: what is typed is looked for, what is chosen is read, and it ends with the way to go on."""

from __future__ import annotations

import asyncio
import importlib.util
import pathlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from processes import Importer
from terminals import on_terminal

from importer.assistants.registry import WayBack
from importer.cli.browser import shelf
from importer.cli.browser.shelf import ShelfPage, ShelfRow
from importer.errors import UsageError
from importer.service.conversations.values import Spot

SIZE = (100, 30)
NO_TEXTUAL = importlib.util.find_spec("textual") is None
on_a_screen = pytest.mark.skipif(NO_TEXTUAL, reason="textual is not installed: it is the extra `tui`")


class ScriptedShelf:
    """A shelf with two conversations; it notes what it is asked, and waits where it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def rows(self, text: str, filters: str) -> tuple[list[ShelfRow], str]:
        """Return the conversations whose title has the text."""
        self.asked.append((text, filters))
        assert self.may_answer.wait(30)
        shelf.filters(filters)
        found = [ShelfRow(Spot(one), f"About {one}", "infra", said="[red]x[/red]") for one in ("kilns", "boats")]
        rows = [row for row in found if text in row.title]
        return rows, f"{len(rows)} found"

    def page(self, spot: Spot, *, whole: bool) -> ShelfPage:
        """Return a page that names its conversation; boats have no way back."""
        name = f"{spot.conversation}{' whole' if whole else ''}"
        way = WayBack(("claude", "--resume", name)) if name == "kilns" else WayBack()
        return ShelfPage((f"\x1b[1mhead of {name}\x1b[0m\n", f"turn [bold]of {name}\n", ""), way)


def browsed(
    steps: Callable[[Any, Any, ScriptedShelf], Awaitable[None]], size: tuple[int, int] = SIZE
) -> tuple[Any, ScriptedShelf]:
    """Run the browser with a scripted shelf and these steps; return what it ended with."""
    from importer.cli.browser.screen import Browser

    scripted = ScriptedShelf()

    async def run() -> Any:
        app = Browser(scripted)  # type: ignore[arg-type]
        async with app.run_test(size=size) as pilot:
            await settled(pilot, lambda: bool(scripted.asked) and "found" in told(app))
            await steps(app, pilot, scripted)
        return app.return_value

    return asyncio.run(run()), scripted


async def settled(pilot: Any, condition: Callable[[], bool]) -> None:
    """Wait until the screen is as it should be."""
    for _ in range(500):
        if condition():
            return
        await pilot.pause(0.02)
    pytest.fail("the screen does not come to it")


def told(app: Any) -> str:
    """Return the line below the list."""
    return str(app.query_one("#told").render())


def page(app: Any) -> str:
    """Return the conversation on the screen."""
    return " ".join(str(app.query_one(f"#{name}").render()) for name in ("before", "marked", "after"))


@on_a_screen
def test_what_is_typed_is_looked_for() -> None:
    """Keys that come quickly are one question, with the filters; the first that is found is shown, as it was said."""

    async def steps(app: Any, pilot: Any, scripted: ScriptedShelf) -> None:
        await settled(pilot, lambda: "head of kilns" in page(app))
        await pilot.press(*"boats")
        await settled(pilot, lambda: told(app) == "1 found" and "boats" in page(app))
        assert "turn [bold]of boats" in page(app)
        assert 1 <= len(scripted.asked[1:]) < len("boats")
        await pilot.press("escape", "f", *"colour:red")
        await settled(pilot, lambda: "is no filter" in told(app))

    _, scripted = browsed(steps)
    assert ("boats", "") in scripted.asked


@on_a_screen
@pytest.mark.parametrize(("columns", "beside"), [(40, False), (60, True), (100, True)])
def test_a_narrow_terminal(columns: int, beside: bool) -> None:
    """Where there is no room beside the list, the conversation stands below it, as wide as the terminal."""

    async def steps(app: Any, pilot: Any, _shelf: ScriptedShelf) -> None:
        regions = lambda: (app.query_one("#list").region, app.query_one("#page").region)  # noqa: E731
        await settled(pilot, lambda: (regions()[1].x > regions()[0].x) == beside)
        listed, page = regions()
        assert (page.y > listed.y) == (not beside)
        assert beside or (page.width >= columns - 2 and listed.width >= columns - 2)
        assert min(listed.width, page.width) >= 20 and min(listed.height, page.height) >= 5

    browsed(steps, (columns, 24))


@on_a_screen
@pytest.mark.parametrize("filters", ["", "no filter"])
def test_an_answer_that_comes_when_all_is_closed(filters: str) -> None:
    """What was asked before the browser was left is dropped, and its error too."""

    async def steps(app: Any, pilot: Any, scripted: ScriptedShelf) -> None:
        await settled(pilot, lambda: told(app) == "2 found")
        rows = app._rows
        scripted.may_answer.clear()
        app.query_one("#filters").value = filters
        asked = asyncio.create_task(app._find(0.0))
        await settled(pilot, lambda: len(scripted.asked) >= 2)
        await app.screen.query("*").remove()
        scripted.may_answer.set()
        await asked
        await app._open(rows[0], 0.0, whole=False)
        assert app._rows is rows and app._page is None, "neither answer was taken in"

    browsed(steps)


@on_a_screen
def test_no_key_waits_for_an_answer() -> None:
    """While a question is under way keys are taken in; what comes too late is dropped."""

    async def steps(app: Any, pilot: Any, scripted: ScriptedShelf) -> None:
        scripted.may_answer.clear()
        await pilot.press("k")
        await settled(pilot, lambda: len(scripted.asked) == 2)
        await pilot.press(*"ilns")
        assert app.query_one("#search").value == "kilns"
        scripted.may_answer.set()
        await settled(pilot, lambda: scripted.asked[-1][0] == "kilns" and told(app) == "1 found")

    browsed(steps)


@on_a_screen
def test_enter_goes_on_with_a_conversation() -> None:
    """It ends with the command; where there is none it says so and stays."""

    async def steps(app: Any, pilot: Any, _scripted: ScriptedShelf) -> None:
        await pilot.press("enter", "down")
        await settled(pilot, lambda: "boats" in page(app))
        await pilot.press("enter")
        await settled(pilot, lambda: "no command goes on with it" in told(app))
        await pilot.press("o")
        await settled(pilot, lambda: "head of boats whole" in page(app))
        await pilot.press("escape", "up")
        await settled(pilot, lambda: "head of kilns" in page(app))
        await pilot.press("enter")
        await settled(pilot, lambda: app.return_value is not None)

    way, _ = browsed(steps)
    assert way.command == ("claude", "--resume", "kilns")


@on_a_screen
def test_q_leaves() -> None:
    """In the list it ends the browser, in a line of text it is a letter."""

    async def steps(app: Any, pilot: Any, _scripted: ScriptedShelf) -> None:
        await pilot.press("q")
        assert app.query_one("#search").value == "q"
        await pilot.press("escape", "slash")
        assert app.focused.id == "search"
        await pilot.press("escape", "q")

    assert browsed(steps)[0] is None


class ScriptedAsker:
    """An asker whose every search finds these hits."""

    def __init__(self, *hits: dict[str, Any], near: str = "strong") -> None:
        self._told = {"hits": hits, "near": near}

    def ask(self, _op: str, **_asked: Any) -> Any:
        """Return the hits."""
        return self._told


def hit(conversation: str, text: str, score: float) -> dict[str, Any]:
    """Make a hit."""
    return {"id": "x", "score": score, "document": text, "metadata": {"conversation_id": conversation, "title": text}}


def test_rows_of_a_search() -> None:
    """One a conversation, without those far from the best, and with nothing in them that a terminal obeys."""
    hits = [hit("a", "near\x1b[2J\n\tit", 2.0), hit("a", "again", 2.0), hit("b", "half", 1.0), hit("c", "far", 0.1)]
    rows, told = shelf.Shelf(ScriptedAsker(*hits)).rows("x", "")  # type: ignore[arg-type]
    assert ([row.spot.conversation for row in rows], told) == (["a", "b"], "2 conversations, the best first")
    assert all(letter.isprintable() for row in rows for letter in row.title + row.said + row.about)
    assert (rows[0].bar, rows[1].bar) == ("●●●●", "●●○○")


def test_nothing_close() -> None:
    """It says so, and lists nothing."""
    asker = ScriptedAsker(hit("a", "far", 0.1), near="nothing")
    assert shelf.Shelf(asker).rows("x", "") == ([], "nothing close was found")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "found"), [("", {}), ("project:app role:user", {"project": "app", "role": "user"}), ("source:", {})]
)
def test_a_line_of_filters(line: str, found: dict[str, str]) -> None:
    """Each word is a filter; one without a value is not finished yet."""
    assert shelf.filters(line) == found


@pytest.mark.parametrize("line", ["app", "colour:red", "role:judge", "since:thenabouts"])
def test_what_is_no_filter(line: str) -> None:
    """It is refused with what there is."""
    with pytest.raises(UsageError):
        shelf.filters(line)


@pytest.mark.skipif(not NO_TEXTUAL, reason="textual is installed")
def test_without_its_library(tmp_path: pathlib.Path) -> None:
    """One line says what is missing and how to get it."""
    done = Importer(tmp_path).run("browse")
    assert (done.code, "conversation-importer[tui]" in done.err, done.out) == (3, True, "")


@on_a_screen
def test_without_a_terminal_or_a_state(tmp_path: pathlib.Path) -> None:
    """In a pipe it is refused; without a state it says so before there is a screen, and makes none."""
    installed = Importer(tmp_path, embedded=True)
    assert (installed.run("browse").code, installed.run("browse", "x").out) == (2, "")
    with on_terminal(installed, "browse") as terminal:
        assert terminal.end() == 3
    assert "there is no state at" in terminal.shown
    assert not (tmp_path / "state").exists()


@on_a_screen
def test_on_a_dumb_terminal(tmp_path: pathlib.Path) -> None:
    """Nothing is drawn where nothing can be."""
    installed = Importer(tmp_path, embedded=True)
    assert installed.run("backlog").code == 0
    with on_terminal(installed, "browse") as terminal:
        assert terminal.end() == 2
    assert "TERM=dumb" in terminal.shown
