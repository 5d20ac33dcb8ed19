"""``robot-hub supervisor``: the simulator's robot with real devices, for as long as it is wanted.

It finds its hub, is let in by a code if it has no token, and comes back whatever happens to the
hub or to the network.
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import ExitStack

from protocols.messages import robot as wire
from robot_sim.errors import LinkGone
from robot_sim.events import Event, Happening, Jumped, Linked, Unlinked, Yielded
from robot_sim.microphone import Spoken
from robot_sim.pi.ending import GONE, OK, exit_code_of
from robot_sim.pi.home import AGAIN_S, Home
from robot_sim.pi.order import Order, read_order
from robot_sim.pi.parts import Parts, hello_of, opened
from robot_sim.reconnect import NOT_AUTHORISED
from robot_sim.robot import RobotOptions, SimulatedRobot
from robot_sim.speaker import Cue, Moment

EVENTS_KEPT = 200
NO_NOISE_DBFS = -200.0
AWAY_S = 20.0
"""After so long without its hub, a robot that found it by itself looks for it again."""
_LOOK_S = 1.0

log = logging.getLogger("robot_hub.supervisor")


class Program:
    """One run of the supervisor over its order."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._home = Home(order.state, order.robot, order.hub, order.token, forget=order.forget)
        self._robot: SimulatedRobot | None = None
        self._face = 0
        self._over_ns = 0
        self._gone = (0, "")

    async def run(self) -> int:
        """Until a signal ends it; the exit code.

        Raises:
            HubError: it cannot be what was ordered.
        """
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        with ExitStack() as stack:
            parts = opened(self._order, stack, log.info)
            async with asyncio.TaskGroup() as tasks:
                living = tasks.create_task(self._live(parts))
                stopped = tasks.create_task(stop.wait())
                await asyncio.wait((living, stopped), return_when=asyncio.FIRST_COMPLETED)
                for task in (living, stopped):
                    task.cancel()
            return OK if stop.is_set() else living.result()

    async def _live(self, parts: Parts) -> int:
        while True:
            await self._home.locate()
            try:
                await self._converse(parts)
            except LinkGone as gone:
                if gone.close_code == NOT_AUTHORISED and self._home.may_pair:
                    await self._home.pair()
                elif gone.close_code or self._home.is_ordered:
                    log.error("%s", gone)
                    return GONE
                else:  # another hub has the old address
                    log.warning("%s", gone)
                    await asyncio.sleep(AGAIN_S)

    # the conversation

    async def _converse(self, parts: Parts) -> None:
        """Raises ``LinkGone`` when the hub will not have the robot back."""
        order = self._order
        options = RobotOptions(
            hello=hello_of(order),
            token=self._home.token,
            noise_dbfs=NO_NOISE_DBFS,
            hub_id=self._home.hub_id,
            said=parts.speaker.play,
            sees=parts.sees,
            fps=order.camera_fps,
            body=parts.body,
            face=parts.face,
            said_lag_ms=parts.speaker.lag_ms,
            ear=parts.ear,
            wakes=parts.wakes.hear if parts.wakes is not None else None,
            told=lambda event: self._told(event, parts),
            kept=EVENTS_KEPT,
        )
        async with SimulatedRobot(self._home.url, order.robot, options) as robot:
            self._robot = robot
            if parts.microphone is not None:
                parts.microphone.on_sound = robot.microphone.hear
            if parts.mute is not None:
                robot.switch_mic(parts.mute.off)
                parts.mute.on_switch = robot.switch_mic
            linked_ns = robot.now_ns()
            while robot.gone is None:
                await asyncio.sleep(_LOOK_S)
                self._look(robot, parts)
                if robot.link.up:
                    linked_ns = robot.now_ns()
                elif robot.now_ns() - linked_ns > AWAY_S * 1e9:
                    linked_ns = robot.now_ns()
                    if await self._home.look_again():
                        robot.link.aim(self._home.url)
            raise robot.gone

    def _look(self, robot: SimulatedRobot, parts: Parts) -> None:
        """Once a second: does the face speak, has a file's user something to say again?"""
        host = robot.supervisor.wire.host if robot.supervisor.wire is not None else None
        if host is not None and host.link.version != self._face:
            self._face = host.link.version
            log.info("face speaks version %d", self._face)
        again_s = self._order.again_s
        if parts.recording is None or again_s is None or not robot.quiet or not robot.link.up:
            return
        if robot.now_ns() - self._over_ns > again_s * 1e9:
            self._say(robot, parts)

    def _say(self, robot: SimulatedRobot, parts: Parts) -> None:
        if parts.recording is not None:
            self._over_ns = robot.now_ns()
            robot.say(parts.recording, self._order.mic)

    def _told(self, event: Event, parts: Parts) -> None:
        match event.what:
            case Linked(welcome):
                self._home.welcomed(welcome.hub_id)
                self._gone = (0, "")
                again = "again " if welcome.resumed else ""
                log.info("%sconnected to hub %s, epoch %d", again, welcome.hub_id, welcome.epoch)
                if not self._over_ns and self._robot is not None:
                    self._say(self._robot, parts)
            case Unlinked(code, reason):
                if self._gone != (code, reason):  # attempt after attempt ends alike
                    self._gone = (code, reason)
                    log.info("connection gone: %d %s", code, reason)
            case Spoken(began=False):
                self._over_ns = event.at_ns
            case Cue(moment=Moment.FLUSHED):
                parts.speaker.cut()
            case what:
                _write(what)


def _write(what: Happening) -> None:
    """Write what is of interest, and no word of what was said."""
    match what:
        case Jumped(ms):
            log.info("the clock jumped by %d ms", ms)
        case Yielded(loudness):
            log.debug("somebody speaks: %s", loudness.name.lower())
        case wire.TurnEnd(turn=turn, outcome=outcome, code=code):
            log.info("turn %d %s %s", turn, outcome.value, code)
        case wire.Error(code=code):
            log.warning("the hub says %s", code)


def main(arguments: Sequence[str]) -> int:
    """Be the robot of ``arguments``; 0: told to end, 1: the hub will not have it, 2: it cannot."""
    return exit_code_of("supervisor", lambda: _run(arguments))


def _run(arguments: Sequence[str]) -> int:
    order = read_order(arguments)
    level = logging.DEBUG if order.verbose else logging.INFO
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    log.setLevel(level)
    return asyncio.run(Program(order).run())
