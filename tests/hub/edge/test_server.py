"""The listening socket: refusals in a sentence, a clean stop, TLS."""

import asyncio
import socket
import ssl
import subprocess
from pathlib import Path
from shutil import which

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from hub.edge.server import Tls, bind, serve
from hub.errors import BadTls, CannotBind, PortInUse, StartRefused


async def _hello(request: object) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def _slow(request: object) -> PlainTextResponse:
    await asyncio.sleep(0.3)
    return PlainTextResponse("done")


APP = Starlette(routes=[Route("/", _hello), Route("/slow", _slow)])


def test_a_port_in_use_is_refused_in_a_sentence() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse) as refused:
            bind("127.0.0.1", port)
    assert str(refused.value) == f"port {port} of 127.0.0.1 is in use by another program"
    assert isinstance(refused.value, StartRefused)


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused_in_a_sentence(host: str) -> None:
    with pytest.raises(CannotBind, match=host):
        bind(host, 0)


def test_the_sixth_version_of_the_internet_protocol_is_served_where_there_is_one() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        listener = bind("[::1]", 0)
    except CannotBind:
        pytest.skip("no IPv6 loopback here")
    with listener:
        assert listener.family is socket.AF_INET6


async def test_a_stopping_server_lets_requests_finish_and_takes_no_more() -> None:
    listener = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop, ready = asyncio.Event(), asyncio.Event()
    async with httpx.AsyncClient(base_url=url) as http, asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(APP, listener, stop, ready.set))
        await ready.wait()
        slow = tasks.create_task(http.get("/slow"))
        await asyncio.sleep(0.05)
        stop.set()
        assert (await slow).text == "done"
    async with httpx.AsyncClient(base_url=url) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("/")


async def test_a_certificate_that_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")
    for cert in (tmp_path / "none.pem", tmp_path / "key.pem"):
        with pytest.raises(BadTls, match="TLS"):
            await serve(
                APP, bind("127.0.0.1", 0), asyncio.Event(), tls=Tls(cert, tmp_path / "key.pem")
            )


@pytest.mark.skipif(which("openssl") is None, reason="openssl makes the certificate")
async def test_with_a_certificate_the_hub_speaks_tls(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    making = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *("-nodes", "-keyout", str(key), "-out", str(cert), "-days", "2"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
        stderr=subprocess.DEVNULL,
    )
    assert await making.wait() == 0
    listener = bind("127.0.0.1", 0)
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    stop, ready = asyncio.Event(), asyncio.Event()
    trusting = ssl.create_default_context(cafile=str(cert))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(APP, listener, stop, ready.set, Tls(cert, key)))
        await ready.wait()
        async with httpx.AsyncClient(base_url=url, verify=trusting) as http:
            assert (await http.get("/")).text == "hello"
        stop.set()
