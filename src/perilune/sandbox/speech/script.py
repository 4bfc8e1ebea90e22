"""Scripts: what the played model answers to which prompt."""

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from perilune.sandbox.speech.asked import Asked, Tool, estimate
from perilune.sandbox.speech.said import Call, Said, Usage


class Line(Struct, kw_only=True, forbid_unknown_fields=True):
    """One scripted answer and when it is given.

    Shape: `when` is a substring, `match` a regular expression; both look at the prompt, then at the whole conversation.
    `json` is said as JSON text; `tool` with `arguments` calls a tool; `echo` repeats the prompt; `refusal` refuses by
    name. `times` uses the line up. Units: `tokens` output tokens; `gap_ms`, `first_content_s` as in `Script`.
    """

    when: str | None = None
    match: str | None = None
    model: str | None = None
    say: str | None = None
    json: Any = None
    reasoning: str | None = None
    tool: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    echo: bool = False
    refusal: str | None = None
    finish: Literal["stop", "length", "tool_calls"] | None = None
    tokens: int | None = None
    chunks: int | None = None
    gap_ms: float | None = None
    first_content_s: float | None = None
    times: int | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None

    def fits(self, asked: Asked) -> bool:
        if self.times == 0 or (self.model is not None and self.model != asked.model):
            return False
        if self.when is not None:
            return self.when in asked.prompt or self.when in asked.text
        return self.match is None or bool(re.search(self.match, asked.prompt) or re.search(self.match, asked.text))


class Script(Struct, kw_only=True, forbid_unknown_fields=True):
    """Everything a played model says.

    Shape: `sequence` is used up in order, before `lines`, of which the first that fits is said; else `text`. With
    `calls_tools` and tools offered, a prompt that matches `tool_trigger` is answered by a call, its result by the text.
    Units: `chunks` pieces per text (None: about 4 characters each); `gap_ms` between pieces; `tokens` of filler text.
    """

    text: str = "PONG from sandbox"
    reasoning: str = "The user pings."
    echo: bool = False
    sequence: list[Line] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    calls_tools: bool = True
    tool_trigger: str = r"(?m)^run (.+)$"
    search_trigger: str = r"news"
    after_tool: str | None = None
    tokens: int | None = None
    chunks: int | None = None
    gap_ms: float = 0
    first_content_s: float = 0


Answerer = Callable[[Asked], "Line | str | None"]
_COMMAND_TOOLS = ("bash", "shell", "exec", "terminal", "run")


class Speaker:
    """Says what the script has for a request. An `answerer` is asked first; None lets the script speak."""

    def __init__(self, script: Script, answerer: Answerer | None = None) -> None:
        self.script = script
        self.answerer = answerer

    def choose(self, asked: Asked) -> Line:
        """The line for this request; a line used up by `times` or by the sequence is not said again."""
        spoken = self.answerer(asked) if self.answerer else None
        if spoken is not None:
            return Line(say=spoken) if isinstance(spoken, str) else spoken
        if self.script.sequence:
            return self.script.sequence.pop(0)
        line = next((line for line in self.script.lines if line.fits(asked)), None)
        if line is None:
            return self._unscripted(asked)
        if line.times is not None:
            line.times -= 1
        return line

    def speak(self, asked: Asked, line: Line, *, is_thinking: bool, cached: int) -> Said:
        """The line as an answer, cut at the asked limit, with what it counted."""
        script = self.script
        text = _text_of(line, asked, script)
        reasoning = (script.reasoning if line.reasoning is None else line.reasoning) if is_thinking else ""
        calls = _calls_of(line, asked)
        reasoning, text, was_cut = _cut(reasoning, text, asked.cap)
        counted = estimate(reasoning) + estimate(text) + sum(estimate(call.arguments) + 8 for call in calls)
        prompt = asked.prompt_tokens if line.prompt_tokens is None else line.prompt_tokens
        usage = Usage(
            prompt=prompt,
            cached=min(cached if line.cached_tokens is None else line.cached_tokens, prompt),
            output=counted if line.output_tokens is None else line.output_tokens,
            reasoning=estimate(reasoning) if line.reasoning_tokens is None else line.reasoning_tokens,
        )
        chunks = script.chunks if line.chunks is None else line.chunks
        return Said(
            reasoning=pieces(reasoning, chunks),
            text=pieces(text, chunks),
            calls=calls,
            finish=line.finish or ("length" if was_cut else "tool_calls" if calls else "stop"),
            usage=usage,
            first_content_s=script.first_content_s if line.first_content_s is None else line.first_content_s,
            gap_s=(script.gap_ms if line.gap_ms is None else line.gap_ms) / 1000,
        )

    def _unscripted(self, asked: Asked) -> Line:
        script = self.script
        if asked.has_fresh_result and script.after_tool is not None:
            return Line(say=script.after_tool)
        call = None if asked.has_fresh_result or not script.calls_tools else self._call(asked)
        return call or Line(echo=script.echo, tokens=script.tokens)

    def _call(self, asked: Asked) -> Line | None:
        if not asked.tools or asked.choice == "none":
            return None
        builtin = next((tool for tool in asked.tools if tool.kind == "builtin_function"), None)
        if builtin and re.search(self.script.search_trigger, asked.prompt):
            return Line(say="", reasoning="", tool=builtin.name, arguments=_SEARCH)
        wanted = re.search(self.script.tool_trigger, asked.prompt)
        functions = [tool for tool in asked.tools if tool.kind == "function"]
        if not functions or not (wanted or asked.choice in ("required", "specified")):
            return None
        tool = command_tool(functions)
        word = wanted[1] if wanted and wanted.groups() else "echo hi"
        return Line(say="", reasoning="need a tool", tool=tool.name, arguments=sample_arguments(tool.schema, word))


