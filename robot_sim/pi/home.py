"""The hub that a robot belongs to: where it is, and the token that lets the robot in."""

import asyncio
import logging
import sys
from pathlib import Path

import msgspec

from robot_sim.errors import NoHubFound, PairingFailed
from robot_sim.pi.discovery import find
from robot_sim.pi.memory import Memory, Remembered
from robot_sim.pi.pairing import pair

AGAIN_S = 5.0

log = logging.getLogger("robot_hub.supervisor")


class Home:
    """``url`` is where the hub is now. ``hub`` and ``token`` are what the order says, which goes
    before what is remembered.

    Raises:
        BadOrder: what is remembered cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        robot: str,
        hub: str | None = None,
        token: str | None = None,
        *,
        forget: bool = False,
    ) -> None:
        self.url = hub or ""
        self._robot = robot
        self._hub = hub
        self._token = token
        self._memory = Memory(folder, robot)
        self._known = Remembered() if forget else self._memory.read()

    @property
    def hub_id(self) -> str:
        """The hub that the robot is paired with; empty: the first that welcomes it."""
        return self._known.hub_id

    @property
    def token(self) -> str | None:
        return self._token or self._known.token or None

    @property
    def may_pair(self) -> bool:
        """Whether a token that the hub refuses may be replaced."""
        return self._token is None

    @property
    def is_ordered(self) -> bool:
        """Whether the order says where the hub is."""
        return self._hub is not None

    async def locate(self) -> None:
        """Find out where to go first: as ordered, as announced, as remembered."""
        told = ""
        while self._hub is None:
            try:
                await self._find()
                return
            except NoHubFound as error:
                if self._known.url:
                    self.url = self._known.url
                    return
                if str(error) != told:
                    told = str(error)
                    log.warning("%s", told)
                await asyncio.sleep(AGAIN_S)

    async def look_again(self) -> bool:
        """The hub has been away for long: whether it was found, perhaps elsewhere."""
        if self._hub is not None:
            return False
        try:
            await self._find()
        except NoHubFound as error:
            log.warning("%s", error)
            return False
        return True

    async def pair(self) -> None:
        """Get a token; until somebody confirms a code, there is a new one every two minutes."""
        while True:
            try:
                paired = await pair(self.url, self._robot, _show_code)
            except PairingFailed as error:
                log.warning("%s", error)
                await asyncio.sleep(AGAIN_S)
                continue
            self._remember(Remembered(paired.hub_id, self.url, paired.token))
            log.info("paired with hub %s", paired.hub_id)
            return

    def welcomed(self, hub_id: str) -> None:
        """The hub has taken the robot in."""
        self._remember(msgspec.structs.replace(self._known, hub_id=hub_id, url=self.url))

    async def _find(self) -> None:
        found = await find(self._known.hub_id)
        log.info("hub %s found at %s", found.hub_id, found.url)
        self.url = found.url

    def _remember(self, what: Remembered) -> None:
        if what != self._known:
            self._memory.write(what)
            self._known = what


def _show_code(code: str, seconds: int) -> None:
    """For people before the robot; the one thing that goes to standard output."""
    sys.stdout.write(f"pairing code {code}: `robot-hub pair {code}` within {seconds} s\n")
    sys.stdout.flush()
