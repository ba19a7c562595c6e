"""Asynchronous calls of a pretended API with caching, retries and a report."""

import asyncio
import json
from functools import wraps

ANSWERS = {
    "rome": '{"temp": 21.5, "wind": {"speed": 3}}',
    "oslo": '{"temp": -4, "wind": {}}',
    "bad": "{not json",
    "gone": None,
}
calls = []


def retry(times, on):
    def decorate(function):
        @wraps(function)
        async def wrapper(*args):
            for attempt in range(1, times + 1):
                try:
                    return await function(*args)
                except on as error:
                    if attempt == times:
                        raise RuntimeError(f"{args[0]}: gave up after {attempt} tries") from error
                    await asyncio.sleep(0)

        return wrapper

    return decorate


@retry(3, on=(ConnectionError,))
async def fetch(city):
    calls.append(city)
    await asyncio.sleep(0)
    if city == "gone" or (city == "oslo" and calls.count("oslo") < 2):
        raise ConnectionError("reset")
    return json.loads(ANSWERS[city])


cache = {}


async def report(city):
    if city not in cache:
        cache[city] = asyncio.ensure_future(fetch(city))
    data = await cache[city]
    return f"{city.title():<6}{data['temp']:>6.1f}° {data['wind'].get('speed', '-'):>3}"


async def main():
    for line in await asyncio.gather(
        *map(report, ("rome", "oslo", "rome", "bad", "gone", "atlantis")), return_exceptions=True
    ):
        print(
            line
            if isinstance(line, str)
            else f"{type(line).__name__}: {line} <- {line.__cause__!r}"
        )
    print(sorted(calls))


asyncio.run(main())
