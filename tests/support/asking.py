"""A client as a process: `python asking.py STATE QUESTIONS [PAUSE_S]` asks one by one and prints how that went."""

from __future__ import annotations

import json
import os
import sys
import time

from importer.errors import ImporterError
from importer.service.ask import Asker
from importer.settings.load import load


def main(state: str, questions: int, pause_s: float) -> None:
    """Search `questions` times; print the errors, the hits of each question, and the seconds that each took."""
    loaded = load({"state_dir": state}, os.environ, {}, home=os.environ["HOME"])
    asker = Asker.of(loaded)
    errors, hits, seconds = [], [], []
    for number in range(questions):
        begun_s = time.monotonic()
        try:
            hits.append(len(asker.ask("search", text=f"what was said {number}")["hits"]))
        except (ImporterError, OSError) as error:
            errors.append(f"{type(error).__name__}: {error}")
        seconds.append(time.monotonic() - begun_s)
        time.sleep(pause_s)
    print(json.dumps({"errors": errors, "hits": hits, "seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 0.0)
