"""P9: how long a forced full garbage collection stalls each process of a running hub.

It stalls the loop of that process, and so sets everybody's worst latency. The processes are the
real ones with their embedded engines; ``benchmarks/probe`` is put into them from outside. Each was
asked something before, so that what is loaded late is loaded.
"""

import os
import signal
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.report import Row
from benchmarks.stack import Stack, stack

GOAL_MS = 5.0
ROUNDS = 5
ANSWER_TIMEOUT_S = 10.0
READY_TIMEOUT_S = 60.0
SETTLED_S = 3.0
"""By then whoever has loaded something has settled it."""
_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
ASKED = {"tts", "stt", "vision", "memory"}
"""Agents that something is asked of."""
PROBE = Path(__file__).parent / "probe"


def run(rounds: int = ROUNDS) -> list[Row]:
    """A row for each process: the median and, in the note, the longest of ``rounds``."""
    with tempfile.TemporaryDirectory(prefix="robot-hub-gc-") as answers:
        environment = {"PYTHONPATH": str(PROBE), "GC_PROBE_DIR": answers}
        with stack(environment) as running:
            _use(running)
            return [
                _row(name, _collections_ms(Path(answers) / str(pid), pid, rounds))
                for name, pid in sorted(_by_name(running).items())
            ]


def _use(running: Stack) -> None:
    """Wait until the agents are ready, then ask for what needs libraries of its own: speech as MP3,
    its words, what is on a picture, vectors, the document of all routes.

    Raises:
        httpx.HTTPError: something of it was refused.
    """
    see = [{"type": "image_url", "image_url": {"url": _PIXEL}}]
    with httpx.Client(base_url=running.url, timeout=READY_TIMEOUT_S, trust_env=False) as http:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not _are_ready(http):
            if time.monotonic() > deadline:
                raise RuntimeError("the agents are not ready")
            time.sleep(0.1)
        speech = {"model": "tts-1", "voice": "alloy", "input": "Hello there."}
        spoken = http.post("/v1/audio/speech", json=speech)
        heard = http.post(
            "/v1/audio/transcriptions",
            data={"model": "whisper-1"},
            files={"file": ("hello.mp3", spoken.content)},
        )
        seen = http.post(
            "/v1/chat/completions",
            json={"model": "gpt-4o", "messages": [{"role": "user", "content": see}]},
        )
        vectors = http.post(
            "/v1/embeddings", json={"model": "text-embedding-3-small", "input": "hello"}
        )
        for answer in (spoken, heard, seen, vectors, http.get("/openapi.json")):
            answer.raise_for_status()
    time.sleep(SETTLED_S)


def _are_ready(http: httpx.Client) -> bool:
    agents = http.get("/health").json()["agents"].values()
    return {agent["kind"] for agent in agents if agent["state"] == "ready"} >= ASKED


def _by_name(running: Stack) -> dict[str, int]:
    return running.processes() | {"hub.supervise": running.supervisor_pid}


def _collections_ms(answer: Path, pid: int, rounds: int) -> list[float]:
    for expected in range(1, rounds + 1):
        os.kill(pid, signal.SIGUSR1)
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while not answer.exists() or len(answer.read_text().splitlines()) < expected:
            if time.monotonic() > deadline:
                raise RuntimeError(f"process {pid} does not answer: is its loop stuck?")
            time.sleep(0.02)
    return [float(line) for line in answer.read_text().splitlines()]


def _row(name: str, took_ms: list[float]) -> Row:
    median_ms = statistics.median(took_ms)
    return Row(
        case="P9 gc",
        metric=f"full collection in {name}",
        ours=median_ms,
        peer=None,
        unit="ms",
        goal=f"≤ {GOAL_MS:.0f} ms",
        ok=median_ms <= GOAL_MS,
        note=f"longest of {len(took_ms)}: {max(took_ms):.1f} ms",
    )
