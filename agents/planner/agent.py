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
from agents.planner.tools.allowed import may_use
from agents.planner.tools.base import (
    MAX_CALLS,
    NoTools,
    ToolOffer,
    ToolResult,
    Tools,
    ToolWish,
    equipped,
)
from agents.runtime.errors import AgentError
from agents.runtime.service import Emit, Inbox, Scope
from agents.runtime.telling import tell
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

    def __init__(self, planner: Planner, tools: Tools | None = None) -> None:
        self._planner = planner
        self._tools = tools or NoTools()

    @property
    def counters(self) -> Counter[str]:
        """Of the tools; they go out with the agent's heartbeat."""
        return self._tools.counters

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Answer one turn, with up to ``MAX_CALLS`` tools called on the way.

        Raises:
            AgentError: the engine failed, or wrote nothing that could be said (``llm_nonsense``).
        """
        opening = (await anext(inbox)).envelope
        turn, results = opening.body, tuple[ToolResult, ...]()
        assert isinstance(turn, TurnStart)
        while True:
            offers = self._offers(opening.robot, turn) if len(results) < MAX_CALLS else ()
            reader = AnswerReader(turn, may_wish=bool(offers))
            await self._read(equipped(turn, offers, results), reader, emit)
            if reader.wish is None:
                break
            call = f"{opening.turn}-{len(results)}"
            if may_use(turn.may_use, reader.wish.name):
                results += (await self._call(opening.robot, call, reader.wish, emit),)
            else:
                results += (ToolResult(reader.wish.name, "there is no such tool", "no_such_tool"),)
        for message in reader.finish():
            emit(message)

    def _offers(self, robot: str, turn: TurnStart) -> tuple[ToolOffer, ...]:
        """The tools that ``robot`` may use now, by its rules and by its profile."""
        return tuple(o for o in self._tools.offers(robot) if may_use(turn.may_use, o.name))

    async def _read(self, turn: TurnStart, reader: AnswerReader, emit: Emit) -> None:
        """Let the engine write an answer, to its end or to a wish for a tool."""
        async with aclosing(self._planner.answer(turn)) as pieces:
            async for piece in pieces:
                for message in reader.feed(piece):
                    emit(message)
                if reader.over:
                    break

    async def _call(self, robot: str, call: str, wish: ToolWish, emit: Emit) -> ToolResult:
        """Call a tool. A turn that is cut meanwhile leaves its effect behind, and the hub knows of
        it: it was told before."""
        if not self._tools.has(robot, wish.name):
            return await self._tools.call(robot, wish)
        emit(ToolPending(call=call, name=wish.name))
        result = await self._tools.call(robot, wish)
        emit(
            ToolDone(
                call=call,
                name=wish.name,
                ok=result.ok,
                latency_ms=result.ms,
                detail=result.code,
            )
        )
        return result


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
        await tell(self._planner.chat(prompt), request, emit, MAX_CHAT_CHARS)
        # Whoever was cut off at the limit was not told how it would have ended.
        ending = endings[-1] if endings else Ending("length")
        emit(ChatDone(**ending._asdict(), model=self._planner.model))
        emit(JobDone())
