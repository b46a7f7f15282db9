"""1,000 calls at once through each kind of catalog: `python3 bench/concurrent_calls.py target/release/mcp-oauth-server`.

The service behind the OpenAPI document and the MCP server over stdio are this very script.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 28462
CALLS = int(os.environ.get("CALLS", "1000"))


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"said": self.path.rsplit("=", 1)[-1]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def tool_server() -> None:
    """As little of MCP over stdio as it takes: the cost should be that of the server in front."""
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        match message["method"]:
            case "initialize":
                result = {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "bench", "version": "1"},
                }
            case "tools/list":
                result = {"tools": [{"name": "upstream_say", "inputSchema": schema}]}
            case "tools/call":
                result = {"content": [{"type": "text", "text": message["params"]["arguments"]["name"]}]}
            case _:
                error = {"code": -32601, "message": "no such method"}
                print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}), flush=True)
                continue
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)


def configuration(directory: str, service: int) -> str:
    name = {"name": "name", "in": "query", "required": True, "schema": {"type": "string"}}
    operation = {"operationId": "openapi_say", "parameters": [name], "responses": {"200": {"description": "said"}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Bench", "version": "1"},
        "servers": [{"url": f"http://127.0.0.1:{service}"}],
        "paths": {"/say": {"get": operation}},
    }
    path = os.path.join(directory, "document.json")
    with open(path, "w") as file:
        json.dump(document, file)
    command = json.dumps([sys.executable, os.path.abspath(__file__), "tool-server"])
    return (
        f'store = "memory"\nport = {PORT}\nlimits = false\nmost_open_requests = 2000\n'
        f'[tools.service]\nopenapi = "{path}"\n[tools.upstream]\ncommand = {command}\n'
    )


def request(token: str, tool: str, number: int) -> bytes:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"_meta": meta, "name": tool, "arguments": {"name": f"n{number}"}}
    body = json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode()
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: localhost:{PORT}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        f"MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


async def answered(message: bytes, number: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(message)
    answer = await reader.read()
    writer.close()
    return b" 200 " in answer.split(b"\r\n")[0] and f"n{number}".encode() in answer


async def all_at_once(token: str, tool: str) -> tuple[int, float]:
    began = time.monotonic()
    calls = (answered(request(token, tool, number), number) for number in range(CALLS))
    answers = await asyncio.gather(*calls)
    return sum(answers), time.monotonic() - began


def cpu_seconds(process: int) -> float:
    with open(f"/proc/{process}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    http = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    http.socket.listen(1024)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as directory:
        file = os.path.join(directory, "bench.toml")
        with open(file, "w") as text:
            text.write(configuration(directory, http.server_port))
        server = subprocess.Popen(
            [os.path.abspath(sys.argv[1]), "--config", file],
            cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            token = first_token(server)
            failed = 0
            for tool in ("hello", "openapi_say", "upstream_say"):
                asyncio.run(all_at_once(token, tool))
                before = cpu_seconds(server.pid)
                good, took = asyncio.run(all_at_once(token, tool))
                cpu = (cpu_seconds(server.pid) - before) / CALLS * 1000
                print(f"{tool:>14}: {good} of {CALLS} answered in {took:.2f} s, {cpu:.2f} ms of CPU each")
                failed += CALLS - good
        finally:
            server.terminate()
            server.wait()
    return 1 if failed else 0


def first_token(server: subprocess.Popen) -> str:
    while True:
        assert server.poll() is None, "the server has ended"
        try:
            with urllib.request.urlopen(f"http://localhost:{PORT}/dev/token") as answer:
                return json.load(answer)["access_token"]
        except OSError:
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(tool_server() if sys.argv[1] == "tool-server" else main())
