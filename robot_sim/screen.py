"""What a conversation looks like in a terminal, or line by line in a log."""

from collections.abc import Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from protocols.messages import robot
from protocols.messages.robot import ActionResult
from protocols.messages.turn import Outcome
from robot_sim.actions import Begun
from robot_sim.captions import Captions
from robot_sim.events import Event, GestureBegan, Happening, Linked, Unlinked
from robot_sim.face_drawing import FaceState, drawn, sketched
from robot_sim.microphone import Spoken
from robot_sim.speaker import Cue, Moment
from robot_sim.verdict import Verdict
from robot_sim.waterfall import waterfall

_QUIET = "dim"
_SAID = "bold cyan"
_HEARD = "bold green"


class Screen:
    """Prints what is settled as lines. On a terminal, what still changes (the transcript so far,
    the words that sound now) stands below them; in a log it comes as lines too.

    A context manager: inside, the changing line is kept up.
    """

    def __init__(self, console: Console, captions: Captions, rate_hz: int) -> None:
        self._console = console
        self._captions = captions
        self._rate_hz = rate_hz
        self._live = Live(console=console, refresh_per_second=12, transient=True)
        self._partial = ""
        self._shown: dict[int, int] = {}
        self._start_ns: int | None = None
        self._changing = Text("")
        self._face = FaceState()
        self._felt = (0, "")
        """The last turn with a mood of its own, and the last mood that was told."""

    def __enter__(self) -> "Screen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def show(self, event: Event) -> None:
        """Show an event."""
        if self._start_ns is None:
            self._start_ns = event.at_ns
        at_s = (event.at_ns - self._start_ns) / 1e9
        if isinstance(event.what, Cue):
            self._playing(at_s, event.what)
        elif isinstance(event.what, robot.Transcript):
            self._transcript(at_s, event.what)
        elif isinstance(event.what, robot.TurnEnd):
            self._turn_end(at_s, event.what)
        elif isinstance(event.what, robot.Emotion):
            self._emotion(at_s, event.what)
        else:
            for who, text, style in _line(event.what):
                self._print(at_s, who, text, style)

    def body(self, at_ns: int, text: str) -> None:
        """A line of what the body does."""
        self._print(self._since_s(at_ns), "body", text, "yellow")

    def face(self, at_ns: int, face: FaceState) -> None:
        """What the face shows now: drawn below the lines, and a line for every other mood."""
        before, self._face = self._face, face
        if face.mood != before.mood:
            text = f"{sketched(face.mood)}  shows {face.mood}"
            self._print(self._since_s(at_ns), "face", text, "yellow")
        if face != before:
            self._refresh()

    def summary(self, verdict: Verdict) -> None:
        """The table at the end, and what failed."""
        self._console.print()
        if verdict.rows:
            self._console.print(_table(verdict))
        for failure in verdict.failures:
            self._console.print(Text(f"FAILED: {failure}", style="bold red"), soft_wrap=True)
        if not verdict.failures:
            self._console.print(Text("all as expected", style="bold green"))

    def note(self, text: str) -> None:
        """A line of the demo itself."""
        self._console.print(Text(text, style=_QUIET), soft_wrap=True)

    def _since_s(self, at_ns: int) -> float:
        return 0.0 if self._start_ns is None else (at_ns - self._start_ns) / 1e9

    def _change(self, line: Text) -> None:
        """What still changes is ``line`` now."""
        self._changing = line
        self._refresh()

    def _refresh(self) -> None:
        if self._console.is_terminal:
            face = Text("\n".join(drawn(self._face)), style="yellow")
            self._live.update(Group(self._changing, face))

    def _print(self, at_s: float, who: str, text: str, style: str = "") -> None:
        line = Text(f"{at_s:7.2f}  ", style=_QUIET)
        line.append(f"{who:<8}", style=_QUIET if style == _QUIET else "bold")
        line.append(text, style=style)
        self._console.print(line, soft_wrap=not self._console.is_terminal)

    def _transcript(self, at_s: float, transcript: robot.Transcript) -> None:
        if transcript.final:
            self._partial = ""
            self._print(at_s, "user", f"“{transcript.text}”", _HEARD)
        elif transcript.text != self._partial:
            self._partial = transcript.text
            if not self._console.is_terminal:
                self._print(at_s, "user", f"{transcript.text} …", _QUIET)
        self._change(Text(f"         user … {self._partial}" if self._partial else ""))

    def _emotion(self, at_s: float, told: robot.Emotion) -> None:
        """What the robot feels, and why: once a turn, and whenever it is another mood."""
        is_news = told.emotion != self._felt[1] or told.turn > self._felt[0]
        self._felt = max(told.turn, self._felt[0]), told.emotion
        if not is_news:
            return
        because = f": {told.mood_reason}" if told.mood_reason else ""
        self._print(at_s, "mood", f"{told.emotion} {told.intensity:.1f}{because}", "yellow")

    def _playing(self, at_s: float, cue: Cue) -> None:
        """Show the words that have begun to sound since the last cue."""
        turn = cue.played.turn
        words = self._captions.begun(turn, cue.played.samples * 1000 / self._rate_hz)
        fresh = words[self._shown.get(turn, 0) :]
        over = cue.moment in (Moment.ENDED, Moment.FLUSHED)
        sentence = _last_stop(fresh)
        if over or sentence == 0:
            sentence = len(fresh) if over else 0
        tail = " ✂" if cue.moment is Moment.FLUSHED else ""
        self._say(at_s, turn, fresh[:sentence], tail)
        rest = " ".join(fresh[sentence:])
        self._change(Text(f"         robot   {rest}" if rest else "", style=_SAID))

    def _say(self, at_s: float, turn: int, words: Sequence[str], tail: str = "") -> None:
        if words:
            self._shown[turn] = self._shown.get(turn, 0) + len(words)
            self._print(at_s, "robot", " ".join(words) + tail, _SAID)

    def _turn_end(self, at_s: float, end: robot.TurnEnd) -> None:
        if end.outcome is Outcome.DONE:
            # The last words may still be on their way out of the loudspeaker by a millisecond.
            rest = [word.text for word in self._captions.words(end.turn)]
            self._say(at_s, end.turn, rest[self._shown.get(end.turn, 0) :])
        text = f"turn {end.turn} {end.outcome.value}"
        text += f", intent {end.intent}" if end.intent else ""
        text += f", {end.code}" if end.code else ""
        text += f", answered by {end.responder}" if end.responder else ""
        text += f" instead ({end.fallback})" if end.fallback else ""
        self._print(at_s, "turn", text, "yellow")
        if end.outcome is Outcome.INTERRUPTED:
            self._print(at_s, "", f"heard until then: “{end.heard_text}”", "magenta")
        if end.segments:
            for line in waterfall(end.segments):
                self._console.print(Text(f"           {line}", style="blue"), soft_wrap=True)


