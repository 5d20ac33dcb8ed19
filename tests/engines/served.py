"""vLLM as others run it: a server of the OpenAI protocol, in a process of its own."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

START_S = 180.0
POLL_S = 0.1


class Served:
    """A server that runs; ``base_url`` is what ``OPENAI_BASE_URL`` would be."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self._root = f"http://127.0.0.1:{port}"
        self.base_url = f"{self._root}/v1"

    async def ready(self) -> None:
        """Return once it answers."""
        async with asyncio.timeout(START_S):
            while not await self._answers():
                assert self._process.returncode is None, "the server ended"
                await asyncio.sleep(POLL_S)

    async def running(self) -> int:
        """Requests that its engine works on, by its own metrics."""
        async with httpx.AsyncClient(trust_env=False) as client:
            metrics = (await client.get(f"{self._root}/metrics")).text
        found = re.search(r"^vllm:num_requests_running\{.*\} ([\d.]+)$", metrics, re.MULTILINE)
        assert found, metrics
        return int(float(found[1]))

    def kill(self) -> None:
        """End it and its engine without a word."""
        os.killpg(self._process.pid, signal.SIGKILL)

    async def _answers(self) -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                return (await client.get(f"{self._root}/health")).is_success
            except httpx.TransportError:
                return False


@asynccontextmanager
async def serving(weights: Path, log: Path) -> AsyncIterator[Served]:
    """``python -m vllm.entrypoints.openai.api_server`` with ``weights``, ready to be asked."""
    port = _free_port()
    options = {
        "--model": str(weights), "--served-model-name": "tiny", "--dtype": "float32",
        "--host": "127.0.0.1", "--port": str(port), "--max-num-seqs": "4",
        "--kv-cache-memory-bytes": str(1 << 28),
        "--structured-outputs-config": json.dumps(
            {"backend": "xgrammar", "disable_any_whitespace": True}
        ),
    }  # fmt: skip
    quiet = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--enforce-eager",
            *(word for pair in options.items() for word in pair),
            stdout=sink, stderr=sink, process_group=0,
            env={**os.environ, **quiet},  # noqa: TID251
        )  # fmt: skip
    served = Served(process, port)
    try:
        await served.ready()
        yield served
    finally:
        if process.returncode is None:
            served.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
