"""A click at the answer, made in a real browser, presses the button."""

import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from agents.vision.agent import Ground
from agents.vision.backends.ocr import OcrReader
from protocols.messages.vision import GroundDone, GroundRequest
from tests.agents.vision.asking import asked, ref
from tests.engines.marks import ONE_LOOP

pytestmark = ONE_LOOP
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytest.importorskip("rapidocr", reason="robot-hub[vision] is not installed")

PAGE = """<!doctype html><title>none</title>
<style>body { font: 16px sans-serif; margin: 60px } button { margin: 12px; padding: 8px 18px }
  .large { font-size: 28px; background: #1a9e4b; color: white; border: 0 }</style>
<h1>Shall the changes be kept?</h1>
<p>They were made today and are not saved yet.</p>
<button>Save as...</button> <button>Save</button> <button>Cancel</button><br>
<button class=large>Publish</button> <button>Delete everything</button>
<script>addEventListener("click", event => { document.title = event.target.tagName == "BUTTON"
  ? event.target.textContent : "beside" })</script>"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page() -> AsyncIterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed")
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await page.set_content(PAGE)
        yield page
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader() -> AsyncIterator[OcrReader]:
    reader = OcrReader()
    await reader.start()
    yield reader
    await reader.close()


async def places(reader: OcrReader, page: Any, name: str) -> GroundDone:
    shot = await page.screenshot()
    (done,) = await asked(Ground(reader), GroundRequest(picture=ref(shot), name=name), shot)
    assert isinstance(done, GroundDone)
    return done


@pytest.mark.parametrize("name", ["Save", "Save as...", "Cancel", "Publish", "Delete everything"])
async def test_a_click_at_the_answer_presses_the_button(
    reader: OcrReader, page: Any, name: str
) -> None:
    best = (await places(reader, page, name)).boxes[0]
    await page.mouse.click(best.x, best.y)
    assert await page.title() == name


async def test_a_button_that_is_not_there_has_no_place(reader: OcrReader, page: Any) -> None:
    assert (await places(reader, page, "Open")).boxes == ()
