"""One run of a program: begin() compiles, C evaluates, finish() reports, close() cleans up.

What is needed here is bound at import: a program may change any module it can reach, and in a
session the next run must still work.
"""

import atexit
import builtins
import gc
import linecache
import logging
import sys
import time
from _ast import Interactive, Module
from asyncio import base_events, events
from importlib.machinery import BuiltinImporter
from types import CodeType, CoroutineType, ModuleType
from typing import Any

import _eryx
from _eryx_runtime import (
    array_entropy,
    callbacks,
    displays,
    encodings,
    entropy,
    event_loop,
    factory,
    given,
    immortal,
    interrupts,
    namespaces,
    placeholders,
    report,
    snapshot,
    sources,
    streams,
    threads,
    tracing,
    values,
)
from _eryx_runtime.numbers import (
    ERYX_RUN_CLEAR,
    ERYX_RUN_FILES,
    ERYX_RUN_PREPARE,
    ERYX_RUN_RESTORE,
    ERYX_RUN_SEAL,
    ERYX_RUN_SNAPSHOT,
    ERYX_RUN_STOP_THREADS,
    MEMORY_OF_PROGRAM,
    MEMORY_OF_RUNTIME,
    REQUEST_CALLBACKS,
    REQUEST_COMMAND_SHIFT,
    REQUEST_GIVEN,
    REQUEST_HAS_SECRETS,
    REQUEST_HIDE_TRACEBACK,
    REQUEST_KEEP_STATE,
    REQUEST_NEEDS_ENTROPY,
    REQUEST_SOURCE_IS_FILE,
    REQUEST_TRACE,
    REQUEST_TRACE_LIMIT,
    RUN_EXCEPTION,
    RUN_EXIT,
    RUN_OK,
)

FILENAME = "<user>"

_ALLOW_TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_ONLY_TREE = 0x400  # ast.PyCF_ONLY_AST
_ABSENT = object()

# Frames of these files are not the program's if they are the outermost ones.
_RUNTIME_FILES = frozenset(
    function.__code__.co_filename
    for function in (
        encodings.as_utf8,
        event_loop.run,
        factory.prepare,
        base_events.BaseEventLoop.run_until_complete,
        events.Handle._run,
        lambda: None,
    )
)
# Reporting an exception needs some room, whatever limit the program has set.
_RECURSION_LIMIT_OF_RUNTIME = 500

_STOPS = interrupts.EXCEPTIONS

_modules = sys.modules
_compile = compile
_ModuleType = ModuleType
_CoroutineType = CoroutineType
_collect_garbage = gc.collect
_renew_entropy = entropy.renew
_now = time.time_ns
_run_exit_functions = atexit._run_exitfuncs
_at_exit = atexit.register
_end_logging = logging.shutdown
_log_handlers = logging._handlerList  # type: ignore[attr-defined]
_get_recursion_limit = sys.getrecursionlimit
_set_recursion_limit = sys.setrecursionlimit
_set_trace = sys.settrace
_set_profile = sys.setprofile
_lines_of_file = linecache.cache
_allocate_for = _eryx.allocate_for
_thread_count = _eryx.thread_count
_make_source_name = sources.make_name
_remember_classes = sources.remember_classes
_complete_error = sources.complete
_keep_value = values.keep
_keep_nothing = values.keep_nothing
_take_value = values.take


class _State:
    """What lives longer than a call; one object, so that nothing here needs `global`."""

    main: ModuleType | None = None
    building = True  # the image is being made
    started = False  # a program has run since the image was made
    keep = False
    is_command = False  # and no program
    has_threads = False  # beside the first
    flags = 0
    extended = False  # the last run had extras
    interactive = False  # this one is of a prompt
    memory_was_short = False  # in this run
    result_variable: str | None = None
    own_modules: frozenset[str] = frozenset()
    own_handlers: tuple[int, ...] = ()


_state = _State()


def _make_main() -> ModuleType:
    main = _ModuleType("__main__")
    main.__loader__ = BuiltinImporter
    main.__dict__["__builtins__"] = builtins
    return main


def make_fresh(building: bool) -> None:
    """Be as if no program had ever run; for the image."""
    _state.building = building
    _renew()
    # Not made anew: what is in the image is out of the garbage collector's sight, and __main__ must
    # not be, or a program's objects could not be finalised.
    _state.main = None
    _modules.pop("__main__", None)
    _lines_of_file.clear()
    sources.clear()
    _state.own_modules = frozenset(_modules)
    _state.own_handlers = tuple(map(id, _log_handlers))


def _renew() -> None:
    streams.install()
    _state.started = False


def _seal() -> None:
    """Make the present state the one that the sandboxes of a factory begin with."""
    main = _state.main
    if main is None:
        return
    _renew()
    event_loop.forget_session()
    _modules.pop("__main__", None)
    _state.own_modules = frozenset(_modules)
    factory.remember(main)
    _state.main = factory.prepared.main
    _state.extended = factory.prepared.has_callbacks  # the next run may not have them
    sys.argv = [FILENAME]
    sys.__dict__.pop("last_exc", None)
    array_entropy.postpone()
    immortal.settle()


