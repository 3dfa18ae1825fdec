"""The bound is never below what a tokenizer counts, and what is cut by it fits."""

from __future__ import annotations

import pathlib
import random
import uuid

from hypothesis import given, settings
from hypothesis import strategies as st

from importer.protocol.foreign.token_bound import MARK, most_tokens, shortened

SAID = (
    *("why does the kiln stop at 900 degrees?", "x = f(a[1]) # y", "窯は900度で割れた。", "가마가 깨졌다", "👩‍👩‍👧 ok"),
    *("Почему печь стоит", "भट्टी नौ सौ डिग्री पर क्यों रुकती है", "لماذا يتوقف الفرن", "ทำไมเตาเผาถึงหยุด", "Γιατί σταματά"),
)


def test_the_real_tokenizer_counts_no_more(model_dir: str) -> None:
    """Prose, code and ids, in many scripts."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(pathlib.Path(model_dir) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    chance = random.Random(3)
    texts = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(50)]
    texts += [*SAID, pathlib.Path(__file__).read_text()]
    counts = {text: len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts}
    assert [text for text, tokens in counts.items() if tokens > most_tokens(text)] == []


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200), st.integers(most_tokens(MARK), 60))
def test_what_is_cut_fits(text: str, most: int) -> None:
    """A text that fits stays whole; of a longer one as much is kept as fits."""
    cut = shortened(text, most)
    assert most_tokens(cut) <= most
    assert cut == text if most_tokens(text) <= most else cut.endswith(MARK) and text.startswith(cut.removesuffix(MARK))
