"""`importer search`: ask the running daemon, or a worker of its own, and print what was said."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

import click

from importer.cli import context
from importer.cli.output import JSON_OPTION, PROJECT_OPTION, emit
from importer.errors import UsageError
from importer.protocol import clock, projects
from importer.protocol.foreign.quoting import line, printable
from importer.protocol.query import KINDS

EPILOG = """\b
Examples:
  importer search "why did the build fail"
  importer search --project app --since "2 weeks ago" "flaky test"
  importer search --since october --until yesterday "flaky test"
  importer search "what did we decide on 8 May" --all
  importer search --mode keyword ECONNRESET --json | jq .hits[0].document
"""
SHOWN_CHARS = 600


@click.command(epilog=EPILOG)
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="Most hits.")
@PROJECT_OPTION
@click.option("--source", default="", help="Only this format, such as claude-code.")
@click.option("--kind", default="", help="Only this kind: exchange, summary or subagent.")
@click.option("--since", default="", help="Only from then on: yesterday, 7d, October, 2026-03-01 …")
@click.option("--until", default="", help="Only up to then; a day or a month counts whole.")
@click.option("--conversation", default="", help="Only this conversation, by id.")
@click.option(
    "--mode",
    default="hybrid",
    show_default=True,
    type=click.Choice(["hybrid", "dense", "keyword"]),
    help="dense finds meaning, keyword finds words, hybrid both.",
)
@click.option("--all", "every", is_flag=True, help="Show hits that are far from the question, too.")
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, query: tuple[str, ...], as_json: bool, every: bool, **filters: Any) -> int:
    """Find what was said about QUERY."""
    from importer.cli import last_search
    from importer.service.ask import Asker

    asker = Asker.of(context.settings_of(ctx))
    text = " ".join(query).strip().encode("utf-8", "replace").decode()  # typed bytes need not be UTF-8
    if not text:
        raise UsageError("the query is empty", hint='importer search "why did the build fail"')
    filters["since"] = clock.instant(filters["since"])
    filters["until"] = clock.instant(filters["until"], end=True)
    found = asker.ask("search", text=text, **filters)
    last_search.keep(asker.settings.state_dir, found["hits"])
    if len(chosen := found.get("projects", {})) > 1:
        click.echo(projects.several(filters["project"], chosen, chosen), err=True)
    if (read := found.get("query_cut")) is not None:
        click.echo(f"the question is long: only its first {read:,} of {len(text):,} characters count", err=True)
    if as_json:
        emit({"query": text, **found})
    else:
        _tell(text, found, filters, every=every)
    return 0


def _tell(text: str, found: Mapping[str, Any], filters: Mapping[str, Any], *, every: bool) -> None:
    """Print an answer for people; hits that are far from the question only when `every` one is wanted."""
    hits = found["hits"]
    if not hits:
        click.echo(f"nothing found for {text!r}; {_why_nothing(filters)}")
    elif found["near"] == "nothing" and not every:
        click.echo(f"nothing close to {text!r} was found; --all shows the {len(hits)} nearest")
    else:
        _show(hits)


def _why_nothing(filters: Mapping[str, Any]) -> str:
    """Return which filter nothing can pass, else where to look."""
    from importer import formats  # they are many modules, and most searches find something

    for name, known in (("source", formats.names()), ("kind", KINDS)):
        if filters[name] and filters[name] not in known:
            return f"there is no {name} {filters[name]!r}, but {', '.join(known)}"
    return "`importer status` shows what is imported"


def _show(hits: list[dict[str, Any]]) -> None:
    """Print the hits for people: where and when, cut at the edge of the terminal, and how each begins."""
    width = shutil.get_terminal_size((100, 24)).columns
    for number, hit in enumerate(hits, 1):
        known = hit["metadata"]
        where = line(str(known.get("title") or known.get("project_name") or known.get("project", "")))
        when = clock.shown(str(known.get("timestamp", "")))
        head = line(f"{number}. {where}  {when}  {known.get('source', '')}  {hit['score']:.3f}")
        click.secho(head[:width], fg="cyan", bold=True)
        origin = f"{known.get('project', '')}  conversation {known.get('conversation_id', '')}"
        click.secho("   " + line(origin), dim=True)
        click.echo(_excerpt(hit["document"]))
    if hits:
        click.secho(f"times are {clock.zone_name()}", dim=True)


def _excerpt(document: str) -> str:
    """Return the beginning of a chunk, indented, without its empty lines."""
    document = printable(document, keep="\n\t")
    text = document if len(document) <= SHOWN_CHARS else document[:SHOWN_CHARS].rstrip() + " …"
    return "\n".join(f"   {line}" for line in text.split("\n") if line.strip()) + "\n"
