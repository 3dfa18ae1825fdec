"""`importer search`: ask the running daemon, or a worker of its own, and print what was said."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from typing import Any

import click

from importer.cli import context
from importer.cli.output import JSON_OPTION, PROJECT_OPTION, SOURCE_OPTION, carried, completes
from importer.errors import UsageError
from importer.protocol import clock, projects
from importer.protocol.foreign.quoting import printable
from importer.protocol.query import KINDS, left_out

EPILOG = """\b
Examples:
  importer search "why did the build fail"
  importer search --project app --since "2 weeks ago" "flaky test"
  importer search --since october --until yesterday "flaky test"
  importer search "what did we decide on 8 May" --all
  importer search --file src/app.py --branch main --without-kind subagent "flaky test"
  importer search --mode keyword ECONNRESET --json | jq .hits[0].document
  importer search "flaky test" --format tsv | fzf -d "\\t" --with-nth 4,7,8 | cut -f1 | xargs importer open
"""
FILTERS = (
    *("project", "source", "kind", "without_kind", "role", "branch", "file", "tool", "model", "host"),
    *("since", "until", "conversation"),
)


@click.command(epilog=EPILOG)
@click.argument("query", nargs=-1, metavar="QUERY...")
@click.option("--limit", "-n", default=10, show_default=True, type=click.IntRange(1, 1000), help="Most hits.")
@PROJECT_OPTION
@SOURCE_OPTION
@click.option("--kind", default="", shell_complete=completes("kinds"), help=f"Only this kind: {', '.join(KINDS)}.")
@carried
@click.option("--since", default="", help="Only from then on: yesterday, 7d, October, 2026-03-01 …")
@click.option("--until", default="", help="Only up to then; a day or a month counts whole.")
@click.option(
    "--conversation", default="", shell_complete=completes("conversations"), help="Only this conversation, by id."
)
@click.option(
    "--mode",
    default="hybrid",
    show_default=True,
    type=click.Choice(["hybrid", "dense", "keyword"]),
    help="dense finds meaning, keyword finds words, hybrid both.",
)
@click.option("--all", "every", is_flag=True, help="Show hits that are far from the question, too.")
@click.option("--full", is_flag=True, help="Show whole chunks in place of the best passage.")
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    type=click.Choice(["text", "tsv", "json"]),
    help="tsv: a line a hit, for fzf.",
)
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, query: tuple[str, ...], **given: Any) -> int:
    """Find what was said about QUERY; without one, list by time what passes the filters."""
    look = {name: given.pop(name) for name in ("full", "every", "form", "as_json")}
    if look["as_json"] and look["form"] == "tsv":
        raise UsageError("--json and --format tsv are two forms of one answer", hint="leave one of them away")
    look["form"] = "json" if look["as_json"] else look["form"]
    from importer.cli import last_search
    from importer.service.ask import Asker

    loaded = context.settings_of(ctx)
    text = " ".join(query).strip().encode("utf-8", "replace").decode()  # typed bytes need not be UTF-8
    since, until = clock.span(given["since"], given["until"])
    filters = {**given, "since": since, "until": until}
    if not text:
        return _listed(ctx, filters, look, words=len(query))
    asker = Asker.of(loaded)
    found = asker.ask("search", text=text, **{name: value for name, value in filters.items() if value})
    last_search.keep(asker.settings.state_dir, [] if _is_hidden(found, look) else found["hits"])
    if len(chosen := found.get("projects", {})) > 1:
        click.echo(projects.several(filters["project"], chosen, chosen), err=True)
    for words in left_out(found.get("away", {})):
        click.echo(words, err=True)
    if (read := found.get("query_cut")) is not None:
        click.echo(f"the question is long: only its first {read:,} of {len(text):,} characters count", err=True)
    _tell(text, found, filters, look)
    return 0


def _listed(ctx: click.Context, filters: Mapping[str, Any], look: Mapping[str, Any], *, words: int) -> int:
    """List conversations by time.

    Raises UsageError for `words` that are all empty, as of a variable that is not set, and for one conversation.
    """
    from importer.cli.commands import listing

    chosen = {name: value for name, value in filters.items() if name not in {"limit", "mode", "conversation"}}
    if words and not any(chosen.values()):
        hint = 'importer search "why did the build fail", or importer list'
        raise UsageError("the query is empty", hint=hint)
    if filters["conversation"]:
        hint = f"importer open {printable(filters['conversation'])}"
        raise UsageError("one conversation is searched with a query, and read without", hint=hint)
    return listing.show(ctx, filters["limit"], look["form"], **chosen)


def _tell(text: str, found: Mapping[str, Any], filters: Mapping[str, Any], look: Mapping[str, Any]) -> None:
    """Print an answer; for people hits that are far from the question only when `every` one is wanted."""
    from importer.cli import hits_view

    hits = found["hits"]
    if look["form"] == "json":
        click.echo(hits_view.as_json(text, found, [_way(hit) for hit in hits]))
    elif look["form"] == "tsv":
        for row in hits_view.tabbed(hits):
            click.echo(row)
    elif not hits:
        why = printable(found.get("unknown", "")) or _why_nothing(filters)
        click.echo(f"nothing found for {text!r}; {why}")
    elif _is_hidden(found, look):
        click.echo(f"nothing close to {text!r} was found; --all shows the {len(hits)} nearest")
    else:
        columns, wrap = shutil.get_terminal_size((100, 24)).columns, sys.stdout.isatty()
        for shown in hits_view.shown(found, columns, full=look["full"], every=look["every"], wrap=wrap):
            click.echo(shown)


def _is_hidden(found: Mapping[str, Any], look: Mapping[str, Any]) -> bool:
    """Return True if a person is told that nothing close was found, in place of hits far from the question."""
    return bool(found["near"] == "nothing" and look["form"] not in ("json", "tsv") and not look["every"])


def _way(hit: Mapping[str, Any]) -> str:
    """Return what is typed to go on with a hit's conversation, "" where no way is known."""
    from importer.assistants.registry import way_back

    known = hit["metadata"]
    told = (str(known.get(name, "")) for name in ("source", "conversation_id", "cwd"))
    return way_back(*told).words


def _why_nothing(filters: Mapping[str, Any]) -> str:
    """Return what may be in the way: filters, else that it is not imported."""
    if filters["role"]:
        return "what earlier versions stored does not tell who speaks, and --role leaves it out"
    if given := [f"--{name.replace('_', '-')}" for name in FILTERS if filters[name]]:
        return f"more may be found without {', '.join(given)}"
    return "`importer status` shows what is imported"
