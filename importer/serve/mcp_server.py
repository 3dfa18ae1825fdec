"""The MCP server: tools, resources and prompts over the official SDK, for any transport.

A wrong value is a result with `isError`, so that the model reads why and can do better; only an unknown tool, resource
or prompt is an error of the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from importer import __version__
from importer.errors import ImporterError
from importer.log import logger
from importer.protocol.foreign import tool_arguments
from importer.protocol.foreign.quoting import line, neutral, plain
from importer.protocol.foreign.token_bound import shortened
from importer.serve.fitting import LEAST_TOKENS
from importer.serve.memory import Memory
from importer.serve.tools import BY_NAME, INSTEAD, INSTRUCTIONS, SPECS, Spec

SCHEME = "conversation://"
PROMPTS = {
    "what_was_decided": (
        "What did we decide about a subject?",
        {"subject": "What it is about."},
        "Call search_conversations for {subject!r} (also with other words for it), open what looks decisive, and tell "
        "what was decided, when and why, with the conversation ids. Say so if nothing close was found.",
    ),
    "go_on": (
        "Go on where we stopped in a project",
        {"project": "Its name or path."},
        "Call list_conversations for the project {project!r}, open the newest ones, and tell in a few lines what was "
        "done last, what was left open, and the command to resume it.",
    ),
}
log = logger()


def mcp_server(memory: Memory) -> Server[Any]:
    """Return the server for one state's conversations."""
    handlers = _Handlers(memory)
    return Server(
        "importer",
        version=__version__,
        title="Past conversations",
        instructions=INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
    )


class _Handlers:
    """One method a request of the protocol."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def list_tools(self, _context: Any, _params: Any) -> types.ListToolsResult:
        """Return all tools."""
        return types.ListToolsResult(tools=[_tool(spec) for spec in SPECS])

    async def call_tool(self, _context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        """Call a tool. Raises MCPError for one that there is not."""
        spec = BY_NAME.get(params.name)
        if spec is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {plain(params.name)}")
        given: dict[str, Any] = {}
        try:
            given = tool_arguments.read(params.arguments or {}, spec.given, ("max_tokens",), INSTEAD)
            text, values = await getattr(self._memory, spec.name)(**given)
        except ImporterError as error:
            return _failed(f"{error.message}{f' (try: {error.hint})' if error.hint else ''}", given)
        except OSError as error:  # the daemon did not answer in time
            return _failed(f"no answer: {error}", given)
        except Exception as error:  # a bug is answered, too: the model would take a broken line for no tool at all
            log.exception("mcp.failed", tool=spec.name)
            return _failed(f"it failed: {type(error).__name__}: {error}", given)
        return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=neutral(values))

    async def list_resources(self, _context: Any, _params: Any) -> types.ListResourcesResult:
        """Return the newest conversations as resources."""
        _, told = await self._memory.list_conversations(limit=20, max_tokens=20_000)
        return types.ListResourcesResult(
            resources=[
                types.Resource(
                    uri=f"{SCHEME}{one['conversation']}",
                    name=line(one["title"] or one["conversation"]),
                    mime_type="text/markdown",
                )
                for one in told["conversations"]
            ]
        )

    async def list_templates(self, _context: Any, _params: Any) -> types.ListResourceTemplatesResult:
        """Return the one template: any conversation by its id."""
        about = "A past conversation, whole; the first letters of its id are enough."
        template = types.ResourceTemplate(
            uri_template=f"{SCHEME}{{id}}", name="conversation", description=about, mime_type="text/markdown"
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def read_resource(self, _context: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """Return a conversation, whole. Raises MCPError for one that there is not."""
        uri = str(params.uri)
        if not uri.startswith(SCHEME):
            raise MCPError(types.INVALID_PARAMS, f"there is no resource {plain(uri)}")
        try:
            text = await self._memory.whole(uri.removeprefix(SCHEME).strip("/"))
        except ImporterError as error:
            raise MCPError(types.INVALID_PARAMS, error.message) from error
        return types.ReadResourceResult(
            contents=[types.TextResourceContents(uri=params.uri, mime_type="text/markdown", text=text)]
        )

    async def list_prompts(self, _context: Any, _params: Any) -> types.ListPromptsResult:
        """Return the prompts."""
        return types.ListPromptsResult(
            prompts=[
                types.Prompt(
                    name=name,
                    title=title,
                    description=title,
                    arguments=[
                        types.PromptArgument(name=one, description=about, required=True)
                        for one, about in wanted.items()
                    ],
                )
                for name, (title, wanted, _) in PROMPTS.items()
            ]
        )

    async def get_prompt(self, _context: Any, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """Return a prompt with its arguments. Raises MCPError for one that there is not, and for a missing argument."""
        title, wanted, text = PROMPTS.get(params.name) or ("", {}, "")
        given = {name: str((params.arguments or {}).get(name, "")) for name in wanted}
        if not text or not all(given.values()):
            raise MCPError(types.INVALID_PARAMS, f"there is no prompt {plain(params.name)} with these arguments")
        said = types.TextContent(text=text.format(**given))
        return types.GetPromptResult(description=title, messages=[types.PromptMessage(role="user", content=said)])


def _tool(spec: Spec) -> types.Tool:
    """Return a tool as the protocol tells it; none of them changes anything."""
    notes = types.ToolAnnotations(
        title=spec.title, read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    return types.Tool(
        name=spec.name,
        title=spec.title,
        description=spec.about,
        input_schema=spec.given,
        output_schema=spec.told,
        annotations=notes,
    )


def _failed(why: str, given: Mapping[str, Any]) -> types.CallToolResult:
    """Return a failure as a result, so that the model can react to it; arguments that were not read allow the least."""
    most = max(LEAST_TOKENS, int(given.get("max_tokens", LEAST_TOKENS)))
    return types.CallToolResult(content=[types.TextContent(text=shortened(why, most))], is_error=True)
