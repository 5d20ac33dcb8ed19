"""What the hub makes of environment, ``.env`` and command line."""

import re
from pathlib import Path

import pytest

from hub.settings import KNOWN_NAMES, SettingsError, load


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without ``.env`` and an environment without settings."""
    for name in KNOWN_NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_any_setting_the_hub_is_private_to_its_machine() -> None:
    settings = load()

    assert (settings.server_host, settings.server_port) == ("127.0.0.1", 8100)
    assert settings.is_loopback
    assert settings.llm_backend == "auto"
    assert settings.api_port is None


def test_the_command_line_wins_over_the_environment_and_that_over_dotenv(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alone / ".env").write_text("SERVER_PORT=1\nSERVER_HOST=localhost\nMAX_ACTIONS=3\n")
    monkeypatch.setenv("SERVER_PORT", "2")
    monkeypatch.setenv("SERVER_HOST", "::1")

    settings = load(server_port=3, server_host=None)

    assert (settings.server_port, settings.server_host, settings.max_actions) == (3, "::1", 3)


@pytest.mark.parametrize("word", ["0", "false", "no", "off", "OFF", "False"])
def test_every_documented_word_for_no_is_no(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTO_PULL_OLLAMA_MODEL", word)

    assert load().auto_pull_ollama_model is False


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SERVER_PORT", "eighty", "SERVER_PORT must be a valid integer"),
        ("SERVER_PORT", "70000", "SERVER_PORT must be less than or equal to 65535, not '70000'"),
        ("STT_DEVICE", "cpu0", "STT_DEVICE must be 'cpu', 'cuda' or 'auto', not 'cpu0'"),
        ("STT_COMPUTE_TYPE", "int4", "STT_COMPUTE_TYPE must be 'default', 'auto', 'int8'"),
        ("LLM_BACKEND", "gpt", "LLM_BACKEND must be 'auto', 'vllm'"),
        ("HUB_AGENTS", "ears,moth", "HUB_AGENTS names 'moth'; agents are ears, stt"),
        ("HUB_TLS_CERT", "cert.pem", "HUB_TLS_CERT and HUB_TLS_KEY need each other"),
        ("HUB_BUS_DIR", "/" + "x" * 120, "131 bytes, and 107 are the limit"),
        ("HUB_DATADIR", "/data", "HUB_DATADIR is no setting of Robot Hub; is HUB_DATA_DIR meant?"),
        (
            "CORS_ORIGINS",
            "*",
            "CORS_ORIGINS names '*'; an origin is like https://host:port, or none",
        ),
        ("HUB_ORIGINS", "shop.example", "HUB_ORIGINS names 'shop.example'"),
        ("HUB_RATE_PER_MINUTE", "-1", "HUB_RATE_PER_MINUTE must be greater than or equal to 0"),
        ("HUB_LOG_JSON", "perhaps", "HUB_LOG_JSON must be a valid boolean"),
        ("GPU_UTILIZATION_CAP", "2", "GPU_UTILIZATION_CAP must be less than or equal to 0.95"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_in_one_sentence(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=re.escape(sentence)) as refused:
        load()

    assert "\n" not in str(refused.value)


def test_two_models_that_do_not_fit_into_one_gpu_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "LLM_BACKEND": "vllm",
        "PERFORMANCE_MODE": "1",
        "VLLM_GPU_MEMORY_UTILIZATION": "0.5",
    }.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=r"= 0\.95 is above GPU_UTILIZATION_CAP 0\.80"):
        load()

    monkeypatch.setenv("PERFORMANCE_MODE", "0")
    assert load().llm_backend == "vllm"


def test_a_misspelt_key_of_dotenv_is_refused_whatever_it_begins_with(alone: Path) -> None:
    (alone / ".env").write_text("SERVERPORT=8200\n")

    with pytest.raises(SettingsError, match=r"SERVERPORT is no setting .* SERVER_PORT meant"):
        load()


def test_names_of_agents_and_of_libraries_may_stand_in_dotenv(alone: Path) -> None:
    (alone / ".env").write_text("TTS_VOICE=en-gb\nVLLM_ANYTHING=1\nHF_HUB_OFFLINE=1\n")

    load()


def test_a_misspelt_variable_of_the_environment_is_only_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SERVER_PROT", "8200")
    monkeypatch.setenv("VLLM_MODEL_NAMES", "x")
    monkeypatch.setenv("EDITOR", "vi")
    warnings: list[str] = []

    load(warnings.append)

    assert [w for w in warnings if "SERVER_P" in w or "VLLM" in w or "EDITOR" in w] == [
        "SERVER_PROT is no setting and is ignored; is SERVER_PORT meant?"
    ]


@pytest.mark.parametrize(
    ("host", "api_port", "private"),
    [
        ("127.0.0.1", None, True),
        ("localhost", None, True),
        ("127.8.8.8", None, True),
        ("::1", None, True),
        ("0.0.0.0", None, False),
        ("hub.example", None, False),
        ("0.0.0.0", 8000, False),
    ],
)
def test_loopback_is_what_no_other_machine_can_reach(
    host: str, api_port: int | None, private: bool
) -> None:
    assert load(server_host=host, api_port=api_port).is_loopback is private


def test_a_second_listener_on_every_address_makes_the_hub_public() -> None:
    assert not load(api_host="0.0.0.0", api_port=8000).is_loopback


def test_the_bus_lives_in_the_data_directory_while_its_sockets_paths_fit(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")

    assert load(hub_data_dir=Path("/d")).bus_dir == Path("/d/bus")
    deep = load(hub_data_dir=Path("/d" * 60)).bus_dir
    assert deep.parent == Path("/run/user/1")
    assert deep != load(hub_data_dir=Path("/e" * 60)).bus_dir


def test_children_see_what_was_given_on_the_command_line(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alone / ".env").write_text("TTS_VOICE=en-gb\nHF_TOKEN=secret\n")
    monkeypatch.setenv("SERVER_PORT", "1")

    seen = load(
        server_port=2, hub_agents="ears,planner:reflex", hub_log_json=True, hub_data_dir=Path("d")
    ).child_environment()

    assert {name: seen[name] for name in ("SERVER_PORT", "HUB_AGENTS", "HUB_LOG_JSON")} == {
        "SERVER_PORT": "2",
        "HUB_AGENTS": "ears,planner:reflex",
        "HUB_LOG_JSON": "1",
    }
    assert (seen["TTS_VOICE"], seen["HF_TOKEN"]) == ("en-gb", "secret")
    assert (seen["HUB_DATA_DIR"], seen["HUB_BUS_DIR"]) == (f"{alone}/d", f"{alone}/d/bus")


def test_a_token_is_not_shown_when_the_settings_are() -> None:
    assert "secret" not in repr(load(hf_token="secret"))


def test_pages_of_the_documented_origins_use_models_unless_there_are_to_be_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load().cors_origins == ("http://localhost:3000", "http://127.0.0.1:3000")
    assert load().hub_origins == ()
    monkeypatch.setenv("CORS_ORIGINS", "none")
    assert load().cors_origins == ()


def test_two_keys_for_signed_tokens_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_JWT_KEY", "x" * 32)
    assert load().takes_jwt
    assert "x" * 32 not in repr(load())
    monkeypatch.setenv("HUB_JWT_PUBLIC_KEY", "issuer.pem")
    with pytest.raises(SettingsError, match="exclude each other"):
        load()


@pytest.mark.parametrize(
    ("told", "level", "json"),
    [
        ({"LOG_LEVEL": "debug", "LOG_FORMAT": "JSON"}, "DEBUG", True),
        ({"LOG_LEVEL": "DEBUG", "HUB_LOG_LEVEL": "error"}, "ERROR", False),
        ({"LOG_FORMAT": "json", "HUB_LOG_JSON": "0"}, "INFO", False),
        ({"LOG_LEVEL": "", "LOG_FORMAT": ""}, "INFO", False),
    ],
)
def test_the_documented_names_of_logging_count_where_the_hubs_own_are_not_set(
    told: dict[str, str], level: str, json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    settings = load()

    assert (settings.hub_log_level, settings.hub_log_json) == (level, json)
    children = settings.child_environment()
    if level != "INFO":
        assert children["HUB_LOG_LEVEL"] == level


def test_a_level_that_nobody_knows_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")

    with pytest.raises(SettingsError, match="HUB_LOG_LEVEL must be 'DEBUG', 'INFO'"):
        load()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8100"),
        ("0.0.0.0", "http://127.0.0.1:8100"),
        ("::", "http://[::1]:8100"),
        ("::1", "http://[::1]:8100"),
        ("hub.local", "http://hub.local:8100"),
    ],
)
def test_this_machine_reaches_the_hub_by_an_address_of_its_own(host: str, url: str) -> None:
    assert load(server_host=host).local_url == url


OF_THE_DOCUMENTS = """
the planner server of robots:
LLM_BACKEND LLM_MAX_INFLIGHT VLLM_MODEL_NAME GPU_UTILIZATION_CAP PLAN_TIMEOUT_S OLLAMA_URL MODEL_NAME
AUTO_PULL_OLLAMA_MODEL OLLAMA_PULL_TIMEOUT_S PLAN_MAX_INFLIGHT PLAN_KEEP_ALIVE CONVERSE_KEEP_ALIVE
WARMUP_LLM MAX_ACTIONS TEMPERATURE NUM_CTX PERFORMANCE_MODE STT_MODEL_SIZE STT_DEVICE STT_COMPUTE_TYPE
TTS_BACKEND TTS_MODEL_NAME TTS_VOICE TTS_RATE_WPM ORPHEUS_IDLE_TIMEOUT_S ORPHEUS_MIN_FREE_VRAM_GB
TTS_BUSY_QUEUE_THRESHOLD SERVER_HOST SERVER_PORT HF_TOKEN HUGGINGFACE_HUB_TOKEN ORPHEUS_VOICE
RB_LLM_STREAM MCP_PREAMBLE_ENABLED MCP_SERVER_URL MCP_TOOL_BUDGET_MS TTS_MAX_UTTERANCE_S
LOG_TRANSCRIPTS
the inference server of desktops:
AURAOS_HF_MODEL AURAOS_INFERENCE_BACKEND AURAOS_DEVICE AURAOS_INFERENCE_URL FLASK_ENV FLASK_DEBUG
FLASK_PORT
the server of texts and images:
API_HOST API_PORT WORKERS TEXT_MODEL_NAME TEXT_MODEL_PATH TEXT_MAX_MODEL_LEN
TEXT_GPU_MEMORY_UTILIZATION IMAGE_MODEL_NAME IMAGE_MODEL_PATH IMAGE_GPU_MEMORY_UTILIZATION
CUDA_VISIBLE_DEVICES MODEL_CACHE_DIR VLLM_TENSOR_PARALLEL_SIZE VLLM_MAX_NUM_SEQS
DIFFUSERS_ENABLE_CPU_OFFLOAD CORS_ORIGINS MAX_PROMPT_LENGTH MAX_IMAGE_SIZE DEFAULT_TIMEOUT LOG_LEVEL
LOG_FORMAT
the others:
AI_SERVICES_URL USE_EXTERNAL_AI LOCALAI_URL STABILITY_MATRIX_URL
"""


def test_every_name_of_the_documents_may_stand_in_an_old_dotenv(alone: Path) -> None:
    names = [name for name in OF_THE_DOCUMENTS.split() if name.isupper()]
    (alone / ".env").write_text("".join(f"{name}=\n" for name in names))

    assert len(names) > 60
    assert load().server_port == 8100