def _last_stop(words: Sequence[str]) -> int:
    """How many words there are up to the end of the last clause among them."""
    stops = [index for index, word in enumerate(words, 1) if word[-1:] in ".,;:!?"]
    return stops[-1] if stops else 0


def _line(what: Happening) -> list[tuple[str, str, str]]:
    """Who, what and style of an event that is one line."""
    match what:
        case Linked(welcome=welcome):
            kind = "again connected" if welcome.resumed else "connected"
            return [("link", f"{kind}, epoch {welcome.epoch}", _QUIET)]
        case Unlinked(code=code, reason=reason):
            return [("link", f"gone: {code} {reason}", "red")]
        case Spoken(label=label, began=began):
            return [("user", f"{'begins' if began else 'ends'} {label}", _QUIET)]
        case robot.Error(code=code, message=message):
            return [("hub", f"{code}: {message}", "red")]
    return _line_of_voice(what) or _line_of_body(what)


def _line_of_voice(what: Happening) -> list[tuple[str, str, str]]:
    match what:
        case robot.Duck(gain_db=gain_db):
            return [("voice", f"ducked by {-gain_db:.0f} dB: someone may be speaking", "magenta")]
        case robot.Hold():
            return [("voice", "held: someone is", "magenta")]
        case robot.Release():
            return [("voice", "released: it was nothing", "magenta")]
        case robot.Flush(turn=turn):
            return [("voice", f"flushed up to turn {turn}", "magenta")]
    return []


def _line_of_body(what: Happening) -> list[tuple[str, str, str]]:
    match what:
        case robot.Face(conversation=state):
            return [("face", f"({state.value})", _QUIET)]
        case GestureBegan(name=name):
            return [("face", f"*{name}*", "yellow")]
        case Begun(action=action):
            return [("body", f"{action.action} {action.name}", "yellow")]
        case ActionResult(ok=ok, detail=detail):
            return [] if ok else [("body", f"refused: {detail}", "red")]
    return []


def _table(verdict: Verdict) -> Table:
    table = Table(title="the conversation", title_justify="left")
    for name in ("said", "understood"):
        table.add_column(name, overflow="fold", ratio=3)
    for name in ("errors", "intent", "outcome", "latency"):
        table.add_column(name, justify="right" if name in ("errors", "latency") else "left")
    for row in verdict.rows:
        right = row.intent == row.got_intent
        intent = row.got_intent if right or not row.intent else f"{row.got_intent} ≠ {row.intent}"
        known = bool(row.reference)
        table.add_row(
            Text(row.reference or "?"),
            Text(row.understood),
            f"{row.errors.errors}/{row.errors.words}" if known else "",
            Text(intent, style="" if right or not row.intent else "red"),
            row.outcome,
            "" if row.latency_ms is None else f"{row.latency_ms:.0f} ms",
        )
    total = verdict.errors
    if total.words:
        table.add_section()
        table.add_row("word error rate", f"{total.rate:.1%}", f"{total.errors}/{total.words}")
    return table
