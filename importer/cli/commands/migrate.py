"""`importer migrate`: copy points with their vectors to another store, or embed them anew with another model.

The worker has both stores open and copies page by page. The command counts, remembers the position, and verifies the
copy in a second pass.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Mapping
from typing import Any

import click
import msgspec
from msgspec.structs import replace

from importer.cli import context, model_fetch, next_generation, store_session
from importer.cli.output import JSON_OPTION, emit
from importer.cli.progress import counting
from importer.cli.store_session import StoreSession
from importer.consistency import baseline
from importer.errors import DONE, StoreError, UsageError
from importer.protocol.foreign.quoting import neutral
from importer.protocol.system.plain import read_given
from importer.protocol.worker_settings import CopyTarget, StoreSettings
from importer.service.launch import launch_of, profile_of, store_settings
from importer.settings.declaration import collection_problem, location_problem
from importer.settings.load import MIGRATED, Settings

EPILOG = """\b
Examples:
  importer migrate --to http://localhost:6333          from the embedded store to a server
  importer --store http://old:6333 migrate --to edge   and back
  importer migrate --to local:./copy --json
  importer migrate --model BAAI/bge-small-en-v1.5      the store in use, embedded anew with another model
  importer --store http://localhost:6333 migrate --model BAAI/bge-small-en-v1.5

Killed or cut off, the same command goes on where it was; repeated later, it copies what is new. The source stays as it
is. Afterwards set the store (QDRANT_URL or --store): the import goes on there, and reads nothing again. With --model
alone the embedded store is embedded anew beside itself and replaced at the end; searches are answered throughout.
"""
PAGE_POINTS = 256
MOST_KEY_BYTES = 64 * 1024
Report = dict[str, Any]


@click.command(epilog=EPILOG)
@click.option("--to", "location", default="", metavar="STORE", help="edge[:PATH], local:PATH or a URL.")
@click.option("--collection", default="", help="Name there; default: the same, or with --model one named after it.")
@click.option(
    "--model",
    default="",
    help="Embed anew with this model: the embedded store in its place, others as a new collection.",
)
@click.option(
    "--key-file", default="", metavar="FILE", help="API key of the target, if it is another than the source's."
)
@click.option("--ca-file", default="", metavar="FILE", help="The target's own certificate authority (PEM).")
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, **given: str) -> int:
    """Copy every point to STORE, or embed all anew with another model, and verify it. A daemon rests meanwhile."""
    loaded = context.settings_of(ctx)
    settings = loaded.settings
    other = context.settings_of(ctx, {"embed.model": _absolute(given["model"])}).settings if given["model"] else None
    started_s = time.monotonic()
    if other is not None and in_place(settings, given["location"], given["collection"]):
        report = asyncio.run(next_generation.renew(settings, other, silent=as_json))
    else:
        target = target_of(settings, **given)
        report = asyncio.run(_migrate(settings, target, other, silent=as_json))
    report["seconds"] = round(time.monotonic() - started_s, 3)
    if as_json:
        emit(report)
    elif report["alias"] or not report["switched"]:
        _say(neutral(report))
    else:
        _say_renewed(neutral(report), loaded.origins["embed.model"])
    return DONE


def in_place(settings: Settings, location: str, collection: str) -> bool:
    """Return True where the embedded store is to be embedded anew in its place, which is what no other target means."""
    here = location in {"", settings.store.location} and collection in {"", settings.store.collection}
    return here and settings.store.location.partition(":")[0] == "edge"


def _absolute(model: str) -> str:
    """Return a model's name as it is, and its directory as it will be found from anywhere."""
    return os.path.abspath(os.path.expanduser(model)) if model.startswith(("./", "../", "~/")) else model


def target_of(
    settings: Settings, *, location: str, collection: str, model: str, key_file: str, ca_file: str
) -> CopyTarget:
    """Return the target as the worker opens it. Raises UsageError for mistakes that show without opening it."""
    location = location or (settings.store.location if model else "")
    if not location:
        raise UsageError("nothing to do: neither a store nor a model is named", hint="--to STORE, or --model NAME")
    if model and not location.startswith(("http", "grpc", "edge:")):
        raise UsageError(
            f"--model cannot fill {location}: that takes the embedded store, in its place or at edge:PATH, or a server",
            hint="leave --to away, or name one of these",
        )
    name = collection or (f"{settings.store.collection}-{_slug(model)}" if model else settings.store.collection)
    for problem in filter(None, (location_problem(location), collection_problem(name))):
        raise UsageError(f"{location}, collection {name}: {problem}")
    own = store_settings(settings, profile_of(settings))
    store = replace(
        own,
        location=location,
        collection=name,
        api_key=_key(key_file) if key_file else own.api_key,
        ca_file=os.path.abspath(ca_file) if ca_file else own.ca_file,
    )
    if _where(store) == _where(own):
        raise UsageError(f"{location} is the store that is to be copied", hint="name another store or --collection")
    return CopyTarget(store=store, embed=None)


def _slug(model: str) -> str:
    """Return a model's name in letters that a collection's name may have."""
    return re.sub(r"[^a-z0-9.]+", "-", model.rpartition("/")[2].lower())


