#!/usr/bin/env python3
"""Makes the README's pictures from the real program: imports this repository's samples, and takes shots of the page.

Needs the package installed, its model, Chromium on PATH, and Pillow to make the files small.
Usage: deploy/pictures/make.py
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = HERE.parent.parent / "tests" / "corpus"
COLOURS = 64
PICTURES = {
    "search": ("/?q=the+pods+are+killed+every+night", 1100, 620),
    "conversation": ("/?q=wildcard+certificate", 390, 700),
}


def importer(state: str, *words: str) -> list[str]:
    """Return the words that run the importer on a state."""
    return [sys.executable, "-P", "-m", "importer", "--state-dir", state, *words]


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as base:
        environ = {**os.environ, "HOME": base}
        folders = [str(SAMPLES / name) for name in ("claude-code", "codex", "chatgpt")]
        subprocess.run(importer(f"{base}/state", "backlog", *folders), env=environ, check=True)
        with subprocess.Popen(
            importer(f"{base}/state", "serve", "--port", "0"), env=environ, stdout=subprocess.PIPE, text=True
        ) as page:
            assert page.stdout
            address, _, token = page.stdout.readline().strip().partition("/?token=")
            for name, (path, width, height) in PICTURES.items():
                shot = f"{base}/{name}.png"
                flags = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={width},{height}"]
                told = [f"--user-data-dir={base}/profile", f"--screenshot={shot}", f"{address}{path}&token={token}"]
                subprocess.run(["chromium", *flags, *told], check=True, capture_output=True)
                Image.open(shot).convert("P", palette=Image.Palette.ADAPTIVE, colors=COLOURS).save(
                    HERE / f"{name}.png", optimize=True
                )
            page.terminate()


if __name__ == "__main__":
    main()
