"""The supervisor's output."""

import io
import threading

from hub.console import Console


class Paused(io.StringIO):
    """A terminal that takes nothing until it is resumed."""

    def __init__(self) -> None:
        super().__init__()
        self.writing = threading.Event()
        self.resumed = threading.Event()

    def write(self, text: str) -> int:
        self.writing.set()
        self.resumed.wait(10)
        return super().write(text)


class Broken(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_each_line_stands_behind_the_name_of_who_said_it() -> None:
    out = io.StringIO()
    console = Console(out, ["hub", "planner"])

    console("hub", "up")
    console("planner", "\x1b[32mready\x1b[0m")
    console.close()

    assert out.getvalue() == "hub     | up\nplanner | ready\n"


def test_on_a_terminal_every_name_has_a_colour_and_lines_keep_theirs() -> None:
    out = io.StringIO()
    console = Console(out, ["hub", "stt"], colour=True)

    console("hub", "up")
    console("stt", "\x1b[32mready\x1b[0m")
    console.close()

    first, second = out.getvalue().splitlines()
    assert first == "\x1b[36mhub |\x1b[0m up"
    assert second == "\x1b[33mstt |\x1b[0m \x1b[32mready\x1b[0m"


def test_json_lines_are_left_as_they_are() -> None:
    out = io.StringIO()
    console = Console(out, ["hub"], prefix=False)

    console("hub", '{"event": "up"}')
    console.close()

    assert out.getvalue() == '{"event": "up"}\n'


def test_a_paused_terminal_stalls_nobody_and_what_it_missed_is_counted() -> None:
    out = Paused()
    console = Console(out, ["hub"], limit=2)
    console("hub", "1")
    out.writing.wait(10)

    for number in range(2, 7):
        console("hub", str(number))
    assert console.dropped == 3
    out.resumed.set()
    console.close()

    assert out.getvalue().splitlines() == [
        "hub | 1",
        "hub | 2",
        "console | 3 lines were dropped",
        "hub | 3",
    ]


def test_a_reader_that_has_gone_is_no_error() -> None:
    console = Console(Broken(), ["hub"])

    console("hub", "anybody there?")
    console.close()


def test_a_line_that_cannot_be_written_is_counted_and_told_of_once_one_can() -> None:
    class Full(io.StringIO):
        """A disk that has no room for the first two lines."""

        refused = 0

        def write(self, text: str) -> int:
            if self.refused < 2:
                self.refused += 1
                raise OSError(28, "No space left on device")
            return super().write(text)

    out = Full()
    console = Console(out, prefix=False)

    for line in ("one", "two", "three"):
        console("hub", line)
    console.close()

    assert out.getvalue() == "three\n2 lines were dropped\n"
    assert console.dropped == 2
