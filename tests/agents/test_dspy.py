"""eryx.ext.dspy with DSPy's own modules and its dummy model."""

from __future__ import annotations

import asyncio
from typing import Any

import dspy
import pytest
from dspy.primitives.code_interpreter import (
    CodeExecutionError,
    CodeInterpreter,
    CodeInterpreterError,
    FinalOutput,
)
from dspy.utils import DummyLM
from dspy.utils.callback import BaseCallback

from eryx.ext.dspy import EryxInterpreter, ProgramOutput, interpreter_factory
from programs import FAIL, FAILURE, FOREVER, SHOW_PICTURE


def steps(*programs: str) -> list[dict[str, str]]:
    return [{"reasoning": "so", "code": program} for program in programs]


def find(name: str) -> dict[str, int]:
    """Finds an item."""
    return {"price": len(name)}


class TestModules:
    def run(self, answers: list[dict[str, str]], **options: Any) -> Any:
        module = dspy.RLM(
            "context, query -> answer: int", interpreter_factory=EryxInterpreter, **options
        )
        with dspy.context(lm=DummyLM(answers)):
            return module(context="a cup of tea", query="how much?")

    def test_rlm_runs_programs_and_takes_what_they_submit(self) -> None:
        answers = steps("words = context.split()\nprint(len(words))", "SUBMIT(answer=len(words))")
        result = self.run(answers)
        assert result.answer == 4
        assert result.trajectory[0]["output"] == "4"

    def test_tools_are_called_without_await(self) -> None:
        result = self.run(steps("SUBMIT(find(name='tea')['price'])"), tools=[find])
        assert result.answer == 3

    def test_failures_are_shown_to_the_model(self) -> None:
        result = self.run(steps(f"x = 1\n{FAIL}", "1 +", "SUBMIT(x)"))
        assert FAILURE in result.trajectory[0]["output"]
        assert "SyntaxError" in result.trajectory[1]["output"]
        assert result.answer == 1

    def test_programs_ask_other_models(self) -> None:
        answers = [
            *steps("said = dspy.Predict('question -> word')(question='?').word\nprint(said)"),
            {"word": "tea"},
            *steps("SUBMIT(len(llm_query('again?')))"),
            {"word": "cake"},
        ]
        result = self.run(answers)
        assert result.trajectory[0]["output"] == "tea"
        assert result.answer > 0

    def test_output_is_streamed(self) -> None:
        async def go() -> list[Any]:
            program = "import sys\nprint('one')\nprint('two', file=sys.stderr)\nSUBMIT(query)"
            module = dspy.RLM("query -> answer", interpreter_factory=EryxInterpreter)
            with dspy.context(lm=DummyLM(steps(program))):
                return [each async for each in dspy.streamify(module)(query="tea")]

        *seen, last = asyncio.run(go())
        outputs = [each for each in seen if isinstance(each, ProgramOutput)]
        for stream, text in (("stdout", "one\n"), ("stderr", "two\n")):
            assert "".join(one.message for one in outputs if one.stream == stream) == text
        assert last.answer == "tea"

    def test_callbacks_are_told(self) -> None:
        class Trace(BaseCallback):
            def __init__(self) -> None:
                self.seen: list[Any] = []

            def on_interpreter_startup_start(
                self, call_id: str, instance: Any, inputs: dict[str, Any]
            ) -> None:
                self.seen.append("startup")

            def on_interpreter_execute_end(
                self, call_id: str, outputs: Any, exception: BaseException | None = None
            ) -> None:
                self.seen.append(outputs if exception is None else type(exception).__name__)

            def on_interpreter_tool_call_start(
                self, call_id: str, instance: Any, inputs: dict[str, Any]
            ) -> None:
                self.seen.append(inputs)

            def on_interpreter_shutdown_end(
                self, call_id: str, outputs: Any, exception: BaseException | None = None
            ) -> None:
                self.seen.append("shutdown")

        trace = Trace()
        with dspy.context(callbacks=[trace]):
            self.run(steps("print('x')", FAIL, "SUBMIT(find(name='tea')['price'])"), tools=[find])
        assert trace.seen[0] == "startup"
        others = [each for each in trace.seen if each not in (None, "startup")]  # DSPy's set-up
        assert others == [
            "x",
            "CodeExecutionError",
            {"tool_name": "find", "args": [], "kwargs": {"name": "tea"}},
            FinalOutput({"answer": 3}),
            "shutdown",
        ]

    def test_async(self) -> None:
        module = dspy.RLM("query -> answer", interpreter_factory=EryxInterpreter)
        with dspy.context(lm=DummyLM(steps("SUBMIT(query * 2)"))):
            assert asyncio.run(module.acall(query="ab")).answer == "abab"


