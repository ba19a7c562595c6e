"""Runs programs by the native Python that runs this; needs nothing but its standard library.

``python3.14 run_native.py`` reads a JSON object of sources by name from stdin and writes one of texts,
in the form of the `.out` files, to stdout. Each program has a process of its own, forked from this
one, which is much faster than starting an interpreter for each.
"""

import json
import linecache
import os
import re
import shutil
import signal
import sys
import tempfile
import types

# As the sandbox names the file of a program; tracebacks show it.
FILENAME = "<user>"
# A program that is not done by then is ended by a signal.
SECONDS = 20
STDERR_HEADING = "\n[stderr]\n"


def text_of(stdout: bytes, stderr: bytes, library: str) -> str:
    """What is compared of a run: all that it wrote, so also its traceback.

    Without what differs between any two machines: addresses of objects, and where the directory
    `library` with the standard library lies and which line of a file of it is meant.
    """
    text = stdout.decode("utf-8", "backslashreplace").rstrip("\n") + "\n"
    errors = stderr.decode("utf-8", "backslashreplace").rstrip("\n")
    if errors:
        text += STDERR_HEADING + errors + "\n"
    text = re.sub(r"\b0x[0-9a-f]{6,}\b", "0x...", text)
    text = text.replace(library + "/", "<library>/")
    return re.sub(r'(File "<library>/[^"]+", line )\d+', r"\g<1>N", text)


def execute(source: str) -> None:
    """Runs a program as `__main__`, in this process."""
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    sys.argv = [FILENAME]
    # "python -c" has left its own text there, under the name that code of exec() has.
    linecache._interactive_cache.clear()  # type: ignore[attr-defined]
    linecache.cache[FILENAME] = (
        len(source),
        None,
        source.splitlines(keepends=True),
        FILENAME,
    )
    try:
        exec(compile(source, FILENAME, "exec", dont_inherit=True), main.__dict__)
    except Exception as error:
        traceback = error.__traceback__
        # The first frame is the one of this function.
        error.__traceback__ = traceback.tb_next if traceback else None
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(1)


def begin_child(directory: str) -> None:
    """Makes a process that was just forked look like one that runs a single program there."""
    signal.alarm(SECONDS)
    os.chdir(directory)
    os.mkdir("data")
    for number, name in ((0, os.devnull), (1, "stdout"), (2, "stderr")):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        os.dup2(os.open(name, flags), number)
    os.chdir("data")
    # As in a script, where it is the script's directory.
    sys.path[0] = os.getcwd()


def read_file(directory: str, name: str) -> bytes:
    """The bytes of a file."""
    with open(os.path.join(directory, name), "rb") as file:
        return file.read()


def main() -> None:
    """Runs all; a child process goes on in here as well and ends as any Python does."""
    os.environ["TZ"] = "UTC"
    programs: dict[str, str] = json.load(sys.stdin)
    texts: dict[str, str] = {}
    library = os.path.dirname(os.__file__)
    for name, source in programs.items():
        directory = tempfile.mkdtemp()
        child = os.fork()
        if child == 0:
            begin_child(directory)
            execute(source)
            return
        os.waitpid(child, 0)
        texts[name] = text_of(
            read_file(directory, "stdout"), read_file(directory, "stderr"), library
        )
        shutil.rmtree(directory)
    json.dump(texts, sys.stdout)


if __name__ == "__main__":
    main()
