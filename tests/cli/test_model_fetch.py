"""An import fetches the model when its worker reports that none is here, and starts no process to find out."""

from __future__ import annotations

import asyncio
import pathlib
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from processes import Importer

from importer.cli.model_fetch import start_worker
from importer.delivery.supervisor import Supervisor
from importer.errors import ImporterError, ModelError, StoreUnreachable
from importer.settings.load import Settings, load


@dataclass(frozen=True)
class FakeLaunch:
    """How a worker is started: with a network or without."""

    network: bool = True

    def offline(self) -> FakeLaunch:
        return FakeLaunch(network=False)


@dataclass
class FakeSupervisor:
    """A supervisor whose worker does not start for `error`, where one is given."""

    error: ImporterError | None = None
    launch: FakeLaunch = FakeLaunch()
    started_with: list[FakeLaunch] = field(default_factory=list)

    async def ready(self) -> None:
        self.started_with.append(self.launch)
        if self.error:
            raise self.error


@pytest.mark.parametrize(
    ("error", "fetches"),
    [(None, 0), (ModelError("not on this machine"), 1), (StoreUnreachable("no connection"), 0)],
)
def test_only_a_missing_model_is_fetched(tmp_path: pathlib.Path, error: ImporterError | None, fetches: int) -> None:
    """The worker is first started without a network; later ones may fetch. Other failures are left to the engine."""
    settings = load({}, {}, {}, home=str(tmp_path)).settings
    supervisor, fetched = FakeSupervisor(error), list[Settings]()

    async def fetch(settings: Settings) -> None:
        fetched.append(settings)

    asyncio.run(start_worker(cast(Supervisor, cast(Any, supervisor)), settings, fetch=fetch))
    assert supervisor.started_with == [FakeLaunch(network=False)]
    assert supervisor.launch == FakeLaunch(network=True)
    assert len(fetched) == fetches


def test_an_import_without_a_model(tmp_path: pathlib.Path) -> None:
    """It ends with exit code 4 and says what to do; nothing counts as imported."""
    (tmp_path / "said").mkdir()
    (tmp_path / "said" / "a.jsonl").write_text('{"role": "user", "content": "why is the sky blue"}\n')
    missing = {"IMPORTER_MODEL_DIR": str(tmp_path / "none"), "HF_HUB_OFFLINE": "1"}
    environ = {**missing, "EMBEDDING_PROVIDER": "fastembed"}
    done = Importer(tmp_path, environ).run("backlog", str(tmp_path / "said"))
    assert (done.code, done.out) == (4, ""), done.err
    assert "there is no model to embed with" in done.err
