// An MCP client that wants a person to let it in.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";

// The client's own listener on loopback, as native clients have one.
async function callback() {
  let heard;
  const answer = new Promise((resolve) => (heard = resolve));
  const listener = createServer((request, response) => {
    response.end("You can close this page.");
    if (request.url.startsWith("/callback")) heard(new URL(request.url, "http://localhost"));
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  // A test that fails leaves it open, which must not keep the run from ending.
  listener.unref();
  return { answer, uri: `http://127.0.0.1:${listener.address().port}/callback`, close: () => listener.close() };
}

async function register(server, redirectUri) {
  const response = await fetch(`${server.url}/register`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      client_name: "A <b>test</b> client",
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
    }),
  });
  assert.equal(response.status, 201);
  return (await response.json()).client_id;
}

export async function authorizationRequest(server) {
  const listener = await callback();
  const clientId = await register(server, listener.uri);
  const verifier = randomBytes(32).toString("base64url");
  const parameters = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: listener.uri,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    scope: "mcp:tools offline_access",
    state: "a state",
  });
  // The code that came back buys a token: the person is really in.
  const redeem = async (code) => {
    const response = await fetch(`${server.url}/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        code,
        client_id: clientId,
        redirect_uri: listener.uri,
        code_verifier: verifier,
      }),
    });
    assert.equal(response.status, 200);
    return (await response.json()).access_token;
  };
  return { listener, redeem, url: `${server.url}/authorize?${parameters}` };
}
