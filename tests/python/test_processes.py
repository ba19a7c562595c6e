"""What would start another process says that there are none."""

from __future__ import annotations

import pytest

from eryx import ExecutionError, Sandbox

NO_START = "can't start new process in the sandbox"


class TestProcesses:
    @pytest.mark.parametrize(
        ("program", "last"),
        [
            ("import subprocess; subprocess.run(['ls'])", f"OSError: [Errno 58] {NO_START}"),
            ("import subprocess; subprocess.getoutput('ls')", f"OSError: [Errno 58] {NO_START}"),
            ("import os; os.popen('ls')", f"OSError: [Errno 58] {NO_START}"),
            ("import asyncio\nawait asyncio.create_subprocess_exec('ls')", NO_START),
            ("import asyncio\nawait asyncio.create_subprocess_shell('ls')", NO_START),
            ("import multiprocessing as m; m.Process(target=print).start()", NO_START),
            ("import multiprocessing as m; m.get_context('fork').Process().start()", NO_START),
            ("import multiprocessing as m; m.Pool(2)", NO_START),
            ("import multiprocessing as m; m.Queue()", NO_START),
            ("import multiprocessing as m; m.SimpleQueue()", NO_START),
            ("import multiprocessing as m; m.Pipe()", NO_START),
            ("import multiprocessing as m; m.Pipe(False)", NO_START),
            ("import multiprocessing as m; m.Manager()", NO_START),
            ("import multiprocessing as m; m.Lock()", f"ImportError: {NO_START}"),
            (
                "import concurrent.futures as c; c.ProcessPoolExecutor()",
                f"NotImplementedError: {NO_START}",
            ),
            ("import os; os.fork()", f"module 'os' has no attribute 'fork': {NO_START}"),
            ("import os; os.system('ls')", f"module 'os' has no attribute 'system': {NO_START}"),
            ("import os; os.execvp('ls', ['ls'])", NO_START),
            ("import os; os.mkfifo('p')", "there are no named pipes and no terminals in the"),
            ("import os; os.kill(1, 2)", "there are no other processes in the sandbox"),
        ],
    )
    def test_are_refused_in_plain_words(self, program: str, last: str) -> None:
        with pytest.raises(ExecutionError) as caught:
            Sandbox().execute(program)
        line = caught.value.traceback.splitlines()[-1]
        assert last in line
        assert "Did you mean" not in line

    def test_who_asks_first_sees_that_they_are_not_there(self) -> None:
        done = Sandbox().execute(
            "import os\n"
            "names = ('fork', 'mkfifo', 'system', 'execv', 'execvp', 'waitpid', 'kill')\n"
            "print([name for name in names if hasattr(os, name) or name in os.__all__])\n"
            "try:\n    import _multiprocessing\nexcept ImportError as error:\n    print(error)"
        )
        assert done.stdout == f"[]\n{NO_START}"

    def test_other_names_that_os_lacks_are_as_ever(self) -> None:
        with pytest.raises(ExecutionError, match="Did you mean: 'listdir'") as caught:
            Sandbox().execute("import os\nos.listdirs()")
        assert "_eryx_runtime" not in caught.value.traceback
