"""`perilune_explain`: the page of an error code."""

from perilune.faces.cli.explain import Explained, explain, find_code
from perilune.faces.mcp.tool import Answer, Asked, Tool


async def _answer(asked: Asked) -> Answer:
    page = explain(find_code(asked.arguments["code"]), asked.voice.language)
    return Answer("\n".join(_lines(page, asked)), page)


def _lines(page: Explained, asked: Asked) -> list[str]:
    say = asked.voice.say
    parts = (
        ("explain.what", page.what),
        ("explain.seen", page.seen_as),
        ("explain.does", page.does),
        ("explain.can", " · ".join(page.you_can)),
        ("explain.see", ", ".join(page.see_also)),
    )
    head = f"{page.code}: {page.title} ({say('explain.exit', status=page.exit)})"
    return [head, *(f"{say(label)}: {' '.join(text.split())}" for label, text in parts if text)]


TOOL = Tool(
    name="perilune_explain",
    takes={"code": {"type": "string", "description": "an error code, with or without PL-"}},
    needs=("code",),
    answer=_answer,
)
