"""What a watcher of the demo sees of the robot beside what is said: its face, and its way to a ball."""

from robot_sim.errand import Errand
from robot_sim.onlooker import Onlooker
from robot_sim.plugged_face import PluggedFace
from robot_sim.room_plan import bearing
from robot_sim.screen import Screen
from robot_sim.verdict import Seen
from robot_sim.world import World


class Spectator:
    """Shows on ``screen`` what changes, and remembers what there was to see."""

    def __init__(
        self, screen: Screen, face: PluggedFace, world: World, onlooker: Onlooker | None
    ) -> None:
        self._screen, self._face, self._world = screen, face, world
        self._onlooker = onlooker
        self._errand = Errand()
        self._moods: list[str] = []

    def look(self, now_ns: int) -> None:
        """Look once."""
        shown = self._face.shown
        if shown.mood not in self._moods[-1:]:
            self._moods.append(shown.mood)
        self._screen.face(now_ns, shown)
        for news in self._errand.told(now_ns, self._world):
            self._screen.body(now_ns, news)

    @property
    def settled(self) -> bool:
        """Whether the face shows what is felt; nothing to wait for if nobody tells."""
        felt = None if self._onlooker is None else self._onlooker.felt
        return felt is None or self._face.shown.mood == felt.mood

    @property
    def seen(self) -> Seen:
        """All of it."""
        onlooker = self._onlooker
        felt = None if onlooker is None else onlooker.felt
        ball = self._world.room.ball
        return Seen(
            tuple(self._moods),
            "" if felt is None else felt.mood,
            None if ball is None else bearing(self._world.pose, ball).distance_mm,
            "" if onlooker is None else onlooker.refused,
        )
