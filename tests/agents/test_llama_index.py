"""eryx.ext.llama_index with a CodeActAgent whose model is a script."""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.agent.workflow import CodeActAgent, ToolCallResult
from llama_index.core.llms import ChatMessage, ChatResponse, MockLLM
from llama_index.core.workflow import Context

from eryx.ext.llama_index import ProgramOutput, ProgramPicture, code_execute_fn
from programs import FAIL, FAILURE, FOREVER, PNG_BASE64, SHOW_PICTURE


class Script(MockLLM):
    answers: list[str] = []  # noqa: RUF012  (of pydantic)
    seen: list[str] = []  # noqa: RUF012  (of pydantic)

    async def astream_chat(self, messages: Any, **options: Any) -> Any:
        self.seen.append(str(messages[-1].content))

        async def stream(text: str) -> Any:
            yield ChatResponse(message=ChatMessage(text, role="assistant"), delta=text)

        return stream(self.answers.pop(0))


def find(name: str) -> int:
    """Finds the price of an item."""
    return len(name)


class Conversation:
    """Runs of one agent with one context."""

    def __init__(self, execute: Any, *tools: Any) -> None:
        self.llm = Script()
        self.llm.answers, self.llm.seen = [], []
        self.agent = CodeActAgent(code_execute_fn=execute, tools=[*tools], llm=self.llm)
        self.context = Context(self.agent)

    def run(self, *programs: str) -> list[Any]:
        """The tool outputs; all events are in `events`."""
        self.llm.answers[:] = [*(f"<execute>{program}</execute>" for program in programs), "done"]
        self.llm.seen.clear()
        return asyncio.run(self._run())

    async def _run(self) -> list[Any]:
        handler = self.agent.run("go", ctx=self.context)
        self.events = [event async for event in handler.stream_events()]
        assert str(await handler) == "done"
        return [each.tool_output for each in self.events if isinstance(each, ToolCallResult)]


class TestAgent:
    def test_tools_are_called_without_await(self) -> None:
        conversation = Conversation(code_execute_fn(functions=[find]), find)
        (output,) = conversation.run("print(find('tea'))\nfind(name='cake')")
        assert output.content == "3\n4"
        assert "3\n4" in conversation.llm.seen[1]

    def test_variables_stay_in_a_context(self) -> None:
        execute = code_execute_fn()
        conversation = Conversation(execute)
        conversation.run("x = 20")
        assert conversation.run("x + 22")[0].content == "42"
        assert Conversation(execute).run("'x' in globals()")[0].content == "False"

    def test_failures_are_errors_of_the_tool(self) -> None:
        conversation = Conversation(code_execute_fn())
        failed, after = conversation.run(f"x = 1\n{FAIL}", "x")
        assert failed.is_error
        assert FAILURE in failed.content
        assert FAILURE in conversation.llm.seen[1]
        assert after.content == "1"

    def test_a_limit_is_told(self) -> None:
        conversation = Conversation(code_execute_fn(execution_timeout_ms=200))
        stopped, after = conversation.run(FOREVER, "1")
        assert "timed out" in stopped.content
        assert after.content == "1"

    def test_output_is_streamed(self) -> None:
        conversation = Conversation(code_execute_fn())
        conversation.run("print('one')\nimport time\ntime.sleep(0.05)\nprint('two')")
        written = [each for each in conversation.events if isinstance(each, ProgramOutput)]
        assert [(each.stream, each.text) for each in written] == [
            ("stdout", "one\n"),
            ("stdout", "two\n"),
        ]

    def test_pictures_are_events(self) -> None:
        conversation = Conversation(code_execute_fn())
        (output,) = conversation.run(SHOW_PICTURE)
        assert "[image/png 2x2]" in output.content
        (shown,) = [each for each in conversation.events if isinstance(each, ProgramPicture)]
        assert (shown.mime, shown.base64) == ("image/png", PNG_BASE64)
