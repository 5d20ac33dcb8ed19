"""Messages of a chat as programs write them (OpenAI's shape), taken apart within bounds. Pure."""

from typing import Any, NamedTuple

from hub.edge.mcp.tool import BadArguments

MAX_MESSAGES = 256
MAX_CHARS = 256_000
ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


class Spoken(NamedTuple):
    """One message: its role, its text, and its pictures as they came, in base64."""

    role: str
    text: str
    pictures: tuple[str, ...] = ()


def read_messages(messages: list[dict[str, Any]]) -> list[Spoken]:
    """The messages of a chat. Content is a text, or a list of parts of ``type`` ``text`` and
    ``image_url``; beside it, ``images`` may be a list of pictures (Ollama's shape).

    Raises:
        BadArguments: they are too many or too long, or written otherwise.
    """
    if not 1 <= len(messages) <= MAX_MESSAGES:
        raise BadArguments(f"messages: 1 to {MAX_MESSAGES} are taken, {len(messages)} came")
    read = [_message(index, message) for index, message in enumerate(messages)]
    if sum(len(each.text) for each in read) > MAX_CHARS:
        raise BadArguments(f"messages: they may have {MAX_CHARS} characters in all")
    return read


def _message(index: int, message: dict[str, Any]) -> Spoken:
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise BadArguments(f"messages.{index}.role: one of {', '.join(sorted(ROLES))} is expected")
    text, pictures = _content(index, message.get("content"))
    images = message.get("images") or []
    if not isinstance(images, list) or not all(isinstance(image, str) for image in images):
        raise BadArguments(f"messages.{index}.images: a list of pictures in base64 is expected")
    return Spoken("system" if role == "developer" else role, text, (*pictures, *images))


def _content(index: int, content: object) -> tuple[str, list[str]]:
    if isinstance(content, str):
        return content, []
    if not isinstance(content, list):
        raise BadArguments(f"messages.{index}.content: a text, or a list of parts, is expected")
    texts: list[str] = []
    pictures: list[str] = []
    for part in content:
        match part:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "image_url", "image_url": str(url) | {"url": str(url)}}:
                pictures.append(_inline(index, url))
            case _:
                raise BadArguments(f"messages.{index}.content: parts are of type text or image_url")
    return "\n".join(texts), pictures


def _inline(index: int, url: str) -> str:
    """Nothing is fetched for anybody: a picture comes along."""
    if not url[:5].lower() == "data:":
        raise BadArguments(f"messages.{index}.content: a picture is sent as a data: URI")
    return url
