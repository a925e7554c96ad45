import asyncio

import pytest

pytest.importorskip('uvicorn')
from uvicorn import Config  # noqa: E402
from uvicorn.server import ServerState  # noqa: E402

from mmseg_custom.serving import protocol  # noqa: E402

REQUEST = b'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
LARGE = 8 << 20


async def application(scope, receive, send):
    if scope['path'] == '/wait':
        await receive()
        await asyncio.Event().wait()
    size = LARGE if scope['path'] == '/large' else 2
    headers = [(b'content-length', str(size).encode())]
    await send(dict(type='http.response.start', status=200, headers=headers))
    await send(dict(type='http.response.body', body=b'x' * size))


@pytest.fixture
def connecting(monkeypatch):
    """Run a scenario with a server of short patience; it gets a function that connects."""

    def run(scenario, **limits):
        for name, value in limits.items():
            monkeypatch.setattr(protocol, name, value)

        async def body():
            state = ServerState()
            config = Config(application, http=protocol.TimedProtocol, lifespan='off')
            loop = asyncio.get_running_loop()
            server = await loop.create_server(
                lambda: protocol.TimedProtocol(config, state, {}), '127.0.0.1', 0
            )
            port = server.sockets[0].getsockname()[1]
            try:
                return await asyncio.wait_for(
                    scenario(lambda: asyncio.open_connection('127.0.0.1', port)), 30
                )
            finally:
                server.close()
                for connection in list(state.connections):
                    connection.transport.abort()
                for task in list(state.tasks):
                    task.cancel()

        return asyncio.run(body())

    return run


async def end_of(reader):
    try:
        return await reader.read()
    except ConnectionResetError:
        return b''


async def drip(writer, text):
    """Send a byte now and then; ends when the connection does."""
    try:
        for byte in text:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.01)
    except ConnectionError:
        pass


@pytest.mark.parametrize('sent', [b'', b'GET / HT', b'GET / HTTP/1.1\r\nHost: a\r\n'])
def test_a_connection_without_a_request_is_closed(connecting, sent):
    async def scenario(connect):
        reader, writer = await connect()
        writer.write(sent)
        assert await end_of(reader) == b''

    connecting(scenario, HEADER_SECONDS=0.05)


@pytest.mark.parametrize('answered', [0, 1])
def test_a_header_that_drips_is_not_waited_for(connecting, answered):
    async def scenario(connect):
        reader, writer = await connect()
        for _ in range(answered):
            writer.write(REQUEST)
            assert (await reader.readuntil(b'xx')).startswith(b'HTTP/1.1 200')
        dripping = asyncio.create_task(drip(writer, b'GET / HTTP/1.1\r\nA: ' + b'a' * 10_000))
        assert await end_of(reader) == b''
        dripping.cancel()

    connecting(scenario, HEADER_SECONDS=0.1)


def test_a_request_that_takes_long_is_not_ended(connecting):
    async def scenario(connect):
        reader, writer = await connect()
        writer.write(REQUEST.replace(b'/ ', b'/wait ', 1))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(), 0.3)

    connecting(scenario, HEADER_SECONDS=0.05, READ_SECONDS=0.05)


def test_idle_connections_give_way_to_a_new_one(connecting):
    async def scenario(connect):
        busy = await connect()
        busy[1].write(REQUEST.replace(b'/ ', b'/wait ', 1))
        await asyncio.sleep(0.1)
        idle = [await connect() for _ in range(40)]
        reader, writer = await connect()
        writer.write(REQUEST)
        assert (await reader.readuntil(b'xx')).startswith(b'HTTP/1.1 200')
        # The oldest went, the last ones and the request are still there.
        assert await end_of(idle[0][0]) == b''
        for one in (busy, *idle[-3:]):
            assert not one[0].at_eof()

    connecting(scenario, MAX_CONNECTIONS=5)


def test_an_answer_that_nobody_reads_is_thrown_away(connecting):
    async def scenario(connect):
        reader, writer = await connect()
        writer.write(REQUEST.replace(b'/ ', b'/large ', 1))
        await asyncio.sleep(0.5)
        assert len(await end_of(reader)) < LARGE

    connecting(scenario, READ_SECONDS=0.1)


def test_an_answer_that_is_read_slowly_arrives(connecting):
    async def scenario(connect):
        reader, writer = await connect()
        writer.write(REQUEST.replace(b'/ ', b'/large ', 1))
        header = await reader.readuntil(b'\r\n\r\n')
        got = 0
        while got < LARGE:
            got += len(await reader.read(1 << 18))
            await asyncio.sleep(0.002)
        assert header.startswith(b'HTTP/1.1 200') and got == LARGE

    connecting(scenario, READ_SECONDS=5)
