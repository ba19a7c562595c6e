"""The examples in the documents and docstrings are run, and so are the commands."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import c_library
import eryx
import shell_blocks
from simple_index import Index
from toolchain.guest_packages import sources, wheels

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
DOCUMENTS = [
    path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if path.exists()
]
# Their blocks take packages that are elsewhere: tests/cluster/test_parts.py.
RUN_ELSEWHERE = ("scale.md",)
BLOCKS = [
    pytest.param(path, match.group(1), id=f"{path.name}-{number}")
    for path in DOCUMENTS
    if path.name not in RUN_ELSEWHERE
    for number, match in enumerate(BLOCK.finditer(path.read_text()))
]


def run(code: str, variables: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **(variables or {})},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("path", "code"), BLOCKS)
def test_block_of_a_document(path: Path, code: str, tmp_path: Path) -> None:
    """A block runs; where a line ends in `# prints: TEXT` that text is printed."""
    output = run(code, use_index(tmp_path) if path.name == "packages.md" else None)
    for expected in re.findall(r"# prints: (.*)$", code, re.MULTILINE):
        assert expected in output


# Commands that are not run, and why; a command that is not there any more has to go from here.
NOT_RUN = {
    "pip install eryx-sandbox": "it would install what is published",
    "pip install eryx-science": "it would install what is published",
    "eryx serve --http": "it serves until it is told to end; tests/server do that",
    "make demo": "builds everything",
    "make wheel\ndocker": "there is no engine here; tests/server/test_container.py does it",
    "make test": "runs this test",
    "make dev": "builds everything",
    "eryx build-wheel ham-1.tar.gz": "test_native_wheels.py runs it, and the program below it",
}
SHELL_DOCUMENTS = [*DOCUMENTS, *sorted(ROOT.glob("[A-Z]*.md"))]


def shell_commands() -> dict[Path, shell_blocks.Document]:
    return {path: shell_blocks.read(path.read_text()) for path in SHELL_DOCUMENTS}


def is_run(command: shell_blocks.Command) -> bool:
    return not command.text.startswith(tuple(NOT_RUN))


@cache
def index_url() -> str:
    """An index over HTTP, which runs until the tests have ended."""
    index = Index().__enter__()
    for file in (*wheels("jinja2"), *sources("markupsafe")):
        index.add(file.name, file.read_bytes())
    return index.url


def use_index(folder: Path) -> dict[str, str]:
    """Has packages be looked for there."""
    return {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_INDEX_URL": index_url(),
        "ERYX_CACHE_DIR": str(folder / "own-cache"),
    }


def make_wheels(folder: Path) -> dict[str, str]:
    """Puts packages there, and a program that uses them."""
    copy_packages(folder / "wheels")
    (folder / "script.py").write_text("import jinja2\n")
    return {}


def copy_packages(folder: Path) -> None:
    folder.mkdir()
    for file in (*wheels("jinja2"), *sources("markupsafe")):
        shutil.copy(file, folder)


def make_c_program(folder: Path) -> dict[str, str]:
    """The sources of the C library, with what the toolchain has made, and a program of it."""
    c_library.link_sources(folder)
    (folder / "build").mkdir()
    for name in ("guest", "libraries"):
        (folder / "build" / name).symlink_to(ROOT.resolve() / "build" / name)
    (folder / "hello.c").write_text(c_library.blocks("c")[0])
    return {}


# What the commands of a document find in their folder; gives more environment variables.
PREPARATION = {
    "packages.md": use_index,
    "factories.md": make_wheels,
    "c.md": make_c_program,
}


@pytest.mark.parametrize(
    "path",
    [path for path, document in shell_commands().items() if any(map(is_run, document.commands))],
    ids=lambda path: path.name,
)
def test_commands_of_a_document(path: Path, tmp_path: Path) -> None:
    variables = shell_blocks.environment(tmp_path)
    if path.name in PREPARATION:
        variables |= PREPARATION[path.name](tmp_path)
    for command in filter(is_run, shell_commands()[path].commands):
        shell_blocks.run(command, tmp_path, variables)


def test_every_command_is_run_or_excused() -> None:
    documents = shell_commands()
    unmarked = [block for document in documents.values() for block in document.unmarked]
    assert unmarked == []  # they are ```sh or ```console
    texts = [command.text for document in documents.values() for command in document.commands]
    for excused in NOT_RUN:
        assert any(text.startswith(excused) for text in texts), excused


def test_wrong_output_of_a_command_is_found(tmp_path: Path) -> None:
    """That the tests above are able to fail."""
    variables = shell_blocks.environment(tmp_path)
    block = "```console\n$ echo a \\\n  b\na b\n$ echo c\nd\n```"
    first, second = shell_blocks.read(block).commands
    shell_blocks.run(first, tmp_path, variables)
    with pytest.raises(AssertionError, match="in place of"):
        shell_blocks.run(second, tmp_path, variables)
    with pytest.raises(AssertionError):
        shell_blocks.run(shell_blocks.Command("false\ntrue\n"), tmp_path, variables)


def test_docstrings() -> None:
    for name in eryx.__all__:
        getattr(eryx, name)  # some are imported only now
    failed, attempted = doctest.testmod(eryx)
    assert attempted >= 8
    assert failed == 0


# What wants pydantic-ai is run by tests/agents/test_conversation.py.
EXAMPLES = sorted(
    set((ROOT / "examples/python").glob("*.py")) - {ROOT / "examples/python/conversation.py"}
)


@pytest.mark.parametrize("path", EXAMPLES, ids=str)
def test_example(path: Path) -> None:
    assert run(path.read_text()) != ""
