"""Writes traces by hand: what a hub would have told, entry by entry."""

from typing import Any

from hub.trace import entries as e
from hub.trace.entries import Entry
from protocols.envelope import Message
from protocols.messages.audio import MIC_RATE_HZ
from protocols.messages.face import Conversation
from protocols.messages.robot import (
    Emotion,
    Face,
    Flush,
    Flushed,
    FromRobot,
    Played,
    ToRobot,
    TurnBegin,
    TurnEnd,
    Welcome,
)
from protocols.messages.speech import SpeechPlayed, SpeechRequest
from protocols.messages.transcript import TranscriptFinal
from protocols.messages.turn import (
    Outcome,
    Priority,
    ResponseDelta,
    ResponseDone,
    ResponseMeta,
    TurnEnded,
    TurnStart,
    TurnStarted,
)
from protocols.messages.voice import EndReason, UtteranceEnded, UtteranceFinish
from protocols.topics import topic_name

STEP_NS = 1_000_000
FRAME = 320


class Story:
    """A trace in the making. What the hub does for an entry is told with ``by=`` its number."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._n = 0
        self._ids = 0
        self._connections = 0
        self._open: dict[str, e.Opened] = {}
        self._orders: dict[str, int] = {}
        self._boot = 0

    # single entries

    def add(self, kind: type[Entry], **fields: Any) -> Entry:
        self._n += 1
        now = 1_000_000_000 + len(self.entries) * STEP_NS
        entry = kind(**{"n": self._n, "t_ns": now} | fields)
        self.entries.append(entry)
        return entry

    def starts(self, boot: int = 1) -> None:
        self._n, self._boot = 0, boot
        self._orders.clear()
        self._open.clear()
        self._connections = 0
        self.add(e.Started, boot=boot, hub_id="hub-1")

    def stops(self) -> None:
        self.add(e.Stopped)

    def loses(self, count: int = 1) -> None:
        """Entries that were never written."""
        self._n += count

    def opens(self, robot: str = "r1", epoch: int = 1, **fields: Any) -> e.Opened:
        self._connections += 1
        fields = {"session": f"sess-{robot}", "rate_hz": MIC_RATE_HZ} | fields
        opened = self.add(
            e.Opened, robot=robot, epoch=epoch, connection=self._connections, **fields
        )
        assert isinstance(opened, e.Opened)
        self._open[robot] = opened
        return opened

    def closes(self, robot: str = "r1", code: int = 1000) -> None:
        was = self._open.pop(robot)
        self.add(e.Closed, robot=robot, epoch=was.epoch, connection=was.connection, code=code)

    def fact(self, body: Message, robot: str = "r1", src: str = "hub", **fields: Any) -> Entry:
        self._ids += 1
        order = fields.pop("order", self._orders.get(robot, 0) + 1)
        self._orders[robot] = order
        return self.add(
            e.Fact,
            topic=topic_name(type(body)),
            body=body,
            robot=robot,
            session=f"sess-{robot}",
            src=src,
            **{"id": self._ids, "boot": self._boot, "order": order} | fields,
        )

    def command(self, body: Message, peer: str, robot: str = "r1", **fields: Any) -> Entry:
        self._ids += 1
        fields = {"id": self._ids} | fields
        return self.add(
            e.Command, topic=topic_name(type(body)), body=body, peer=peer, robot=robot, **fields
        )

    def tells(self, body: ToRobot, robot: str = "r1", **fields: Any) -> Entry:
        return self.add(e.Told, body=body, **self._identity(robot) | fields)

    def hears(self, body: FromRobot, robot: str = "r1", **fields: Any) -> Entry:
        return self.add(e.Said, body=body, **self._identity(robot) | fields)

    def sends_speech(
        self, turn: int, first_sample: int = 0, robot: str = "r1", samples: int = FRAME, **f: Any
    ) -> Entry:
        identity = self._identity(robot) | f
        return self.add(
            e.SpeechOut,
            **{"frame_epoch": identity["epoch"]} | identity,
            turn=turn,
            first_sample=first_sample,
            samples=samples,
        )

    def depth(self, queue: str, depth: int, bound: int) -> Entry:
        return self.add(e.Depth, queue=queue, depth=depth, bound=bound)

    def _identity(self, robot: str) -> dict[str, Any]:
        owner = self._open[robot]
        return {"robot": robot, "epoch": owner.epoch, "connection": owner.connection}

    # scenes

    def connects(self, robot: str = "r1", epoch: int = 1, order: int = 0, **fields: Any) -> None:
        """A connection, from its opening to the first face."""
        opened = self.opens(robot, epoch, **fields)
        self.tells(
            Welcome(
                session=opened.session, epoch=epoch, resumed=opened.resumed, resume="", hub_id="",
                boot=1, order=order, lead_ms=300,
            ),
            robot,
        )  # fmt: skip
        self.tells(Face(conversation=Conversation.LISTENING, order=order + 1), robot)

    def begins(self, turn: int = 1, robot: str = "r1") -> Entry:
        """A user is understood, and a turn begins."""
        ended = self.fact(
            UtteranceEnded(
                utterance=turn, first_sample=0, last_sample=9, speech_end_sample=8,
                reason=EndReason.SILENCE,
            ),
            robot,
            src="ears-primary-7",
        )  # fmt: skip
        order = UtteranceFinish(utterance=turn, first_sample=0, last_sample=9)
        finish = self.command(order, "stt-primary-8", robot, by=ended.n)
        assert isinstance(finish, e.Command)
        final = self.fact(
            TranscriptFinal(utterance=turn, text=""), robot, src="stt-primary-8", cause=finish.id
        )
        self.tells(TurnBegin(turn=turn), robot, by=final.n)
        began = self.fact(TurnStarted(priority=Priority.USER), robot, turn=turn, by=final.n)
        self.command(TurnStart(user_text=""), "planner-primary-9", robot, turn=turn, by=final.n)
        return began

    def answers(self, turn: int = 1, robot: str = "r1", frames: int = 5) -> None:
        """The response is made, and its speech leaves."""
        planner = {"robot": robot, "turn": turn, "src": "planner-primary-9"}
        meta = self.fact(ResponseMeta(), **planner)
        self.tells(Emotion(turn=turn, emotion="happy", intensity=1.0), robot, by=meta.n)
        self.fact(ResponseDelta(text=""), **planner)
        done = self.fact(ResponseDone(), **planner)
        request = SpeechRequest(phrase=0, text="", rate_hz=16_000)
        self.command(request, "tts-primary-4", robot, turn=turn, by=done.n)
        for frame in range(frames):
            self.sends_speech(turn, frame * FRAME, robot)

    def plays(self, turn: int = 1, frames: int = 5, robot: str = "r1") -> None:
        """The robot has played so much."""
        samples = frames * FRAME
        played = Played(epoch=self._identity(robot)["epoch"], turn=turn, samples=samples)
        said = self.hears(played, robot)
        self.fact(SpeechPlayed(played_ms=samples // 16), robot, turn=turn, by=said.n)

    def ends(
        self,
        turn: int = 1,
        outcome: Outcome = Outcome.DONE,
        robot: str = "r1",
        played_ms: int = 0,
    ) -> Entry:
        """The one terminal fact, behind a fence if the turn was cut."""
        if outcome is not Outcome.DONE:
            self.cuts(turn, robot)
        ended = TurnEnded(outcome=outcome, played_ms=played_ms)
        entry = self.fact(ended, robot, turn=turn)
        self.tells(TurnEnd(turn=turn, outcome=outcome), robot)
        return entry

    def cuts(self, turn: int, robot: str = "r1") -> None:
        """The robot is told to throw a turn away, and has."""
        epoch = self._identity(robot)["epoch"]
        self.tells(Flush(epoch=epoch, turn=turn), robot)
        self.hears(Flushed(epoch=epoch, turn=turn, samples=0), robot)


def conversation(robot: str = "r1", story: Story | None = None) -> Story:
    """Two turns of a robot, the second one interrupted."""
    if story is None:
        story = Story()
        story.starts()
    story.connects(robot)
    story.begins(1, robot)
    story.answers(1, robot)
    story.plays(1, 5, robot)
    story.ends(1, robot=robot, played_ms=100)
    story.begins(2, robot)
    story.answers(2, robot)
    story.plays(2, 3, robot)
    story.ends(2, Outcome.INTERRUPTED, robot, played_ms=60)
    return story
