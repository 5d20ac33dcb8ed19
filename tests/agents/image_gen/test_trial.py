"""The image agent as `robot-hub doctor` tries it."""

import asyncio
from pathlib import Path

from agents.image_gen.__main__ import build
from agents.image_gen.settings import ImageSettings
from agents.runtime.trial import Trial
from protocols.messages.agent import AgentKind
from protocols.trial import Stage, TrialLine, TrialReport


async def test_its_engine_is_tried_until_it_has_made_a_picture() -> None:
    settings = ImageSettings(
        bus_dir=Path("/nowhere"),
        backend="scripted",
        _env_file=None,  # type: ignore[call-arg]
    )
    lines: list[TrialLine] = []
    async with asyncio.timeout(10):
        assert await Trial(AgentKind.IMAGE_GEN, lines.append).run(build(settings), b"")
    report = lines[-1]
    assert isinstance(report, TrialReport)
    assert (report.stage, report.backend) == (Stage.DONE, "scripted")
    assert report.reason == "IMAGE_BACKEND=scripted"
    assert report.answer_ms >= 0
