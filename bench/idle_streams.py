"""How much memory open, silent streams take: `python3 bench/idle_streams.py target/release/mcp-oauth-server`."""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request

PORT = 28461
STREAMS = int(os.environ.get("STREAMS", "5000"))
PER_CALLER = 50


def memory_kib(process: int, what: str = "VmRSS") -> int:
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what))


def token(number: int) -> str:
    url = f"http://localhost:{PORT}/dev/token?sub=caller-{number}"
    return json.load(urllib.request.urlopen(url))["access_token"]


def sse(token: str) -> bytes:
    return f"GET /mcp/sse HTTP/1.1\r\nHost: localhost:{PORT}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def listen(token: str) -> bytes:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"_meta": meta, "notifications": {"toolsListChanged": True}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}).encode()
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: localhost:{PORT}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def opened(request: bytes) -> asyncio.StreamWriter:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0] and b"text/event-stream" in head, head
    await reader.readuntil(b"data:")
    return writer


async def measure(process: int, kind) -> None:
    tokens = [token(number) for number in range((STREAMS + PER_CALLER - 1) // PER_CALLER)]
    before = memory_kib(process)
    began = time.monotonic()
    writers = []
    for start in range(0, STREAMS, 100):
        batch = range(start, min(start + 100, STREAMS))
        writers += await asyncio.gather(*(opened(kind(tokens[i // PER_CALLER])) for i in batch))
    took = time.monotonic() - began
    after = memory_kib(process)
    print(
        f"{kind.__name__}: {len(writers)} streams opened in {took:.1f} s; {before / 1024:.1f} MiB before, "
        f"{after / 1024:.1f} MiB with them, {(after - before) / len(writers):.1f} KiB each"
    )
    for writer in writers:
        writer.close()


def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * STREAMS), hard))
    for kind in (listen, sse):
        with tempfile.TemporaryDirectory() as directory:
            environment = {**os.environ, "MCP_OAUTH_LIMITS": "false"}
            command = [os.path.abspath(sys.argv[1]), "--store", "memory", "--port", str(PORT)]
            server = subprocess.Popen(
                command, cwd=directory, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                wait_for(server)
                asyncio.run(measure(server.pid, kind))
            finally:
                server.terminate()
                server.wait()


def wait_for(server: subprocess.Popen) -> None:
    while True:
        assert server.poll() is None, "the server has ended"
        try:
            urllib.request.urlopen(f"http://localhost:{PORT}/health/live")
            return
        except OSError:
            time.sleep(0.05)


if __name__ == "__main__":
    main()
