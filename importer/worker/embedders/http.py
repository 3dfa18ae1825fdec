"""What the remote providers share: one HTTP client with patience, batch limits, and errors that never show a key.

    answer                                             becomes
    200                                                vectors
    408, 409, 425, 429, 5xx, no connection, no JSON    EmbedUnreachable, after `PATIENCE` with growing pauses
    429 for lack of credit                             EmbedUnreachable at once, for an hour
    400, 413, 422                                      EmbedError: these texts are refused
    anything else (401, 403, 404, a redirect)          ModelError: wrong key, address or model, no text's fault

An embedder asks once when it is opened, so that a wrong key, model or dimension is found before any text is blamed for
it, and so that the dimension is known. Texts leave the machine: that is what choosing such a provider means.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec
import numpy as np
from numpy.typing import NDArray

from importer.errors import EmbedError, EmbedUnreachable, ImporterError, ModelError, UsageError
from importer.protocol.worker_settings import EmbedSettings
from importer.worker import token_budget
from importer.worker.embedders import Window
from importer.worker.embedders.budget import Budget
from importer.worker.hosted import bounded
from importer.worker.patience import Patience, patiently

PATIENCE = Patience(first_s=0.75, longest_s=20.0)
BYTES_PER_TOKEN = 4  # the usual estimate for English; a token is never less than one byte, which bounds it
TEMPORARY = frozenset({408, 409, 425, 429})
TEXTS_FAULT = frozenset({400, 413, 422})
# The account has no credit left: OpenAI says so with status 429, as for too many requests. Asking again helps no more.
NO_CREDIT, NO_CREDIT_S = ("insufficient_quota", "billing_hard_limit"), 3600.0
SAID_CHARS = 200  # of a provider's own words in our message


@dataclass(frozen=True, slots=True)
class TextsToEmbed:
    """What to embed, as documents or as a `query`; a `dimension` other than 0 asks for shorter vectors."""

    model: str
    texts: Sequence[str]
    query: bool
    dimension: int


@dataclass(frozen=True, slots=True)
class Service:
    """One provider's API: where it is, what it takes in one request, how to ask, and how to read the answer.

    `body(texts)` makes the request; `vectors(answer)` lists them in the order of the texts, `used(answer)` is how many
    tokens it cost. Both raise KeyError or TypeError for another answer.
    """

    name: str
    base_url: str
    path: str
    most_texts: int
    most_tokens: int
    window_tokens: int
    body: Callable[[TextsToEmbed], dict[str, Any]]
    vectors: Callable[[Any], list[list[float]]]
    used: Callable[[Any], int]


def open_service(service: Service, settings: EmbedSettings, patience: Patience = PATIENCE) -> RemoteEmbedder:
    """Ask the service once and return its embedder. Raises ModelError without a key, UsageError for an odd one."""
    key = settings.api_key.strip()
    if not key and not settings.base_url:
        raise ModelError(f"{service.name} needs a key", hint=f"{service.name.upper()}_API_KEY")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(f"the key for {service.name} has characters that no key has")
    return RemoteEmbedder(service, msgspec.structs.replace(settings, api_key=key), patience)


class RemoteEmbedder:
    """One model behind an HTTP API. See `Embedder`."""

    def __init__(self, service: Service, settings: EmbedSettings, patience: Patience = PATIENCE) -> None:
        self.model = settings.model
        self._service = service
        self._settings = settings
        self._patience = patience
        headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
        base_url = (settings.base_url or service.base_url).rstrip("/") + "/"
        self._client = httpx.Client(
            base_url=base_url,
            headers={**bounded.HEADERS, **headers},
            timeout=settings.timeout_s,
            event_hooks={"response": [bounded.bound]},
        )
        self._budget = Budget(settings, sleep=patience.sleep)
        self._shortened = 0  # asked for by name only where the model's own dimension is another
        try:
            self.dimension = self._agreed_dimension(settings.dimension)
        except ImporterError:
            self._client.close()
            raise

    def _agreed_dimension(self, wanted: int) -> int:
        """Return the dimension wanted, or the model's own for 0. Raises ModelError where it cannot be had."""
        found = self._probe()
        if wanted not in (0, found):
            # Only now: models that cannot shorten refuse to be asked, even for the dimension that they have.
            self._shortened = wanted
            found = self._probe()
        if wanted not in (0, found):
            raise ModelError(f"{self.model} returns {found} dimensions, not {wanted}")
        return found

    def _probe(self) -> int:
        """Return the dimension of a first answer. A refusal of so harmless a text is one of the model: ModelError."""
        try:
            return int(self._ask(["hello"], query=False).shape[1])
        except EmbedUnreachable:
            raise
        except EmbedError as error:
            raise ModelError(f"{self._service.name} does not serve {self.model}: {error.message}") from error

    def split(self, texts: Sequence[str]) -> list[list[Window]]:
        """Return windows of at most as many bytes as the model takes tokens, so they fit; `tokens` are estimates."""
        most_bytes = self._settings.window_tokens or self._service.window_tokens
        return [[Window(part, estimate(part)) for part in pieces(text, most_bytes)] for text in texts]

    def group(self, lengths: Sequence[int], budget_tokens: int) -> list[list[int]]:
        """Group as many as one request takes. The budget is for memory here, of which this needs none."""
        # Lengths are estimates: so divided, the limit holds even if every byte were a token.
        most = self._budget.most_tokens(self._service.most_tokens // BYTES_PER_TOKEN)
        return token_budget.pack(lengths, most, self._service.most_texts)

    def embed(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """Make one request: (n, dimension) at unit length. Raises EmbedUnreachable where a budget is used up."""
        self._budget.ask(sum(window.tokens for window in windows))
        return self._ask([window.text for window in windows], query=False)

    def reserve(self, tokens: int) -> None:
        """Raise EmbedUnreachable where so many tokens cannot be asked for now, EmbedError where they never can."""
        self._budget.reserve(tokens)

    def query(self, text: str) -> NDArray[np.float32]:
        """Return the question's vector (dimension,). All windows of a long question go in one request."""
        windows = self.split([text])[0]
        vectors = self._ask([window.text for window in windows], query=True)
        return token_budget.average(vectors, [window.tokens for window in windows])

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, texts: list[str], *, query: bool) -> NDArray[np.float32]:
        """Request vectors (n, dimension), again after a short outage (see `PATIENCE`)."""
        body = msgspec.json.encode(self._service.body(TextsToEmbed(self.model, texts, query, self._shortened)))
        return patiently(lambda: self._once(body), self._patience)

    def _once(self, body: bytes) -> NDArray[np.float32]:
        """Make one request. An answer without vectors counts as an outage, such as a proxy's page with status 200."""
        headers = {"Content-Type": "application/json"}
        try:
            answer = self._client.post(self._service.path, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise EmbedUnreachable(f"{self._service.name} cannot be reached: {type(error).__name__}") from error
        if answer.status_code != httpx.codes.OK:
            raise self._refusal(answer)
        try:
            told = msgspec.json.decode(answer.content)
            rows = np.array(self._service.vectors(told), dtype=np.float32, ndmin=2)
        # Also rows of unequal length, which make no array.
        except (msgspec.DecodeError, LookupError, TypeError, ValueError, RecursionError, AttributeError) as error:
            raise EmbedUnreachable(f"{self._service.name} answered with something else than vectors") from error
        self._budget.answered(self._used(told, body), answer.headers)
        return token_budget.normalised(rows)

    def _used(self, told: Any, body: bytes) -> int:
        """Return the tokens that an answer says it cost; where it does not, as many as its request is thought to have.

        Servers with OpenAI's API need not tell.
        """
        try:
            return int(self._service.used(told))
        except (LookupError, TypeError, ValueError, OverflowError, AttributeError):
            return len(body) // BYTES_PER_TOKEN

    def _refusal(self, answer: httpx.Response) -> EmbedError | ModelError:
        """Return the error of an answer, by the table above; the key is masked in the service's words.

        Cut before it is masked, so a key may be cut, too: `_masked` knows it by its first characters.
        """
        status = answer.status_code
        message = f"{self._service.name} answered {status}: {_masked(answer.text[:SAID_CHARS], self._settings.api_key)}"
        if any(word in answer.text for word in NO_CREDIT):
            hint = "add credit, or raise the account's limit; the import goes on by itself"
            return EmbedUnreachable(message, retry_after_s=NO_CREDIT_S, hint=hint)
        if status in TEMPORARY or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return EmbedUnreachable(message, retry_after_s=retry_after_s(answer.headers.get("Retry-After", "")))
        if status in TEXTS_FAULT:
            return EmbedError(message)
        return ModelError(message, hint="check the key, the address and the model's name")


def _masked(said: str, key: str) -> str:
    """Return the provider's words on one line, without the key or the part of it that some repeat ("sk-ab***yz")."""
    return " ".join("***" if "**" in word or (key and key[:6] in word) else word for word in said.split())


def retry_after_s(header: str, now: Callable[[], float] = time.time) -> float:
    """Return the seconds of a Retry-After header, which holds seconds or a date; 0 when it says nothing usable."""
    try:
        return bounded.wait_s(float(header))
    except ValueError:
        pass
    try:
        return bounded.wait_s(parsedate_to_datetime(header).timestamp() - now())
    except (ValueError, OverflowError):
        return 0.0


def estimate(text: str) -> int:
    """About how many tokens a text has, at least one."""
    return max(1, len(text.encode()) // BYTES_PER_TOKEN)


def pieces(text: str, most_bytes: int) -> list[str]:
    """Consecutive parts, together the whole text, none above `most_bytes` in UTF-8, cut after white space if any."""
    parts: list[str] = []
    while len(text.encode()) > most_bytes:
        head = text.encode()[:most_bytes].decode(errors="ignore") or text[0]  # a character wider than that goes alone
        # Not in the first half, or parts get small.
        spaces = [i + 1 for i in range(len(head) // 2, len(head)) if head[i].isspace()]
        end = spaces[-1] if spaces else len(head)
        parts.append(text[:end])
        text = text[end:]
    return [*parts, text] if text or not parts else parts
