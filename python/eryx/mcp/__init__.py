"""The Model Context Protocol: tools of its servers for sandboxes, and sandboxes as a server.

Takes the official SDK, which ``pip install 'eryx-sandbox[mcp]'`` brings. `MCPManager` connects to
servers, `discover_servers` finds those that other programs are configured for; ``eryx serve --mcp``
serves.
"""

from eryx.mcp._discover import ServerConfig, discover_servers
from eryx.mcp._manager import MCPManager, connect_servers

__all__ = ["MCPManager", "ServerConfig", "connect_servers", "discover_servers"]
