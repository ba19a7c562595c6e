"""A conversation of pydantic-ai with a model that writes programs: two mistakes, a file up, a plot,
a file down.

The model is a FunctionModel, which says the same each time; put the name of another in its place.
It sees what each program printed, its value, its picture, and why it failed. Needs pydantic-ai.
"""

import asyncio

from pydantic_ai import Agent, BinaryContent, ToolReturn
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

import eryx

PROGRAMS = (
    # A forgotten await: the answer says how it is called.
    "item = find_item(name='tea')\nitem['price']",
    # A tool error: the answer has its text.
    "await find_item(name='cofee')",
    # The file that the user has given, and a plot, as matplotlib makes one where that is a package.
    """
import csv, struct, zlib
rows = [(row["month"], int(row["sold"])) for row in csv.DictReader(open("sales.csv"))]

class Chart:
    def __init__(self, values): self.values = values
    def _repr_png_(self):
        width, height = 10 * len(self.values), max(self.values) + 10
        def pixel(x, y):
            return 0 if x % 10 < 8 and self.values[x // 10] > y else 255
        def chunk(kind, data):
            check = zlib.crc32(kind + data)
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
        lines = b"".join(
            b"\\0" + bytes(pixel(x, y) for x in range(width)) for y in reversed(range(height))
        )
        head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
        parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
        return b"\\x89PNG\\r\\n\\x1a\\n" + b"".join(chunk(*part) for part in parts)

Chart([sold for _, sold in rows])
""",
    # A file for the user, and a value.
    """
item = await find_item(name='tea')
total = sum(sold for _, sold in rows) * item["price"]
with open("report.txt", "w") as report:
    print(f"sold for {total}", file=report)
total
""",
)


def find_item(name: str) -> dict[str, int]:
    """Finds an item by its name."""
    if name != "tea":
        raise eryx.ToolError(f"no such item: {name}")
    return {"price": 3}


def write(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """The next thing that the model says."""
    parts = [part for message in messages for part in message.parts]
    done = sum(isinstance(part, ToolReturnPart) for part in parts)
    if done == len(PROGRAMS):
        return ModelResponse(parts=[TextPart("The report is there.")])
    return ModelResponse(parts=[ToolCallPart("run_python", {"code": PROGRAMS[done]})])


async def main() -> None:
    async with eryx.Session(callbacks=[find_item]) as session:
        session.files.write_text("sales.csv", "month,sold\njan,10\nfeb,30\n")

        async def run_python(code: str) -> ToolReturn:
            """Runs a program."""
            done: eryx.ExecuteResult | eryx.EryxError
            try:
                done = await session.execute_async(code)
            except eryx.ExecutionError as error:
                done = error
            print("--- the model sees:", done.text, sep="\n")
            for change in done.files:
                print("--- for the user:", change.path, done.read(change.path))
            pictures = [
                BinaryContent(data=shown.read("image/png"), media_type="image/png")
                for shown in done.display
                if "image/png" in shown.mime
            ]
            return ToolReturn(return_value=done.text, content=pictures or None)

        agent = Agent(FunctionModel(write), tools=[run_python], instructions=eryx.prompt(session))
        answer = await agent.run("What did the tea sell for? Show it, and write a report.")
        print("--- the model says:", answer.output, sep="\n")


asyncio.run(main())
