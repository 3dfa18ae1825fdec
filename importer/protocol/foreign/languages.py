"""Tell the language of a short text: by its letters where a script is one language's own, else by its little words.

A text without a sign of a language is taken for none: names, commands and code are in no language.
"""

from __future__ import annotations

import re

ENGLISH, GERMAN, RUSSIAN = "english", "german", "russian"
# A little word stands in the list of every language that has it, so what two have in common tells neither. Left out is
# what means something in English or in code and is none of its little words, such as "mit".
LITTLE: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        ENGLISH: "the of and to is that for it with by at from are this not be have has how why what when which where "
        "did does my we you can our their there would should were been will but if they your who in an was so do no as "
        "me on or he his its than then",
        GERMAN: "der die das und nicht ist ich den dem des ein eine einen einer eines für auf wird werden sich auch "
        "wenn beim nach aus bei wie warum wieso sind haben wurde wurden nur oder noch über zur zum vom von kein keine "
        "kann wir mein meine im es zu als wo wer welche welcher welches gegen ohne durch unter schon mehr sie er bis "
        "dass in an was so",
        "french": "le la les des du de un une et est pas pour que qui dans sur au aux avec ne ce cette par sont il "
        "elle nous vous je mon ma mes pourquoi comment quand où quel quelle était été ont en à sans plus ou leur y "
        "mais aussi alors se son sa ses on me",
        "spanish": "el la los las de del un una y es que en por para con se su al lo como qué cómo cuándo dónde cuál "
        "quién está están fue son mi nuestro pero más sin desde hasta porque sobre ya muy hay esta este ser no me",
        "italian": "il lo la gli le di del della dei delle un una e è che per con si come perché quando dove sono "
        "nel nella sul sulla al alla dal dalla più anche ma ha ho mio mia questo questa quale senza dopo in no me",
        "portuguese": "o os as um uma de do da dos das e é que não em no na nos nas por para com se como quando onde "
        "está são foi meu minha mais mas sem ao à pelo pela também qual este esta porque já muito me",
        "dutch": "de het een en van is niet dat op te met voor aan zijn er maar om ook als bij uit naar we je ik wij "
        "waarom wat wanneer welke waar hoe wordt worden deze dit geen mijn ons heeft hebben kan tot of door onder in "
        "was die zo",
    }.items()
}
LETTERS = {  # of a question's words; those of more languages are left out
    GERMAN: "äöüß",
    "french": "àâçèêëîïœùû",
    "spanish": "ñ¿¡áíóú",
    "italian": "àèìòù",
    "portuguese": "ãõâêçáíóú",
}
SCRIPTS = {  # the first one whose letters a text has; Japanese has Chinese signs, too
    "japanese": re.compile("[\u3040-\u30ff]"),
    "chinese": re.compile("[\u4e00-\u9fff]"),
    "korean": re.compile("[\uac00-\ud7af]"),
    "russian": re.compile("[\u0400-\u04ff]{3}"),
    "greek": re.compile("[\u0370-\u03ff]{3}"),
    "hebrew": re.compile("[\u0590-\u05ff]{2}"),
    "arabic": re.compile("[\u0600-\u06ff]{2}"),
    "hindi": re.compile("[\u0900-\u097f]{2}"),
    "thai": re.compile("[\u0e00-\u0e7f]{2}"),
}
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str:
    """Return the language of a line or two, in English and small letters; "" where nothing tells it."""
    if not text.isascii():
        for name, letters in SCRIPTS.items():
            if letters.search(text):
                return name
    said = frozenset(_WORD.findall(text.lower()))
    counts = {name: len(said & words) for name, words in LITTLE.items()}
    best = max(counts, key=lambda name: counts[name])
    plain = counts[best] >= 1 and sum(count == counts[best] for count in counts.values()) == 1
    return best if plain else ""
