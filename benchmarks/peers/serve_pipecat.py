"""A Pipecat server with instant fake engines, run by Pipecat's own environment.

``python serve_pipecat.py leanest|defaults|direct`` prints its port and serves one pipeline to each
WebSocket. For every 20 ms chunk: uvicorn (uvloop, websockets-sansio) → input transport → the fake
engines → output transport, which paces by itself. *Leanest* is the transport and three fakes, with
turn tracking, RTVI and the idle watch off. *Defaults* leaves all of them on and puts the two
context aggregators into the pipeline, as Pipecat's own examples do; the marks propose the turns.
Voice activity, turn model, metrics, tracing and logs are off in both.

*Direct* is the leanest with fakes that have no queues and tasks of their own
(``enable_direct_mode``). An engine that takes time cannot run so: the microphone would wait for it,
and no interruption would overtake it.

The wire: a binary message is 20 ms of 16 kHz s16le, either way; the text ``cut`` asks for an
interruption, and comes back as its notice.
"""

import socket
import sys

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    OutputAudioRawFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_turn_strategies import ExternalUserTurnStrategies
from pipecat.workers.runner import WorkerRunner

from benchmarks.peers.fakes import CUT, RATE_HZ, answer_pcm, mark_in
from protocols.marks import MarkKind


class Wire(FrameSerializer):
    """Sound as it is; a cut as one word."""

    async def serialize(self, frame: Frame) -> str | bytes | None:
        if isinstance(frame, OutputAudioRawFrame):
            return bytes(frame.audio)
        return CUT if isinstance(frame, InterruptionFrame) else None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        if isinstance(data, bytes):
            return InputAudioRawFrame(audio=data, sample_rate=RATE_HZ, num_channels=1)
        return InterruptionFrame()


class FakeRecogniser(FrameProcessor):
    """Marks become turns and transcripts; sound ends here, as at a recogniser."""

    def __init__(self, *, turns: bool, direct: bool) -> None:
        super().__init__(enable_direct_mode=direct)
        self._turns, self._text = turns, ""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, InputAudioRawFrame):
            await self.push_frame(frame, direction)
        elif (found := mark_in(frame.audio)) is not None:
            if found.kind is MarkKind.START:
                self._text = found.text
                if self._turns:
                    await self.push_frame(ProposedUserStartedSpeakingFrame())
                return
            await self.push_frame(
                TranscriptionFrame(text=self._text, user_id="", timestamp="", finalized=True)
            )
            if self._turns:
                await self.push_frame(ProposedUserStoppedSpeakingFrame())


class FakeModel(FrameProcessor):
    """Repeats what was said, at once."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TranscriptionFrame):
            await self.push_frame(LLMTextFrame(text=frame.text))
        elif isinstance(frame, LLMContextFrame):
            said = frame.context.get_messages()[-1]["content"]
            await self.push_frame(LLMFullResponseStartFrame())
            await self.push_frame(LLMTextFrame(text=said))
            await self.push_frame(LLMFullResponseEndFrame())
        else:
            await self.push_frame(frame, direction)


class FakeVoice(FrameProcessor):
    """Speaks a text at once, in one piece."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMTextFrame):
            await self.push_frame(TTSStartedFrame())
            await self.push_frame(
                TTSAudioRawFrame(audio=answer_pcm(frame.text), sample_rate=RATE_HZ, num_channels=1)
            )
            await self.push_frame(TTSStoppedFrame())
        await self.push_frame(frame, direction)


def worker(websocket: WebSocket, variant: str) -> PipelineWorker:
    """The pipeline of one connection."""
    transport = FastAPIWebsocketTransport(
        websocket,
        FastAPIWebsocketParams(
            serializer=Wire(), audio_in_enabled=True, audio_out_enabled=True,
            audio_out_10ms_chunks=2, audio_out_end_silence_secs=0,
        ),
    )  # fmt: skip
    params = PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ)
    direct, lean = variant == "direct", variant != "defaults"
    fakes = FakeModel(enable_direct_mode=direct), FakeVoice(enable_direct_mode=direct)
    ears = FakeRecogniser(turns=not lean, direct=direct)
    if lean:
        return PipelineWorker(
            Pipeline([transport.input(), ears, *fakes, transport.output()]),
            params=params, enable_turn_tracking=False, enable_rtvi=False, idle_timeout_secs=None,
            cancel_on_idle_timeout=False, check_dangling_tasks=False,
        )  # fmt: skip
    pair = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(user_turn_strategies=ExternalUserTurnStrategies()),
    )
    return PipelineWorker(
        Pipeline(
            [transport.input(), ears, pair.user(), *fakes, transport.output(), pair.assistant()]
        ),
        params=params,
    )


class Server(uvicorn.Server):
    """Says its port once it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"{self.servers[0].sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()


async def main(variant: str) -> None:
    """Serve until terminated."""
    logger.remove()
    app = FastAPI()

    @app.websocket("/")
    async def converse(websocket: WebSocket) -> None:
        await websocket.accept()
        runner = WorkerRunner(handle_sigint=False, check_dangling_tasks=False)
        mine = worker(websocket, variant)

        @mine.event_handler("on_pipeline_started")
        async def _(*_: object) -> None:
            await websocket.send_text("ready")

        await runner.run(mine)

    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, loop="uvloop", http="httptools", ws="websockets-sansio",
        ws_per_message_deflate=False, log_level="error", access_log=False, lifespan="off",
    )  # fmt: skip
    await Server(config).serve()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(sys.argv[1]))
