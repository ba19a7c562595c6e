"""What a model and a session say to each other: a file up, a plot, a file down, and two mistakes.

The model is a row of programs here, such as a language model would write one after the other; each
answer is what it would see before it writes the next.
"""

import asyncio

import eryx

PROGRAMS = (
    # A forgotten await: the answer says how it is called.
    "item = find_item(name='tea')\nitem['price']",
    # A tool error: the answer has its text and nothing else.
    "await find_item(name='cofee')",
    # The file that the user has given, and a picture.
    """
import csv
rows = [(row["month"], int(row["sold"])) for row in csv.DictReader(open("sales.csv"))]

class Chart:
    def __init__(self, rows): self.rows = rows
    def _repr_svg_(self):
        bars = "".join(
            f'<rect x="{10 * i}" y="{60 - n}" width="8" height="{n}"/>'
            for i, (_, n) in enumerate(self.rows)
        )
        return f'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60">{bars}</svg>'

Chart(rows)
""",
    # A file for the user, and a value.
    """
item = await find_item(name='tea')
total = sum(n for _, n in rows) * item["price"]
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


async def main() -> None:
    async with eryx.Session(callbacks=[find_item]) as session:
        print(eryx.prompt(session))
        session.files.write_text("sales.csv", "month,sold\njan,10\nfeb,30\n")
        for program in PROGRAMS:
            try:
                done: eryx.ExecuteResult | eryx.EryxError = await session.execute_async(program)
            except eryx.ExecutionError as error:
                done = error
            print("---")
            print(done.to_text(max_chars=2_000))
        print("---")
        print("for the user:", session.files.read_text("report.txt").strip())


asyncio.run(main())
