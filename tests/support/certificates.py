"""Self-signed certificates for servers on the loopback."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest

NEEDS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")


def certificate(directory: pathlib.Path) -> tuple[str, str]:
    """A key and a self-signed certificate for the loopback, as files."""
    key, signed = str(directory / "key.pem"), str(directory / "authority.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", signed, "-days", "2"]
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *subject], check=True, capture_output=True)
    return key, signed
