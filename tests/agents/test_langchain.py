"""eryx.ext.langchain with LangChain's own fake model."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.tools import ToolException, tool

import eryx
from eryx.ext.langchain import CodeMiddleware, PythonTool
from programs import FAIL, FAILURE, FOREVER, PNG_BASE64, SHOW_PICTURE


@tool
def find(name: str, limit: int = 3) -> dict[str, int]:
    """Finds an item."""
    if name != "tea":
        raise ToolException("no such item")
    return {"price": limit}


@tool
async def double(n: int) -> int:
    """Twice as much."""
    await asyncio.sleep(0)
    return 2 * n


class Model(GenericFakeChatModel):
    seen: list[list[BaseMessage]] = []  # noqa: RUF012  (of pydantic)

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *rest: Any, **options: Any) -> Any:
        self.seen.append(messages)
        return super()._generate(messages, *rest, **options)


def model_of(*programs: str) -> Model:
    calls = [
        AIMessage("", tool_calls=[{"name": "run_python", "args": {"code": code}, "id": str(n)}])
        for n, code in enumerate(programs)
    ]
    return Model(messages=iter([*calls, AIMessage("done")]), seen=[])


def answers(state: dict[str, Any]) -> list[ToolMessage]:
    return [message for message in state["messages"] if isinstance(message, ToolMessage)]


def run(middleware: CodeMiddleware, *programs: str, thread: str | None = None) -> list[ToolMessage]:
    agent = create_agent(model_of(*programs), middleware=[middleware])
    config: Any = {"configurable": {"thread_id": thread}} if thread else {}
    return answers(agent.invoke({"messages": [("user", "go")]}, config))


def run_async(middleware: CodeMiddleware, *programs: str) -> list[ToolMessage]:
    agent = create_agent(model_of(*programs), middleware=[middleware])
    return answers(asyncio.run(agent.ainvoke({"messages": [("user", "go")]})))


@pytest.mark.parametrize("go", [run, run_async], ids=["invoke", "ainvoke"])
class TestMiddleware:
    def test_programs_call_tools(self, go: Any) -> None:
        middleware = CodeMiddleware(functions=[find, double, abs])
        first, second = go(
            middleware,
            "price = (await find('tea'))['price']",
            "print(await double(price), await find(name='tea', limit=5))",
        )
        assert first.content == ""
        assert second.content == "6 {'price': 5}"
        assert isinstance(second.artifact, eryx.ExecuteResult)

    def test_failures_are_errors_of_the_tool(self, go: Any) -> None:
        failed, after = go(CodeMiddleware(), f"x = 1\n{FAIL}", "x")
        assert FAILURE in failed.content
        assert failed.status == "error"
        assert (after.content, after.status) == ("1", "success")

    def test_what_a_tool_raises_is_told_to_the_program(self, go: Any) -> None:
        code = "try:\n    await find({})\nexcept RuntimeError as error:\n    print(error)"
        middleware = CodeMiddleware(functions=[find])
        told, misfit = go(middleware, code.format("'cofee'"), code.format("[]"))
        assert told.content == "no such item"
        assert "valid string" in misfit.content

    def test_pictures_are_blocks(self, go: Any) -> None:
        (answer,) = go(CodeMiddleware(), SHOW_PICTURE)
        text, picture = answer.content
        assert "[image/png 2x2]" in text["text"]
        assert picture == {"type": "image", "base64": PNG_BASE64, "mime_type": "image/png"}

    def test_a_limit_is_told(self, go: Any) -> None:
        stopped, after = go(CodeMiddleware(execution_timeout_ms=200), FOREVER, "1")
        assert "timed out" in stopped.content
        assert after.content == "1"


class TestConversation:
    def test_without_a_thread_variables_stay_for_one_run(self) -> None:
        middleware = CodeMiddleware()
        assert [each.content for each in run(middleware, "x = 20", "x + 22")] == ["", "42"]
        assert run(middleware, "'x' in globals()")[0].content == "False"

    def test_with_a_thread_they_stay_for_all(self) -> None:
        middleware = CodeMiddleware()
        run(middleware, "x = 20", thread="1")
        assert run(middleware, "x", thread="1")[0].content == "20"
        assert run(middleware, "'x' in globals()", thread="2")[0].content == "False"
        middleware.tool.end("1")
        assert run(middleware, "'x' in globals()", thread="1")[0].content == "False"

    def test_output_is_streamed(self) -> None:
        code = "print('one')\nimport time\ntime.sleep(0.05)\nprint('two')"
        agent = create_agent(model_of(code), middleware=[CodeMiddleware()])
        stream = agent.stream({"messages": [("user", "go")]}, stream_mode="custom")
        assert [*stream] == [
            {"type": "output", "stream": "stdout", "text": "one\n"},
            {"type": "output", "stream": "stdout", "text": "two\n"},
        ]

    def test_the_model_is_told(self) -> None:
        model = model_of()
        middleware = CodeMiddleware(functions=[find])
        agent = create_agent(model, middleware=[middleware], system_prompt="Be kind.")
        agent.invoke({"messages": [("user", "go")]})
        assert model.seen[0][0].text.startswith("Be kind.")
        assert "run_python" in model.seen[0][0].text
        stub = "async def find(name: str, limit: int = 3) -> dict[str, int]:"
        assert stub in middleware.tool.description


class TestTool:
    def test_without_a_thread_each_call_is_alone(self) -> None:
        tool = PythonTool()
        assert tool.invoke({"code": "x = 1"}) == ""
        assert tool.invoke({"code": "'x' in globals()"}) == "False"

    def test_async_tools_in_sync_runs(self) -> None:
        assert PythonTool(functions=[double]).invoke({"code": "await double(21)"}) == "42"

    def test_a_call_without_a_program_is_an_error(self) -> None:
        call = {"name": "run_python", "args": {}, "id": "1", "type": "tool_call"}
        assert PythonTool().invoke(call).status == "error"

    def test_closed_sessions_are_gone(self) -> None:
        tool, config = PythonTool(), {"configurable": {"thread_id": "1"}}
        tool.invoke({"code": "x = 1"}, config)
        tool.close()
        assert tool.invoke({"code": "'x' in globals()"}, config) == "False"
