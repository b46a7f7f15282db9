// Preloaded into the official conformance suite, which can't log in: every request to the server
// under test carries a token, unless it carries one already.
//
// MCP_SERVER is the origin of the server, such as http://127.0.0.1:8000. The token is MCP_TOKEN, or
// one of the server's /dev/token.
import http from "node:http";
import { createRequire, syncBuiltinESMExports } from "node:module";

const server = new URL(process.env.MCP_SERVER);
const token = process.env.MCP_TOKEN ?? (await developerToken());
const authorization = `Bearer ${token}`;

async function developerToken() {
  const answer = await fetch(new URL("/dev/token", server));
  if (!answer.ok) throw new Error(`${answer.url} answers ${answer.status}: ${await answer.text()}`);
  return (await answer.json()).access_token;
}

// What fetch() and undici use; the suite sends most of its requests so.
const { getGlobalDispatcher, setGlobalDispatcher } = createRequire(process.argv[1])("undici");
setGlobalDispatcher(
  getGlobalDispatcher().compose((dispatch) => (options, handler) => {
    if (new URL(options.origin).host !== server.host) return dispatch(options, handler);
    return dispatch({ ...options, headers: authorized(options.headers) }, handler);
  }),
);

// undici takes headers as names and values in turn, as pairs, or as an object.
function authorized(headers) {
  if (Array.isArray(headers) && typeof headers[0] === "string") {
    const names = headers.filter((_, index) => index % 2 === 0);
    return names.some(isAuthorization) ? headers : [...headers, "authorization", authorization];
  }
  const pairs = headers?.[Symbol.iterator] ? [...headers] : Object.entries(headers ?? {});
  if (pairs.some(([name]) => isAuthorization(name))) return headers;
  return Object.fromEntries([...pairs, ["authorization", authorization]]);
}

function isAuthorization(name) {
  return String(name).toLowerCase() === "authorization";
}

// What the suite uses to send headers that fetch() forbids.
const request = http.request;
http.request = (...given) => {
  const sent = request(...given);
  const host = sent.getHeader("host");
  const meant = typeof given[0] === "object" ? (given[0].port ?? "") : new URL(given[0]).port;
  if (String(meant) === server.port && host && !sent.hasHeader("authorization")) {
    sent.setHeader("authorization", authorization);
  }
  return sent;
};
syncBuiltinESMExports();
