"""Questions of a haystack asked for real: an import with the real model, and each question in every mode."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from dataclasses import replace

from processes import Importer

from importer.bench.recall import run, trial
from importer.bench.recall.measures import QuestionResult
from importer.bench.recall.questions import Haystack, Question, Session, SpokenTurn
from importer.cli.commands import recall
from importer.settings.load import load

REAL = {"IMPORTER_EMBED_PROVIDER": "fastembed", "IMPORTER_EMBED_DIMENSION": "0", "HF_HUB_OFFLINE": "1"}
TONGUES = pathlib.Path(__file__).parents[1] / "bench" / "tongues"


def tongues() -> Haystack:
    """Return the conversations of all languages: lines of a prompt, its answer, and a question for them."""
    sessions, questions = list[Session](), list[Question]()
    for path in sorted(TONGUES.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            prompt, answer, asked = line.split("|")
            id = f"{path.stem}-{number}"
            sessions.append(Session(id, (SpokenTurn("user", prompt), SpokenTurn("assistant", answer))))
            questions.append(Question(id, asked, path.stem, frozenset({id})))
    return Haystack("tongues", tuple(sessions), tuple(questions))


def ask_for_real(
    folder: pathlib.Path, model_dir: str, haystack: Haystack, elsewhere: Sequence[Question] = ()
) -> dict[str, list[QuestionResult]]:
    """Import a haystack with the real model and ask its questions in every mode, and those that are about others."""
    environ = {**Importer(folder, embedded=True).environment((), {}), **REAL}
    environ["IMPORTER_MODEL_DIR"] = str(pathlib.Path(model_dir).parent)
    settings = load({}, environ, {}, home=str(folder), host="here").settings
    ((_, engine),) = ((one, one.at(str(folder / "state"), "1")) for one in recall.setups(settings, (), (), "test"))
    trial.write(str(folder / "said"), haystack)
    trial.fill(str(folder / "said"), replace(engine, environ={**engine.environ, **environ}))
    found: dict[str, list[QuestionResult]] = {mode: [] for mode in run.MODES}
    with trial.asking(engine, haystack, trial.load_embedder(engine.told)) as asking:
        for mode, asked in found.items():
            asked.extend(asking.ask(question, mode) for question in haystack.questions)
        if elsewhere:
            found["elsewhere"] = [asking.ask(question, "hybrid") for question in elsewhere]
    return found
