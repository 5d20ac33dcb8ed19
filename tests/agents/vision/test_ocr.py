"""Names on three screens, read by the real reader in its own process."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agents.runtime.errors import AgentError
from agents.vision.backends.ocr import OcrReader
from agents.vision.finding import places
from agents.vision.seen import Page
from tests.agents.vision.screens import Screen, dialog, form, plain, png, toolbar

pytest.importorskip("rapidocr", reason="robot-hub[vision] is not installed")
pytestmark = pytest.mark.asyncio(loop_scope="module")

PRECISE_PX = 3.0
BUTTONS = {
    "dialog": ("Save", "Save as...", "Cancel", "Don't save", "save AS", "cancel"),
    "form": ("Sign up", "Reset", "First name", "email address", "Password"),
    "toolbar": ("File", "Window", "Run", "Restart", "Settings", "All tests have passed"),
}
ABSENT = {
    "dialog": ("Open", "Save all", "Delete"),
    "form": ("Sign in", "Log out", "Surname"),
    "toolbar": ("Debug", "Pause", "Start"),
}


class Shown:
    """The screens, and each read once."""

    def __init__(self, reader: OcrReader) -> None:
        self._reader = reader
        self.screens = {"dialog": dialog(), "form": form(), "toolbar": toolbar()}
        self._pages: dict[str, Page] = {}

    async def page(self, name: str) -> Page:
        if name not in self._pages:
            self._pages[name] = await self._reader.read(self.screens[name].png)
        return self._pages[name]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader() -> AsyncIterator[OcrReader]:
    reader = OcrReader()
    await reader.start()
    yield reader
    await reader.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shown(reader: OcrReader) -> Shown:
    return Shown(reader)


def centre(screen: Screen, name: str) -> tuple[float, float]:
    return {label.lower(): at for label, at in screen.centres.items()}.get(
        name.lower()
    ) or screen.centres[f"{name.capitalize()}..."]


@pytest.mark.parametrize(
    ("screen", "name"), [(screen, name) for screen, names in BUTTONS.items() for name in names]
)
async def test_a_button_is_found_at_its_middle(shown: Shown, screen: str, name: str) -> None:
    page = await shown.page(screen)
    assert (page.width, page.height) == (1280, 800)
    box = places(page, name)[0]
    x, y = centre(shown.screens[screen], name)
    assert (box.x, box.y) == pytest.approx((x, y), abs=PRECISE_PX)
    assert box.confidence > 0.6


@pytest.mark.parametrize(
    ("screen", "name"), [(screen, name) for screen, names in ABSENT.items() for name in names]
)
async def test_a_name_that_is_not_there_is_not_found(shown: Shown, screen: str, name: str) -> None:
    assert places(await shown.page(screen), name) == ()


async def test_a_screen_without_text_has_none(reader: OcrReader) -> None:
    assert await reader.read(plain("white", (640, 480))) == Page(640, 480)


@pytest.mark.parametrize("size", [(1, 1), (2, 3000), (3000, 2), (30, 20)])
async def test_a_sliver_is_a_screen_without_text(reader: OcrReader, size: tuple[int, int]) -> None:
    assert await reader.read(plain("white", size)) == Page(*size)


async def test_what_is_no_picture_is_refused_and_the_next_one_is_read(reader: OcrReader) -> None:
    for bad in (b"", b"text", png(13_000, 13_000)):
        with pytest.raises(AgentError) as caught:
            await reader.read(bad)
        assert caught.value.code == "bad_picture"
    assert (await reader.read(plain("black"))).lines == ()
