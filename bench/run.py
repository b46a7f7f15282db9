#!/usr/bin/env python3
"""Measures the release binary beside a FastMCP peer that does the same job: see README.md.

    cargo build --release && python3 bench/run.py

Plain Python 3.11, wrk, Linux's /proc. Everything stays on 127.0.0.1; every load has an end in
count and in time; a reply that is not a JSON-RPC result makes the whole run void.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
LOOPBACK = "127.0.0.1"
MODERN, LEGACY, OLD_SSE = "2026-07-28", "2025-11-25", "2024-11-05"
MEMORY_CALLS = 10_000
CONNECTIONS = 32
SESSIONS = 8  # for a server that keeps sessions in the 2025 revisions
START_LIMIT = 60  # seconds
REPLY_LIMIT = 10  # seconds
TICKS = os.sysconf("SC_CLK_TCK")  # of utime and stime, per second
BYSTANDERS_LIMIT = 0.15  # share of the machine; some of it is the kernel's own work for loopback
TRANSPORTS = (STREAMABLE, HTTP_SSE) = ("Streamable HTTP", "HTTP+SSE")
VERDICTS = {True: "met", False: "MISSED", None: "not measured"}
GOALS = {"cpu_ratio": 25, "sse_p50_ms": 3}
INSTALL_PEER = """the FastMCP peer is not installed, so only ours is measured. To install it:
    python3 -m venv target/bench-peer
    target/bench-peer/bin/pip install --no-deps -r bench/peer-requirements.txt
(or name a Python that has it: --peer-python, BENCH_PEER_PYTHON)"""


class Void(Exception):
    """What was measured is not what this benchmark is about."""


# Processes ---------------------------------------------------------------------------------------


def process_tree(pid: int) -> list[int]:
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        found.append(current)
        for children in pathlib.Path(f"/proc/{current}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                todo += map(int, children.read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the process tree, children already reaped included."""
    ticks = 0
    for member in process_tree(pid):
        fields = pathlib.Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks / TICKS


def rss_mb(pid: int) -> float:
    total = 0
    for member in process_tree(pid):
        rollup = pathlib.Path(f"/proc/{member}/smaps_rollup").read_text()
        total += int(re.search(r"^Rss:\s+(\d+) kB", rollup, re.MULTILINE)[1])
    return total / 1024


