"""eryx.ext.smolagents with a code agent whose model is a script."""

from __future__ import annotations

from typing import Any

import PIL.Image
import pytest
from smolagents import ChatMessage, CodeAgent, Model, Tool, tool
from smolagents.local_python_executor import InterpreterError
from smolagents.models import MessageRole

from eryx.ext.smolagents import EryxExecutor
from programs import FAIL, FAILURE, FOREVER, PNG, SHOW_PICTURE


@tool
def find(name: str, limit: int = 3) -> dict:
    """Finds an item.

    Args:
        name: The name.
        limit: How many at most.
    """
    if name != "tea":
        raise KeyError("no such item")
    return {"price": limit}


class Script(Model):
    def __init__(self, *programs: str) -> None:
        super().__init__()
        self._programs = iter(programs)
        self.seen: list[str] = []

    def generate(self, messages: list[Any], **options: Any) -> ChatMessage:
        self.seen.append(str(messages[-1].content))
        text = f"Thought: so.\n<code>\n{next(self._programs)}\n</code>"
        return ChatMessage(role=MessageRole.ASSISTANT, content=text)


def agent_of(script: Script, *tools: Tool, **options: Any) -> CodeAgent:
    return CodeAgent(
        [*tools], script, executor=EryxExecutor(**options), max_steps=6, verbosity_level=0
    )


class TestAgent:
    def test_tools_are_called_without_await(self) -> None:
        script = Script("x = find('tea', limit=5)['price']\nprint('found', x)", "final_answer(x)")
        assert agent_of(script, find).run("go") == 5
        assert "Execution logs:\\nfound 5\\n" in script.seen[1]

    def test_the_final_answer_ends_the_program(self) -> None:
        script = Script(
            "try:\n    final_answer({'a': [1, 2.5, None]})\nexcept Exception:\n    final_answer(2)"
        )
        assert agent_of(script).run("go") == {"a": [1, 2.5, None]}

    def test_own_tool_for_the_final_answer(self) -> None:
        class Polite(Tool):
            name = "final_answer"
            description = "Gives the answer."
            inputs = {  # noqa: RUF012
                "answer": {"type": "string", "description": "It."},
                "title": {"type": "string", "description": "Whose.", "nullable": True},
            }
            output_type = "string"

            def forward(self, answer: str, title: str | None = None) -> str:
                return f"{title}: {answer}"

        script = Script("final_answer('tea', title='Ada')")
        assert agent_of(script, Polite()).run("go") == "Ada: tea"

    def test_failures_are_shown_and_variables_stay(self) -> None:
        script = Script(f"x = 1\nprint('before')\n{FAIL}", "final_answer(x)")
        agent = agent_of(script)
        assert agent.run("go") == 1
        assert FAILURE in script.seen[1]
        assert "before" in str(agent.memory.steps[1].observations)

    def test_what_a_tool_raises_is_told_to_the_program(self) -> None:
        script = Script(
            "try:\n    find('x')\nexcept RuntimeError as error:\n    final_answer(str(error))"
        )
        assert "no such item" in agent_of(script, find).run("go")

    def test_additional_arguments_are_variables(self) -> None:
        script = Script("final_answer(n + len(logo))")
        assert agent_of(script).run("go", additional_args={"n": 1, "logo": b"abc"}) == 4

    def test_a_second_task_goes_on_with_the_session(self) -> None:
        agent = agent_of(Script("x = 1\nfinal_answer(0)", "final_answer(x)"))
        assert agent.run("go") == 0
        assert agent.run("on", reset=False) == 1

    def test_managed_agents_are_functions(self) -> None:
        helper = CodeAgent(
            [], Script("final_answer('helped')"), name="helper", description="Helps.",
            executor=EryxExecutor(), verbosity_level=0,
        )  # fmt: skip
        agent = CodeAgent(
            [], Script("final_answer(helper(task='help'))"), managed_agents=[helper],
            executor=EryxExecutor(), verbosity_level=0,
        )  # fmt: skip
        assert "helped" in agent.run("go")

    def test_pictures_as_the_final_answer(self) -> None:
        program = SHOW_PICTURE.replace("\nPicture()", "\nfinal_answer(Picture())")
        answer = agent_of(Script(program)).run("go")
        assert answer.to_raw().getpixel((0, 0)) == (255, 0, 0)

    def test_pictures_of_tools(self) -> None:
        class Draw(Tool):
            name = "draw"
            description = "Draws."
            inputs: dict[str, Any] = {}  # noqa: RUF012
            output_type = "image"

            def forward(self) -> PIL.Image.Image:
                return PIL.Image.new("RGB", (2, 2))

        assert agent_of(Script("final_answer(draw()[1:4].decode())"), Draw()).run("go") == "PNG"


class TestExecutor:
    def test_value_of_the_last_expression(self) -> None:
        executor = EryxExecutor()
        assert executor("print(1)\n[1, 2]").output == [1, 2]
        assert executor("object").output == "<class 'object'>"
        assert executor("x = 1").output is None

    def test_pictures_are_images(self) -> None:
        output = EryxExecutor()(SHOW_PICTURE).output
        assert output.size == (2, 2)
        executor = EryxExecutor()
        executor.send_variables({"data": PNG})
        assert executor("data[1:4]").output == "b'PNG'"

    def test_output_while_it_runs(self) -> None:
        seen: list[str] = []
        EryxExecutor(on_stdout=seen.append)("print('one')")
        assert seen == ["one\n"]

    def test_a_limit_is_an_error_of_the_step(self) -> None:
        executor = EryxExecutor(execution_timeout_ms=200)
        with pytest.raises(InterpreterError, match="timed out"):
            executor(FOREVER)
        assert executor("1").output == 1

    def test_tools_with_names_of_python(self) -> None:
        executor = EryxExecutor()
        executor.send_tools({"open": find})
        assert executor("open('tea')['price']").output == 3

    def test_closed_by_cleanup(self) -> None:
        executor = EryxExecutor()
        executor.cleanup()
        with pytest.raises(InterpreterError, match="closed"):
            executor("1")
