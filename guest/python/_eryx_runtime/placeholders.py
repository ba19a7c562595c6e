"""Environment variables of secrets: their placeholders, which the host gives for each run."""

import os

import _eryx

_ENVIRONMENT = 200  # src/secrets.h

_ask_host = _eryx.tls
_environment = os.environ


def install() -> None:
    """Set the variable of each secret to its placeholder."""
    size = _ask_host(_ENVIRONMENT, 0, b"", 0)
    if not isinstance(size, int) or size <= 0:
        return
    answer = _ask_host(_ENVIRONMENT, 0, b"", size)
    if isinstance(answer, bytes):
        texts = answer.decode().split("\0")
        _environment.update(zip(texts[0:-1:2], texts[1:-1:2], strict=True))
