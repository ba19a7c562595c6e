"""A conversation of pydantic-ai with a model that writes programs.

A file up, a picture, a file down, a tool error and a forgotten await, with plain tools.
"""

from __future__ import annotations

import asyncio
import base64
import io
import runpy
from pathlib import Path

import pytest
from PIL import Image
from pydantic_ai import Agent, BinaryContent, ToolReturn
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

import eryx
from eryx import science

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)

PROGRAMS = (
    "item = find_item(name='tea')\nitem['price']",
    "await find_item(name='cofee')",
    "import csv\n"
    "rows = [int(row['sold']) for row in csv.DictReader(open('sales.csv'))]\n"
    "display({'image/png': pixel}, raw=True)\n"
    "sum(rows)",
    "item = await find_item(name='tea')\n"
    "total = sum(rows) * item['price']\n"
    "with open('report.txt', 'w') as report: print('sold for', total, file=report)",
)


def has_matplotlib() -> bool:
    """Whether eryx-science was built for this eryx, and with matplotlib."""
    try:
        return science.find("matplotlib") is not None
    except eryx.InitializationError:
        return False


def find_item(name: str) -> dict[str, int]:
    """Finds an item by its name."""
    if name != "tea":
        raise eryx.ToolError(f"no such item: {name}")
    return {"price": 3}


class TestConversation:
    def test_example(self, capsys: pytest.CaptureFixture[str]) -> None:
        root = Path(__file__).parents[2]
        runpy.run_path(str(root / "examples/python/conversation.py"), run_name="__main__")
        said = capsys.readouterr().out
        for text in (
            "write `await find_item(...)`",
            "no such item: cofee",
            "[image/png 20x40]",
            "/data/report.txt b'sold for 120\\n'",
            "the model says:\nThe report is there.",
        ):
            assert text in said

    def test_each_answer_tells_the_model_what_to_do_next(self) -> None:
        session = eryx.Session(callbacks=[find_item])
        session.files.write_text("sales.csv", "month,sold\njan,10\nfeb,30\n")
        downloads: dict[str, bytes] = {}
        seen: list[str] = []
        pictures: list[bytes] = []

        def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
            last = messages[-1]
            assert isinstance(last, ModelRequest)
            for part in last.parts:
                if isinstance(part, ToolReturnPart):
                    seen.append(str(part.content))
                if isinstance(part, UserPromptPart) and not isinstance(part.content, str):
                    pictures.extend(
                        piece.data for piece in part.content if isinstance(piece, BinaryContent)
                    )
            if len(seen) == len(PROGRAMS):
                return ModelResponse(parts=[TextPart("The report is there.")])
            return ModelResponse(parts=[ToolCallPart("run_python", {"code": PROGRAMS[len(seen)]})])

        agent = Agent(FunctionModel(model), instructions=eryx.prompt(session))

        @agent.tool_plain
        async def run_python(code: str) -> ToolReturn:
            """Runs a program."""
            done: eryx.ExecuteResult | eryx.EryxError
            try:
                done = await session.execute_async(
                    code, inputs={"pixel": base64.b64encode(PIXEL).decode()}
                )
            except eryx.ExecutionError as error:
                done = error
            for change in done.files:
                if change.kind != "removed" and change.type == "file":
                    downloads[change.path] = done.read(change.path)
            shown = [
                BinaryContent(data=display.read("image/png"), media_type="image/png")
                for display in done.display
                if "image/png" in display.mime
            ]
            return ToolReturn(return_value=done.text, content=shown or None)

        answer = asyncio.run(agent.run("What did the tea sell for? Write a report."))
        assert answer.output == "The report is there."
        assert "await find_item(" in seen[0]
        assert "no such item: cofee" in seen[1]
        assert "40" in seen[2]
        assert "[image/png 1x1]" in seen[2]
        assert pictures == [PIXEL]
        assert downloads == {"/data/report.txt": b"sold for 120\n"}

    @pytest.mark.skipif(not has_matplotlib(), reason="eryx-science has no matplotlib: make science")
    def test_a_plot_that_the_model_sees(self) -> None:
        """First with a fault that the error names, then as it should be."""
        session = science.factory("pandas", "matplotlib").create_session()
        session.files.write_text("sales.csv", "month,sold\njan,10\nfeb,30\nmar,20\n")
        programs = [
            "import pandas as pd\nimport matplotlib.pyplot as plt\n"
            "frame = pd.read_csv('sales.csv')\nframe.plot.bar(x='month', y='count')\nplt.show()",
            "frame.plot.bar(x='month', y='sold')\nplt.show()\nint(frame['sold'].sum())",
        ]
        seen: list[str] = []
        pictures: list[bytes] = []

        def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
            for part in messages[-1].parts:
                if isinstance(part, ToolReturnPart):
                    seen.append(str(part.content))
                if isinstance(part, UserPromptPart) and not isinstance(part.content, str):
                    pictures.extend(
                        piece.data for piece in part.content if isinstance(piece, BinaryContent)
                    )
            if len(seen) == len(programs):
                return ModelResponse(parts=[TextPart("February was best.")])
            return ModelResponse(parts=[ToolCallPart("run_python", {"code": programs[len(seen)]})])

        agent = Agent(FunctionModel(model), instructions=eryx.prompt(session))

        @agent.tool_plain
        async def run_python(code: str) -> ToolReturn:
            """Runs a program."""
            done: eryx.ExecuteResult | eryx.EryxError
            try:
                done = await session.execute_async(code, timeout_ms=60_000)
            except eryx.ExecutionError as error:
                done = error
            shown = [
                BinaryContent(data=display.read("image/png"), media_type="image/png")
                for display in done.display
                if "image/png" in display.mime
            ]
            return ToolReturn(return_value=done.text, content=shown or None)

        answer = asyncio.run(agent.run("Which month was best? Show me."))
        assert answer.output == "February was best."
        assert "KeyError: 'count'" in seen[0]
        assert "[image/png " in seen[1]
        assert "60" in seen[1]
        picture = Image.open(io.BytesIO(pictures[-1])).convert("RGB")
        colors = {color for _, color in picture.getcolors(1 << 24) or []}
        assert (0x1F, 0x77, 0xB4) in colors
