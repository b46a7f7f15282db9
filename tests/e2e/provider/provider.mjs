// One real OpenID provider on loopback that behaves like Clerk, Auth0 or Keycloak.
//
// Reads one line of JSON from its standard input:
//   {"profile": "clerk" | "auth0" | "keycloak", "host": "127.0.0.1", "port": 1234, "resource": our MCP URL,
//    "secret_key": Clerk's secret key, "clients": [{"client_id", "client_secret", "redirect_uris"}, …]}
// writes one line of JSON when it listens, {"issuer", "control"}, and ends when its input does.
// `control` is the address of the interface by which tests change and question it while it runs.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';

import { lies } from './answers.mjs';
import { Front } from './front.mjs';
import { KeyRing } from './keys.mjs';
import { createProvider } from './op.mjs';
import { PROFILES } from './profiles.mjs';

const input = createInterface({ input: process.stdin });
input.once('close', () => process.exit(0));
const [line] = await once(input, 'line');
const setup = JSON.parse(line);
const profile = PROFILES[setup.profile];
setup.issuer = profile.issuer(`http://${setup.host}:${setup.port}`);

const world = {
  setup,
  keys: new KeyRing(),
  // What tests may change at any time: POST /state.
  state: {
    audience: true,
    opaque: false,
    token_type: null,
    access_token_life: profile.accessTokenLife,
    verify_milliseconds: false,
    clock_ahead: 0,
    revoked: [],
    faults: {},
  },
  // How often each endpoint was asked.
  requests: {},
  // The tokens that were given out, so that nobody else's log may hold one.
  issued: [],
};
const front = new Front(world);
build();

const CONTROL = {
  'GET /state': () => world.state,
  'POST /state': (changes) => {
    Object.assign(world.state, changes);
    front.release();
    return world.state;
  },
  'GET /requests': () => world.requests,
  'GET /issued': () => world.issued,
  // Where the key set redirects to when it is told to: good keys at a bad place.
  'GET /keys': () => {
    world.requests.keys_elsewhere = (world.requests.keys_elsewhere ?? 0) + 1;
    return world.keys.published;
  },
  'POST /rotate': ({ keep }) => {
    const kid = world.keys.rotate({ keep });
    build();
    return { kid };
  },
  'POST /mint': (wanted) => ({ token: world.keys.mint(wanted) }),
  'POST /pause': () => front.pause(),
  'POST /resume': () => front.resume(),
};

const control = createServer(async (request, response) => {
  const handler = CONTROL[`${request.method} ${request.url}`];
  try {
    if (!handler) throw new Error(`no ${request.method} ${request.url} here`);
    const answer = await handler(request.method === 'POST' ? await json(request) : undefined);
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  } catch (error) {
    response.writeHead(400, { 'Content-Type': 'text/plain' }).end(String(error?.stack ?? error));
  }
});
control.listen(0, '127.0.0.1');
await once(control, 'listening');
world.control = `http://127.0.0.1:${control.address().port}`;
await front.resume();
console.log(JSON.stringify({ issuer: setup.issuer, control: world.control }));

/** A provider with the keys of now, on the grants of before. */
function build() {
  world.provider = createProvider(world);
  world.provider.use(lies(world));
  world.provider.on('server_error', (ctx, error) => console.error(error));
}
