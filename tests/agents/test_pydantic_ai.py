"""eryx.ext.pydantic_ai with pydantic-ai's own models for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, ModelRetry, RunContext, UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.tools import DeferredToolRequests
from pydantic_ai.toolsets import FunctionToolset

from eryx.ext.pydantic_ai import CodeMode, CodeToolset, ProgramOutput
from programs import FAIL, FAILURE, FOREVER, PNG, SHOW_PICTURE


class Item(BaseModel):
    name: str
    price: float


class Script:
    """A model that writes programs, one after the other, and keeps what it is told."""

    def __init__(self, *programs: str) -> None:
        self._programs = iter(programs)
        self.infos: list[AgentInfo] = []
        self.answers: list[Any] = []
        self.model = FunctionModel(self.write, stream_function=self.stream)

    def write(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.infos.append(info)
        self.answers.append(messages[-1].parts[-1])
        program = next(self._programs, None)
        if program is None:
            return ModelResponse(parts=[TextPart("done")])
        return ModelResponse(parts=[ToolCallPart("run_python", {"code": program})])

    async def stream(self, messages: list[ModelMessage], info: AgentInfo) -> Any:
        call = self.write(messages, info).parts[0]
        if isinstance(call, ToolCallPart):
            yield {0: DeltaToolCall("run_python", call.args_as_json_str())}
        else:
            yield "done"

    @property
    def contents(self) -> list[Any]:
        return [answer.content for answer in self.answers[1:]]


def agent_of(script: Script, **options: Any) -> Agent[Any, str]:
    return Agent(script.model, capabilities=[CodeMode(**options)])


def add_find(agent: Agent[Any, Any]) -> Callable[..., Any]:
    @agent.tool_plain
    def find(name: str, limit: int = 3) -> Item:
        """Finds an item."""
        if name != "tea":
            raise ModelRetry("no such item")
        return Item(name=name, price=limit)

    return find


class TestCodeMode:
    def test_tools_are_functions_of_programs(self) -> None:
        script = Script("item = await find(name='tea')\nprint(item)\nitem['price'] * 2")
        agent = agent_of(script)
        add_find(agent)
        assert agent.run_sync("go").output == "done"
        assert script.contents == ["{'name': 'tea', 'price': 3.0}\n6.0"]

    def test_the_model_sees_one_tool_with_typed_functions(self) -> None:
        script = Script()
        agent = agent_of(script)
        add_find(agent)
        agent.run_sync("go")
        (tool,) = script.infos[0].function_tools
        assert tool.name == "run_python"
        assert "async def find(*, name: str, limit: int = 3) -> Item:" in tool.description.replace(
            "limit: int = 3,", "limit: int = 3"
        )
        assert "price: float" in tool.description
        assert "Finds an item." in tool.description
        assert "Python 3.14" in tool.description

    def test_calls_have_the_dependencies_of_the_run(self) -> None:
        script = Script("await who()")
        agent = Agent(script.model, deps_type=str, capabilities=[CodeMode()])

        @agent.tool
        def who(context: RunContext[str]) -> str:
            return context.deps

        agent.run_sync("go", deps="Ada")
        assert script.contents == ["'Ada'"]

    def test_what_a_tool_raises_is_told_to_the_program(self) -> None:
        script = Script(
            "try:\n    await find(name='cofee')\nexcept RuntimeError as error:\n    print(error)",
            "try:\n    await find(name=[])\nexcept RuntimeError as error:\n    print(error)",
        )
        agent = agent_of(script)
        add_find(agent)
        agent.run_sync("go")
        assert script.contents[0] == "no such item"
        assert "valid string" in script.contents[1]

    def test_only_selected_tools_are_functions(self) -> None:
        script = Script()
        agent = agent_of(script, tools=["find"])
        add_find(agent)

        @agent.tool_plain
        def other() -> int:
            return 1

        agent.run_sync("go")
        names = [tool.name for tool in script.infos[0].function_tools]
        assert names == ["run_python", "other"]

    def test_tools_that_need_approval_stay_tools(self) -> None:
        script = Script("'pay' in globals()")
        agent = Agent(
            script.model, capabilities=[CodeMode()], output_type=[str, DeferredToolRequests]
        )

        @agent.tool_plain(requires_approval=True)
        def pay(amount: int) -> str:
            return "paid"

        agent.run_sync("go")
        assert [tool.name for tool in script.infos[0].function_tools] == ["run_python", "pay"]
        assert script.contents == ["False"]

    def test_approval_asked_for_late_is_refused(self) -> None:
        script = Script("await pay(amount=500)")
        tools = FunctionToolset()

        @tools.tool_plain
        def pay(amount: int) -> str:
            return "paid"

        agent = Agent(script.model, toolsets=[tools.approval_required()], capabilities=[CodeMode()])
        agent.run_sync("go")
        assert "needs approval" in script.contents[0]

    def test_calls_run_at_the_same_time(self) -> None:
        script = Script("import asyncio\nawait asyncio.gather(*[meet() for _ in range(3)])")
        agent = agent_of(script)
        barrier = asyncio.Barrier(3)

        @agent.tool_plain
        async def meet() -> int:
            return await barrier.wait()

        agent.run_sync("go")
        assert sorted(eval(script.contents[0])) == [0, 1, 2]


class TestConversation:
    def test_variables_stay_in_a_conversation(self) -> None:
        agent = agent_of(Script("x = 20"))
        first = agent.run_sync("go")
        script = Script("x + 22")
        agent.run_sync("on", message_history=first.all_messages(), model=script.model)
        assert script.contents == ["42"]

    def test_variables_are_not_in_another(self) -> None:
        agent = agent_of(Script("x = 20"))
        agent.run_sync("go")
        script = Script("'x' in globals()")
        agent.run_sync("go", model=script.model)
        assert script.contents == ["False"]

    def test_failures_are_retries(self) -> None:
        script = Script("y = 1", FAIL, "y")
        agent = agent_of(script)
        agent.run_sync("go")
        assert FAILURE in script.contents[1]
        assert script.answers[2].outcome == "retried"
        assert script.contents[2] == "1"

    def test_too_many_failures_end_the_run(self) -> None:
        agent = agent_of(Script(FAIL, FAIL, FAIL), max_retries=1)
        with pytest.raises(UnexpectedModelBehavior, match="run_python"):
            agent.run_sync("go")

    def test_a_limit_is_told(self) -> None:
        script = Script(FOREVER, "1")
        agent_of(script, execution_timeout_ms=200).run_sync("go")
        assert "timed out" in script.contents[0]
        assert script.contents[1] == "1"

    def test_pictures_are_pictures(self) -> None:
        script = Script(SHOW_PICTURE)
        agent_of(script).run_sync("go")
        text, picture = script.contents[0]
        assert "[image/png 2x2]" in text
        assert picture == BinaryContent(PNG, media_type="image/png")

    def test_output_is_streamed(self) -> None:
        script = Script("print('one')\nimport time\ntime.sleep(0.05)\nprint('two')")
        agent = agent_of(script)
        seen: list[str] = []

        async def main() -> None:
            async with agent.run_stream_events("go") as events:
                async for event in events:
                    if isinstance(event, ProgramOutput):
                        seen.append(f"{event.stream} {event.text}")
                        assert event.tool_name == "run_python"

        asyncio.run(main())
        assert seen == ["stdout one\n", "stdout two\n"]


class TestToolset:
    def test_wraps_another_toolset(self) -> None:
        script = Script("await double(n=21)")
        tools = FunctionToolset()

        @tools.tool_plain
        def double(n: int) -> int:
            return 2 * n

        Agent(script.model, toolsets=[CodeToolset(tools)]).run_sync("go")
        assert script.contents == ["42"]

    def test_alone_it_is_a_plain_tool(self) -> None:
        script = Script("6 * 7")
        Agent(script.model, toolsets=[CodeToolset(name="run_python")]).run_sync("go")
        assert script.contents == ["42"]

    def test_names_that_are_no_identifiers(self) -> None:
        script = Script("await my_double(n=21)")
        tools = FunctionToolset()
        tools.add_function(lambda n: 2 * n, name="my-double")
        Agent(script.model, toolsets=[CodeToolset(tools)]).run_sync("go")
        assert script.contents == ["42"]

    def test_made_up_programs_do_no_harm(self) -> None:
        agent = Agent(TestModel(), toolsets=[CodeToolset(max_retries=0)])
        with pytest.raises(UnexpectedModelBehavior, match="exceeded max retries"):
            agent.run_sync("go")  # TestModel's program is the letter a

    def test_closed_sessions_are_gone(self) -> None:
        mode = CodeMode()
        first = Agent(Script("x = 1").model, capabilities=[mode]).run_sync("go")
        mode.close()
        script = Script("'x' in globals()")
        Agent(script.model, capabilities=[mode]).run_sync(
            "on", message_history=first.all_messages()
        )
        assert script.contents[-1] == "False"
