"""The client that the description of the wire shows to outsiders, run as it stands there."""

import asyncio
import re
import sys
from pathlib import Path

from tests.integration.stack import Stack

README = Path(__file__).parent.parent.parent / "protocols" / "README.md"
TIMEOUT_S = 20.0


def client_of_the_readme() -> str:
    (snippet,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    return str(snippet)


async def test_the_documented_client_drives_the_hub_by_marks_and_hears_the_answer(
    hub: Stack,
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", client_of_the_readme(), hub.ws(""),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(TIMEOUT_S):
        said, complained = await process.communicate()

    assert re.fullmatch(r"first audio after [\d.]+ ms\n", said.decode()), complained.decode()
