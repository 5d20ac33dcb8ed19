"""Where what a profile needs comes from: extras by the installer of this environment, models from the
model hub, from Ollama, or from this machine's own caches.

Blocking, with progress on stderr: what fetches is a command that somebody watches.
"""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from hub.commands import models
from hub.profiles import Need, NeedKind
from protocols.errors import HubError

ASK_S = 3.0
PULL_S = 1_800.0
"""How long Ollama may take for a model."""

MODULES: Mapping[str, tuple[str, ...]] = {
    "llm": ("torch", "transformers"),
    "orpheus": ("snac",),
    "vllm": ("vllm",),
}
"""What is importable once an extra is installed."""


class NotHad(HubError):
    """Something could not be provided; the text is one sentence."""

    code = "not_had"


class Source(Protocol):
    """Where needs are met."""

    def obtain(self, need: Need) -> str:
        """Provide ``need``; return in one sentence what stands in the way, empty if it is there."""

    def has_ollama(self) -> bool:
        """Whether an Ollama server answers."""


class Supplies:
    """Provides needs, each at most once. With ``offline`` only what is on this machine."""

    def __init__(self, ollama_url: str, hub_token: str, *, offline: bool = False) -> None:
        self._ollama_url = ollama_url.rstrip("/")
        self._hub_token = hub_token
        self._offline = offline
        self._answers: dict[Need, str] = {}
        self._console = Console(stderr=True)

    def obtain(self, need: Need) -> str:
        """See ``Source``."""
        if need not in self._answers:
            try:
                self._provide(need)
                self._answers[need] = ""
            except HubError as error:
                self._answers[need] = str(error)
        return self._answers[need]

    def has_ollama(self) -> bool:
        """See ``Source``."""
        try:
            answer = httpx.get(f"{self._ollama_url}/api/tags", timeout=ASK_S, trust_env=False)
            return answer.is_success and "models" in answer.json()
        except (httpx.HTTPError, ValueError):
            return False

    def _provide(self, need: Need) -> None:
        match need.kind:
            case NeedKind.EXTRA:
                self._install(need.name)
            case NeedKind.WHISPER:
                self._pull_whisper(need.name)
            case NeedKind.OLLAMA:
                self._pull_ollama(need.name)
            case NeedKind.REPOSITORY:
                self._download(need)

    def _install(self, extra: str) -> None:
        if is_installed(extra):
            return
        if self._offline:
            raise NotHad(f"robot-hub[{extra}] is not installed")
        command = install_command(extra)
        self._console.print(f"$ {' '.join(command)}", markup=False, highlight=False)
        if subprocess.run(command, stdout=sys.stderr.fileno(), check=False).returncode:
            raise NotHad(f"robot-hub[{extra}] could not be installed; the installer says why")
        importlib.invalidate_caches()
        if not is_installed(extra):
            raise NotHad(f"robot-hub[{extra}] was installed and cannot be imported")

    def _pull_whisper(self, name: str) -> None:
        if not self._offline and not Path(name).is_dir():
            models.pull(name)
        elif models.find(name) is None:
            raise NotHad(f"whisper model {name} is not on disk")

    def _download(self, need: Need) -> None:
        if Path(need.name).is_dir():
            return
        from huggingface_hub import snapshot_download

        patterns = list(need.files) or None
        try:
            folder = snapshot_download(
                need.name,
                allow_patterns=patterns,
                token=self._hub_token or None,
                local_files_only=self._offline,
            )
        except Exception as error:  # the library and its HTTP client have a dozen kinds of failure
            raise NotHad(f"{need.name} cannot be fetched: {_reason(error)}") from error
        marker = need.files[0] if need.files else "config.json"
        if not (Path(folder) / marker).is_file():
            raise NotHad(f"{need.name} has no {marker}")

    def _pull_ollama(self, name: str) -> None:
        try:
            with httpx.Client(base_url=self._ollama_url, trust_env=False) as client:
                if _tagged(name) in _models_of(client):
                    return
                if self._offline:
                    raise NotHad(f"Ollama does not have {name}")
                self._watch(name, client)
        except httpx.HTTPError as error:
            raise NotHad(f"Ollama at {self._ollama_url}: {_reason(error)}") from error

    def _watch(self, name: str, client: httpx.Client) -> None:
        """Let Ollama fetch ``name``, with a bar for each of its layers."""
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, console=self._console) as bars:
            layers: dict[str, Any] = {}
            for told in _pull(client, name):
                layer, total = told.get("digest"), told.get("total")
                if not layer or not total:
                    continue
                if layer not in layers:
                    layers[layer] = bars.add_task(f"{name} {layer[:19]}", total=total)
                bars.update(layers[layer], completed=told.get("completed", 0))


def is_installed(extra: str) -> bool:
    """Whether everything that ``extra`` is for can be imported."""
    return all(find_spec(module) is not None for module in MODULES[extra])


class Installed(NamedTuple):
    """How this program was installed: from a checkout at ``folder``, or by its name."""

    folder: Path | None = None

    @property
    def target(self) -> str:
        """What an installer is given for it."""
        return str(self.folder) if self.folder is not None else "robot-hub"


def installed() -> Installed:
    """See ``Installed`` (PEP 610: ``direct_url.json``)."""
    try:
        text = Distribution.from_name("robot-hub").read_text("direct_url.json")
    except PackageNotFoundError:
        return Installed()
    url = json.loads(text).get("url", "") if text else ""
    return Installed(Path(url.removeprefix("file://")) if url.startswith("file://") else None)


def install_command(extra: str) -> tuple[str, ...]:
    """The command that installs ``extra`` into the environment that runs this.

    Raises:
        NotHad: there is neither uv nor pip to do it with.
    """
    home = installed()
    editable = ("-e",) if home.folder is not None else ()
    wanted = (*editable, f"{home.target}[{extra}]")
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv:
        return (uv, "pip", "install", "--python", sys.executable, *wanted)
    if find_spec("pip") is not None:
        return (sys.executable, "-m", "pip", "install", *wanted)
    raise NotHad(f"robot-hub[{extra}] is not installed, and there is neither uv nor pip to do it")


def _models_of(client: httpx.Client) -> set[str]:
    answer = client.get("/api/tags", timeout=ASK_S)
    answer.raise_for_status()
    try:
        return {_tagged(str(one["name"])) for one in answer.json()["models"]}
    except (ValueError, KeyError, TypeError) as error:
        raise NotHad(f"{client.base_url} is no Ollama") from error


def _tagged(name: str) -> str:
    """Ollama's full name of a model: without a tag it means the latest."""
    return name if ":" in name else f"{name}:latest"


def _pull(client: httpx.Client, name: str) -> Iterator[dict[str, Any]]:
    """What Ollama says while it fetches (its ``docs/api.md``).

    Raises:
        NotHad: it cannot, or it stops before it is done.
    """
    limits = httpx.Timeout(PULL_S, connect=ASK_S)
    body = {"model": name, "stream": True}
    with client.stream("POST", "/api/pull", json=body, timeout=limits) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            told = _object(line)
            if "error" in told:
                raise NotHad(f"Ollama cannot fetch {name}: {told['error']}")
            if told.get("status") == "success":
                return
            yield told
    raise NotHad(f"Ollama stopped fetching {name} before it was done")


def _object(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line) if line.strip() else {}
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _reason(error: BaseException) -> str:
    """One line that says why: what happened stands in the cause, above it there is advice."""
    lines: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        lines = str(cause).strip().splitlines() or lines
        cause = cause.__cause__
    return lines[0].rstrip(".") if lines else type(error).__name__
