"""The command line as its user meets it: real processes, one sentence, exit code 2."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import pytest

from tests.command_line import refusal, robot_hub

pytestmark = pytest.mark.e2e


@pytest.fixture
def busy_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield str(taken.getsockname()[1])


@pytest.fixture
def stranger() -> Iterator[str]:
    """A web server that is no hub."""

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<h1>hello</h1>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_port_in_use_is_one_sentence(tmp_path: Path, busy_port: str) -> None:
    assert f"port {busy_port} of 127.0.0.1 is in use" in refusal(
        robot_hub("run", "--port", busy_port, cwd=tmp_path)
    )


def test_an_unwritable_data_directory_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    sentence = refusal(robot_hub("run", "--data-dir", "file/inside", cwd=tmp_path))

    assert f"the data directory {tmp_path}/file/inside cannot be written" in sentence


def test_a_setting_without_meaning_is_one_sentence(tmp_path: Path) -> None:
    sentence = refusal(robot_hub("run", cwd=tmp_path, SERVER_PORT="eighty"))

    assert "SERVER_PORT must be a valid integer" in sentence


def test_an_engine_that_nobody_knows_is_one_sentence(tmp_path: Path) -> None:
    sentence = refusal(robot_hub("run", "--port", "0", cwd=tmp_path, TTS_BACKEND="gramophone"))

    assert "TTS_BACKEND" in sentence
    assert "espeak" in sentence


@pytest.mark.parametrize(
    ("setting", "module", "extra"),
    [("LLM_BACKEND=vllm", "vllm", "vllm"), ("TTS_BACKEND=orpheus", "snac", "orpheus")],
)
def test_an_engine_that_is_not_installed_is_one_sentence(
    tmp_path: Path, setting: str, module: str, extra: str
) -> None:
    if find_spec(module) is not None:
        pytest.skip(f"{module} is installed here")
    name, _, engine = setting.partition("=")

    sentence = refusal(robot_hub("run", "--port", "0", cwd=tmp_path, **{name: engine}))

    assert f"{setting} is not installed; install robot-hub[{extra}]" in sentence


def test_off_loopback_nothing_starts_without_a_token(tmp_path: Path) -> None:
    sentence = refusal(robot_hub("run", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path))

    assert "robot-hub tokens add" in sentence


def test_a_missing_certificate_is_one_sentence(tmp_path: Path) -> None:
    sentence = refusal(
        robot_hub("run", "--tls-cert", "no.pem", "--tls-key", "no.key", cwd=tmp_path)
    )

    assert f"the TLS file {tmp_path}/no.pem does not exist" in sentence


@pytest.mark.parametrize("command", [("status",), ("say", "r2", "hello")])
def test_a_hub_that_is_not_there_is_one_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    sentence = refusal(robot_hub(*command, "--hub", "http://127.0.0.1:9", cwd=tmp_path))

    assert "no hub answers at http://127.0.0.1:9" in sentence


def test_a_server_that_is_no_hub_is_one_sentence(tmp_path: Path, stranger: str) -> None:
    assert "is no Robot Hub" in refusal(robot_hub("status", "--hub", stranger, cwd=tmp_path))


def test_a_model_that_does_not_exist_is_one_sentence(tmp_path: Path) -> None:
    assert "there is no model 'huge'" in refusal(robot_hub("models", "pull", "huge", cwd=tmp_path))


def test_a_model_that_cannot_be_fetched_is_one_sentence(tmp_path: Path) -> None:
    result = robot_hub(
        "models", "pull", "tiny", cwd=tmp_path, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path)
    )

    assert "tiny (Systran/faster-whisper-tiny) cannot be fetched" in refusal(result)


def test_a_token_is_shown_once_listed_without_its_secret_and_revoked(tmp_path: Path) -> None:
    token = robot_hub("tokens", "add", "r2", "--label", "kitchen", cwd=tmp_path).stdout.strip()
    token_id = token.split("_")[1]

    listed = robot_hub("tokens", "list", cwd=tmp_path).stdout
    assert token_id in listed
    assert "kitchen" in listed
    assert token not in listed

    assert robot_hub("tokens", "revoke", token_id, cwd=tmp_path).returncode == 0
    assert token_id not in robot_hub("tokens", "list", cwd=tmp_path).stdout
    assert "no token" in refusal(robot_hub("tokens", "revoke", token_id, cwd=tmp_path))


def test_a_token_is_made_for_a_scope_and_a_rate(tmp_path: Path) -> None:
    made = [
        robot_hub("tokens", "add", "--scope", "admin", "--rate", "77", cwd=tmp_path),
        robot_hub("tokens", "add", "--scope", "robot", "--robot", "r7", cwd=tmp_path),
    ]

    listed = robot_hub("tokens", "list", cwd=tmp_path, COLUMNS="120").stdout
    assert [result.returncode for result in made] == [0, 0]
    assert all(word in listed for word in ("admin", "77", "robot", "r7"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--scope", "king"), "'king' is no scope; there are robot, client, observer, admin"),
        (("--scope", "robot"), "a token of scope robot names its robot"),
        (("r1", "--scope", "admin"), "leave the robot out"),
        (("--rate", "0"), "a rate is at least one request per minute"),
    ],
)
def test_a_token_that_contradicts_itself_is_one_sentence(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refusal(robot_hub("tokens", "add", *options, cwd=tmp_path))


def test_a_key_that_verifies_no_token_is_one_sentence(tmp_path: Path) -> None:
    sentence = refusal(robot_hub("run", "--port", "0", cwd=tmp_path, HUB_JWT_KEY="short"))

    assert "HUB_JWT_KEY has 5 bytes; 32 are the least" in sentence


def test_a_robot_id_that_cannot_be_one_gets_no_token(tmp_path: Path) -> None:
    assert "robot_id must be" in refusal(robot_hub("tokens", "add", "a/b", cwd=tmp_path))
