"""The peer: the same two tools behind the same kind of token, on FastMCP.

Started by run.py with the peer's own Python:  peer.py PORT [--bare]

FastMCP is mounted in FastAPI with CORS, as in the demonstration this project replaces; --bare
serves FastMCP's own application, the least it can cost. One worker, stateless, JSON answers:
FastMCP's cheapest way to answer. The key is made at start and never written, like ours on its
first start, and /dev/token signs with it.
"""

import argparse

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth import RemoteAuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier, RSAKeyPair
from starlette.responses import JSONResponse, PlainTextResponse

ISSUER = "https://dev.example.com"
AUDIENCE = "my-mcp-server"
HOUR = 3600  # seconds


def build(base_url: str) -> FastMCP:
    key = RSAKeyPair.generate()
    verifier = JWTVerifier(public_key=key.public_key, issuer=ISSUER, audience=AUDIENCE, algorithm="RS256")
    auth = RemoteAuthProvider(token_verifier=verifier, authorization_servers=[ISSUER], base_url=base_url)
    server = FastMCP(name="peer", auth=auth)

    @server.tool
    def hello(name: str) -> str:
        """Greets the caller."""
        return f"Hello, {name}! This is a protected endpoint."

    @server.tool
    def add_numbers(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    @server.custom_route("/mcp/health", methods=["GET"])
    async def health(_request):
        return PlainTextResponse("OK")

    @server.custom_route("/dev/token", methods=["GET"])
    async def dev_token(_request):
        token = key.create_token(
            subject="dev-user", issuer=ISSUER, audience=AUDIENCE,
            scopes=["read", "write"], expires_in_seconds=HOUR,
        )
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": HOUR})

    return server


def in_fastapi(inner):
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    outer = FastAPI(title="peer", lifespan=inner.lifespan)
    outer.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    outer.mount("/", inner)
    return outer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--bare", action="store_true", help="without FastAPI around it")
    args = parser.parse_args()
    app = build(f"http://127.0.0.1:{args.port}").http_app(path="/mcp", stateless_http=True, json_response=True)
    uvicorn.run(
        app if args.bare else in_fastapi(app),
        host="127.0.0.1", port=args.port, workers=1,
        loop="uvloop", http="httptools", log_level="warning", access_log=False,
    )


if __name__ == "__main__":
    main()