class Bystanders:
    """What the rest of the machine did meanwhile: it makes every figure here worse."""

    def __init__(self):
        self.begun = self.sample()

    @staticmethod
    def sample() -> tuple[float, float, float]:
        """Seconds of CPU so far: on offer, used by anybody, used by us and by children reaped."""
        jiffies = [int(n) for n in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        idle = jiffies[3] + jiffies[4]
        return sum(jiffies) / TICKS, (sum(jiffies) - idle) / TICKS, sum(os.times()[:4])

    def share(self) -> float:
        offered, used, ours = (now - then for now, then in zip(self.sample(), self.begun))
        return max(used - ours, 0) / offered


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


class Contender:
    """A way to start one of the two servers. `command` takes a port and a fresh directory."""

    def __init__(self, name: str, command, has_jwks: bool):
        self.name, self.command, self.has_jwks = name, command, has_jwks

    @contextlib.contextmanager
    def running(self):
        """Starts it in an empty directory with nothing of our environment, and stops it by pid."""
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            port = free_port()
            log = pathlib.Path(directory) / "server.log"
            environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": directory}
            with log.open("wb") as output:
                born = time.perf_counter()
                process = subprocess.Popen(
                    self.command(port, directory), cwd=directory, env=environment,
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                )
            try:
                yield Server(self, process, port, born, log)
            finally:
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    print(f"{self.name} did not stop within 15 s of SIGTERM: killed", file=sys.stderr)
                    process.kill()
                    process.wait()


class Server:
    def __init__(self, contender: Contender, process, port: int, born: float, log: pathlib.Path):
        self.contender, self.process, self.port = contender, process, port
        self.name, self.pid, self.born, self.log = contender.name, process.pid, born, log

    def first_answer(self, path: str) -> tuple[float, bytes]:
        """Seconds from the start of the process to the first 200 of `path`, and its body."""
        while time.perf_counter() - self.born < START_LIMIT and self.process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, body = self.get(path)
                if status == 200:
                    return time.perf_counter() - self.born, body
            time.sleep(0.0005)
        tail = self.log.read_text(errors="replace")[-2000:]
        raise Void(f"{self.name}: no 200 from {path} (exit status {self.process.poll()})\n{tail}")

    def get(self, path: str) -> tuple[int, bytes]:
        with contextlib.closing(connect(self.port)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()

    def token(self) -> str:
        self.first_answer("/mcp/health")
        status, body = self.get("/dev/token")
        if status != 200:
            raise Void(f"{self.name}: GET /dev/token answered {status}: {body[:300]!r}")
        return json.loads(body)["access_token"]


# MCP ---------------------------------------------------------------------------------------------


def connect(port: int) -> http.client.HTTPConnection:
    """TCP_NODELAY is set by http.client, so a delay seen here is the server's."""
    return http.client.HTTPConnection(LOOPBACK, port, timeout=REPLY_LIMIT)


def events(response):
    """The events of an SSE stream as (event, data, when the last byte of it was here)."""
    name, data = "message", []
    while line := response.readline():
        field, _, value = line.decode().rstrip("\r\n").partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif line.strip() == b"":
            if "".join(data):
                yield name, "\n".join(data), time.perf_counter()
            name, data = "message", []


def result_of(message: dict, request_id: int, context: str) -> dict:
    result = message.get("result")
    if message.get("id") != request_id or not isinstance(result, dict) or result.get("isError"):
        raise Void(f"{context}: not a JSON-RPC result: {json.dumps(message)[:300]}")
    return result


def is_answer(message: dict) -> bool:
    return "id" in message and "method" not in message


def initialize(revision: str) -> dict:
    client = {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
    return {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": client}


INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def hello(request_id: int) -> dict:
    params = {"name": "hello", "arguments": {"name": f"caller-{request_id}."}}
    return {"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": params}


class StreamableClient:
    """A client of the 2025 revisions: one session on one keep-alive connection."""

    def __init__(self, server: Server, token: str):
        self.name = server.name
        self.connection = connect(server.port)
        self.headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
        }
        self.connection.connect()
        self.socket = self.connection.sock
        response, _ = self.ask(initialize(LEGACY))
        self.session = response.getheader("Mcp-Session-Id")
        if self.session:
            self.headers["Mcp-Session-Id"] = self.session
        self.headers["MCP-Protocol-Version"] = LEGACY
        if self.post(INITIALIZED).status != 202:
            raise Void(f"{self.name}: notifications/initialized was not accepted")
        self.finish()

    def post(self, message: dict) -> http.client.HTTPResponse:
        self.connection.request("POST", "/mcp", json.dumps(message), self.headers)
        self.response = self.connection.getresponse()
        return self.response

    def finish(self) -> None:
        """Reads the response to its end, so that the connection serves the next one."""
        self.response.read()
        if self.connection.sock is not self.socket:
            raise Void(f"{self.name}: the server closed the keep-alive connection")

    def close(self) -> None:
        if self.session:  # a server may refuse (405); the session then ends when it likes
            self.connection.request("DELETE", "/mcp", headers=self.headers)
            self.connection.getresponse().read()
        self.connection.close()

    def ask(self, message: dict) -> tuple[http.client.HTTPResponse, float]:
        """Sends a request; the response, and seconds from sending it to having its answer."""
        begun = time.perf_counter()
        response = self.post(message)
        if response.status != 200:
            raise Void(f"{self.name}: {message['method']} answered {response.status}: {response.read(300)!r}")
        if response.getheader("Content-Type", "").startswith("text/event-stream"):
            for _, data, arrived in events(response):
                answer = json.loads(data)
                if is_answer(answer):
                    break
            else:
                raise Void(f"{self.name}: the stream ended without an answer")
        else:
            answer, arrived = json.loads(response.read()), time.perf_counter()
        result_of(answer, message["id"], self.name)
        self.finish()
        return response, arrived - begun


class OldSseClient:
    """A client of the HTTP+SSE transport of 2024-11-05: one stream, one connection to post on."""

    def __init__(self, server: Server, token: str):
        self.bearer = {"Authorization": f"Bearer {token}"}
        self.listening, self.posting = connect(server.port), connect(server.port)
        self.listening.request("GET", "/mcp/sse", headers={**self.bearer, "Accept": "text/event-stream"})
        self.stream = self.listening.getresponse()
        if self.stream.status != 200:
            raise Void(f"GET /mcp/sse answered {self.stream.status}: {self.stream.read(300)!r}")
        self.events = events(self.stream)
        name, data, _ = next(self.events, ("end of stream", "", 0))
        if name != "endpoint":
            raise Void(f"the first event of /mcp/sse is {name!r}, not 'endpoint'")
        address = urlsplit(data)
        self.endpoint = f"{address.path}?{address.query}"
        self.posting.connect()
        self.socket = self.posting.sock
        self.ask(initialize(OLD_SSE))
        self.post(INITIALIZED)
        self.accepted()

    def post(self, message: dict) -> None:
        headers = {**self.bearer, "Content-Type": "application/json"}
        self.posting.request("POST", self.endpoint, json.dumps(message), headers)

    def close(self) -> None:
        self.stream.close()
        self.listening.close()
        self.posting.close()

    def accepted(self) -> None:
        response = self.posting.getresponse()
        body = response.read()
        if response.status not in (200, 202):
            raise Void(f"POST to the messages endpoint answered {response.status}: {body[:300]!r}")
        if self.posting.sock is not self.socket:
            raise Void("the server closed the connection that posts")

    def ask(self, message: dict) -> float:
        """Seconds from sending the POST to having the answer from the stream."""
        begun = time.perf_counter()
        self.post(message)
        try:
            for _, data, arrived in self.events:
                answer = json.loads(data)
                if is_answer(answer):
                    break
            else:
                raise Void("the stream of /mcp/sse ended without an answer")
        except TimeoutError:
            self.accepted()  # names the refusal, if there was one
            raise Void(f"no answer on the stream within {REPLY_LIMIT} s") from None
        self.accepted()
        result_of(answer, message["id"], "/mcp/sse")
        return arrived - begun


# Measurements ------------------------------------------------------------------------------------


def measure_start(contender: Contender) -> dict:
    """Milliseconds from the start of the process to the first answers."""
    with contender.running() as server:
        times = {"health": server.first_answer("/mcp/health")[0] * 1000}
        if contender.has_jwks:
            seconds, body = server.first_answer("/.well-known/jwks.json")
            if not json.loads(body).get("keys"):
                raise Void(f"{contender.name}: the published key set is empty")
            times["jwks"] = seconds * 1000
        return times


def measure_starts(contenders: list[Contender], times: int) -> dict:
    for contender in contenders:  # not counted: it warms the page cache
        measure_start(contender)
    taken = {contender.name: [] for contender in contenders}
    for _ in range(times):
        for contender in contenders:
            taken[contender.name].append(measure_start(contender))
    return {
        name: {what: spread([start[what] for start in starts]) for what in starts[0]}
        for name, starts in taken.items()
    }


def spread(values: list[float]) -> dict:
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def drive(server: Server, token: str, revision: str, calls: int, seconds: int) -> dict:
    """Lets wrk call the tool until `calls` replies or `seconds`, whichever comes first."""
    clients = [StreamableClient(server, token) for _ in range(SESSIONS)] if revision == LEGACY else []
    environment = {
        **os.environ, "TOKEN": token, "REVISION": revision, "LIMIT": str(calls),
        "SESSIONS": " ".join(client.session for client in clients if client.session),
    }
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", f"{REPLY_LIMIT}s",
               "-s", str(HERE / "tools_call.lua"), f"http://{LOOPBACK}:{server.port}/mcp"]
    before = cpu_seconds(server.pid)
    wrk = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in wrk.stderr:
        if line.strip() == "limit":
            wrk.send_signal(signal.SIGINT)  # it prints its report all the same
        else:
            print(f"wrk: {line.rstrip()}", file=sys.stderr)
    report = wrk.stdout.read()
    wrk.wait(30)
    cpu = cpu_seconds(server.pid) - before
    for client in clients:
        client.close()
    return figures(f"{server.name}, {revision}", report, cpu)


def figures(context: str, report: str, cpu: float) -> dict:
    counted = re.search(r"^good=(\d+) bad=(\d+) socket_errors=(\d+) seconds=(\S+) p50_ms=(\S+) p99_ms=(\S+)$",
                        report, re.MULTILINE)
    if not counted:
        raise Void(f"{context}: wrk gave no report:\n{report}")
    good, bad, broken = map(int, counted.groups()[:3])
    seconds, p50, p99 = map(float, counted.groups()[3:])
    if bad or broken or not good:
        example = re.search(r"^first_bad=(.*)$", report, re.MULTILINE)[1]
        raise Void(f"{context}: {good} good replies, {bad} bad, {broken} socket errors; first bad: {example or '-'}")
    return {"calls": good, "cpu_ms": cpu * 1000 / good, "calls_per_second": good / seconds,
            "p50_ms": p50, "p99_ms": p99}


def measure_memory(server: Server, token: str) -> dict:
    idle, calls = rss_mb(server.pid), 0
    deadline = time.monotonic() + 180
    while calls < MEMORY_CALLS and time.monotonic() < deadline:
        calls += drive(server, token, MODERN, MEMORY_CALLS - calls, 60)["calls"]
    if calls < MEMORY_CALLS:
        raise Void(f"{server.name}: only {calls} calls in 180 s")
    return {"idle": idle, "calls": calls, "after": rss_mb(server.pid)}


def measure_cpu(tokens: dict[Server, str], options) -> dict:
    """A B A B: each round drives each server once with each revision."""
    rounds = {revision: {server.name: [] for server in tokens} for revision in (MODERN, LEGACY)}
    for _ in range(options.rounds):
        for revision, taken in rounds.items():
            for server, token in tokens.items():
                taken[server.name].append(drive(server, token, revision, options.calls, options.seconds))
    return {revision: compare(taken) for revision, taken in rounds.items()}


def compare(taken: dict[str, list[dict]]) -> dict:
    seen = {name: {key: statistics.median(row[key] for row in rows) for key in rows[0]} for name, rows in taken.items()}
    if len(taken) == 2:
        seen["ratio"] = spread([peer["cpu_ms"] / ours["cpu_ms"] for ours, peer in zip(taken["ours"], taken["peer"])])
    return seen


def measure_latency(server: Server, token: str, calls: int) -> dict:
    """Sequential calls on one keep-alive connection, in milliseconds; the first tenth only warms up."""
    streamable = StreamableClient(server, token)
    if not streamable.session:
        raise Void(f"{server.name}: initialize gave no Mcp-Session-Id")
    warm_up = calls // 10
    framed = []
    for number in range(1, warm_up + calls + 1):
        response, seconds = streamable.ask(hello(number))
        if not response.getheader("Content-Type", "").startswith("text/event-stream"):
            raise Void(f"{server.name}: the answer in a session is not SSE-framed")
        framed.append(seconds * 1000)
    old = OldSseClient(server, token)
    streamed = [old.ask(hello(number)) * 1000 for number in range(1, warm_up + calls + 1)]
    streamable.close()
    old.close()
    return {STREAMABLE: percentiles(framed[warm_up:]), HTTP_SSE: percentiles(streamed[warm_up:])}


def percentiles(values: list[float]) -> dict:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"calls": len(values), "p50": cuts[49], "p99": cuts[98], "max": max(values)}


# Report ------------------------------------------------------------------------------------------


def judge(results: dict) -> dict[str, bool | None]:
    """Each goal: met, missed, or None when this run did not measure it."""
    goals = {}
    for revision, seen in results["cpu"].items():
        goal = f"CPU per call, {revision}: peer/ours at least {GOALS['cpu_ratio']}"
        goals[goal] = seen["ratio"]["median"] >= GOALS["cpu_ratio"] if "ratio" in seen else None
    for transport in TRANSPORTS:
        goal = f"SSE answer, {transport}: p50 under {GOALS['sse_p50_ms']} ms"
        seen = results["sse_latency_ms"].get(transport)
        goals[goal] = seen["p50"] < GOALS["sse_p50_ms"] if seen else None
    return goals


def rows(results: dict, names: list[str]):
    """Lines of the table: label, a cell for each server, the ratio."""

    def start(name: str, what: str) -> str:
        seen = results["start_ms"][name].get(what)
        return f"{seen['min']:.0f} / {seen['median']:.0f} / {seen['max']:.0f}" if seen else "-"

    yield "start to /mcp/health, ms (min/median/max)", [start(n, "health") for n in names], ""
    yield "start to /.well-known/jwks.json, ms", [start(n, "jwks") for n in names], ""
    memory = results["memory_mb"]
    yield "resident memory before any call, MB", [f"{memory[n]['idle']:.1f}" for n in names], ""
    yield f"resident memory after {MEMORY_CALLS:,} calls, MB", [f"{memory[n]['after']:.1f}" for n in names], ""
    for revision, seen in results["cpu"].items():
        ratio = seen.get("ratio")
        verdict = f"{ratio['median']:.1f} ({ratio['min']:.1f} to {ratio['max']:.1f})" if ratio else ""
        yield f"CPU per tools/call, {revision}, ms", [f"{seen[n]['cpu_ms']:.4f}" for n in names], verdict
        yield f"  calls a second, {CONNECTIONS} connections", [f"{seen[n]['calls_per_second']:.0f}" for n in names], ""
    for transport, seen in results["sse_latency_ms"].items():
        cell = f"{seen['p50']:.2f} / {seen['p99']:.2f} / {seen['max']:.2f}"
        yield f"SSE answer, {transport}, ms (p50/p99/max)", [cell if n == "ours" else "-" for n in names], ""


def print_table(results: dict) -> None:
    names = list(results["start_ms"])
    lines = [("", names, "peer/ours" if len(names) == 2 else ""), *rows(results, names)]
    for label, cells, ratio in lines:
        print(f"{label:<46}" + "".join(f"{cell:>22}" for cell in cells) + f"{ratio:>24}".rstrip())
    print()
    for goal, met in results["goals"].items():
        print(f"{VERDICTS[met]:<12}  {goal}")
    if results["bystanders"] > BYSTANDERS_LIMIT:
        print(f"\nOthers used {results['bystanders']:.0%} of this machine meanwhile: do not quote these figures.")


# The run -----------------------------------------------------------------------------------------


def options() -> argparse.Namespace:
    environment = os.environ.get
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", type=pathlib.Path,
                        default=environment("BENCH_BINARY", ROOT / "target/release/mcp-oauth-server"),
                        help="ours (BENCH_BINARY; default target/release/mcp-oauth-server)")
    parser.add_argument("--peer-python", type=pathlib.Path,
                        default=environment("BENCH_PEER_PYTHON", ROOT / "target/bench-peer/bin/python"),
                        help="a Python that has the peer (BENCH_PEER_PYTHON; default target/bench-peer/bin/python)")
    parser.add_argument("--peer-bare", action="store_true", help="the peer without FastAPI around it")
    parser.add_argument("--only", choices=["ours", "peer"], help="measure one of the two")
    parser.add_argument("--starts", type=int, default=7, help="starts of each server (7)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of load (3)")
    parser.add_argument("--seconds", type=int, default=5, help="longest load of one server in a round (5)")
    parser.add_argument("--calls", type=int, default=50_000, help="most calls to one server in a round (50000)")
    parser.add_argument("--latency-calls", type=int, default=300, help="sequential calls on each SSE transport (300)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--require-goals", action="store_true", help="exit with 2 unless every goal is met")
    return parser.parse_args()


