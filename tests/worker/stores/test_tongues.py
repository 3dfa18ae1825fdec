"""Stems of the text's own language, where that is plain; all else is left as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.worker.stores import tongues
from importer.worker.stores.bm25 import encode_document, encode_query

# A text of each language, and a question that has its words in other forms only.
INFLECTED = [
    ("Die Rechnung wird nicht gedruckt, wenn der Drucker ein neues Papier hat.", "warum Rechnungen und neue Papiere"),
    ("Les factures ne sont pas envoyées quand le serveur est arrêté.", "pourquoi la facture n'est pas envoyée"),
    ("Las facturas no se envían cuando el servidor está parado por la noche.", "por qué la factura se envía"),
    ("Le fatture non sono stampate quando il server è fermo per la notte.", "perché la fattura è stampata"),
    ("As faturas não são enviadas quando o servidor está parado.", "por que a fatura não é enviada"),
    (
        "De rekeningen worden niet gedrukt als het papier op is en er geen inkt is.",
        "waarom de rekening niet wordt gedrukt",
    ),
    ("Счета нужно отправлять ночью одним письмом.", "отправка счёта и письма"),
]
ENGLISH = [
    "The invoices are not printed when the printer is out of paper.",
    "do no in was an on so as me",
    "for el in es: la.append(der[i])",
    "MIT license, von Neumann and the city of Los Angeles",
    "I keep getting KeyError: slice 56419 failed after 24 ms",
    "",
    "日本語のテスト",
    "请求总是失败",
    "Рахунок не друкується, і принтер мовчить",  # noqa: RUF001  Ukrainian, whose stems are not known
]


@pytest.mark.parametrize(("text", "question"), INFLECTED)
def test_other_forms_of_a_word_are_found(text: str, question: str) -> None:
    """Stems of the language find at least two words that neither exact words nor English stems find."""
    wanted = set(encode_query(question, stems=True)[0])
    assert len(wanted & set(encode_document(text, stems=True)[0])) >= 2, tongues.question(question)
    assert tongues.document(text) != text


@pytest.mark.parametrize("text", ENGLISH)
def test_english_code_and_other_scripts_are_left_as_they_are(text: str) -> None:
    """The index stems English; what is not plain is no language."""
    assert tongues.document(text) == tongues.question(text) == text


def test_each_line_has_its_own_language() -> None:
    """A German question and an English answer in one chunk; a line without a sign goes by the whole."""
    asked, answered = (
        "Warum werden die Rechnungen nicht gedruckt und der Drucker ist aus?",
        "The printers are of no use.",
    )
    german, english = tongues.document(f"{asked}\n\n{answered}").split("\n\n")
    assert (german, english) == (tongues.document(asked), answered)
    assert tongues.document(f"{asked}\nRechnungen, Drucker") == f"{german}\nrechnung, druck"


def test_names_of_code_stay() -> None:
    """Identifiers, paths and addresses are no words of a language."""
    text = "Die Rechnungen werden nicht von fooBars und src/drucker_warten.py oder rechnungen@example.org gedruckt."
    stemmed = tongues.document(text)
    for name in ("fooBars", "src/drucker_warten.py", "rechnungen@example.org"):
        assert name in stemmed
    assert "rechnung " in stemmed


def test_a_question_without_a_sign_is_asked_in_every_language() -> None:
    """A single word finds its other forms; English ones ask nothing more, nor does what is told of how near it is."""
    assert "rechnung" in tongues.question("Rechnungen", wide=True).split()
    assert tongues.question("Rechnungen") == "Rechnungen"
    assert tongues.question("the invoices", wide=True) == "the invoices"
    log = " ".join(f"Rechnungen{letter}" for letter in "abcdefghijklm")
    assert tongues.question(log, wide=True) == log


@given(st.text(max_size=300))
def test_any_text_can_be_stemmed(text: str) -> None:
    """Lines stay lines, and nothing raises."""
    assert tongues.document(text).count("\n") == text.count("\n")
    tongues.question(text, wide=True)


@pytest.mark.parametrize("text", ["der und " * 10**4, "ü" * 10**5, "der\n" * 10**4, "я " * 10**4])
def test_stems_are_no_longer_than_words(text: str) -> None:
    """Odd texts do not grow."""
    assert len(tongues.document(text)) <= len(text)
