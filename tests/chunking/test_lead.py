"""Which line of a prompt its later pieces begin with."""

from __future__ import annotations

import pytest

from importer.chunking.lead import lead

SAID = "The tide clock drifts by three minutes each day."


@pytest.mark.parametrize(
    ("prompt", "chosen"),
    [
        ("Implement the following plan:\n\n# Add OAuth login\n\n## Context\n\nUsers ask for it.", "Add OAuth login"),
        ("Please implement this\n\n# Plan\n\n## Move tides to SQLite\n", "Move tides to SQLite"),
        (
            "Here is the error:\n\nsqlite3.OperationalError: database is locked",
            "sqlite3.OperationalError: database is locked",
        ),
        (
            "Here is the error:\n```\nTraceback (most recent call last):\n```\nIt comes with --port 80",
            "It comes with --port 80",
        ),
        ("This fails:\n```\nKeyError: 'harbour' in tides.py\n```", "KeyError: 'harbour' in tides.py"),
        (f"Can you help me with this?\n\n{SAID}", SAID),
        (f"Hi!\n\n- **{SAID}**\n- It is new.", SAID),
        (f"<command-name>/fix</command-name>\n\n1. {SAID}", SAID),
        ("Setze den folgenden Plan um:\n\n# Rezepte nach Postgres umziehen", "Rezepte nach Postgres umziehen"),
        ("Implémente ce plan :\n\n# Recettes dans Postgres", "Recettes dans Postgres"),
        ("Реализуй следующий план:\n\n# Перенести рецепты в Postgres", "Перенести рецепты в Postgres"),
        ("请实现以下计划：\n\n# 添加登录功能", "添加登录功能"),  # noqa: RUF001  a full-width colon
        ("次の計画を実装してください：\n\n## 認証の追加", "認証の追加"),  # noqa: RUF001
    ],
)
def test_a_line_that_says_something_is_chosen(prompt: str, chosen: str) -> None:
    """A title, an error or the matter itself, in any language, without the markup around it."""
    assert lead(prompt, 160) == chosen


@pytest.mark.parametrize(
    "prompt",
    [
        "continue",
        "ok",
        "yes, go on",
        "Fix the login redirect\n\nIt is at auth/callback.py:33, since yesterday's release.",
        "?",
        "继续",
    ],
)
def test_a_first_line_is_kept(prompt: str) -> None:
    """Where it says enough, or nothing else says more."""
    assert lead(prompt, 160) == prompt.split("\n", maxsplit=1)[0]


@pytest.mark.parametrize(
    "text", ["```\n```", "# ", "---\n***", "<a>\n<b>", "x" * 5000, "# " * 3000, "<" * 3000, "a:\n" * 900]
)
def test_it_is_of_the_text_and_bounded(text: str) -> None:
    """Of any prompt the line is one of its own, and no longer than it may be."""
    found = lead(text.strip(), 40)
    assert len(found) <= 40
    assert found in text