def _key(path: str) -> str:
    """Return the key in a file. Raises UsageError when it cannot be read."""
    try:
        return read_given(path, MOST_KEY_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the key file {path} cannot be read: {error}") from error


def _where(store: StoreSettings) -> tuple[str, str]:
    """Return what two spellings of the same store have in common: links and trailing slashes do not count.

    Of servers only the spelling can be compared here; the worker compares the servers themselves.
    """
    kind = store.location.partition(":")[0]
    if kind == "edge":
        return f"edge:{os.path.realpath(store.path or store.directory)}", store.collection
    place = f"local:{os.path.realpath(store.path)}" if kind == "local" else store.location.rstrip("/")
    return place, store.collection


async def _migrate(settings: Settings, target: CopyTarget, other: Settings | None, *, silent: bool) -> Report:
    """Copy, verify and switch; return the report. `other` has the settings of another model to embed with."""
    async with store_session.open_session(settings, "migrate") as session:
        if other is not None:
            await model_fetch.fetch_model(other)
            launch = launch_of(other, profile_of(other), once=True)
            target = replace(target, embed=launch.settings.embed)
        to = msgspec.to_builtins(target)  # a daemon is asked in JSON
        opened = await session.ask("migrate_open", to=to)
        try:
            written = await _copy(session, to, opened, silent)
            there, bare = await _check(session, to, opened, silent)
            # Until more is imported here, the state is valid for the copy, too: an import into it reads nothing again.
            copied = {baseline.COPIED: json.dumps({"to": opened["location"], "at": time.time()})}
            vouched = baseline.vouch(session.checkpoints, opened["fingerprint"])
            await session.change("remember", **vouched, **copied)
            alias = settings.store.collection
            renamed = other is not None and "://" in target.store.location
            switched = renamed and await session.ask("migrate_alias", to=to, alias=alias)
        finally:
            await session.ask("migrate_close", to=to)
    return {
        "to": opened["location"],
        "collection": target.store.collection,
        "model": other.embed.model if other else "",
        "points": opened["points"],
        "written": written,
        "known": opened["points"] - written - len(bare),
        "there": there,
        "without_vector": bare,
        "switched": switched,
        "alias": alias if switched else "",
    }


async def _copy(session: StoreSession, to: Mapping[str, Any], opened: Mapping[str, Any], silent: bool) -> int:
    """Copy page after page and return how many points were written. The state keeps the position for both stores."""
    place = f"migrating {opened['source_fingerprint']} {opened['fingerprint']}"
    # Fingerprints change when a collection is made anew: then the copy begins again.
    after = session.checkpoints.meta(place) or None
    written: int = 0
    pages = 0
    with counting("points copied", opened["points"], quiet=silent) as shown:
        while True:
            page = await session.ask("migrate_page", to=to, after=after, limit=PAGE_POINTS)
            written += page["written"]
            shown.add(page["seen"])
            after = page["next"]
            pages += 1
            if after is None:
                break
            # Every eighth page is enough: pages copied twice after a kill cost a look-up each.
            if pages % 8 == 0:
                await session.change("remember", **{place: after})
    await session.change("remember", **{place: ""})
    return written


async def _check(
    session: StoreSession, to: Mapping[str, Any], opened: Mapping[str, Any], silent: bool
) -> tuple[int, list[str]]:
    """Look every id of the source up in the target; return the target's count, and the ids without a vector.

    Raises StoreError where another point of the source is missing.
    """
    after, missing, bare, seen = None, list[str](), list[str](), 0
    with counting("points verified", opened["points"], quiet=silent) as shown:
        while True:
            page = await session.ask("migrate_check", to=to, after=after, limit=PAGE_POINTS)
            missing += page["missing"]
            bare += page["bare"]
            seen += page["seen"]
            shown.add(page["seen"])
            after = page["next"]
            if after is None:
                break
    there = int(page["there"])
    # A target may have points of its own, so more than seen is right.
    if missing or seen != opened["points"] or there < seen - len(bare):
        raise StoreError(
            f"{len(missing)} of {seen} points are not in the target, which counts {there}",
            hint="something else writes there; the same command again copies what is missing",
        )
    return there, bare


def _say_renewed(report: Mapping[str, Any], origin: str) -> None:
    """Print what became of the store in use, and which setting would still name the former model."""
    click.echo(
        f"{report['points']:,} points are embedded with {report['model']} ({report['written']:,} now, "
        f"{report['known']:,} before), ids and counts verified; it is the store's model from now on"
    )
    if origin not in {"default", MIGRATED}:
        place = {"file": "the settings file", "flag": "the flag"}.get(origin, origin)
        click.secho(f"set embed.model to it: {place} names the former one, which the store refuses", fg="yellow")


def _say(report: Mapping[str, Any]) -> None:
    """Print the report for people, with the settings that put the copy to use."""
    click.echo(
        f"{report['points']:,} points are in {report['collection']} at {report['to']} "
        f"({report['written']:,} written now, {report['known']:,} were there), ids and counts verified"
    )
    if report["there"] > report["points"]:
        click.echo(f"  it has {report['there'] - report['points']:,} others besides")
    if report["without_vector"]:
        click.echo(f"  {len(report['without_vector'])} have no vector and were passed over; `importer verify --repair`")
        click.echo(
            "  gives them one, and the same command again copies them: " + " ".join(report["without_vector"][:10])
        )
    if report["switched"]:
        click.echo(f"{report['alias']} is its name there from now on")
    model = f", EMBEDDING_MODEL={report['model']}" if report["model"] else ""
    name = report["alias"] or report["collection"]
    click.echo(f"to use it: --store {report['to']} (or QDRANT_URL), COLLECTION_NAME={name}{model}")
