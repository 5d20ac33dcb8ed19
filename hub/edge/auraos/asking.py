"""What AuraOS asks of models: texts, and what is to be done on a screen."""

from collections.abc import Sequence
from typing import NamedTuple

from hub.edge.auraos.actions import (
    MAX_ACTIONS,
    AnyAction,
    Click,
    Found,
    Nothing,
    actions_in,
    actions_schema,
)
from hub.edge.auraos.bodies import AskAnswer, AskBody, GenerateAnswer, GenerateBody, PixelSpace
from hub.edge.auraos.controls import control_named
from hub.edge.auraos.engines import backend_of
from hub.edge.chats import Chat, whole
from hub.edge.model_names import model_for
from hub.edge.pictures import SentPicture
from hub.edge.services import EdgeServices
from hub.jobs.inference import Inference, Said
from hub.jobs.orders import Caller
from protocols.messages.agent import AgentKind
from protocols.messages.chat import ChatRequest
from protocols.messages.vision import Box, GroundDone

DEADLINE_S = 180.0
ACTION_TOKENS = 1_024
"""Room for actions where the client says none: a few hundred tokens are too little for them."""
EMBEDDED = "embedded"
"""The backend of vision that reads and measures, and understands nothing."""

_RULE = (
    "You operate the screen in the picture, which is {width} pixels wide and {height} pixels high."
    " x and y count in these pixels, from its upper left corner."
    " Answer with what is to be done now, in order, at most {most} actions."
    " confidence is how sure you are, from 0 to 1."
    " If what is asked for is not there, the action is none."
)


class Question(NamedTuple):
    """A request, its pictures, and who asks."""

    text: str
    pictures: Sequence[SentPicture]
    caller: Caller

    @property
    def kind(self) -> AgentKind:
        """Who answers it."""
        return AgentKind.VISION if self.pictures else AgentKind.PLANNER

    @property
    def said(self) -> Said:
        """As a message of a chat."""
        return Said("user", self.text, tuple(each.picture for each in self.pictures))


class Asking:
    """Asks the models of ``services``. All methods raise ``JobError``."""

    def __init__(self, services: EdgeServices) -> None:
        self._services = services
        self._inference = Inference(services.jobs)

    def backend(self, kind: AgentKind) -> str:
        """The name of the backend that answers."""
        return backend_of(self._services.agents(), kind)

    def chat(self, body: GenerateBody, question: Question, *, whole: bool = False) -> Chat:
        """The text that ``POST /generate`` asks for, as it is written, or at its end."""
        how = ChatRequest(
            messages=(),
            schema=body.json_schema,
            max_tokens=body.tokens,
            temperature=body.temperature,
            whole=whole,
        )
        model = self._model(body.model, question.kind)
        return self._inference.chat([question.said], how, model=model, caller=question.caller)

    async def generate(self, body: GenerateBody, question: Question) -> GenerateAnswer:
        """``POST /generate``."""
        written = await whole(self.chat(body, question, whole=True))
        return GenerateAnswer(
            response=written.text,
            backend=self.backend(question.kind),
            model=written.done.model,
        )

    async def ask(self, body: AskBody, question: Question) -> AskAnswer:
        """``POST /ask``."""
        blind = question.kind is AgentKind.VISION and self.backend(question.kind) == EMBEDDED
        if body.wants_actions and blind:
            name = control_named(question.text)
            if name is not None:
                return await self._grounded(name, question)
        return await self._answered(body, question, blind=blind)

    async def _grounded(self, name: str, question: Question) -> AskAnswer:
        """Where the control is by its label, read from the picture."""
        found = await self._inference.ground(question.pictures[-1].picture, name, question.caller)
        action = _click(name, found)
        return _answer(action.explanation or "", EMBEDDED, "", question, Found((action,)))

    async def _answered(self, body: AskBody, question: Question, *, blind: bool) -> AskAnswer:
        """What a model says to it. One that cannot obey a schema is not given one."""
        asks = body.wants_actions and not blind
        seen = question.pictures[-1] if question.pictures else None
        width, height = (seen.width, seen.height) if seen else (0, 0)
        rule = _RULE.format(width=width, height=height, most=MAX_ACTIONS)
        said = [*([Said("system", rule)] if asks and seen else []), question.said]
        tokens = body.said_tokens or (ACTION_TOKENS if asks else body.tokens)
        how = ChatRequest(
            messages=(),
            schema=actions_schema(width, height) if asks else None,
            max_tokens=tokens,
            temperature=body.temperature,
            whole=True,
        )
        model = self._model(body.model, question.kind)
        chat = self._inference.chat(said, how, model=model, caller=question.caller)
        written = await whole(chat)
        found = Found()
        if body.wants_actions:
            found = actions_in(written.text, width, height)
            self._services.counters.count("gui_actions.refused", found.refused)
            if not found.actions:
                found = Found((Nothing(confidence=0.0, explanation=_why_none(found, blind)),))
        backend = self.backend(question.kind)
        return _answer(written.text, backend, written.done.model, question, found)

    def _model(self, name: str | None, kind: AgentKind) -> str:
        services = self._services
        return model_for(name, kind, services.agents(), services.facts.aliases)


def _click(name: str, found: GroundDone) -> AnyAction:
    """A click on the likeliest place."""
    if not found.boxes:
        return Nothing(
            confidence=0.0, explanation=f"there is no “{name}” to be read in the picture"
        )
    box = found.boxes[0]
    return Click(
        x=_inside(box.x, found.width),
        y=_inside(box.y, found.height),
        confidence=min(1.0, max(0.0, box.confidence)),
        explanation=_told(box, len(found.boxes)),
    )


def _inside(value: float, side: int) -> int:
    return min(max(0, round(value)), max(0, side - 1))


def _told(box: Box, places: int) -> str:
    more = "" if places == 1 else f"; the likeliest of {places} places"
    return f"“{box.text[:200]}” is read there{more}"


def _why_none(found: Found, blind: bool) -> str:
    if blind:
        return "without a vision model, only a control that is named by its label can be found"
    if found.refused:
        return "the model wanted what is not among the actions, their limits or the picture"
    return "the model named no action"


def _answer(text: str, backend: str, model: str, question: Question, found: Found) -> AskAnswer:
    """Everything that a client of either shape looks for."""
    first = found.actions[0].model_dump() if found.actions else {}
    space = None
    if question.pictures:
        seen = question.pictures[-1]
        space = PixelSpace(index=len(question.pictures) - 1, width=seen.width, height=seen.height)
    return AskAnswer(
        response=text,
        backend=backend,
        model=model,
        actions=list(found.actions),
        image=space,
        **first,
    )
