"""Small readings shared by the dialects: content parts, numbers, tool choice."""

from typing import Any

from perilune.sandbox.speech.asked import Choice

_IMAGES = ("image_url", "image", "input_image", "video_url")


def as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def whole(value: Any) -> int | None:
    """A positive whole number, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def parts_of(content: Any) -> tuple[str, str, int]:
    """All text of a content field, the text of its last text part, and the number of images."""
    if isinstance(content, str):
        return content, content, 0
    parts = [part for part in as_list(content) if isinstance(part, dict)]
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    images = sum(part.get("type") in _IMAGES for part in parts)
    return "\n".join(texts), texts[-1] if texts else "", images


def choice_of(value: Any) -> Choice:
    """A tool choice of any dialect in the words of the vendor's refusals."""
    if isinstance(value, dict):
        value = {"tool": "specified", "function": "specified", "any": "required"}.get(
            str(value.get("type")), value.get("type")
        )
    match value:
        case "none":
            return "none"
        case "required":
            return "required"
        case "specified":
            return "specified"
        case _:
            return "auto"
