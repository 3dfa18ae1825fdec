"""The browser's screen, on Textual: what is typed is looked for by a thread of its own, so that no key ever waits.

┌ search ─────────────┐          The list and the page follow the keys at a distance: a question that is asked
├ filters ────────────┤          while another is under way takes its place, and an answer that comes too late
│ list    │ page      │          is dropped.
└ what the keys do ───┘
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar, TypeVar

import click
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from importer.assistants.registry import WayBack
from importer.cli import confirm
from importer.cli.browser.shelf import FILTERS, Shelf, ShelfPage, ShelfRow
from importer.errors import ImporterError

PAUSE_S = 0.12  # between the last key and the question
Answer = TypeVar("Answer")


class Rows(OptionList):
    """The list; its Enter is told in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "go on with it")]


class Browser(App[WayBack]):
    """The program; it ends with the way to go on with a conversation where one was chosen, else with None."""

    CSS = """
    #filters { height: 1; border: none; padding: 0 1; color: $text-muted; }
    #search { height: 3; }
    #told { height: auto; max-height: 2; padding: 0 1; color: $text-muted; }
    #list { width: 2fr; height: 1fr; min-width: 24; border: none; border-right: solid $panel; }
    #page { width: 3fr; padding: 0 1; }
    .-narrow #panes { layout: vertical; }
    .-narrow #list { width: 1fr; height: 2fr; border-right: none; border-bottom: solid $panel; }
    .-narrow #page { width: 1fr; height: 3fr; }
    Static { width: 1fr; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (56, "-wide")]  # noqa: RUF012  columns; not declared as the class's own
    TITLE = "importer"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "whole", "open it whole"),
        Binding("s", "share", "share"),
        Binding("d", "forget", "forget"),
        Binding("w", "wrong", "what is wrong"),
        Binding("slash", "to('search')", "search"),
        Binding("f", "to('filters')", "filter"),
        Binding("escape", "to('list')", "list"),
        Binding("q", "quit", "leave"),
    ]

    def __init__(self, shelf: Shelf, text: str = "", filters: str = "", importer: Sequence[str] = ()) -> None:
        """`text` and `filters` are what it begins with, `importer` is how other commands are called."""
        super().__init__()
        self._importer = importer
        self._shelf, self._first = shelf, {"search": text, "filters": filters}
        self._asking = ThreadPoolExecutor(1, "browser")
        self._rows: list[ShelfRow] = []
        self._page: ShelfPage | None = None

    def compose(self) -> ComposeResult:
        """Give the widgets."""
        yield Input(self._first["search"], placeholder="search what was said", id="search")
        names = " ".join(f"{name}:…" for name in FILTERS)
        yield Input(self._first["filters"], placeholder=f"filters: {names}", id="filters", compact=True)
        with Horizontal(id="panes"):
            yield Rows(id="list", markup=False)
            with VerticalScroll(id="page"):
                yield Static(id="before", markup=False)
                yield Static(id="marked", markup=False)
                yield Static(id="after", markup=False)
        yield Static(id="told", markup=False)
        yield Footer()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return True for keys that mean something where the focus is: letters are text in a line of text."""
        is_letter = action in ("to", "whole", "share", "forget", "wrong") and parameters != ("list",)
        return not (is_letter and isinstance(self.focused, Input))

    def on_mount(self) -> None:
        """Show the newest conversations."""
        self._look(0.0)

    def on_unmount(self) -> None:
        """Let the thread end with its question."""
        self._asking.shutdown(wait=False, cancel_futures=True)

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Look for what is typed when the next key does not come at once."""
        self._look(PAUSE_S)

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Go from what is typed to what was found."""
        self.action_to("list")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the conversation under the cursor."""
        self._read(event.option_index, PAUSE_S / 2, whole=False)

    def on_option_list_option_selected(self, _event: OptionList.OptionSelected) -> None:
        """Go on with the conversation on which Enter was pressed."""
        self.run_worker(self.action_resume(), group="leave", exclusive=True)

    def _look(self, pause_s: float) -> None:
        """Ask for the rows of what is typed, in place of a question that was not answered yet."""
        self.run_worker(self._find(pause_s), group="find", exclusive=True)

    async def _find(self, pause_s: float) -> None:
        """Fill the list. An error is told in its place, and the next key asks again."""
        await asyncio.sleep(pause_s)
        text, chosen = (self.query_one(f"#{name}", Input).value for name in ("search", "filters"))
        self._tell("…")
        found = await self._ask(lambda: self._shelf.rows(text, chosen))
        if found is not None and self._is_shown:
            self._fill(*found)

    def _fill(self, rows: list[ShelfRow], told: str) -> None:
        """Put rows into the list, and the first one's conversation beside it."""
        self._rows = rows
        options = self.query_one("#list", OptionList)
        options.clear_options()
        options.add_options([Option(_label(row)) for row in self._rows])
        self._tell(told)
        if self._rows:
            options.highlighted = 0
        else:
            self._show(None)

    def _read(self, place: int, pause_s: float, *, whole: bool) -> None:
        """Ask for the conversation of a row."""
        if 0 <= place < len(self._rows):
            self.run_worker(self._open(self._rows[place], pause_s, whole=whole), group="read", exclusive=True)

    async def _open(self, row: ShelfRow, pause_s: float, *, whole: bool) -> None:
        """Show a conversation at the turn that answers."""
        self._page = None
        await asyncio.sleep(pause_s)
        page = await self._ask(lambda: self._shelf.page(row.spot, whole=whole))
        if self._is_shown:
            self._show(page)

    async def _ask(self, question: Callable[[], Answer]) -> Answer | None:
        """Return an answer of the thread, None for an error, which is told."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._asking, question)
        except ImporterError as error:
            if self._is_shown:
                self._tell(f"{error.message}; {error.hint}" if error.hint else error.message)
            return None

    @property
    def _is_shown(self) -> bool:
        """Whether there is a screen to show an answer on: it may have been left since the question."""
        return bool(self.screen_stack and self.query("#page"))

    def _show(self, page: ShelfPage | None) -> None:
        """Put a page on the screen, with the turn of the hit at its top."""
        self._page = page
        for name, part in zip(("before", "marked", "after"), page.parts if page else ("", "", ""), strict=True):
            self.query_one(f"#{name}", Static).update(Text.from_ansi(part))
        scrolled = self.query_one("#page", VerticalScroll)
        self.call_after_refresh(scrolled.scroll_to_widget, self.query_one("#marked"), top=True, animate=False)

    def _tell(self, text: str) -> None:
        """Say something in the line below the list."""
        self.query_one("#told", Static).update(Text(text, no_wrap=True, overflow="ellipsis"))

    def action_to(self, name: str) -> None:
        """Give a widget the keys."""
        self.query_one(f"#{name}").focus()

    def action_whole(self) -> None:
        """Show all turns of the conversation under the cursor, and let the keys scroll it."""
        place = self.query_one("#list", OptionList).highlighted
        if place is not None:
            self._read(place, 0.0, whole=True)
            self.action_to("page")

    def _chosen(self) -> ShelfRow | None:
        """Return the row under the cursor."""
        place = self.query_one("#list", OptionList).highlighted
        return self._rows[place] if place is not None and place < len(self._rows) else None

    async def action_share(self) -> None:
        """Write the conversation under the cursor as Markdown without secrets, and say where it is."""
        if (row := self._chosen()) and (path := await self._ask(partial(self._shelf.share, row.spot))):
            self._tell(f"without secrets in {path}")

    async def action_forget(self) -> None:
        """Have the conversation under the cursor forgotten by the command, which asks first."""
        if row := self._chosen():
            await self._run_elsewhere(["forget", "--conversation", row.spot.conversation])

    async def action_wrong(self) -> None:
        """Show the faults of this installation, and what could not be imported."""
        await self._run_elsewhere(["doctor"], ["failures"])

    async def _run_elsewhere(self, *commands: Sequence[str]) -> None:
        """Give the terminal to other commands until a person has read what they say; then look anew."""
        with self.suspend():
            await asyncio.to_thread(_run, [[*self._importer, *words] for words in commands])
        await self._ask(self._shelf.renew)
        self._look(0.0)

    async def action_resume(self) -> None:
        """Leave, with the way to go on with the conversation under the cursor; say so where there is none."""
        if (row := self._chosen()) is None:
            return
        page: Any = self._page or await self._ask(partial(self._shelf.page, row.spot, whole=False))
        if page is not None and page.way.words:
            self.exit(page.way)
        elif page is not None:
            self._tell(f"no command goes on with it: {page.way.why}; `importer resume ID --with TOOL` hands it over")


def _run(commands: Sequence[Sequence[str]]) -> None:
    """Run commands on this terminal, cleared, and wait for a key."""
    click.clear()
    for command in commands:
        subprocess.run(command, check=False)
    confirm.wait_for_key("\nany key goes back to the conversations ")


def _label(row: ShelfRow) -> Text:
    """Return a row as it is shown: its title with the bar, then where and when, then what was said."""
    label = Text(row.title, style="bold", no_wrap=True, overflow="ellipsis")
    about = f"{row.bar} {row.about}" if row.bar else row.about
    label.append(f"\n{about}", style="not bold dim")
    if row.said:
        label.append(f"\n{row.said}", style="not bold")
    return label
