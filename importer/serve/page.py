"""The page: search, conversations, days, projects and health, as HTML and as JSON, with MCP beside it.

    browser ─► Gate (host, origin, token) ─► routes ─► views (HTML) │ the same values as JSON below /api
                                                └► /mcp

Its process asks as the commands do: the one that answers for the state, the state's own rows, the files.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from importer.assistants import registry
from importer.errors import USAGE, ImporterError, UsageError
from importer.protocol import clock
from importer.protocol.foreign.quoting import line
from importer.serve import views
from importer.serve.figures import days, health
from importer.serve.gate import Gate
from importer.serve.html import join, tag
from importer.serve.mcp_http import mcp_app
from importer.service.ask import Asker
from importer.service.conversations import shared
from importer.service.conversations.library import Library
from importer.service.conversations.values import Listed, Opened
from importer.service.status.gather import gather
from importer.service.status.remembered import look_back

T = TypeVar("T")

STATIC = os.path.join(os.path.dirname(__file__), "static")
LISTED, HITS, MOST = 60, 20, 500
REFRESH_S, SLOW_REFRESH_S = 2, 15
FILTERS = (*(name for name, _ in views.FILTERS), *(name for name, *_ in views.CHOICES))


def page_app(asker: Asker, token: str, importer: Sequence[str] = ()) -> ASGIApp:
    """Return the application; `token` lets in. `importer` is how this one is called, for what a command does."""
    called = [*importer] or [sys.executable, "-P", "-m", "importer", "--state-dir", asker.settings.state_dir]
    pages, mcp = _Pages(asker, token, called), mcp_app(asker)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with mcp.router.lifespan_context(mcp):
            yield

    routes = [
        Route("/", pages.search),
        Route("/c/{id:path}/markdown", pages.markdown),
        Route("/c/{id:path}", pages.conversation),
        Route("/days", pages.days),
        Route("/projects", pages.projects),
        Route("/health", pages.health),
        Route("/forget/{id:path}", pages.forget, methods=["GET", "POST"]),
        Route("/api/search", pages.api_search),
        Route("/api/open/{id:path}", pages.api_open),
        Route("/api/list", pages.api_list),
        Route("/api/projects", pages.api_projects),
        Route("/api/status", pages.api_status),
        Mount("/static", StaticFiles(directory=STATIC)),
        Mount("/", mcp),
    ]
    failures: Any = {ImporterError: pages.failed, OSError: pages.failed}
    return Gate(Starlette(routes=routes, lifespan=lifespan, exception_handlers=failures), token)


class _Pages:
    """One method an address."""

    def __init__(self, asker: Asker, token: str, importer: Sequence[str]) -> None:
        self._asker, self._token, self._importer = asker, token, importer

    async def search(self, request: Request) -> Response:
        """Show what was found, or without a query what was said last."""
        given = dict(request.query_params)
        if given.get("q", "").strip():
            found = await self._found(given)
            every = "" if given.get("all") else "/?" + urlencode({**given, "all": "1"})
            inside = join([views.away(found.get("away", {})), views.hits(found, every)])
        else:
            listed, away = await self._recent(given)
            inside = join([views.away(away), views.newest(listed, LISTED)])
        if request.headers.get("x-part") == "results":
            return HTMLResponse(inside)
        whole = tag("div", inside, id="results", aria_live="polite")
        return HTMLResponse(views.page(given.get("q") or "Search", "/", views.search_form(given), whole))

    async def conversation(self, request: Request) -> Response:
        """Show a conversation, whole."""
        opened = await self._opened(request)
        way = registry.way_back(opened.source, opened.conversation, opened.cwd, opened.path).words
        inside = views.conversation(opened, way, redacted=_is_redacted(request))
        return HTMLResponse(views.page(line(opened.title or opened.conversation), "", inside))

    async def markdown(self, request: Request) -> Response:
        """Give a conversation as a file."""
        opened = await self._opened(request)
        headers = {"content-disposition": 'attachment; filename="conversation.md"'}
        text = shared.markdown(opened, opened.turns)
        return PlainTextResponse(text, media_type="text/markdown", headers=headers)

    async def days(self, request: Request) -> Response:
        """Show conversations by day."""
        given = dict(request.query_params)
        listed, away = await self._recent(given, MOST)
        return HTMLResponse(views.page("Days", "/days", views.away(away), days.days(listed, given)))

    async def projects(self, _request: Request) -> Response:
        """Show the projects."""
        found, away = await self._projects()
        return HTMLResponse(views.page("Projects", "/projects", views.away(away), views.projects(found)))

    async def health(self, _request: Request) -> Response:
        """Show how the importer is; while it imports, again and again."""
        found = await asyncio.to_thread(gather, self._asker.settings)
        seen = await asyncio.to_thread(self._library, lambda rows: look_back(rows.checkpoints, health.MOST_ROWS))
        refresh = REFRESH_S if found["state"] in health.MOVING else SLOW_REFRESH_S
        return HTMLResponse(views.page("Health", "/health", health.health(found, seen), refresh=refresh))

    async def forget(self, request: Request) -> Response:
        """Ask whether a conversation is to be forgotten, and do it when that is confirmed."""
        opened = await self._opened(request)
        if request.method == "GET":
            return HTMLResponse(views.page("Forget", "", views.forget(opened, self._token)))
        sent = dict(pair.partition("=")[::2] for pair in (await request.body()).decode("latin-1").split("&"))
        if sent.get("token") != self._token:
            return PlainTextResponse("The form was not of this page.\n", 403)
        await asyncio.to_thread(_forget, self._importer, opened.conversation)
        return RedirectResponse("/", 303)

    async def api_search(self, request: Request) -> Response:
        """Give what `importer search --json` gives."""
        given = dict(request.query_params)
        found = await self._found(given)
        return JSONResponse({"query": given.get("q", ""), **found})

    async def api_open(self, request: Request) -> Response:
        """Give what `importer open --json` gives."""
        opened = await self._opened(request)
        turns = [{"role": one.role, "text": one.text, "timestamp": one.timestamp} for one in opened.turns]
        head = {name: getattr(opened, name) for name in ("conversation", "title", "project", "source", "path", "at")}
        return JSONResponse({**head, "of": len(turns), "turns": turns})

    async def api_list(self, request: Request) -> Response:
        """Give what `importer list --json` gives."""
        found, away = await self._recent(dict(request.query_params))
        return JSONResponse({"conversations": [one.fields() for one in found], **_named(away)})

    async def api_projects(self, _request: Request) -> Response:
        """Give what `importer projects --json` gives."""
        found, away = await self._projects()
        return JSONResponse({"projects": found, **_named(away)})

    async def api_status(self, _request: Request) -> Response:
        """Give what `importer status --json` gives."""
        return JSONResponse(await asyncio.to_thread(gather, self._asker.settings))

    async def failed(self, request: Request, error: Exception) -> Response:
        """Say what is in the way, and what to do."""
        told = error.message if isinstance(error, ImporterError) else f"no answer: {error}"
        hint = getattr(error, "hint", "")
        code = 404 if getattr(error, "exit_code", 0) == USAGE else 503  # from another process it is of no class
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": told, "hint": hint}, code)
        inside = [tag("h1", "That did not work"), tag("p", told), tag("p", hint, class_="note") if hint else None]
        if request.headers.get("x-part") == "results":
            return HTMLResponse(tag("p", f"{told} {hint}", class_="note"))
        return HTMLResponse(views.page("Not found", "", *inside), code)

    async def _found(self, given: Mapping[str, str]) -> Any:
        """Return the hits of a search."""
        limit = int(given["limit"]) if given.get("limit", "").isdecimal() else HITS
        return await self._asker.ask_beside_others("search", text=given.get("q", ""), limit=limit, **_filters(given))

    async def _recent(self, given: Mapping[str, str], limit: int = LISTED) -> tuple[list[Listed], Mapping[str, str]]:
        """Return conversations, the newest first, and the stores that are away."""
        filters = {name: value for name, value in _filters(given).items() if name not in ("mode", "kind", "role")}

        def look(rows: Library) -> tuple[list[Listed], Mapping[str, str]]:
            return rows.recent(limit=limit, **filters), rows.elsewhere.away

        return await asyncio.to_thread(self._library, look)

    async def _projects(self) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
        """Return projects, the one spoken of last first, and the stores that are away."""

        def look(rows: Library) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
            return rows.projects(), rows.elsewhere.away

        return await asyncio.to_thread(self._library, look)

    async def _opened(self, request: Request) -> Opened:
        """Return the conversation that an address names, at the hit that it names."""
        which, at, redacted = request.path_params["id"], request.query_params.get("at", ""), _is_redacted(request)

        def look(rows: Library) -> Opened:
            spot = rows.find(at or which)
            return rows.open(spot, redacted=redacted)

        found: Opened = await asyncio.to_thread(self._library, look)
        return found

    def _library(self, ask: Callable[[Library], T]) -> T:
        """Return an answer of the library, which is closed behind it."""
        library = Library(self._asker)
        try:
            return ask(library)
        finally:
            library.checkpoints.close()


def _named(away: Mapping[str, str]) -> dict[str, Any]:
    """Return the stores that are away as a part of an answer, {} where none is."""
    return {"away": dict(away)} if away else {}


def _filters(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the filters of an address, with times in UTC. Raises UsageError for words that name no time."""
    known = {name: given[name].strip() for name in FILTERS if given.get(name, "").strip()}
    since, until = clock.span(known.pop("since", ""), known.pop("until", ""))
    return {**known, **({"since": since} if since else {}), **({"until": until} if until else {})}


def _is_redacted(request: Request) -> bool:
    """Return whether an address asks for a conversation without its secrets."""
    return request.query_params.get("redacted", "") not in ("", "0")


def _forget(importer: Sequence[str], conversation: str) -> None:
    """Forget a conversation as the command does, in a process of its own. Raises UsageError with what it says."""
    command = [*importer, "forget", "--conversation", conversation, "--yes", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise UsageError(done.stderr.strip()[-500:] or "it could not be forgotten", hint="importer forget says more")
    json.loads(done.stdout)
