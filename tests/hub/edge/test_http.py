"""The HTTP routes, each with the answers its document promises."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hub.edge.converse_ws import ConverseLink
from hub.edge.limits import MAX_BODY_BYTES
from hub.edge.services import HubReport
from hub.errors import AgentMissing, Busy, JobError, JobTimeout
from hub.measures import Measures
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.job import PlanDone
from protocols.messages.model import ModelState
from protocols.messages.robot import Hello
from tests.fakes.wire import FakeWire
from tests.hub.edge.conftest import Edge

WORLD: dict[str, Any] = {
    "robot_id": "r1", "seq": 3, "monotonic_ts_ms": 99, "mode": "IDLE", "range_mm": 800,
}  # fmt: skip


@dataclass(frozen=True)
class Agent:
    kind: AgentKind
    role: str = "primary"
    backend: str = "embedded"
    state: AgentState = AgentState.READY
    capacity: int = 4
    active: int = 0
    model: str = ""
    info: dict[str, str] = field(default_factory=dict)
    progress: str = ""
    has_models: bool = True
    engine: ModelState | None = None
    lag_ms: float = 0.0
    drops: dict[str, int] = field(default_factory=dict)

    @property
    def instance(self) -> str:
        return f"{self.kind.value}-{self.role}-1"


ALL = tuple(
    Agent(kind) for kind in (AgentKind.EARS, AgentKind.STT, AgentKind.PLANNER, AgentKind.TTS)
)


async def test_a_plan_echoes_its_world_and_holds_only_safe_actions(edge: Edge) -> None:
    edge.jobs.plan_result = PlanDone(
        actions=(
            {"action": "say", "text": "hello"},
            {"action": "format_disk"},
            {"action": "emote", "name": "happy", "intensity": 7},
            {"action": "spin"},
        ),
        ttl_ms=60_000,
    )
    answer = await edge.http.post("/plan", json={**WORLD, "unknown": 1})
    body = answer.json()
    assert answer.status_code == 200
    assert len(body["plan_id"]) == 32
    assert (body["robot_id"], body["seq"], body["monotonic_ts_ms"]) == ("r1", 3, 99)
    assert body["server_monotonic_ts_ms"] > 0
    assert body["ttl_ms"] == 5000
    assert body["actions"] == [
        {"action": "say", "text": "hello"},
        {"action": "emote", "name": "happy", "intensity": 1.0},
        {"action": "gesture", "name": "spin", "params": {}},
    ]
    assert edge.jobs.worlds[0]["trigger"] == "heartbeat"


async def test_a_plan_uses_only_what_the_robot_said_it_can_do(edge: Edge) -> None:
    edge.allowed["r1"] = frozenset({"nod"})
    edge.jobs.plan_result = PlanDone(
        actions=({"action": "gesture", "name": "spin"}, {"action": "gesture", "name": "nod"})
    )
    body = (await edge.http.post("/plan", json=WORLD)).json()
    assert [action["name"] for action in body["actions"]] == ["nod"]


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (Busy("planner overloaded; retry shortly"), 429, "planner_busy"),
        (JobError("…", "backend_busy"), 429, "planner_busy"),
        (JobTimeout("…"), 504, "llm_timeout"),
        (JobError("…", "backend_timeout"), 504, "llm_timeout"),
        (AgentMissing("…"), 502, "llm_unreachable"),
        (JobError("…", "backend_unavailable"), 502, "llm_unreachable"),
        (JobError("…", "bad_answer"), 502, "llm_error"),
        (JobError("…", "llm_nonsense"), 502, "llm_error"),
    ],
)
async def test_a_plan_that_fails_answers_with_its_documented_code(
    edge: Edge, failure: JobError, status: int, code: str
) -> None:
    edge.jobs.plan_result = failure
    answer = await edge.http.post("/plan", json=WORLD)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.json()["detail"]
    assert answer.headers.get("retry-after") == ("1" if status == 429 else None)


@pytest.mark.parametrize(
    "change", [{"seq": -1}, {"robot_id": ""}, {"robot_id": "x" * 65}, {"range_mm": "near"}]
)
async def test_an_illegal_world_state_is_fastapis_422(edge: Edge, change: dict[str, Any]) -> None:
    answer = await edge.http.post("/plan", json={**WORLD, **change})
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], list)
    assert edge.jobs.worlds == []


async def test_a_world_of_an_illegal_robot_is_a_coded_400(edge: Edge) -> None:
    answer = await edge.http.post("/plan", json={**WORLD, "robot_id": "a/b"})
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_identity")


async def test_speech_streams_as_raw_pcm_with_its_rate_in_the_headers(edge: Edge) -> None:
    edge.jobs.speech = [b"\x01\x02" * 160, b"\x03\x04" * 160]
    for stream in (True, False):
        answer = await edge.http.post(
            "/tts", json={"text": "hi", "emotion": "tired", "stream": stream}
        )
        assert answer.status_code == 200
        assert answer.content == b"\x01\x02" * 160 + b"\x03\x04" * 160
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-audio-sample-rate"] == "16000"
        assert answer.headers["x-audio-channels"] == "1"
        assert ("content-length" in answer.headers) is not stream
    assert edge.jobs.requests[0].emotion == "sleepy"


async def test_the_first_audio_arrives_before_the_last_is_made(edge: Edge) -> None:
    edge.jobs.speech = [b"\x01\x02" * 160, None]
    async with asyncio.timeout(2), edge.http.stream("POST", "/tts", json={"text": "hi"}) as answer:
        async for chunk in answer.aiter_raw():
            assert chunk == b"\x01\x02" * 160
            break
    async with asyncio.timeout(2):
        await edge.jobs.cancelled.wait()


@pytest.mark.parametrize("body", [{"text": "hi"}, {"text": "hi", "stream": False}])
async def test_a_client_that_disconnects_cancels_its_speech(
    edge: Edge, body: dict[str, Any]
) -> None:
    edge.jobs.speech = [None]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await edge.http.post("/tts", json=body)
    async with asyncio.timeout(2):
        await edge.jobs.cancelled.wait()


async def test_a_client_that_disconnects_cancels_its_plan(edge: Edge) -> None:
    edge.jobs.plan_result = None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await edge.http.post("/plan", json=WORLD)
    async with asyncio.timeout(2):
        await edge.jobs.cancelled.wait()


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("failure", "detail"),
    [
        (Busy("…"), "tts_busy_no_fallback"),
        (AgentMissing("…"), "tts_unavailable"),
        (JobTimeout("…"), "tts_unavailable"),
        (JobError("…", "tts_disabled"), "tts_disabled"),
        (JobError("…", "espeak_exec_failed"), "espeak_exec_failed"),
    ],
)
async def test_speech_that_fails_before_its_first_byte_is_503_with_the_reason_as_detail(
    edge: Edge, failure: JobError, detail: str, stream: bool
) -> None:
    edge.jobs.speech = [failure]
    answer = await edge.http.post("/tts", json={"text": "hi", "stream": stream})
    assert (answer.status_code, answer.json()["detail"]) == (503, detail)


async def test_speech_that_fails_after_its_first_byte_is_cut_short_and_counted(
    edge: Edge,
) -> None:
    edge.jobs.speech = [bytes(320), JobError("…", "espeak_exec_failed")]
    answer = await edge.http.post("/tts", json={"text": "hi"})
    assert (answer.status_code, answer.content) == (200, bytes(320))
    assert edge.counters.read()["speech_streams.cut_short"] == 1


@pytest.mark.parametrize("text", ["", "   \n"])
async def test_empty_text_cannot_be_spoken(edge: Edge, text: str) -> None:
    answer = await edge.http.post("/tts", json={"text": text})
    assert (answer.status_code, answer.json()["detail"]) == (400, "Text cannot be empty")
    assert edge.jobs.requests == []


async def test_ten_thousand_characters_are_too_long_to_speak(edge: Edge) -> None:
    for path in ("/tts", "/say"):
        answer = await edge.http.post(path, json={"text": "x" * 10_000, "robot_id": "r1"})
        assert (answer.status_code, answer.json()["error"]) == (413, "text_too_long")


async def test_a_body_above_the_limit_is_413_whether_it_says_so_or_not(edge: Edge) -> None:
    body = b'{"text": "' + b"x" * MAX_BODY_BYTES + b'"}'

    async def piecewise() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    for content in (body, piecewise()):
        answer = await edge.http.post(
            "/tts", content=content, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    assert (await edge.http.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not_found"), ("GET", "/plan", 405, "method_not_allowed")],
)
async def test_wrong_addresses_are_errors_of_the_same_shape(
    edge: Edge, method: str, path: str, status: int, code: str
) -> None:
    answer = await edge.http.request(method, path)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_a_body_that_is_no_json_is_422(edge: Edge) -> None:
    answer = await edge.http.post("/tts", content=b"{broken")
    assert answer.status_code == 422


async def test_say_speaks_to_a_connected_robot_and_to_no_other(edge: Edge) -> None:
    body = {"robot_id": "r1", "text": "Dinner is ready", "emotion": "happy", "priority": "user"}
    answer = await edge.http.post("/say", json=body)
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_robot")

    link = ConverseLink(FakeWire(), edge.counters, "r1")
    await edge.sessions.attach("r1", Hello(), link)
    answer = await edge.http.post("/say", json=body)
    assert answer.json() == {"robot_id": "r1", "outcome": "done"}
    assert edge.sessions.said == [("r1", "Dinner is ready", "happy", "user")]
    assert edge.sessions.waits == [0]

    await edge.http.post("/say", json={**body, "when": "free", "ttl_s": 5})
    assert edge.sessions.waits == [0, 5_000]


async def test_say_waits_neither_for_ever_nor_at_another_time(edge: Edge) -> None:
    body = {"robot_id": "r1", "text": "Dinner is ready"}
    for wrong in ({"when": "later"}, {"when": "free", "ttl_s": 601}, {"ttl_s": 0}):
        assert (await edge.http.post("/say", json={**body, **wrong})).status_code == 422


DOCUMENTED = {
    "status", "model", "llm_model", "llm_backend", "llm_engine_loaded", "ollama",
    "model_available", "auto_pull_ollama_model", "resource_profile", "performance_mode",
    "orpheus_enabled", "orpheus_vram_free_gb", "gpu_budget", "plan_admission",
    "converse_sessions", "ai", "llm",
}  # fmt: skip


async def test_health_has_every_documented_key_and_the_agents(edge: Edge) -> None:
    edge.report = HubReport(agents=ALL, robots=("r2", "r1"))
    answer = await edge.http.get("/health")
    body = answer.json()
    assert answer.status_code == 200
    assert body.keys() == DOCUMENTED | {"agents", "bench", "recording"}
    assert body["status"] == "ok"
    assert body["llm_backend"] == "embedded"
    assert body["converse_sessions"]["robots"] == ["r1", "r2"]
    assert body["gpu_budget"].keys() == {
        "qwen_backend", "qwen_utilization", "orpheus_utilization", "combined_utilization", "cap",
    }  # fmt: skip
    assert body["gpu_budget"]["qwen_utilization"] is None
    assert body["ai"]["stt"]["loaded"] is True
    assert body["ai"]["tts"]["backend_active"] == "embedded"
    assert body["agents"]["tts-primary-1"]["state"] == "ready"


@pytest.mark.parametrize("state", [AgentState.LOADING, AgentState.LOST, AgentState.DEGRADED])
async def test_health_is_503_while_no_language_model_is_reachable(
    edge: Edge, state: AgentState
) -> None:
    edge.report = HubReport(
        agents=tuple(replace(a, state=state) if a.kind is AgentKind.PLANNER else a for a in ALL)
    )
    answer = await edge.http.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")


async def test_a_standing_reflex_beside_a_dead_model_does_not_make_the_model_healthy(
    edge: Edge,
) -> None:
    edge.report = HubReport(agents=(Agent(AgentKind.PLANNER, role="reflex"),))
    assert (await edge.http.get("/health")).status_code == 503


async def test_the_hub_is_ready_once_all_four_trades_are(edge: Edge) -> None:
    for missing in range(4):
        edge.report = HubReport(agents=ALL[:missing] + ALL[missing + 1 :])
        answer = await edge.http.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (503, False)
    edge.report = HubReport(agents=ALL)
    assert (await edge.http.get("/readyz")).json()["ready"] is True
    edge.report = HubReport(agents=ALL, draining=True)
    assert (await edge.http.get("/readyz")).status_code == 503


async def test_status_and_metrics_name_what_went_wrong(edge: Edge) -> None:
    edge.report = HubReport(agents=ALL, robots=("r1",), counters={"bus.lost": 4})
    edge.counters.count("frames_refused.bad_audio", 2)
    status = (await edge.http.get("/status")).json()
    assert status["robots"] == ["r1"]
    assert status["counters"] == {"bus.lost": 4, "frames_refused.bad_audio": 2}
    metrics = (await edge.http.get("/metrics")).text
    assert 'hub_events_total{name="frames_refused.bad_audio"} 2.0' in metrics
    assert "hub_robots 1.0" in metrics
    assert 'hub_agent_ready{backend="embedded",kind="tts",role="primary"} 1.0' in metrics


async def test_status_tells_what_each_agent_dropped_and_how_late_loops_are(edge: Edge) -> None:
    late = Agent(AgentKind.STT, lag_ms=7.5, drops={"lost.mic.chunk": 2})
    measures = Measures()
    measures.lag.add(0.004)
    edge.report = HubReport(agents=(late,), restarts={"stt": 1}, measures=measures)

    status = (await edge.http.get("/status")).json()

    assert status["agents"]["stt-primary-1"]["drops"] == {"lost.mic.chunk": 2}
    assert status["agents"]["stt-primary-1"]["lag_ms"] == 7.5
    assert status["loop"] == {"p99_ms": 5.0, "worst_ms": 4.0}
    assert status["restarts"] == {"stt": 1}


async def test_what_the_language_model_tells_of_itself_has_the_documents_types(edge: Edge) -> None:
    info = {
        "reason": "LLM_BACKEND=vllm",
        "gpu_memory_utilization": "0.35",
        "max_model_len": "4096",
        "json_mode": "structured_outputs",
        "template_config.family": "qwen3",
        "generation_defaults.temperature": "0.7",
        "generation_defaults.max_output_tokens": "512",
        "generation_defaults.enable_thinking": "false",
    }
    planner = Agent(AgentKind.PLANNER, backend="vllm", model="gemma", capacity=2, info=info)
    edge.report = HubReport(agents=(planner,))

    llm = (await edge.http.get("/health")).json()["llm"]

    assert (llm["gpu_memory_utilization"], llm["max_model_len"]) == (0.35, 4096)
    assert llm["json_mode"] == "structured_outputs"
    assert llm["template_config"] == {"family": "qwen3"}
    assert llm["generation_defaults"] == {
        "temperature": 0.7, "max_output_tokens": 512, "enable_thinking": False,
    }  # fmt: skip
    assert (llm["backend"], llm["model"], llm["max_inflight"]) == ("vllm", "gemma", 2)


async def test_there_is_an_index_and_documentation(edge: Edge) -> None:
    assert (await edge.http.get("/")).json()["name"] == "Robot Hub"
    assert (await edge.http.get("/docs")).status_code == 200
    schema = (await edge.http.get("/openapi.json")).json()
    assert schema["info"]["title"] == "Robot Hub"
    assert {"/plan", "/tts", "/health", "/say"} <= schema["paths"].keys()


async def test_a_draining_hub_answers_who_watches_and_takes_no_work(edge: Edge) -> None:
    edge.report = HubReport(agents=ALL, draining=True)
    for path, body in (("/plan", WORLD), ("/tts", {"text": "hi"}), ("/say", {})):
        answer = await edge.http.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]) == (503, "draining")
        assert int(answer.headers["retry-after"]) > 0
    assert (await edge.http.get("/readyz")).status_code == 503
    for path in ("/livez", "/status", "/metrics"):
        assert (await edge.http.get(path)).status_code == 200
    assert edge.counters.read() == {"requests_refused.draining": 3}
