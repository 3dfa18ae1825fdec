"""An installation that has imported the samples of all formats."""

from __future__ import annotations

import pathlib
import shutil

import foreign_database
from processes import Importer

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"


def imported_samples(base: pathlib.Path) -> Importer:
    """Import a copy of the samples; databases are built of their scripts."""
    shutil.copytree(CORPUS, base / "said")
    for script in (CORPUS / "opencode").glob("*.sql"):
        foreign_database.build(script, base / "said" / "opencode")
    found = Importer(base, embedded=True)
    assert found.run("backlog", str(base / "said")).code in {0, 1}
    assert found.run("backlog", "--source", f"opencode={base / 'said' / 'opencode'}").code in {0, 1}
    return found
