"""Function names on their way out: namespaces flattened, bad names replaced, both undone by the answer's context."""

from msgspec.structs import replace

from perilune.dialects.form import Dialect, Part, Request, Tool, ToolCall, ToolChoice, Turn
from perilune.dialects.names import rename_functions
from perilune.dialects.target import Target

Names = dict[str, tuple[str, str]]


def with_sent_names(request: Request, target: Target, adjusted: list[str]) -> tuple[Request, Names]:
    """The request under the names the upstream takes, and for each changed one what the client calls it."""
    keeps_groups = target.dialect is Dialect.RESPONSES
    own = [(tool.name, "" if keeps_groups else tool.namespace) for tool in request.tools]
    own += [
        (part.name, "" if keeps_groups else part.namespace)
        for turn in request.turns
        for part in turn.parts
        if isinstance(part, ToolCall)
    ]
    flat = {_flat(name, namespace): (name, namespace) for name, namespace in own}
    renamed = rename_functions(flat, target.function_name)
    names: Names = {sent: flat[name] for name, sent in renamed.items()}
    names |= {name: owner for name, owner in flat.items() if owner[1] and name not in renamed}
    if not names:
        return request, {}
    if renamed:
        adjusted.append("tool_names")
    send = {owner: renamed.get(name, name) for name, owner in flat.items()}
    return _applied(request, send, keeps_groups), names


def _applied(request: Request, send: dict[tuple[str, str], str], keeps_groups: bool) -> Request:
    def sent(name: str, namespace: str) -> tuple[str, str]:
        """The name to send, and the group it stays in."""
        key = (name, "") if keeps_groups else (name, namespace)
        return send.get(key, name), namespace if keeps_groups else ""

    def tool(old: Tool) -> Tool:
        name, namespace = sent(old.name, old.namespace)
        return replace(old, name=name, namespace=namespace)

    def part(old: Part) -> Part:
        if not isinstance(old, ToolCall):
            return old
        name, namespace = sent(old.name, old.namespace)
        return replace(old, name=name, namespace=namespace)

    def turn(old: Turn) -> Turn:
        return replace(old, parts=tuple(part(one) for one in old.parts)) if old.role == "assistant" else old

    choice = request.tool_choice
    if choice is not None and choice.mode == "named":
        choice = ToolChoice("named", _chosen(choice.name, send))
    return replace(
        request,
        tools=tuple(tool(one) for one in request.tools),
        turns=tuple(turn(one) for one in request.turns),
        tool_choice=choice,
    )


def _chosen(name: str, send: dict[tuple[str, str], str]) -> str:
    if (name, "") in send:
        return send[name, ""]
    return next((sent for (own, _), sent in send.items() if own == name), name)


def _flat(name: str, namespace: str) -> str:
    return f"{namespace}__{name}" if namespace else name
