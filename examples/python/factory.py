"""A small service: requests share sandboxes that start with everything in place."""

from __future__ import annotations

import asyncio

import eryx

SETUP = """
from decimal import Decimal
from string import Template

GREETING = Template("Dear $name, you owe us $amount.")

def letter(name, net):
    return GREETING.substitute(name=name, amount=Decimal(net) * Decimal("1.19"))
"""

factory = eryx.SandboxFactory(imports=["decimal", "string"], setup_code=SETUP)


async def serve(pool: eryx.SandboxPool, name: str, net: int) -> str:
    limits = eryx.ResourceLimits(execution_timeout_ms=1_000)
    async with pool.acquire(resource_limits=limits) as sandbox:
        result = await sandbox.execute_async(
            "import sys; print(letter(*sys.argv[1:]))", arguments=[name, str(net)]
        )
        return result.stdout


async def main() -> None:
    with factory.create_pool(max_size=2) as pool:
        names = ["Ada", "Grace", "Edsger", "Barbara"]
        letters = await asyncio.gather(*[serve(pool, name, 100) for name in names])
        print("\n".join(letters))
        print(pool.stats())


asyncio.run(main())
