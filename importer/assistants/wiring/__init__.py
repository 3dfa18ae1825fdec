"""How our MCP server gets into the settings of each assistant, and out of them again."""
