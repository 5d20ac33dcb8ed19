"""Conversations with real voices, real processes and the engines of every installation."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import pytest_asyncio

from protocols.messages.robot import Error, Transcript, TurnBegin, TurnEnd
from protocols.messages.turn import Outcome
from robot_sim.conversation import Conversation, Now
from robot_sim.microphone import Spoken
from robot_sim.robot import RobotOptions, SimulatedRobot
from robot_sim.scenario import Utterance
from robot_sim.speaker import Cue
from robot_sim.verdict import Verdict, judge
from robot_sim.wav import Pcm, read_pcm
from tests.e2e.processes import EMBEDDED, Processes, command, running
from tests.recordings import demo_recording

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

STORY = "please tell me a long story"
QUESTION = "what is your name"
PAUSE = np.zeros(12_000, np.int16)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Processes]:
    async with running(tmp_path_factory.mktemp("hub"), EMBEDDED) as processes:
        await processes.ready()
        yield processes


def recording(name: str) -> Pcm:
    return read_pcm(demo_recording(f"{name}.wav").path)


async def hold(robot: SimulatedRobot, conversation: Conversation) -> Verdict:
    """Let the user say everything, and judge what came of it."""

    def now() -> Now:
        return Now(robot.now_ns(), robot.quiet, robot.played_ms)

    robot.fresh()
    events = list(robot.log)
    async with asyncio.timeout(30):
        while not conversation.over(now()):
            for event in [*events, *robot.fresh()]:
                conversation.observe(event)
            utterance = conversation.next(now())
            if utterance is not None:
                robot.say(utterance.pcm, utterance.label)
            events.clear()
            await asyncio.sleep(0.05)
    answer = robot.captions.answer
    return judge(conversation.exchanges, conversation.ends, answer, robot.played_ms, 0.3)


async def test_a_user_asks_listens_interrupts_and_is_understood(hub: Processes) -> None:
    story, ball = demo_recording("long_story.wav"), demo_recording("find_the_ball.wav")
    utterances = (
        Utterance("story", read_pcm(story.path), story.text, "story"),
        Utterance("ball", read_pcm(ball.path), ball.text, "find_ball", interrupts=1.0),
    )
    async with hub.robot() as robot:
        verdict = await hold(robot, Conversation(utterances, pause_s=0.1))

    assert verdict.failures == ()


async def test_noise_is_not_spoken_to_and_a_clipped_voice_gets_its_turn(hub: Processes) -> None:
    noise = np.random.default_rng(1).normal(0, 3_000, 16_000).astype(np.int16)
    clipped = np.clip(recording("what_can_you_do").astype(int) * 30, -32_768, 32_767)
    async with hub.robot() as robot:
        robot.say(noise, "noise")
        robot.say(PAUSE, "silence")
        robot.say(clipped.astype(np.int16), "clipped")
        await robot.next(Spoken, lambda part: part == Spoken("clipped", began=True))
        before = [event.what for event in robot.log]
        await robot.next(TurnBegin)
        await robot.next(Cue)
        robot.cancel()
        end = await robot.next(TurnEnd)

    assert not any(isinstance(what, Error | TurnBegin) for what in before)
    assert (end.outcome, end.code) == (Outcome.CANCELLED, "client")


async def test_a_planner_that_is_killed_is_stood_in_for_and_comes_back(hub: Processes) -> None:
    (pid,) = await hub.pids_of("planner-primary")
    async with hub.robot() as robot:
        os.kill(pid, signal.SIGSTOP)  # in the middle of its answer, for as long as it takes
        robot.write(QUESTION)
        await robot.next(TurnBegin)
        os.kill(pid, signal.SIGKILL)
        end = await robot.next(TurnEnd)
        await hub.restarted("planner-primary", pid)
        robot.write(QUESTION)
        after = await robot.next(TurnEnd)

    assert (end.outcome, end.responder, end.fallback) == (Outcome.DONE, "reflex", "planner_down")
    assert end.heard_text == end.response_text != ""
    assert (after.outcome, after.responder, after.fallback) == (Outcome.DONE, "primary", "")


async def test_a_voice_that_is_killed_ends_its_turn_coded_and_comes_back(hub: Processes) -> None:
    (pid,) = await hub.pids_of("tts-primary")
    async with hub.robot() as robot:
        robot.write(STORY)
        await robot.next(Cue, lambda cue: cue.played.samples > 8_000)
        os.kill(pid, signal.SIGKILL)
        end = await robot.next(TurnEnd)
        await hub.restarted("tts-primary", pid)
        robot.write(QUESTION)
        after = await robot.next(TurnEnd)

    assert (end.outcome, end.code) == (Outcome.FAILED, "tts_down")
    assert end.response_text.startswith(end.heard_text)
    assert after.outcome is Outcome.DONE
    assert after.heard_text == after.response_text != ""


async def test_a_recogniser_that_is_killed_is_an_error_and_comes_back(hub: Processes) -> None:
    (pid,) = await hub.pids_of("stt-primary")
    async with hub.robot() as robot:
        robot.say(recording("long_story"))
        await robot.next(Transcript)  # a partial one: the user is still speaking
        os.kill(pid, signal.SIGKILL)
        error = await robot.next(Error)
        await hub.restarted("stt-primary", pid)
        robot.say(PAUSE)
        robot.say(recording("what_can_you_do"))
        said = await robot.next(TurnBegin)
        await robot.next(Cue)

    assert error.code == "stt_down"
    assert "what can you do" in said.user_text


async def test_ears_that_are_killed_cost_no_answer_and_come_back(hub: Processes) -> None:
    (pid,) = await hub.pids_of("ears-primary")
    async with hub.robot() as robot:
        robot.write(QUESTION)
        await robot.next(Cue)
        os.kill(pid, signal.SIGKILL)
        end = await robot.next(TurnEnd)
        await hub.restarted("ears-primary", pid)
        robot.say(recording("what_can_you_do"))
        said = await robot.next(TurnBegin)
        await robot.next(Cue)

    assert end.outcome is Outcome.DONE
    assert end.heard_text == end.response_text != ""
    assert "what can you do" in said.user_text


async def test_the_command_line_shows_the_hub_and_lets_its_robots_speak(
    hub: Processes, tmp_path: Path
) -> None:
    async with hub.robot() as robot:
        said = await command("say", "r1", "Dinner is ready.", "--hub", hub.url, cwd=tmp_path)
        end = await robot.next(TurnEnd)
        status = await command("status", "--hub", hub.url, cwd=tmp_path)
    stranger = await command("say", "r9", "hello", "--hub", hub.url, cwd=tmp_path)

    assert (said.returncode, said.stdout) == (0, "r1: done\n")
    assert (end.outcome, end.heard_text) == (Outcome.DONE, "Dinner is ready.")
    assert status.returncode == 0
    assert "robots: r1" in status.stdout
    for backend in ("silero", "pocketsphinx", "reflex", "espeak"):
        assert backend in status.stdout
    assert (stranger.returncode, stranger.stdout) == (2, "")
    assert "'r9' is not connected" in stranger.stderr
    assert "Traceback" not in stranger.stderr


async def test_once_a_token_is_made_nobody_comes_in_without_it(
    hub: Processes, tmp_path: Path
) -> None:
    here = {"HUB_DATA_DIR": str(hub.data_dir)}
    token = (await command("tokens", "add", "r1", cwd=tmp_path, **here)).stdout.strip()
    try:
        bare = await command("status", "--hub", hub.url, cwd=tmp_path)
        async with hub.robot(options=RobotOptions(token=token)) as robot:
            robot.write(QUESTION)
            end = await robot.next(TurnEnd)
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {"Authorization": f"Bearer {token}"}
            body = {"robot_id": "r2", "text": "hello"}
            foreign = await client.post(f"{hub.url}/say", json=body, headers=headers)
    finally:
        token_id = token.split("_")[1]
        revoked = await command("tokens", "revoke", token_id, cwd=tmp_path, **here)

    assert (bare.returncode, bare.stdout) == (2, "")
    assert "(401)" in bare.stderr
    assert end.outcome is Outcome.DONE
    assert foreign.status_code == 403
    assert revoked.returncode == 0
