"""Text of others commands no terminal, hides nothing, and ends no quotation."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.protocol.foreign.quoting import (
    BLANKS,
    MOST_LINE_CHARS,
    QUOTED,
    fenced,
    line,
    neutral,
    plain,
    printable,
    typed,
)

pytestmark = pytest.mark.slow

HOSTILE = st.lists(
    st.one_of(
        st.text(max_size=9),
        st.sampled_from("\x1b\x07\x08\r\n\t\x7f\x9b\x9d\x90\u202e\u2066\u200b\u200d\u2028\u2029\ufeff\U000e0041`\"', "),
        st.sampled_from(["\x1b]52;c;ZXZpbA==\x07", "\x1b[2J", "\x9b31m", "\x1bP1$r\x1b\\", "```", "~~~", "````\n"]),
    )
).map("".join)


def harmless(text: str, keep: str = "") -> bool:
    """Return True if no character is one that a terminal obeys or a reader does not see."""
    kinds = {unicodedata.category(sign) for sign in text if sign not in keep}
    return not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} and not BLANKS.search(text)


def test_every_character_alone_is_harmless() -> None:
    """All that Unicode has, of any version."""
    shown = (printable(chr(code)) for code in range(sys.maxunicode + 1))
    assert [text for text in shown if not harmless(text)] == []


def test_what_people_write_stays() -> None:
    """Letters of any script, accents, emoji with their selectors; other spaces become one."""
    for text in ("Grüße, мир, 世界, שלום, مرحبا, नमस्ते", "☀\ufe0f done ✅", "a\nb\tc"):
        assert printable(text, keep="\n\t") == text
    assert printable("a\u00a0b\u200bc\r\nd", keep="\n") == "a bc\nd"


@pytest.mark.parametrize("mark", "\u0301\u0489\u0e49\u20dd\ufe20")
def test_a_flood_of_marks_is_dammed(mark: str) -> None:
    """Some stay on their letter, more would cover the lines around it; where another follows it is one flood, too."""
    assert printable(f"a{mark * 5000}b") == f"a{mark * 6}b"
    assert len(line(f"a{(mark + chr(0x300)) * 100}")) == 7


@given(HOSTILE)
def test_a_quotation_ends_where_it_says(text: str) -> None:
    """Its last line is the first one with as many backquotes as the opening one."""
    opening, *inner, closing = fenced(text).split("\n")
    fence = opening.removesuffix(QUOTED)
    assert closing == fence
    assert set(fence) == {"`"}
    assert not any(fence in one for one in inner)
    assert harmless("\n".join(inner), keep="\n\t")


@given(HOSTILE)
def test_a_value_in_a_line_is_one_value(text: str) -> None:
    """It has one line, a bounded length, and no comma of its own unless it stands in quotation marks."""
    shown = plain(text)
    assert harmless(shown)
    assert len(shown) <= 2 * MOST_LINE_CHARS + 10
    assert re.fullmatch(r'[^,"`<>]+', shown) or harmless(json.loads(shown))
    assert harmless(line(text))


@pytest.mark.parametrize("value", [{"a\x1b": ["\x9b", ("\u202e", 3, None)]}, "\x1b", ["\x07"]])
def test_a_report_is_harmless_at_any_depth(value: object) -> None:
    """Names of files are keys of reports."""
    assert harmless(str(neutral(value)).replace("\n", ""))


@given(HOSTILE.filter(lambda text: "\0" not in text and text.isprintable() is False))
@settings(max_examples=30, deadline=None)  # each starts a shell
def test_a_shell_reads_the_word_that_was_meant(text: str) -> None:
    """On one line, with nothing hidden in it."""
    assert harmless(typed(text))
    text = text.encode(errors="surrogateescape").decode(errors="replace")
    done = subprocess.run(["bash", "-c", f"printf %s {typed(text)}"], capture_output=True, check=True)
    assert done.stdout == text.encode()
