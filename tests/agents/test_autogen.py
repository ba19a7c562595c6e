"""eryx.ext.autogen with AutoGen's agents and its client that replays answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from autogen_agentchat.agents import ApprovalResponse, AssistantAgent, CodeExecutorAgent
from autogen_core import CancellationToken, FunctionCall
from autogen_core.code_executor import CodeBlock, CodeExecutor
from autogen_core.models import CreateResult, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient
from autogen_ext.tools.code_execution import PythonCodeExecutionTool

from eryx.ext.autogen import EryxCodeExecutor, EryxCodeResult
from programs import FAIL, FAILURE, FOREVER, PNG, SHOW_PICTURE


def find(name: str) -> int:
    """Finds the price of an item."""
    return len(name)


def run(*programs: str, language: str = "python", **options: Any) -> list[EryxCodeResult]:
    """Results of programs that are run one after the other by one executor."""

    async def main() -> list[EryxCodeResult]:
        async with EryxCodeExecutor(**options) as executor:
            return [
                await executor.execute_code_blocks(
                    [CodeBlock(program, language)], CancellationToken()
                )
                for program in programs
            ]

    return asyncio.run(main())


class TestExecutor:
    def test_variables_stay(self) -> None:
        first, second = run("x = 20", "print('so')\nx + 22")
        assert (first.exit_code, first.output) == (0, "")
        assert (second.exit_code, second.output) == (0, "so\n42")

    def test_functions_are_called_without_await(self) -> None:
        assert run("find('tea')", functions=[find])[0].output == "3"

    def test_failures_have_an_exit_code(self) -> None:
        failed, own, after = run(f"x = 1\n{FAIL}", "import sys\nsys.exit(7)", "x")
        assert failed.exit_code == 1
        assert FAILURE in failed.output
        assert own.exit_code == 7
        assert after.output == "1"

    def test_too_long_is_124(self) -> None:
        stopped, after = run(FOREVER, "1", timeout_seconds=0.2)
        assert stopped.exit_code == 124
        assert after.output == "1"

    def test_pictures_are_in_the_result(self) -> None:
        (result,) = run(SHOW_PICTURE)
        assert [picture.data for picture in result.pictures] == [PNG]
        assert "[image/png 2x2]" in result.output

    def test_output_while_it_runs(self) -> None:
        seen: list[str] = []
        run("print('one')", on_stdout=seen.append)
        assert seen == ["one\n"]

    def test_other_languages_are_refused(self) -> None:
        (result,) = run("ls", language="bash")
        assert (result.exit_code, result.output) == (1, "Only Python can be run, not bash.")

    def test_blocks_end_with_the_first_that_fails(self) -> None:
        async def main() -> EryxCodeResult:
            async with EryxCodeExecutor() as executor:
                programs = ("print(1)", FAIL, "print(3)")
                blocks = [CodeBlock(program, "python") for program in programs]
                return await executor.execute_code_blocks(blocks, CancellationToken())

        result = asyncio.run(main())
        assert result.output.startswith("1\n")
        assert "3" not in result.output.splitlines()

    def test_restart_begins_anew(self) -> None:
        async def main() -> str:
            async with EryxCodeExecutor() as executor:
                token = CancellationToken()
                await executor.execute_code_blocks([CodeBlock("x = 1", "python")], token)
                await executor.restart()
                block = CodeBlock("'x' in globals()", "python")
                return (await executor.execute_code_blocks([block], token)).output

        assert asyncio.run(main()) == "False"

    def test_a_cancelled_token_stops_the_program(self) -> None:
        async def main() -> str:
            async with EryxCodeExecutor() as executor:
                token = CancellationToken()
                asyncio.get_running_loop().call_later(0.2, token.cancel)
                block = CodeBlock(f"x = 1\n{FOREVER}", "python")
                with pytest.raises(asyncio.CancelledError):
                    await executor.execute_code_blocks([block], token)
                block, token = CodeBlock("x", "python"), CancellationToken()
                return (await executor.execute_code_blocks([block], token)).output

        assert asyncio.run(main()) == "1"

    def test_is_a_component(self) -> None:
        executor = EryxCodeExecutor(timeout_seconds=2)
        again = CodeExecutor.load_component(executor.dump_component())
        assert isinstance(again, EryxCodeExecutor)
        assert again.dump_component() == executor.dump_component()
        with pytest.raises(ValueError, match="is no component"):
            EryxCodeExecutor(functions=[find]).dump_component()

    def test_the_instruction_has_the_functions(self) -> None:
        assert "\ndef find(name: str) -> int:" in EryxCodeExecutor(functions=[find]).instruction


class TestAgents:
    def test_code_executor_agent_retries(self) -> None:
        answers = [
            f"```python\n{FAIL}\n```",
            '{"retry": true, "reason": "a mistake"}',
            "```python\nfind('tea')\n```",
            "It is 3.",
        ]
        client = ReplayChatCompletionClient(
            answers,
            model_info={
                "vision": False,
                "function_calling": False,
                "json_output": True,
                "family": "unknown",
                "structured_output": True,
            },
        )

        async def main() -> tuple[list[int], str]:
            async with EryxCodeExecutor(functions=[find]) as executor:
                agent = CodeExecutorAgent(
                    "a",
                    code_executor=executor,
                    model_client=client,
                    max_retries_on_error=1,
                    approval_func=lambda request: ApprovalResponse(approved=True, reason=""),
                )
                codes, last = [], ""
                async for event in agent.run_stream(task="go"):
                    if getattr(event, "type", None) == "CodeExecutionEvent":
                        codes.append(event.result.exit_code)
                    last = str(getattr(event, "content", last))
                return codes, last

        assert asyncio.run(main()) == ([1, 0], "It is 3.")

    def test_tool_of_an_assistant(self) -> None:
        call = FunctionCall(id="1", name="CodeExecutor", arguments='{"code": "6 * 7"}')
        usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
        answer = CreateResult(
            content=[call], finish_reason="function_calls", usage=usage, cached=False
        )
        info: Any = {
            "vision": False,
            "function_calling": True,
            "json_output": False,
            "family": "unknown",
            "structured_output": False,
        }
        client = ReplayChatCompletionClient([answer], model_info=info)
        tool = PythonCodeExecutionTool(EryxCodeExecutor())
        agent = AssistantAgent("a", model_client=client, tools=[tool])
        result = asyncio.run(agent.run(task="go"))
        assert "42" in str(result.messages[-1].content)
