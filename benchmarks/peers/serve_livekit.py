"""A LiveKit Agents server with instant fake engines, run by its own environment.

``python serve_livekit.py leanest`` prints its port and gives each WebSocket an ``AgentSession``
with an audio input and output of its own: no room, no codec, no pacing (an answer is sent as fast
as it is made, in 20 ms frames; a clock stands in for its playback). For every 20 ms chunk:
websockets on uvloop → ``AudioInput`` → the session's forwarding → the fake recogniser. Voice
activity, turn model, preemptive generation, text transforms, transcription forwarding, recording,
tracing and logs are off; turns are the recogniser's, with no delay.

The wire is that of ``serve_pipecat.py``.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, ModelSettings, llm, stt, tts
from livekit.agents.voice import io
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.peers.fakes import CHUNK_BYTES, CUT, RATE_HZ, answer_pcm, mark_in
from protocols.marks import MarkKind


class Microphone(io.AudioInput):
    """Chunks of a WebSocket as frames."""

    def __init__(self) -> None:
        super().__init__(label="microphone")
        self.queue: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue()

    async def __anext__(self) -> rtc.AudioFrame:
        return await self.queue.get()


class Loudspeaker(io.AudioOutput):
    """Sends frames at once; they count as played when they would have been."""

    def __init__(self, connection: ServerConnection) -> None:
        super().__init__(
            label="loudspeaker", capabilities=io.AudioOutputCapabilities(pause=False),
            sample_rate=RATE_HZ,
        )  # fmt: skip
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._began = self._pushed_s = 0.0
        self._end: asyncio.TimerHandle | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._pushed_s:
            self._began = self._loop.time()
        self._pushed_s += frame.duration
        await self._connection.send(bytes(frame.data))

    def flush(self) -> None:
        super().flush()
        if self._pushed_s and self._end is None:
            self._end = self._loop.call_at(self._began + self._pushed_s, self._finish, False)

    def clear_buffer(self) -> None:
        if self._pushed_s:
            self._notice = asyncio.ensure_future(self._connection.send(CUT))
            self._finish(True)

    def _finish(self, interrupted: bool) -> None:
        if self._end is not None:
            self._end.cancel()
        played_s = min(self._pushed_s, self._loop.time() - self._began)
        self._end, self._pushed_s = None, 0.0
        self.on_playback_finished(playback_position=played_s, interrupted=interrupted)


class FakeRecogniser(stt.STT):
    """Stands for the engine whose work ``FakeAgent.stt_node`` does."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))

    async def _recognize_impl(self, *_: Any, **__: Any) -> stt.SpeechEvent:
        raise NotImplementedError


class FakeModel(llm.LLM):
    """Stands for the engine whose work ``FakeAgent.llm_node`` does."""

    def chat(self, **_: Any) -> Any:
        raise NotImplementedError


class FakeVoice(tts.TTS):
    """Stands for the engine whose work ``FakeAgent.tts_node`` does."""

    def __init__(self) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=True), sample_rate=RATE_HZ, num_channels=1
        )

    def synthesize(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


class FakeAgent(Agent):
    """Repeats what marks say, at once."""

    def __init__(self) -> None:
        super().__init__(instructions="")

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterator[stt.SpeechEvent]:
        text = ""
        async for frame in audio:
            found = mark_in(bytes(frame.data))
            if found is None:
                continue
            if found.kind is MarkKind.START:
                text = found.text
                yield stt.SpeechEvent(type=stt.SpeechEventType.START_OF_SPEECH)
                continue
            data = stt.SpeechData(language="en", text=text)
            yield stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data])
            yield stt.SpeechEvent(type=stt.SpeechEventType.END_OF_SPEECH)

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[Any], model_settings: ModelSettings
    ) -> AsyncIterator[str]:
        yield chat_ctx.items[-1].text_content or ""

    async def tts_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncIterator[rtc.AudioFrame]:
        async for piece in text:
            pcm = answer_pcm(piece)
            for at in range(0, len(pcm), CHUNK_BYTES):
                yield rtc.AudioFrame(
                    data=pcm[at : at + CHUNK_BYTES], sample_rate=RATE_HZ, num_channels=1,
                    samples_per_channel=CHUNK_BYTES // 2,
                )  # fmt: skip


async def converse(connection: ServerConnection) -> None:
    """One robot's session."""
    microphone = Microphone()
    session: AgentSession[None] = AgentSession(
        stt=FakeRecogniser(), llm=FakeModel(), tts=FakeVoice(), vad=None,
        turn_handling={
            "turn_detection": "stt",
            "endpointing": {"mode": "fixed", "min_delay": 0.0, "max_delay": 0.0},
            "interruption": {
                "enabled": True, "mode": "vad", "resume_false_interruption": False,
                "false_interruption_timeout": None,
            },
            "preemptive_generation": {"enabled": False},
        },
        tts_text_transforms=None, user_away_timeout=None, aec_warmup_duration=None,
    )  # fmt: skip
    session.input.audio = microphone
    session.output.audio = Loudspeaker(connection)
    await session.start(FakeAgent(), record=False)
    await connection.send("ready")
    with contextlib.suppress(ConnectionClosed):
        async for message in connection:
            if isinstance(message, str):
                session.interrupt()
                continue
            microphone.queue.put_nowait(
                rtc.AudioFrame(
                    data=message, sample_rate=RATE_HZ, num_channels=1,
                    samples_per_channel=len(message) // 2,
                )
            )  # fmt: skip
    await session.aclose()


async def main() -> None:
    """Serve until terminated."""
    logging.disable(logging.CRITICAL)
    async with serve(converse, "127.0.0.1", 0, compression=None) as server:
        sys.stdout.write(f"{next(iter(server.sockets)).getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
