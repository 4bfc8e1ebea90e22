"""A request to an upstream of its own dialect: the bytes stay, but for the turns that the upstream would refuse."""

from typing import Any

from msgspec import Struct

from perilune.dialects.form import Dialect
from perilune.dialects.head import Body
from perilune.dialects.names import rename_functions
from perilune.dialects.refuse import refuse_always, refuse_stored
from perilune.dialects.repair import repaired
from perilune.dialects.target import Context, Hooks, Target
from perilune.dialects.translate import parse_request, prepare_request

_IMAGE_KEYS = {Dialect.CHAT: b'"image_url"', Dialect.RESPONSES: b'"input_image"', Dialect.MESSAGES: b'"image"'}


class Passed(Struct, frozen=True, kw_only=True):
    """A body that may leave. `context` is set when the answer must be translated back (names were changed)."""

    body: bytes
    adjusted: tuple[str, ...] = ()
    context: Context | None = None


def pass_through(dialect: Dialect, body: Body, target: Target, hooks: Hooks | None = None) -> Passed:
    """The body with the target's own fields, and only the changes without which the upstream would refuse it.

    Raises: RequestError PL-UNSUPPORTED for a picture by address, too many tools or a stored response; PL-BODY-INVALID.
    """
    hooks = hooks or Hooks()
    refuse_stored(body.head.previous_response_id, body.head.conversation)
    if _needs_rewriting(dialect, body, target):
        translated = prepare_request(dialect, target, parse_request(dialect, body.bytes), hooks)
        return Passed(body=translated.body, adjusted=translated.adjusted, context=translated.context)
    if not target.takes_image_urls and _IMAGE_KEYS[dialect] in body.bytes:
        refuse_always(parse_request(dialect, body.bytes), target)
    changes: dict[str, object] = dict(target.fields)
    adjusted: list[str] = []
    if target.model is not None and target.model != body.head.model:
        changes["model"] = target.model
    if dialect is Dialect.RESPONSES and body.head.store is not False:
        changes.setdefault("store", False)
    changes |= repaired(dialect, body, target, hooks, adjusted)
    return Passed(body=body.spliced(changes), adjusted=tuple(dict.fromkeys(adjusted)))


def _needs_rewriting(dialect: Dialect, body: Body, target: Target) -> bool:
    if dialect is Dialect.RESPONSES and b'"plr1.' in body.bytes:
        return True
    if target.notice or (target.structured != "native" and _asks_for_format(body.head)):
        return True
    if target.function_name is None and target.max_tools is None:
        return False
    names = body.tool_names()
    if target.max_tools is not None and len(names) > target.max_tools:
        return True
    return bool(rename_functions(names, target.function_name))


def _asks_for_format(head: Any) -> bool:
    text = head.text if isinstance(head.text, dict) else {}
    config = head.output_config if isinstance(head.output_config, dict) else {}
    form = head.response_format or text.get("format") or config.get("format")
    return isinstance(form, dict) and form.get("type") != "text"
