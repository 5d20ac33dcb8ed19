"""The numbers of the hub's control messages, as a robot keeps track of them. Pure."""

from protocols.messages.robot import Welcome


class Sequence:
    """``boot`` and ``last`` are what ``hello`` brings back; ``gaps`` and ``repeats`` count what did
    not come as it should."""

    def __init__(self) -> None:
        self.boot = 0
        self.last = 0
        self.gaps = 0
        self.repeats = 0
        self._before_welcome = 0

    def welcomed(self, welcome: Welcome) -> None:
        """A connection begins: with a session of its own, or one that goes on."""
        if not welcome.resumed or welcome.boot != self.boot:
            self.last = welcome.order
        self.boot = welcome.boot
        self._before_welcome = welcome.order

    def take(self, order: int) -> bool:
        """Note the number of a message; False if it has come before. Of those that were given
        before the welcome some may be left out; after it they have no gap."""
        if order <= self.last:
            self.repeats += 1
            return False
        if order > max(self.last, self._before_welcome) + 1:
            self.gaps += 1
        self.last = order
        return True
