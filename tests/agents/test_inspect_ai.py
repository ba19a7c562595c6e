"""eryx.ext.inspect_ai with evaluations whose model is Inspect's own mock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageTool, ContentImage, ModelOutput, ModelUsage, get_model
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import Tool, ToolError, tool

import eryx
from eryx.ext.inspect_ai import python_session
from programs import FAIL, FAILURE, FOREVER, PNG_BASE64, SHOW_PICTURE


def double(n: int) -> int:
    """Twice as much.

    Args:
        n: The number.
    """
    return 2 * n


@tool
def shop() -> Tool:
    async def execute(name: str) -> int:
        """Finds the price of an item.

        Args:
            name: The name of the item.
        """
        if name != "tea":
            raise ToolError("no such item")
        return 3

    return execute


class Evaluation:
    """Evaluates samples with one script of programs for each; gives the messages of tools."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, made: Tool, *scripts: tuple[str, ...]) -> list[list[ChatMessageTool]]:
        def write(messages: Any, tools: Any, choice: Any, config: Any) -> ModelOutput:
            script = scripts[int(messages[0].text)]
            done = sum(message.role == "tool" for message in messages)
            if done < len(script):
                arguments = {"code": script[done]}
                output = ModelOutput.for_tool_call("mockllm/model", tools[0].name, arguments)
            else:
                output = ModelOutput.from_content("mockllm/model", "done")
            output.usage = ModelUsage()
            return output

        task = Task(
            [Sample(str(number)) for number in range(len(scripts))],
            solver=[use_tools(made), generate()],
        )
        model = get_model("mockllm/model", custom_outputs=write, memoize=False)
        (log,) = evaluate(task, model=model, display="none", log_dir=str(self.folder))
        assert log.status == "success", log.error
        self.attachments = [
            text for sample in log.samples or () for text in sample.attachments.values()
        ]
        return [
            [message for message in sample.messages if isinstance(message, ChatMessageTool)]
            for sample in log.samples or ()
        ]


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    return Evaluation(tmp_path)


class TestTool:
    def test_variables_stay_in_a_sample(self, evaluation: Evaluation) -> None:
        first, second = evaluation.run(
            python_session(), ("x = 20", "x + 22"), ("'x' in globals()",)
        )
        assert [message.text for message in first] == ["", "42"]
        assert [message.text for message in second] == ["False"]

    def test_programs_call_tools_and_functions(self, evaluation: Evaluation) -> None:
        made = python_session(functions=[shop(), double])
        ((message,),) = evaluation.run(made, ("await double(await shop(name='tea'))",))
        assert message.text == "6"

    def test_what_a_tool_raises_is_told_to_the_program(self, evaluation: Evaluation) -> None:
        program = "try:\n    await shop('x')\nexcept RuntimeError as error:\n    print(error)"
        ((message,),) = evaluation.run(python_session(functions=[shop()]), (program,))
        assert message.text == "no such item"

    def test_failures_are_errors_of_the_call(self, evaluation: Evaluation) -> None:
        ((failed, after),) = evaluation.run(python_session(), (f"x = 1\n{FAIL}", "x"))
        assert failed.error is not None
        assert FAILURE in failed.error.message
        assert after.text == "1"

    def test_too_long_is_a_timeout(self, evaluation: Evaluation) -> None:
        made = python_session(execution_timeout_ms=200)
        ((stopped, after),) = evaluation.run(made, (FOREVER, "1"))
        assert stopped.error is not None
        assert stopped.error.type == "timeout"
        assert after.text == "1"

    def test_pictures_are_images(self, evaluation: Evaluation) -> None:
        ((message,),) = evaluation.run(python_session(), (SHOW_PICTURE,))
        (picture,) = [part for part in message.content if isinstance(part, ContentImage)]
        assert picture.image.startswith("attachment://")  # where logs keep what is long
        assert f"data:image/png;base64,{PNG_BASE64}" in evaluation.attachments

    def test_output_while_it_runs(self, evaluation: Evaluation) -> None:
        seen: list[str] = []
        evaluation.run(python_session(on_stdout=seen.append), ("print('one')",))
        assert seen == ["one\n"]

    def test_sessions_end_with_their_samples(self, evaluation: Evaluation) -> None:
        import gc

        made: list[eryx.Session] = []

        class Factory:
            def create_session(self, **options: Any) -> eryx.Session:
                made.append(eryx.Session(**options))
                return made[-1]

        tool = python_session(factory=Factory())  # type: ignore[arg-type]
        evaluation.run(tool, ("1",), ("2",))
        gc.collect()
        assert len(made) == 3
        for session in made[1:]:
            with pytest.raises(eryx.EryxError, match="closed"):
                session.execute("1")
