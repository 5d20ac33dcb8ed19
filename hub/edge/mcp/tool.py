"""What a tool is, whoever calls it and by whichever wire; nothing here knows of an SDK."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from hub.edge.rights import ALLOWED, Right
from hub.errors import BadRequest, NotAuthorised
from hub.jobs.inference import Picture
from hub.store.tokens import Grant, Scope
from protocols.errors import HubError


class BadArguments(BadRequest):
    """A tool was called with arguments that it does not take."""

    code = "bad_arguments"


class NotDone(HubError):
    """What a tool was to do did not come about; the text says why."""

    code = "not_done"


class Arguments(BaseModel):
    """Base of a tool's arguments; its JSON schema is what clients are told of them."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


Progress = Callable[[float, float | None, str], Awaitable[None]]
"""Told how far a call is: so much of so much (None: nobody knows), and a word for people."""


class Call(NamedTuple):
    """Who calls a tool, and whom to tell how far it is."""

    grant: Grant
    progress: Progress


class Answer(NamedTuple):
    """What a tool answers: pictures, then a text; ``data`` is the same for programs."""

    text: str
    data: dict[str, Any] | None = None
    pictures: tuple[Picture, ...] = ()

    @classmethod
    def of(cls, data: dict[str, Any], *pictures: Picture) -> "Answer":
        """An answer whose text is its data as JSON."""
        return cls(json.dumps(data, ensure_ascii=False), data, pictures)


A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True)
class Tool:
    """A tool: what it is called and told by, and the right that it demands."""

    name: str
    description: str
    arguments: type[Arguments]
    right: Right
    run: Callable[[Any, Call], Awaitable[Answer]]
    acts: bool = True
    """It changes something, or costs a model's time."""
    watched: bool = False
    """Whoever may watch may call it, too: it shows nothing that is a robot's own."""

    def is_for(self, grant: Grant) -> bool:
        """Whether the holder of ``grant`` may call it."""
        may = ALLOWED[grant.scope]
        return self.right in may or (self.watched and Right.WATCH in may)

    async def __call__(self, arguments: dict[str, Any], call: Call) -> Answer:
        """Run it.

        Raises:
            NotAuthorised: the caller may not.
            BadArguments: it does not take such arguments.
            HubError: what it was to do failed.
        """
        if not self.is_for(call.grant):
            raise NotAuthorised(f"a token of scope {call.grant.scope} does not cover {self.name}")
        try:
            wanted = self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise BadArguments("; ".join(map(_sentence, error.errors()[:5]))) from None
        return await self.run(wanted, call)


def check_covers(call: Call, robot: str, *, watching: bool = False) -> None:
    """Raises:
    NotAuthorised: the caller has nothing to do with ``robot``; ``watching``: may not even look.
    """
    grant = call.grant
    if grant.covers(robot) or (watching and grant.scope is Scope.OBSERVER):
        return
    raise NotAuthorised(f"the token is not one for robot {robot}")


def _sentence(fault: Any) -> str:
    """What is wrong where; not what was sent."""
    place = ".".join(str(part)[:64] for part in fault["loc"]) or "arguments"
    return f"{place}: {fault['msg']}"
