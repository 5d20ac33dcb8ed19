"""``robot-hub run``: refuse early what cannot work, then become the supervisor."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, NoReturn

from hub.bench import with_scripted_engines
from hub.engines import check_engines
from hub.errors import BadTls, CredentialsMissing
from hub.gpu import GpuProbe, Nvml, first_visible
from hub.settings import Settings
from hub.supervise import Order, become_supervisor
from protocols.messages.agent import AgentKind


class Launch(NamedTuple):
    """What a supervisor is started with."""

    order: Order
    environment: dict[str, str]


def run(settings: Settings, given: Mapping[str, str]) -> NoReturn:
    """Start the hub and its agents side by side; does not return. ``given`` are the settings of the
    command line.

    Raises:
        StartRefused: the hub could not start as it is configured.
    """
    launch = launch_of(settings, given)
    become_supervisor(launch.order, launch.environment)


def launch_of(settings: Settings, given: Mapping[str, str], log: Path | None = None) -> Launch:
    """How a hub with these settings is started; ``log`` is where its output goes, if not to stderr.

    Raises:
        StartRefused: it could not start.
    """
    if settings.hub_bench:
        settings = with_scripted_engines(settings)
    check_start(settings)
    settings = with_orpheus_policy(settings, Nvml())
    order = Order(
        agents_to_start(settings),
        settings.hub_drain_s,
        not settings.hub_log_json,
        url=settings.local_url,
        log=str(log) if log is not None else "",
        log_max_bytes=settings.hub_log_max_mib << 20,
        log_files=settings.hub_log_files,
        given=given,
    )
    return Launch(order, settings.child_environment())


def agents_to_start(settings: Settings) -> tuple[str, ...]:
    """Which agents a hub with these settings needs.

    The standing reflex planner is left out where the planner is a reflex planner already; a trace
    needs its recorder.
    """
    same = settings.llm_backend == "reflex"
    agents = tuple(a for a in settings.hub_agents if not (same and a == "planner:reflex"))
    if settings.trace_dir is not None and AgentKind.RECORDER not in agents:
        agents = (*agents, AgentKind.RECORDER.value)
    return agents


def with_orpheus_policy(settings: Settings, probe: GpuProbe) -> Settings:
    """``settings`` that say whether Orpheus may run, by what is free of the GPU now.

    It is measured once, before any engine starts: beside engines that load, each would see what
    the others have not taken yet.
    """
    gpus = probe.read().gpus if settings.performance_mode else ()
    gpu = first_visible(gpus, settings.visible_gpus)
    policy = settings.orpheus_policy_at(gpu.free_gb if gpu is not None else None)
    return settings.model_copy(update={"hub_orpheus_policy": policy.reason})


def check_start(settings: Settings) -> None:
    """Say in one sentence what would make the start fail, before any process is started.

    Raises:
        StartRefused: an engine, the data directory, the port, the certificate, the credentials or
            the key of JSON Web Tokens.
    """
    from hub.edge.server import bind
    from hub.store.datadir import DataDir
    from hub.store.tokens import any_defined, open_tokens

    check_engines(agents_to_start(settings), settings.engines)
    with DataDir(settings.hub_data_dir), closing(open_tokens(settings.hub_data_dir)) as db:
        credentials = any_defined(db) or settings.takes_jwt
    if not settings.is_loopback and not credentials:
        raise CredentialsMissing(
            f"listening on {settings.exposed_host} lets other machines in, and there is no token:"
            " make one with `robot-hub tokens add`, or listen on 127.0.0.1"
        )
    for file in (settings.hub_tls_cert, settings.hub_tls_key):
        if file is not None and not file.is_file():
            raise BadTls(f"the TLS file {file} does not exist")
    if settings.takes_jwt:
        from hub.edge.signed import verifier_of

        verifier_of(settings)
    bind(settings.server_host, settings.server_port).close()
    for listen in settings.listens:
        bind(listen.host, listen.port).close()
