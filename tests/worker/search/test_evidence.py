"""What the first chunks say of a question: its words in one line, and the names that they lack."""

from __future__ import annotations

import pytest

from importer.worker.search.evidence import gathered, shares


def test_words_count_where_they_stand_together() -> None:
    """The share of the best line, beside that of the best chunk; words of several chunks do not add up."""
    texts = ["the invoice printer\nloses lines", "an invoice\nloses weight", "umbrella"]
    assert shares("printer invoices losing lines", texts) == (0.5, 1.0)
    assert shares("printer umbrella", texts) == (0.5, 0.5)
    assert shares("", texts) == shares("the of and", texts) == shares("printer", []) == (0.0, 0.0)


def test_a_word_counts_in_the_forms_of_its_language() -> None:
    """As the search finds it: a question without a sign of its language is asked in all of them."""
    texts = ["Las facturas no se envían cuando el servidor está parado.\nAll is well."]
    assert shares("facturado servidores", texts)[0] >= 0.5
    assert shares("invoice servant", texts) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("question", "said", "missing"),
    [
        ("why did we leave Kafka", "we left RabbitMQ", 1.0),
        ("why did we leave Kafka", "kafka was too much for us", 0.0),
        ("why did we leave Kafka for RabbitMQ", "kafka was too much for us", 0.5),
        ("what does Tim write", "he does it another time", 1.0),
        ("Why was that", "nothing of it", 0.0),
        ("what of src/store.py", "src/other.py", 1.0),
        ("what of src/store.py", "see src/store.py.", 0.0),
        ("how is Melanie's plan", "melanie had one", 0.0),
        ("How To Build The Thing", "no word of it", 0.0),
        ("why did error 4711 come back", "an error came back", 1.0),
        ("warum fehlten Zeilen auf der Rechnung", "Die Belege sind nicht da.", 0.0),
        ("warum fehlten Zeilen auf Rechnung 4711", "Die Belege sind nicht da.", 1.0),
        ("Abbrüche beim Laden", "Die Fotos werden nicht mehr gespeichert, wenn das Netz weg ist.", 0.0),
    ],
)
def test_names_that_no_chunk_has(question: str, said: str, missing: float) -> None:
    """Names stand whole or are missing; a heading's capitals and German nouns are no names."""
    assert gathered(question, [said]).missing == missing


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("who has seen Melanie", True),
        ("what did melanie paint", True),
        ("what did someone paint", False),
        ("when did that happen", False),
        ("error 4711", True),
    ],
)
def test_a_question_has_a_name(question: str, named: bool) -> None:
    """Also one in small letters that the chunks write with a capital only; "When" begins a sentence, and is a word."""
    assert (
        gathered(question, ["Melanie: I painted a lake.\nWhen was that, Melanie? Someone asked someone."]).named
        is named
    )


def test_only_the_first_ten_chunks_are_looked_at() -> None:
    """What stands further behind is no answer."""
    assert gathered("the harpsichord", [*["nothing"] * 10, "a harpsichord"]).chunk == 0.0
