"""Vision on the bus: a chat with pictures, the place of a name on a screen, the balls in a picture.

Jobs, all of them; what robots see while nobody asks is ``agents/vision/sight.py``.
"""

import asyncio

from agents.runtime.blobs import PULL, PULL_ASKS, pull
from agents.runtime.service import Emit, Inbox, Scope
from agents.runtime.telling import tell
from agents.vision.backends.base import BallFinder, Describing, Ending, Reader
from agents.vision.finding import places
from agents.vision.prompting import MAX_PICTURE_BYTES, check, prompt_of
from protocols.envelope import Message
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest
from protocols.messages.job import JobDone
from protocols.messages.vision import DetectDone, DetectRequest, GroundDone, GroundRequest

Messages = frozenset[type[Message]]

MAX_ANSWER_CHARS = 64_000
"""What an engine may write for one answer; beyond, the answer ends where it is."""


class Chats:
    """Goes on with a chat about pictures, piece by piece."""

    name = "chats"
    scope = Scope.JOB
    opens: Messages = frozenset({ChatRequest})
    consumes: Messages = PULL
    closes: Messages = frozenset()
    produces: Messages = PULL_ASKS | {ChatDelta, ChatDone, JobDone}

    def __init__(self, eyes: Describing) -> None:
        self._eyes = eyes

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Answer one chat.

        Raises:
            AgentError: it cannot be answered (``prompting.check``), a picture is none
                (``bad_picture``) or did not come, or the engine failed.
        """
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, ChatRequest)
        check(request)
        pictures = [
            [await pull(inbox, emit, ref, MAX_PICTURE_BYTES) for ref in entry.pictures]
            for entry in request.messages
        ]
        endings: list[Ending] = []
        prompt = await asyncio.to_thread(prompt_of, request, pictures, endings.append)
        await tell(self._eyes.write(prompt), request, emit, MAX_ANSWER_CHARS)
        ending = endings[-1] if endings else Ending("length")
        emit(
            ChatDone(
                finish_reason=ending.finish_reason,
                model=self._eyes.model,
                prompt_tokens=ending.prompt_tokens,
                completion_tokens=ending.completion_tokens,
            )
        )
        emit(JobDone())


class Ground:
    """Says where on a screenshot something is that bears a name."""

    name = "ground"
    scope = Scope.JOB
    opens: Messages = frozenset({GroundRequest})
    consumes: Messages = PULL
    closes: Messages = frozenset()
    produces: Messages = PULL_ASKS | {GroundDone, JobDone}

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Answer one request; no boxes if the name is not there.

        Raises:
            AgentError: the picture is none (``bad_picture``) or did not come, or there is no reader.
        """
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, GroundRequest)
        picture = await pull(inbox, emit, request.picture, MAX_PICTURE_BYTES)
        page = await self._reader.read(picture)
        boxes = places(page, request.name)
        emit(GroundDone(width=page.width, height=page.height, boxes=boxes))
        emit(JobDone())


class Detect:
    """Says which balls are in a picture."""

    name = "detect"
    scope = Scope.JOB
    opens: Messages = frozenset({DetectRequest})
    consumes: Messages = PULL
    closes: Messages = frozenset()
    produces: Messages = PULL_ASKS | {DetectDone, JobDone}

    def __init__(self, finder: BallFinder) -> None:
        self._finder = finder

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Answer one request.

        Raises:
            AgentError: the picture is none (``bad_picture``) or did not come, a colour is not known
                (``unknown_colour``), or OpenCV is not installed.
        """
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, DetectRequest)
        picture = await pull(inbox, emit, request.picture, MAX_PICTURE_BYTES)
        scene = await self._finder.find(picture, request.colours, request.hfov_deg)
        emit(DetectDone(width=scene.width, height=scene.height, balls=scene.balls))
        emit(JobDone())