_SEARCH = {"search_result": {"search_id": "x"}, "usage": {"total_tokens": 4096}}


def pieces(text: str, chunks: int | None) -> list[str]:
    """A text in `chunks` pieces of nearly equal length, or in pieces of two words at most."""
    if not text:
        return []
    if chunks is None:
        return re.findall(r"\S+\s*\S*\s*|\s+", text)
    size = max(1, -(-len(text) // max(chunks, 1)))
    return [text[start : start + size] for start in range(0, len(text), size)]


def sample_arguments(schema: Any, word: str) -> dict[str, Any]:
    """Arguments that fit a JSON schema's required properties, `word` where a text or command is wanted."""
    properties = schema.get("properties") or {}
    wanted = schema.get("required") or list(properties)[:1]
    return {name: _sample(properties.get(name) or {}, word) for name in wanted}


def _sample(schema: Any, word: str) -> Any:
    kind = schema.get("type") if isinstance(schema, dict) else None
    if isinstance(schema, dict) and schema.get("enum"):
        return schema["enum"][0]
    match kind:
        case "array":
            inner = (schema.get("items") or {}).get("type")
            return ["bash", "-lc", word] if inner == "string" else []
        case "integer" | "number":
            return 1
        case "boolean":
            return False
        case "object":
            return sample_arguments(schema, word)
        case _:
            return word


def command_tool(tools: list[Tool]) -> Tool:
    """The tool that runs commands, else the first."""
    for tool in tools:
        if any(word in tool.name.lower() for word in _COMMAND_TOOLS):
            return tool
    return tools[0]


def _text_of(line: Line, asked: Asked, script: Script) -> str:
    tokens = line.tokens
    if tokens is not None:
        return "word " * (tokens * 4 // 5) + "x" * (tokens * 4 % 5)
    if line.json is not None:
        return msgspec.json.encode(line.json).decode()
    if line.echo:
        return asked.prompt
    if line.say is not None:
        return line.say
    return "" if line.tool else script.text


def _calls_of(line: Line, asked: Asked) -> list[Call]:
    if line.tool is None:
        return []
    kind = next((tool.kind for tool in asked.tools if tool.name == line.tool), "function")
    arguments = msgspec.json.encode(line.arguments).decode()
    spaced = msgspec.json.format(arguments, indent=-1) if kind == "builtin_function" else _one_line(arguments)
    return [Call(id=f"{line.tool}:{asked.calls_so_far}", name=line.tool, arguments=spaced, kind=kind)]


def _one_line(arguments: str) -> str:
    """JSON with a space behind each colon and comma, as models write it."""
    return re.sub(r"\n\s*", " ", msgspec.json.format(arguments, indent=1)).replace("{ ", "{").replace(" }", "}")


def _cut(reasoning: str, text: str, cap: int | None) -> tuple[str, str, bool]:
    if cap is None or estimate(reasoning) + estimate(text) <= cap:
        return reasoning, text, False
    kept = reasoning.encode()[: cap * 4].decode(errors="ignore")
    left = cap - estimate(kept)
    return kept, text.encode()[: left * 4].decode(errors="ignore"), True
