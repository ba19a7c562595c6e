"""eryx.ext.google_adk with an agent of the kit whose model is a script."""

from __future__ import annotations

import asyncio
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types

from eryx.ext.google_adk import EryxCodeExecutor
from programs import FAIL, FAILURE, FOREVER, PNG, SHOW_PICTURE


class Script(BaseLlm):
    answers: list[str]
    seen: list[str] = []  # noqa: RUF012  (of pydantic)

    async def generate_content_async(self, llm_request: Any, stream: bool = False) -> Any:
        parts = llm_request.contents[-1].parts
        self.seen.append("".join(part.text or "" for part in parts))
        yield LlmResponse(content=types.ModelContent(self.answers.pop(0)))


def block(program: str) -> str:
    return f"I compute.\n```python\n{program}\n```"


def find(name: str) -> int:
    """Finds the price of an item."""
    return len(name)


class Conversation:
    """Runs of one agent, and what the model was told in them."""

    def __init__(self, executor: EryxCodeExecutor) -> None:
        self.model = Script(model="script", answers=[], seen=[])
        self.runner = InMemoryRunner(
            LlmAgent(name="a", model=self.model, code_executor=executor), app_name="app"
        )

    def run(self, *programs: str, user: str = "ada", session: str = "1", files: Any = ()) -> Any:
        self.model.answers[:] = [*map(block, programs), "done"]
        self.model.seen.clear()
        return asyncio.run(self._run(user, session, files))

    async def _run(self, user: str, session: str, files: Any) -> Any:
        service = self.runner.session_service
        where = {"app_name": "app", "user_id": user, "session_id": session}
        if await service.get_session(**where) is None:
            await service.create_session(**where)
        message = types.UserContent(["go", *files])
        events = [
            event
            async for event in self.runner.run_async(
                user_id=user, session_id=session, new_message=message
            )
        ]
        parts = [part for event in events if event.content for part in event.content.parts or ()]
        self.events = events
        return [part.code_execution_result for part in parts if part.code_execution_result]


class TestAgent:
    def test_runs_blocks_that_call_functions(self) -> None:
        conversation = Conversation(EryxCodeExecutor(functions=[find]))
        (result,) = conversation.run("print(find('tea'))\nfind(name='cake')")
        assert result.outcome is types.Outcome.OUTCOME_OK
        assert "3\n4" in result.output
        assert "3\n4" in conversation.model.seen[1]

    def test_variables_stay_in_a_session(self) -> None:
        conversation = Conversation(EryxCodeExecutor())
        conversation.run("x = 20")
        assert "42" in conversation.run("x + 22")[0].output

    def test_and_are_not_in_that_of_another_user(self) -> None:
        conversation = Conversation(EryxCodeExecutor())
        conversation.run("x = 20")
        assert "False" in conversation.run("'x' in globals()", user="bob")[0].output
        assert "False" in conversation.run("'x' in globals()", session="2")[0].output

    def test_failures_are_retried(self) -> None:
        conversation = Conversation(EryxCodeExecutor())
        failed, after = conversation.run(f"x = 1\n{FAIL}", "x")
        assert failed.outcome is types.Outcome.OUTCOME_FAILED
        assert FAILURE in failed.output
        assert FAILURE in conversation.model.seen[1]
        assert "1" in after.output

    def test_so_many_times(self) -> None:
        conversation = Conversation(EryxCodeExecutor(error_retry_attempts=1))
        assert len(conversation.run(FAIL, FAIL, FAIL)) == 1

    def test_a_limit_is_told(self) -> None:
        (result,) = Conversation(EryxCodeExecutor(timeout_seconds=1)).run(FOREVER)
        assert "timed out" in result.output

    def test_pictures_are_artifacts(self) -> None:
        conversation = Conversation(EryxCodeExecutor())
        (result,) = conversation.run(SHOW_PICTURE)
        assert "picture_1.png" in result.output
        where = {"app_name": "app", "user_id": "ada", "session_id": "1"}
        load = conversation.runner.artifact_service.load_artifact
        artifact = asyncio.run(load(filename="picture_1.png", **where))
        assert artifact.inline_data.data == PNG

    def test_output_while_it_runs(self) -> None:
        seen: list[str] = []
        Conversation(EryxCodeExecutor(on_stdout=seen.append)).run("print('one')")
        assert seen == ["one\n"]

    def test_files_of_the_request_are_there(self) -> None:
        executor = EryxCodeExecutor()
        executor.optimize_data_file = True
        conversation = Conversation(executor)
        data = types.Part.from_bytes(data=b"a,b\n1,2\n", mime_type="text/csv")
        results = conversation.run("print(open('data_1_2.csv').read())", files=[data])
        assert "a,b\n1,2" in results[-1].output

    def test_the_instruction_has_the_functions(self) -> None:
        instruction = EryxCodeExecutor(functions=[find]).instruction
        assert "\ndef find(name: str) -> int:" in instruction
        assert "```python" in instruction

    def test_closed_sessions_are_gone(self) -> None:
        executor = EryxCodeExecutor()
        conversation = Conversation(executor)
        conversation.run("x = 1")
        executor.close()
        assert "False" in conversation.run("'x' in globals()")[0].output
