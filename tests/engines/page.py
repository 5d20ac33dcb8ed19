"""A dashboard in a real browser: whatever it complains of, and whatever its policy had to stop, fails
the test."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.edge.page_routes import BUILT

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PATIENCE_MS = 10_000
ATTACK = "<img src=x onerror=\"alert('heard')\"><script>alert('script')</script>"
"""Words that would be run where a page took them for markup."""

_WATCH = """
window.stopped = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.stopped.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


class Browser:
    """Pages of one browser; ``complaints`` are those of all of them."""

    def __init__(self, browser: Any) -> None:
        self.complaints: list[str] = []
        self._browser = browser

    async def page(
        self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False
    ) -> Any:
        """A page at ``url``, in a context of its own."""
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            permissions=["microphone"],
        )
        await context.add_init_script(_WATCH)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", self._heard)
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        await page.goto(url)
        return page

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")


async def stopped(page: Any) -> list[str]:
    """What the page's policy had to stop."""
    found: list[str] = await page.evaluate("window.stopped")
    return found


async def shoot(page: Any, name: str) -> None:
    """Keep a picture of the whole page, to be looked at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@asynccontextmanager
async def browsing(*arguments: str) -> AsyncIterator[Browser]:
    """Debian's Chromium, with a microphone that hears nothing unless ``arguments`` say more."""
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed")
    if not (BUILT / "index.html").exists():
        pytest.skip("the page is not built: scripts/build_page.sh")
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required",
                *arguments,
            ],
        )  # fmt: skip
        try:
            yield Browser(browser)
        finally:
            await browser.close()
