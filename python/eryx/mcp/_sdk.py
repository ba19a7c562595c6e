"""Says what to do where the SDK is not installed."""

from __future__ import annotations

from eryx._errors import EryxError


def require() -> None:
    """Raises EryxError with the command that brings the SDK, if it is missing or too old."""
    try:
        import mcp.client.client  # noqa: F401
    except ImportError as error:
        raise EryxError(
            f"MCP takes the package mcp: pip install 'eryx-sandbox[mcp]' ({error})"
        ) from None