def _first_run() -> None:
    """Undo what all sandboxes of one image would have in common and must not."""
    _state.started = True
    _renew_entropy()
    logging._startTime = _now()  # type: ignore[attr-defined]


def _decode(source: bytes) -> str | None:
    try:
        return source.decode()
    except UnicodeDecodeError:
        return None


def _compile_text(text: str, name: sources.SourceName, interactive: bool) -> CodeType:
    """Compile a program; interactive: each of its expressions shows its value."""
    shown: Any = text
    if interactive:
        flags = _ALLOW_TOP_LEVEL_AWAIT | _ONLY_TREE
        tree: Module = _compile(text, name, "exec", flags, dont_inherit=True)
        shown = Interactive(tree.body)
    mode = "single" if interactive else "exec"
    program: CodeType = _compile(shown, name, mode, _ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return program


def _compile_program(source: bytes, filename: str, interactive: bool) -> CodeType:
    text = _decode(source)
    if text is None:
        # The compiler words it as it does for a file that is not UTF-8.
        program: CodeType = _compile(source, filename, "exec", dont_inherit=True)
        return program
    if text.startswith("\ufeff"):
        text = text[1:]
    name = _make_source_name(filename, text)
    try:
        program = _compile_text(text, name, interactive)
    except SyntaxError as error:
        _complete_error(error)
        raise
    program = _keep_nothing(program) if interactive else _keep_value(program, text, name)
    _remember_classes(program, name)
    return program


def _serve_files(source: bytes) -> None:
    from _eryx_runtime.session_files import serve

    serve(source)


_COMMANDS = {
    ERYX_RUN_SNAPSHOT: lambda source: snapshot.save(int(source)),
    ERYX_RUN_RESTORE: lambda source: snapshot.load(source),
    ERYX_RUN_CLEAR: lambda source: snapshot.clear(),
    ERYX_RUN_PREPARE: lambda source: factory.prepare(source, _modules["__main__"]),
    ERYX_RUN_SEAL: lambda source: _seal(),
    ERYX_RUN_STOP_THREADS: lambda source: threads.stop(int(source)),
    ERYX_RUN_FILES: lambda source: _serve_files(source),
}
_COMMAND_CODE = compile("command(source)", __file__, "exec")


def _extend(extras: dict[int, bytes], names: dict[str, Any]) -> None:
    """Do what only few runs want: names for callbacks, and tracing, which is last."""
    _state.extended = bool(extras)
    callbacks.abandon()
    namespaces.install(extras.get(REQUEST_CALLBACKS), names, _state.result_variable)
    mode = extras.get(REQUEST_TRACE)
    if mode is not None:
        limit = int.from_bytes(extras.get(REQUEST_TRACE_LIMIT, b""), "little")
        tracing.start(mode.decode(), limit)


def begin(
    source: bytes,
    result_variable: str | None,
    arguments: list[str],
    flags: int,
    extras: dict[int, bytes] | None,
) -> tuple[CodeType, dict[str, Any]]:
    """Make everything ready and give the code to be evaluated and its globals.

    extras: the fields of the request that have no parameter of their own.
    """
    _state.keep = bool(flags & REQUEST_KEEP_STATE)
    _state.flags = flags
    _state.result_variable = result_variable
    if _state.started:
        streams.renew()
    else:
        _first_run()
    main = _state.main
    if main is None:
        main = _state.main = _make_main()
    _modules["__main__"] = main
    filename = FILENAME
    _state.interactive = False
    if extras is not None and REQUEST_GIVEN in extras:
        filename = given.take(extras[REQUEST_GIVEN], main.__dict__) or FILENAME
        _state.interactive = given.state.interactive
    sys.argv = [filename, *arguments]
    if flags & REQUEST_NEEDS_ENTROPY:
        _renew_entropy()
    if flags & REQUEST_HAS_SECRETS:
        placeholders.install()
    command = _COMMANDS.get(flags >> REQUEST_COMMAND_SHIFT)
    _state.is_command = command is not None
    if command is not None:
        _state.result_variable = None
        return _COMMAND_CODE, {"command": command, "source": source, "__builtins__": builtins}
    _allocate_for(MEMORY_OF_RUNTIME)
    if flags & REQUEST_SOURCE_IS_FILE:
        main.__dict__["__file__"] = filename
        source = encodings.as_utf8(source, filename)
    program = _compile_program(source, filename, _state.interactive)
    if extras is not None or _state.extended:
        _extend(extras or {}, main.__dict__)
    return program, main.__dict__


def _exit_code(error: SystemExit) -> int:
    """The code of a process that ended with it; text instead of a number goes to stderr."""
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        return ((code & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000
    report.write_exit_text(code)
    return 1


def _outcome(error: BaseException | None) -> int:
    if error is None:
        return RUN_OK
    if isinstance(error, SystemExit):
        code = _exit_code(error)
        _eryx.report_exit_code(code)
        if _state.interactive:  # a prompt ends with it, also if that is no failure
            report.exit_of_prompt(code)
            return RUN_EXCEPTION
        return RUN_OK if code == 0 else RUN_EXIT
    report.exception(
        error,
        _RUNTIME_FILES,
        keep=_state.keep and not _state.memory_was_short,
        show=not _state.flags & REQUEST_HIDE_TRACEBACK,
    )
    return RUN_EXCEPTION


def _run_coroutine(program: CoroutineType[Any, Any, Any]) -> BaseException | None:
    """Run a program with await at its top level; give what it raises."""
    user = _allocate_for(MEMORY_OF_PROGRAM)
    try:
        event_loop.run(program, _state.keep)
    except BaseException as raised:
        return raised
    finally:
        _allocate_for(user)
    return None


def _report_value(returned: object) -> None:
    """Report the value of the last expression, which may call the program's own methods."""
    main = _state.main
    value = None if main is None else _take_value(returned, main.__dict__)
    if value is not None:
        user = _allocate_for(MEMORY_OF_PROGRAM)
        try:
            report.value(value)
        finally:
            _allocate_for(user)


def finish(value: object, error: BaseException | None) -> int:
    """Report how the program ended: value is what its code gave, error what it raised."""
    _set_trace(None)
    _set_profile(None)
    recursion_limit = _get_recursion_limit()
    if recursion_limit < _RECURSION_LIMIT_OF_RUNTIME:
        _set_recursion_limit(_RECURSION_LIMIT_OF_RUNTIME)
    try:
        if error is None and type(value) is _CoroutineType and not values.is_returned():
            error = _run_coroutine(value)
        if _eryx.memory_was_short():
            _state.memory_was_short = True
            report.forget_exceptions()
        if tracing.state.active:
            tracing.stop()
        if error is None:
            _report_value(value)
        if "matplotlib.pyplot" in _modules:
            displays.show_figures()
        outcome = _outcome(error)
        if _thread_count():
            _state.has_threads = True
            outcome = _end_threads(error, outcome)
        variable = _state.result_variable
        if variable is not None and _state.main is not None:
            result = _state.main.__dict__.pop(variable, _ABSENT)
            if result is not _ABSENT and outcome != RUN_EXCEPTION:
                report.result(result)
        return outcome
    finally:
        error = None  # its traceback holds this frame
        if recursion_limit < _RECURSION_LIMIT_OF_RUNTIME:
            _set_recursion_limit(recursion_limit)


def _end_threads(error: BaseException | None, outcome: int) -> int:
    """Wait for the threads that a program ends with, or end those of one that was stopped."""
    user = _allocate_for(MEMORY_OF_PROGRAM)
    try:
        if isinstance(error, _STOPS):
            threads.stop()
        elif _state.keep:
            if not _state.is_command:
                threads.settle()
        else:
            threads.finish()
    except BaseException as raised:
        if isinstance(raised, _STOPS):
            threads.stop()
        if outcome == RUN_OK:
            _allocate_for(user)
            outcome = _outcome(raised)
    finally:
        _allocate_for(user)
    return outcome


# Takes long in a run that has no handlers of its own: _run_at_exit() calls it for those that have.
atexit.unregister(_end_logging)


def _run_at_exit() -> None:
    threads.run_exit_functions()
    _run_exit_functions()
    if tuple(map(id, _log_handlers)) != _state.own_handlers:
        _at_exit(_end_logging)  # the last to be called, since it was the first to be registered
        _run_exit_functions()
    streams.flush()


def _forget_modules(own: frozenset[str]) -> None:
    """Remove the modules of the program, which come behind the runtime's own."""
    foreign = []
    for name in reversed(_modules):
        if name in own:
            break
        foreign.append(name)
    if len(_modules) - len(foreign) != len(own):  # it has changed more than that
        foreign = [name for name in reversed(_modules) if name not in own]
    for name in reversed(foreign):
        del _modules[name]


def close() -> None:
    """End the program as the end of a process would, unless a later run is to find its state."""
    if given.state.before:
        given.give_back()
    if not _state.keep:
        if not _state.building:
            _run_at_exit()
        # What refers to the program now is the program itself, so its objects go as garbage does,
        # with their globals still in place. Then files are closed and __del__ is called.
        if _state.main is not None and _state.main is factory.prepared.main:
            factory.forget_program(_state.main)
        _state.main = None
        _forget_modules(_state.own_modules)
        sys.__dict__.pop("last_exc", None)
        _collect_garbage()
    elif _state.memory_was_short:
        _state.memory_was_short = False
        _collect_garbage()
    streams.flush()
    if _state.has_threads:
        _state.has_threads = False
        if _state.keep and _thread_count():
            threads.report()
