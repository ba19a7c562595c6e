"""LiteLLM's sandbox tools against the service: its provider `e2b`, told another address.

It speaks the protocol itself, over https and to a name for each sandbox, PORT-ID.DOMAIN: the
service has a certificate for these names, and the test's resolver sends them to this machine.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from processes import free_port, serving

from eryx.server import new_key

if TYPE_CHECKING:
    from collections.abc import Iterator

DOMAIN = "sandboxes.test"
KEY, STORED = new_key("litellm")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service with a certificate; its address."""
    folder = tmp_path_factory.mktemp("litellm")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    issued = authority.issue_cert(f"*.{DOMAIN}", f"api.{DOMAIN}", "127.0.0.1")
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    for pem in issued.cert_chain_pems:
        pem.write_to_path(str(folder / "certificate.pem"), append=True)
    port = free_port()
    settings = f"""
        e2b = true
        e2b_domain = "{DOMAIN}:{port}"
        certificate = "{folder}/certificate.pem"
        private_key = "{folder}/key.pem"
        [[keys]]
        name = "litellm"
        sha256 = "{STORED.sha256}"
        sessions = 2
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        patch.setenv("DISABLE_AIOHTTP_TRANSPORT", "True")
        resolve = socket.getaddrinfo

        def answer(host: Any, *rest: Any, **more: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else host
            here = isinstance(name, str) and name.endswith(f".{DOMAIN}")
            return resolve("127.0.0.1" if here else host, *rest, **more)

        patch.setattr(socket, "getaddrinfo", answer)
        with serving(folder, settings, port, scheme="https"):
            yield f"https://api.{DOMAIN}:{port}"


def test_its_sandbox_tool(address: str) -> None:
    """Create, run, delete, each by itself and all in one."""
    from litellm.sandbox import main as sandbox

    async def main() -> None:
        options = {"provider": "e2b", "api_key": KEY, "api_base": address}
        made = await sandbox.acreate_sandbox(**options)
        first = await sandbox.arun_code(provider="e2b", container=made, code="x = 41; print('out')")
        assert (first.stdout, first.error) == ("out\n", None)
        second = await sandbox.arun_code(provider="e2b", container=made, code="x + 1")
        assert second.results[0]["text"] == "42"
        third = await sandbox.arun_code(provider="e2b", container=made, code="1 / 0")
        assert third.error is not None
        assert third.error["name"] == "ZeroDivisionError"
        assert await sandbox.adelete_sandbox(container=made, **options)
        assert not await sandbox.adelete_sandbox(container=made, **options)
        done = await sandbox.acode_interpreter_tool(code="print(6 * 7)", **options)
        assert done.stdout == "42\n"
        with pytest.raises(Exception, match="401"):
            await sandbox.acreate_sandbox(provider="e2b", api_key="wrong", api_base=address)

    asyncio.run(main())


class Model(BaseHTTPRequestHandler):
    """In place of a model: it calls the tool that it is offered, and then says what came back."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        results = [one["content"] for one in asked["messages"] if one["role"] == "tool"]
        message: dict[str, Any] = {"role": "assistant", "content": f"It is {results}"}
        if not results:
            (tool,) = asked["tools"]
            call = {
                "name": tool["function"]["name"],
                "arguments": json.dumps({"code": "print(sum(range(10)))"}),
            }
            calls = [{"id": "call_1", "type": "function", "function": call}]
            message = {"role": "assistant", "content": None, "tool_calls": calls}
        reason = "stop" if results else "tool_calls"
        choice = {"index": 0, "finish_reason": reason, "message": message}
        told = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
        body = json.dumps({**told, "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


def test_code_that_a_model_asks_for(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`code_interpreter` of OpenAI, which LiteLLM runs in its sandbox tool for any model."""
    import litellm
    from litellm.integrations.code_interpreter_interception.handler import (
        CodeInterpreterInterceptionLogger,
    )
    from litellm.sandbox.sandbox_tools import register_sandbox_tools

    parameters = {"sandbox_provider": "e2b", "api_key": KEY, "api_base": address}
    register_sandbox_tools([{"sandbox_tool_name": "eryx", "litellm_params": parameters}])
    logger = CodeInterpreterInterceptionLogger(sandbox_tool_name="eryx")
    monkeypatch.setattr(litellm, "callbacks", [logger])
    model = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=model.serve_forever, daemon=True).start()

    async def main() -> str:
        answer = await litellm.acompletion(
            model="openai/any",
            api_key="none",
            api_base=f"http://127.0.0.1:{model.server_port}/v1",
            messages=[{"role": "user", "content": "Add the numbers below ten."}],
            tools=[{"type": "code_interpreter", "container": {"type": "auto"}}],
        )
        text: str = answer.choices[0].message.content
        return text

    try:
        assert "45" in asyncio.run(main())
    finally:
        model.shutdown()
        model.server_close()
