"""The planner on the bus: a turn in, the response out; a world state in, a plan out; a chat in, its
next message out.

An agent is this and no more. A service declares what opens one run of ``serve``, what else it
takes and what it may emit; ``serve`` holds its turn in local variables, so there is nothing to
reset. Order, identity, cancellation and coded failures are the runtime's
(``agents/runtime/service.py``); the engine is behind ``agents/planner/backends/base.py``.
"""

from collections import Counter
from contextlib import aclosing

from pydantic import ValidationError

from agents.planner.answer import AnswerReader, read_plan
from agents.planner.backends.base import Ending, Planner
from agents.planner.chatting import chat_prompt
from agents.runtime.errors import AgentError
from agents.runtime.service import Emit, Inbox, Scope
from protocols.envelope import Message
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest
from protocols.messages.job import JobDone, PlanDone, PlanRequest
from protocols.messages.turn import (
    ResponseDelta,
    ResponseDone,
    ResponseMeta,
    ToolDone,
    ToolPending,
    TurnStart,
)
from protocols.plan import WorldState

Messages = frozenset[type[Message]]

MAX_CHAT_CHARS = 256_000
"""What a model may write for one chat; beyond, the text ends where it is."""


class Conversation:
    """Answers what the user said: the mood once, then the text as it grows, then the end."""

    name = "conversation"
    scope = Scope.TURN
    opens: Messages = frozenset({TurnStart})
    consumes: Messages = frozenset()
    closes: Messages = frozenset()
    produces: Messages = frozenset(
        {ResponseMeta, ResponseDelta, ResponseDone, ToolPending, ToolDone}
    )

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Answer one turn.

        Raises:
            AgentError: the engine failed, or wrote nothing that could be said (``llm_nonsense``).
        """
        turn = (await anext(inbox)).envelope.body
        assert isinstance(turn, TurnStart)
        reader = AnswerReader(turn)
        async with aclosing(self._planner.answer(turn)) as pieces:
            async for piece in pieces:
                for message in reader.feed(piece):
                    emit(message)
                if reader.over:
                    break
        for message in reader.finish():
            emit(message)


class Plans:
    """Says what a robot should do next, as a job."""

    name = "plans"
    scope = Scope.JOB
    opens: Messages = frozenset({PlanRequest})
    consumes: Messages = frozenset()
    closes: Messages = frozenset()
    produces: Messages = frozenset({PlanDone})

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    @property
    def counters(self) -> Counter[str]:
        """Of the planner; they go out with the agent's heartbeat."""
        return self._planner.counters

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Answer one plan request.

        Raises:
            AgentError: the request holds no world state (``bad_world_state``), the engine failed,
                or what it wrote is no plan (``llm_nonsense``).
        """
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, PlanRequest)
        try:
            world = WorldState.model_validate(request.world)
        except ValidationError as error:
            detail = f"{error.error_count()} fields of the world state are missing or wrong"
            raise AgentError(detail, code="bad_world_state") from error
        text = await self._planner.plan(world, request.max_actions)
        emit(read_plan(text, request.max_actions))


class Chats:
    """Goes on with a program's chat, as a job: with the robots' model, and nothing of a robot."""

    name = "chats"
    scope = Scope.JOB
    opens: Messages = frozenset({ChatRequest})
    consumes: Messages = frozenset()
    closes: Messages = frozenset()
    produces: Messages = frozenset({ChatDelta, ChatDone, JobDone})

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Go on with one chat.

        Raises:
            AgentError: it cannot be gone on with (``chat_prompt``), the engine failed, or there is
                no language model (``backend_unavailable``).
        """
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, ChatRequest)
        endings: list[Ending] = []
        prompt = chat_prompt(request, endings.append)
        written = 0
        async with aclosing(self._planner.chat(prompt)) as pieces:
            async for piece in pieces:
                if piece:
                    emit(ChatDelta(text=piece))
                written += len(piece)
                if written > MAX_CHAT_CHARS:
                    break
        # Whoever was cut off at the limit was not told how it would have ended.
        ending = endings[-1] if endings else Ending("length")
        emit(ChatDone(**ending._asdict(), model=self._planner.model))
        emit(JobDone())
