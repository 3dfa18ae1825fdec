"""Secrets are masked before text is stored or sent: `mask(text)` is pure, deterministic and idempotent.

    sk-ant-api03-…            [secret:anthropic-key]
    password = "hunter22!"    password = "[secret:password]"
    postgres://me:s3cr@db     postgres://me:[secret:url-password]@db

Three kinds are known: tokens that say by their first letters whose they are, the places where a secret must stand
(a key block, an Authorization header, a URL's password), and values assigned to a name such as `api_key`. A value
counts only when it looks drawn at random, so that code (`token: str`, `password = getpass()`), hashes and prose stay.

Time is linear: a pattern is tried only where its marker stands, starts only at the beginning of a run of letters, and
repeats possessively, so nothing is read again from every position.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from importer.secret_shapes import ...
