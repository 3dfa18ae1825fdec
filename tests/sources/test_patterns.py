"""patterns: include and exclude read as people know them from .gitignore."""

from __future__ import annotations

import pytest

from importer.sources.patterns import matcher

MATCHES = [
    ("secret", b"secret", True),
    ("secret", b"a/secret/b.jsonl", True),  # a name at any depth, and what lies below it
    ("secret", b"secrets/b.jsonl", False),
    ("secret/", b"secret/b.jsonl", True),
    ("-home-ann-*", b"-home-ann-app/s.jsonl", True),
    ("-home-ann-*", b"-home-bob-app/s.jsonl", False),
    ("*.jsonl", b"a/b/c.jsonl", True),
    ("*.jsonl", b"a/b/c.json", False),
    ("a/*.jsonl", b"a/c.jsonl", True),
    ("a/*.jsonl", b"b/a/c.jsonl", False),  # with a slash: from the root
    ("a/*.jsonl", b"a/b/c.jsonl", False),  # a star stays in its folder
    ("/a", b"a/c.jsonl", True),
    ("/a", b"b/a/c.jsonl", False),
    ("a/**/c.jsonl", b"a/c.jsonl", True),
    ("a/**/c.jsonl", b"a/x/y/c.jsonl", True),
    ("**/tmp", b"x/y/tmp/z", True),
    ("*/tmp/*", b"x/tmp/z", True),
    ("s?ss", b"soss", True),
    ("s?ss", b"s/ss", False),
    ("[ab]x", b"bx", True),
    ("[!ab]x", b"cx", True),
    ("[!ab]x", b"ax", False),
    ("[0-9]*", b"2026/x", True),
    ("a.b", b"axb", False),  # nothing else is special
    ("a+(b", b"a+(b", True),
    ("[x", b"[x", True),
    ("caf\u00e9?", "caf\u00e9s".encode(), True),
    ("*", b"\xff\xfe", True),  # a name that is not UTF-8
    ("a\nb", b"a\nb", True),
]


@pytest.mark.parametrize(("pattern", "path", "expected"), MATCHES)
def test_a_pattern_matches_as_expected(pattern, path, expected):
    """One pattern, one path below the root."""
    assert matcher((pattern,))(path) is expected


def test_any_of_several_patterns_will_do():
    """Their order does not matter."""
    match = matcher(("a", "b/c"))
    assert [match(path) for path in (b"x/a", b"b/c/d", b"b/d")] == [True, True, False]


@pytest.mark.parametrize("patterns", [(), ("",), ("/",)])
def test_no_pattern_is_no_matcher(patterns):
    """So the caller can leave out the test."""
    assert matcher(patterns) is None
