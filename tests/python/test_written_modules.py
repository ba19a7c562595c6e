"""Modules that a program, or its host, wrote to where it works can be imported."""

from __future__ import annotations

from eryx import Sandbox, Session, VfsStorage


class TestWrittenModules:
    def test_a_module_that_was_just_written_is_found(self) -> None:
        done = Sandbox().execute(
            "open('helpers.py', 'w').write('def f(): return 42\\n')\n"
            "import helpers\n"
            "print(helpers.f(), helpers.__file__)"
        )
        assert done.stdout == "42 /data/helpers.py"

    def test_so_is_a_package_and_what_looked_for_it_in_vain_before(self) -> None:
        done = Sandbox().execute(
            "import os\n"
            "try:\n    import tools.text\nexcept ModuleNotFoundError as error:\n    print(error)\n"
            "os.makedirs('tools')\n"
            "open('tools/__init__.py', 'w').close()\n"
            "open('tools/text.py', 'w').write('from . import more\\n')\n"
            "open('tools/more.py', 'w').write('value = 7\\n')\n"
            "import tools.text\n"
            "print(tools.text.more.value)"
        )
        assert done.stdout == "No module named 'tools'\n7"

    def test_one_that_was_written_anew_is_read_anew(self) -> None:
        session = Session()
        session.execute("open('m.py', 'w').write('x = 1'); import importlib, m")
        done = session.execute("open('m.py', 'w').write('x = 2'); print(importlib.reload(m).x)")
        assert done.stdout == "2"

    def test_the_directory_is_the_first_as_it_is_for_a_script(self) -> None:
        done = Sandbox().execute(
            "import os, sys\n"
            "print(sys.path[0])\n"
            "open('here.py', 'w').write('x = 1'); open('/tmp/there.py', 'w').write('x = 1')\n"
            "os.chdir('/tmp')\n"
            "import here\n"
            "try:\n    import there\nexcept ModuleNotFoundError as error:\n    print(error)"
        )
        assert done.stdout == "/data\nNo module named 'there'"

    def test_it_is_gone_with_the_run(self) -> None:
        sandbox = Sandbox()
        sandbox.execute("open('m.py', 'w').write('x = 1'); import m")
        done = sandbox.execute(
            "try:\n    import m\nexcept ModuleNotFoundError as error:\n    print(error)"
        )
        assert done.stdout == "No module named 'm'"

    def test_a_storage_brings_modules_along(self) -> None:
        storage = VfsStorage()
        storage.write_bytes("helpers.py", b"def f(): return 42\n")
        assert Session(vfs=storage).execute("import helpers; print(helpers.f())").stdout == "42"
