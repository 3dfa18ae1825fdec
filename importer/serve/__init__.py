"""What people and assistants look at, in processes of their own: the MCP server, over stdio and HTTP."""