class TestInterpreter:
    def test_is_one(self) -> None:
        assert isinstance(EryxInterpreter(), CodeInterpreter)
        assert "Python 3.14" in EryxInterpreter.execution_instructions

    def test_answers(self) -> None:
        interpreter = EryxInterpreter()
        assert interpreter.execute("x = 1") is None
        assert interpreter.execute("[x, 2]") == [1, 2]
        assert interpreter.execute("print('a')\nx") == "a\n1"
        assert "[image/png 2x2]" in interpreter.execute(SHOW_PICTURE)

    def test_variables(self) -> None:
        interpreter = EryxInterpreter()
        assert interpreter.execute("n + len(b) + __n", {"n": 1, "b": b"ab", "__n": 4}) == 7
        with pytest.raises(CodeInterpreterError, match="JSON"):
            interpreter.execute("1", {"n": object()})

    def test_submit_takes_the_output_fields(self) -> None:
        interpreter = EryxInterpreter(output_fields=[{"name": "a"}, {"name": "b"}])
        assert interpreter.execute("SUBMIT(1, b=2)") == FinalOutput({"a": 1, "b": 2})
        for wrong in ("SUBMIT(1)", "SUBMIT(1, 2, 3)", "SUBMIT(a=1, c=2)", "SUBMIT(1, a=2)"):
            with pytest.raises(CodeExecutionError, match="SUBMIT takes a, b"):
                interpreter.execute(wrong)
        assert EryxInterpreter().execute("SUBMIT([1])") == FinalOutput({"output": [1]})

    def test_submit_ends_the_program(self) -> None:
        interpreter = EryxInterpreter()
        output = interpreter.execute("x = 1\ntry: SUBMIT(1)\nexcept Exception: pass\nx = 2")
        assert output == FinalOutput({"output": 1})
        assert interpreter.execute("x") == 1

    def test_tools_may_be_changed(self) -> None:
        interpreter = EryxInterpreter(tools={"find": find})
        assert interpreter.execute("find('tea')") == {"price": 3}
        interpreter.tools["open"] = lambda name: f"opened {name}"
        assert interpreter.execute("open('x')") == "opened x"

    def test_what_a_tool_raises_is_told_to_the_program(self) -> None:
        def fail() -> None:
            raise KeyError("tea")

        interpreter = EryxInterpreter(tools={"fail": fail})
        program = "try: fail()\nexcept RuntimeError as error: print(error)"
        assert interpreter.execute(program) == "KeyError: 'tea'"

    def test_a_limit_is_an_error_of_the_program(self) -> None:
        interpreter = interpreter_factory(execution_timeout_ms=200)()
        with pytest.raises(CodeExecutionError, match="timed out"):
            interpreter.execute(FOREVER)
        assert interpreter.execute("1") == 1

    def test_a_session_that_has_ended_is_said_to_have(self) -> None:
        interpreter = EryxInterpreter()
        interpreter.start()
        interpreter.start()
        interpreter.shutdown()
        interpreter.shutdown()
        with pytest.raises(CodeInterpreterError, match="shut down"):
            interpreter.execute("1")

    def test_instructions_of_a_factory_with_options(self) -> None:
        made = interpreter_factory(execution_timeout_ms=5_000)
        assert "5 seconds" in made.execution_instructions  # type: ignore[attr-defined]
