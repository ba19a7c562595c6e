"""The files of tiktoken's encodings, which packages of PyPI have, as tiktoken's cache has them.

tiktoken looks at the SHA-256 of each file, so that what is made here is what it would have fetched.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import tarfile
import zipfile
from pathlib import Path

from native import sources
from native.kit import Kit

_SERVER = "https://openaipublic.blob.core.windows.net"


def write(folder: Path, kit: Kit) -> None:
    """Fills a folder that TIKTOKEN_CACHE_DIR may name."""
    with zipfile.ZipFile(
        sources.wheel("llama-index-core", kit.lock, kit.cache, sources.TESTS)
    ) as archive:
        for name in archive.namelist():
            if "/tiktoken_cache/" in name:  # cl100k_base and o200k_base, called as there
                (folder / Path(name).name).write_bytes(archive.read(name))
    with tarfile.open(sources.archive("openai-whisper", kit.lock, kit.cache)) as archive:
        (member,) = (each for each in archive if each.name.endswith("/gpt2.tiktoken"))
        file = archive.extractfile(member)
        assert file is not None
        plain = file.read()
    spaces = [b"%s %d\n" % (base64.b64encode(b" " * (n + 2)), 50257 + n) for n in range(24)]
    ranks = {
        base64.b64decode(token): int(rank) for token, rank in map(bytes.split, plain.splitlines())
    }
    vocabulary, encoder = _as_gpt2(ranks)
    for name, data in {
        "encodings/r50k_base.tiktoken": plain,
        "encodings/p50k_base.tiktoken": plain + b"".join(spaces),
        "gpt-2/encodings/main/vocab.bpe": vocabulary,
        "gpt-2/encodings/main/encoder.json": encoder,
    }.items():
        address = f"{_SERVER}/{name}"
        (folder / hashlib.sha1(address.encode()).hexdigest()).write_bytes(data)


def _as_gpt2(ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """vocab.bpe and encoder.json: each byte is a letter, and tokens are merged of two."""
    letters = {byte: chr(byte) for byte in range(256) if chr(byte).isprintable() and byte != 32}
    others = (byte for byte in range(256) if byte not in letters)
    letters.update({byte: chr(256 + n) for n, byte in enumerate(list(others))})

    def text(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    merges = [" ".join(map(text, _halves(token, ranks))) for token in ranks if len(token) > 1]
    vocabulary = "\n".join(["#version: 0.2", *merges, ""])
    encoder = {**{text(token): rank for token, rank in ranks.items()}, "<|endoftext|>": len(ranks)}
    return vocabulary.encode(), json.dumps(encoder).encode()


def _halves(token: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """What a token was merged of: of its bytes, by merges that come before it."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        pairs = [first + second for first, second in itertools.pairwise(parts)]
        merged = min(range(len(pairs)), key=lambda at: ranks.get(pairs[at], len(ranks)))
        parts[merged : merged + 2] = [pairs[merged]]
    return parts
