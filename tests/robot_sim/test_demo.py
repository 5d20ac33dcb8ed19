"""The demo as a program, against a scripted hub."""

import asyncio
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from protocols.codecs.jpeg import jpeg_size
from protocols.messages.robot import (
    Emotion,
    Gestures,
    Played,
    SpeechText,
    Text,
    Transcript,
    TurnBegin,
    TurnEnd,
)
from protocols.messages.speech import WordMark
from protocols.messages.turn import Outcome, Segment
from robot_sim.demo import run_demo
from robot_sim.demo_options import DemoOptions
from robot_sim.readiness import described
from robot_sim.wav import read_pcm, write_wav
from tests.fakes.hub_server import PATIENCE_S, FakeConnection, FakeHub

LOADING = '{"ready": false, "agents": {"stt-primary-1": {"state": "loading", "backend": "ps"}}}'
READY = '{"ready": true, "agents": {"stt-primary-1": {"state": "ready", "backend": "ps"}}}'
REPLY = "Hello there, friend."
WORDS = (WordMark("Hello", 0, 100), WordMark("there,", 100, 180), WordMark("friend.", 180, 290))


@pytest.fixture
def hello_wav(tmp_path: Path) -> Path:
    path = tmp_path / "hello.wav"
    write_wav(path, np.full(4800, 9000, np.int16))
    return path


async def converse(hub: FakeHub, understood: str, heard: str) -> None:
    """Answer the first voice in the microphone."""
    connection = await hub.connection()
    await connection.welcome()
    await voice(connection)
    await connection.send(
        Transcript(utterance=1, text=understood[:4], final=False),
        Transcript(utterance=1, text=understood, final=True),
        TurnBegin(turn=1, user_text=understood),
        Emotion(turn=1, emotion="happy", intensity=0.7),
        Gestures(turn=1, names=("nod",)),
        SpeechText(turn=1, phrase=0, text=REPLY, words=WORDS),
    )
    await connection.speak(1, 300)
    while (await connection.next(Played)).samples < 4800:
        pass
    await connection.send(
        TurnEnd(
            turn=1, outcome=Outcome.DONE, heard_text=heard, response_text=REPLY,
            segments=(Segment("endpointing", 300.0), Segment("transcript", 41.5)),
            intent="greeting", responder="primary",
        )
    )  # fmt: skip
    await connection.closed.wait()


async def voice(connection: FakeConnection) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not any(np.frombuffer(pcm, "<i2").max() > 5000 for _, pcm in connection.mic):
            await connection.heard.wait()
            connection.heard.clear()


async def demo(hub: FakeHub, understood: str, heard: str = REPLY, **options: object) -> int:
    async with asyncio.TaskGroup() as group:
        group.create_task(converse(hub, understood, heard))
        return await asyncio.to_thread(run_demo, DemoOptions(hub_url=hub.url, **options))  # type: ignore[arg-type]


async def test_a_recording_is_spoken_answered_and_judged(
    hello_wav: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeHub((LOADING, READY)) as hub:
        save = tmp_path / "saved"
        code = await demo(hub, "hello robot", wav=hello_wav, reference="hello robot", save=save)
    shown = capsys.readouterr().out
    assert code == 0
    for line in (
        "stt-primary-1 loading (ps)",
        "stt-primary-1 ready (ps)",
        "begins hello.wav",
        "“hello robot”",
        "happy 0.7",
        "*nod*",
        "robot   Hello there,",
        "robot   friend.",
        "turn 1 done, intent greeting, answered by primary",
        "341.5 ms",
        "0.0%",
        "all as expected",
    ):
        assert line in shown
    assert "\x1b" not in shown
    assert np.abs(read_pcm(save / "heard.wav")).max() > 8900
    assert (read_pcm(save / "said.wav") != 0).sum() > 4500


async def test_words_misunderstood_make_it_fail(
    hello_wav: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeHub() as hub:
        code = await demo(hub, "yellow robot", wav=hello_wav, reference="hello robot")
    assert code == 1
    assert "FAILED: word error rate 50.0%, 30% is allowed" in capsys.readouterr().out


def test_a_recording_that_is_missing_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = run_demo(DemoOptions(hub_url="http://127.0.0.1:9", wav=Path("gone.wav")))
    assert code == 2
    assert capsys.readouterr().err == "there is no recording gone.wav\n"


def test_a_camera_without_pictures_is_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_demo(DemoOptions(hub_url="http://127.0.0.1:9", camera=str(tmp_path)))
    assert code == 2
    assert capsys.readouterr().err == f"{tmp_path} holds no picture (*.jpg, *.jpeg)\n"


async def test_a_demo_with_a_camera_sends_what_it_sees(hello_wav: Path) -> None:
    async with FakeHub() as hub, asyncio.TaskGroup() as group:
        shown = group.create_task(first_picture(hub))
        options = DemoOptions(hub_url=hub.url, wav=hello_wav, camera="ball", camera_fps=15.0)
        await asyncio.to_thread(run_demo, options)
        assert shown.result() == (640, 480)


async def first_picture(hub: FakeHub) -> tuple[int, int]:
    """The size of the first picture of a robot that is sent away after it."""
    connection = await hub.connection()
    await connection.welcome()
    header, jpeg = await connection.pictures.get()
    await connection.socket.close(4003)
    assert jpeg_size(jpeg) == (header.width, header.height)
    return header.width, header.height


async def test_a_hub_that_will_not_have_it_is_one_sentence_and_exit_code_2(
    hello_wav: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeHub() as hub, asyncio.TaskGroup() as group:
        group.create_task(refuse(hub))
        options = DemoOptions(hub_url=hub.url, wav=hello_wav)
        assert await asyncio.to_thread(run_demo, options) == 2
    assert "does not authorise this robot (close code 4003)" in capsys.readouterr().err


async def test_what_ends_a_scenario_that_somebody_looks_on_at_is_one_sentence_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with FakeHub() as hub, asyncio.TaskGroup() as group:
        group.create_task(refuse(hub))
        assert await asyncio.to_thread(run_demo, DemoOptions(hub_url=hub.url)) == 2
    assert "does not authorise this robot (close code 4003)" in capsys.readouterr().err


async def refuse(hub: FakeHub) -> None:
    await (await hub.connection()).socket.close(4003)


async def test_lines_from_standard_input_are_typed_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"hello robot\n\ngoodbye\n")
    os.close(writer)
    with os.fdopen(reader) as lines:
        monkeypatch.setattr("sys.stdin", lines)
        async with FakeHub() as hub, asyncio.TaskGroup() as group:
            typed = group.create_task(take_lines(hub))
            options = DemoOptions(hub_url=hub.url, text=True)
            assert await asyncio.to_thread(run_demo, options) == 0
        assert await typed == ["hello robot", "goodbye"]
        [keyboard] = [t for t in threading.enumerate() if t.name == "keyboard"] or [None]
        if keyboard is not None:
            keyboard.join(5)


async def take_lines(hub: FakeHub) -> list[str]:
    connection = await hub.connection()
    await connection.welcome()
    lines = []
    for turn in (1, 2):
        lines.append((await connection.next(Text)).text)
        assert not connection.waiting(Text)
        await connection.send(
            TurnBegin(turn=turn, user_text=lines[-1]), TurnEnd(turn=turn, outcome=Outcome.DONE)
        )
    await connection.closed.wait()
    return lines


def test_the_state_of_agents_is_read_from_any_shape_of_body() -> None:
    assert described({"agents": {"b": "ready", "a": {"state": "loading"}}}) == "a loading, b ready"
    assert described({"agents": {}}) == described([]) == "no agents yet"
