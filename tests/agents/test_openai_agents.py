"""eryx.ext.openai_agents with the SDK's scripted model."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

import pytest
from agents import Agent, RunConfig, Runner, function_tool
from agents.testing import ScriptedModel, assistant_message, function_call

import eryx
from eryx.ext.openai_agents import python_tool
from programs import FAIL, FAILURE, FOREVER, PNG_BASE64, SHOW_PICTURE


@function_tool
def find(name: str, limit: int = 3) -> dict[str, int]:
    """Finds an item."""
    return {"price": limit}


def double(n: float) -> float:
    """Twice as much."""
    return 2 * n


def run(tool: Any, *programs: str, **options: Any) -> list[Any]:
    """What the tool gave for programs in one run of an agent."""
    steps: list[Any] = [
        [function_call("run_python", json.dumps({"code": code}), call_id=str(n))]
        for n, code in enumerate(programs)
    ]
    model = ScriptedModel([*steps, [assistant_message("done")]])
    agent = Agent(name="a", model=model, tools=[tool])
    result = asyncio.run(Runner.run(agent, "go", max_turns=20, **options))
    assert result.final_output == "done"
    return [item.output for item in result.new_items if item.type == "tool_call_output_item"]


class TestTool:
    def test_programs_call_functions_and_tools(self) -> None:
        tool = python_tool(functions=[find, double])
        assert run(tool, "x = (await find(name='tea'))['price']\nawait double(x)") == ["6.0"]

    def test_the_description_has_their_types(self) -> None:
        description = python_tool(functions=[find, double]).description
        assert "async def double(n: float) -> float:" in description
        assert "async def find(name: str, limit: int) -> dict[str, int]:" in description

    def test_failures_are_told(self) -> None:
        failed, after = run(python_tool(), f"x = 1\n{FAIL}", "x")
        assert FAILURE in failed
        assert after == "1"

    def test_a_limit_is_told(self) -> None:
        stopped, after = run(python_tool(execution_timeout_ms=200), FOREVER, "1")
        assert "timed out" in stopped
        assert after == "1"

    def test_wrong_arguments_are_told(self) -> None:
        (answer,) = run(python_tool(functions=[double]), "await double('x')")
        assert "argument 'n' must be float" in answer

    def test_pictures_are_images(self) -> None:
        ((text, picture),) = run(python_tool(), SHOW_PICTURE)
        assert "[image/png 2x2]" in text.text
        assert picture.image_url == f"data:image/png;base64,{PNG_BASE64}"

    def test_output_while_it_runs(self) -> None:
        seen: list[str] = []
        run(python_tool(on_stdout=seen.append), "print('one')")
        assert seen == ["one\n"]


class TestConversation:
    def test_variables_stay_for_a_run(self) -> None:
        tool = python_tool()
        assert run(tool, "x = 20", "x + 22") == ["", "42"]
        assert run(tool, "'x' in globals()") == ["False"]

    def test_variables_stay_in_a_group(self) -> None:
        tool = python_tool()
        first, second = RunConfig(group_id="1"), RunConfig(group_id="2")
        run(tool, "x = 20", run_config=first)
        assert run(tool, "x", run_config=first) == ["20"]
        assert run(tool, "'x' in globals()", run_config=second) == ["False"]

    def test_conversation_of_the_caller(self) -> None:
        tool = python_tool(conversation=lambda context: context.context["user"])
        run(tool, "x = 20", context={"user": "Ada"})
        assert run(tool, "x", context={"user": "Ada"}) == ["20"]
        assert run(tool, "'x' in globals()", context={"user": "Bob"}) == ["False"]

    def test_sessions_of_ended_runs_are_closed(self) -> None:
        made: list[eryx.Session] = []

        class Factory:
            def create_session(self, **options: Any) -> eryx.Session:
                made.append(eryx.Session(**options))
                return made[-1]

        tool = python_tool(factory=Factory())  # type: ignore[arg-type]
        for _ in range(3):
            run(tool, "1")
        gc.collect()
        assert len(made) == 4  # and the one that wrote the description
        for session in made[1:]:
            with pytest.raises(eryx.EryxError, match="closed"):
                session.execute("1")