def contenders(chosen: argparse.Namespace) -> list[Contender]:
    found = []
    if chosen.only != "peer":
        binary = pathlib.Path(chosen.binary).absolute()
        if not binary.is_file():
            sys.exit(f"{binary} is missing: cargo build --release, or name the binary (argument, BENCH_BINARY)")
        found.append(Contender("ours", lambda port, directory: [
            binary, "--port", str(port), "--store", f"sqlite:{directory}/store.db", "--log-level", "warn",
        ], has_jwks=True))
    if chosen.only != "ours":
        python = pathlib.Path(chosen.peer_python).absolute()
        if python.is_file() and subprocess.run([python, "-c", "import fastmcp"], capture_output=True).returncode == 0:
            bare = ["--bare"] if chosen.peer_bare else []
            found.append(Contender("peer", lambda port, _: [python, HERE / "peer.py", str(port), *bare], has_jwks=False))
        elif chosen.only == "peer":
            sys.exit(INSTALL_PEER)
        else:
            print(INSTALL_PEER + "\n", file=sys.stderr)
    return found


def measure(chosen: argparse.Namespace, entered: list[Contender]) -> dict:
    bystanders = Bystanders()
    results = {
        "machine": {"cores": os.cpu_count(), "kernel": platform.release(), "architecture": platform.machine()},
        "peer_bare": chosen.peer_bare,
        "start_ms": measure_starts(entered, chosen.starts),
    }
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(contender.running()) for contender in entered]
        tokens = {server: server.token() for server in servers}
        results["memory_mb"] = {server.name: measure_memory(server, token) for server, token in tokens.items()}
        results["cpu"] = measure_cpu(tokens, chosen)
        results["sse_latency_ms"] = {}
        for server, token in tokens.items():
            if server.name == "ours":
                results["sse_latency_ms"] = measure_latency(server, token, chosen.latency_calls)
    results["bystanders"] = bystanders.share()  # now that the servers are reaped
    results["goals"] = judge(results)
    return results


def main() -> int:
    chosen = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped too
    if not shutil.which("wrk"):
        sys.exit("wrk is missing: apt-get install wrk")
    entered = contenders(chosen)
    try:
        results = measure(chosen, entered)
    except (Void, OSError, http.client.HTTPException, ValueError) as reason:
        print("VOID:", reason if isinstance(reason, Void) else repr(reason), file=sys.stderr)
        return 1
    if chosen.json:
        print(json.dumps(results, indent=2))
    else:
        print_table(results)
    return 2 if chosen.require_goals and not all(results["goals"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
