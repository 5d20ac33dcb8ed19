"""``robot-hub run`` for a machine without a GPU: whoever asks is told that there is room on one, so
that Orpheus is tried. Only for trying the bench itself."""

from hub.commands.run import agents_to_start, check_start, with_orpheus_policy
from hub.gpu import BYTES_PER_GIB, Gpu, Reading
from hub.settings import load
from hub.supervise import Order, become_supervisor


class Imagined:
    """A ``GpuProbe`` that sees a large, empty GPU."""

    def read(self) -> Reading:
        """See ``GpuProbe``."""
        return Reading((Gpu("imagined", 80 * BYTES_PER_GIB, 80 * BYTES_PER_GIB),))


if __name__ == "__main__":
    settings = load()
    check_start(settings)
    settings = with_orpheus_policy(settings, Imagined())
    become_supervisor(
        Order(agents_to_start(settings), settings.hub_drain_s), settings.child_environment()
    )
