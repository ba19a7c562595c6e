"""The whole of eryx in a page: run it with ``python quickstart.py``."""

import asyncio

import eryx

# A program, its output, and a value that comes back as JSON.
sandbox = eryx.Sandbox()
done = sandbox.execute("""
import math
print("hello from the sandbox")
result = {"tau": round(math.tau, 3)}
""")
print(done.stdout, done.result, f"{done.duration_ms:.1f} ms")

# A program that fails: the traceback and what it had written come with the exception.
try:
    sandbox.execute("print('so far so good')\n1 / 0")
except eryx.ExecutionError as error:
    print(error.exc_type, "after", repr(error.stdout))

# Limits hold, whatever the program does.
limits = eryx.ResourceLimits(execution_timeout_ms=100, max_memory_bytes=64 * 1024 * 1024)
strict = eryx.Sandbox(resource_limits=limits)
for program in ("while True: pass", "'a' * 10**10"):
    try:
        strict.execute(program)
    except eryx.EryxError as error:
        print(type(error).__name__)


# Many at once on one thread.
async def main() -> None:
    runs = [eryx.Sandbox().execute_async(f"print({n} ** 2)") for n in range(5)]
    print(*await asyncio.gather(*runs))


asyncio.run(main())
