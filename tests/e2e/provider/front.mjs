// What listens on the provider's port: it counts, fails as told, and hands on what is left.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { parse } from 'node:querystring';
import { setTimeout as sleep } from 'node:timers/promises';

import { VERIFY_PATHS, verify } from './clerk_verify.mjs';
import { logIn, loginPage } from './people.mjs';
import { PROFILES } from './profiles.mjs';

const HUGE_BYTES = 2 * 1024 * 1024;

export class Front {
  #world;

  #profile;

  #server;

  #stalled = new Set();

  constructor(world) {
    this.#world = world;
    this.#profile = PROFILES[world.setup.profile];
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => {
        console.error(error);
        response.destroy();
      });
    });
  }

  /** Listens on the port of the set-up: at first, and again after `pause`. */
  async resume() {
    const { port, host } = this.#world.setup;
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
  }

  /** Connections are refused from now on, and those that are open are cut. */
  async pause() {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  /** Lets those go on that wait in a stalled endpoint; each looks anew at how the endpoint is. */
  release() {
    for (const go of this.#stalled) go();
    this.#stalled.clear();
  }

  async #answer(request, response) {
    const path = this.#pathBelowMount(request);
    const endpoint = this.#endpoint(path);
    const { state, requests } = this.#world;
    requests[endpoint] = (requests[endpoint] ?? 0) + 1;
    if (state.clock_ahead) response.setHeader('Date', new Date(Date.now() + state.clock_ahead * 1_000).toUTCString());
    while (state.faults[endpoint] === 'stalled') await new Promise((go) => { this.#stalled.add(go); });
    const fault = state.faults[endpoint];
    if (typeof fault?.slow === 'number') await sleep(fault.slow * 1_000);
    if (this.#fails(fault, response)) return;
    await this.#handOn(endpoint, path, request, response);
  }

  /** The path that oidc-provider knows; it finds its mount point in what `originalUrl` has in front. */
  #pathBelowMount(request) {
    const { mount } = this.#profile;
    if (!mount) return pathOf(request.url);
    // RFC 8414 §3.1 puts the issuer's path behind the well-known name, OpenID Connect Discovery in front.
    const inserted = `/.well-known/oauth-authorization-server${mount}`;
    const url = pathOf(request.url) === inserted
      ? `${mount}/.well-known/oauth-authorization-server` : request.url;
    if (url.startsWith(`${mount}/`)) {
      request.originalUrl = url;
      request.url = url.slice(mount.length);
    }
    return pathOf(request.url);
  }

  #endpoint(path) {
    if (path.startsWith('/.well-known/o')) return 'discovery';
    if (path.startsWith('/interaction/')) return 'login';
    if (VERIFY_PATHS.includes(path)) return 'verify';
    const route = Object.entries(this.#profile.routes).find(([, prefix]) => path === prefix);
    return route ? route[0] : 'other';
  }

  #fails(fault, response) {
    switch (fault) {
      case 'error':
        reply(response, 500, 'text/plain', 'out of order');
        return true;
      case 'garbage':
        reply(response, 200, 'application/json', '<html>{"keys": [');
        return true;
      case 'huge':
        reply(response, 200, 'application/json', JSON.stringify(this.#hugeKeySet()));
        return true;
      case 'redirect':
        response.writeHead(302, { Location: this.#world.control.replace('127.0.0.1', 'localhost') + '/keys' }).end();
        return true;
      default:
        return false;
    }
  }

  /** The right keys, and so many beside them that nobody should read on. */
  #hugeKeySet() {
    const { keys } = this.#world.keys.published;
    const copies = Math.ceil(HUGE_BYTES / JSON.stringify(keys[0]).length);
    return { keys: [...keys, ...Array.from({ length: copies }, (_, number) => ({ ...keys[0], kid: `more-${number}` }))] };
  }

  async #handOn(endpoint, path, request, response) {
    if (endpoint === 'verify' && this.#world.setup.profile === 'clerk') {
      const [status, body] = await verify(request, this.#world);
      reply(response, status, 'application/json', JSON.stringify(body));
    } else if (endpoint === 'login') {
      await this.#logIn(request, response);
    } else {
      this.#world.provider.callback()(request, response);
    }
  }

  async #logIn(request, response) {
    const { provider, state } = this.#world;
    const finish = (result, options) => provider.interactionFinished(request, response, result, options);
    const refuse = (error) => finish({ error, error_description: 'Said the provider.' }, { mergeWithLastSubmission: false });
    const { prompt } = await provider.interactionDetails(request, response);
    if (['access_denied', 'server_error'].includes(state.faults.authorization)) return refuse(state.faults.authorization);
    if (prompt.name === 'consent') return finish({ consent: {} });
    if (request.method !== 'POST') return reply(response, 200, 'text/html; charset=utf-8', loginPage(false));
    const form = parse(await text(request));
    if (form.cancel) return refuse('access_denied');
    const accountId = logIn(this.#profile, form);
    if (!accountId) return reply(response, 403, 'text/html; charset=utf-8', loginPage(true));
    return finish({ login: { accountId } }, { mergeWithLastSubmission: false });
  }
}

function pathOf(url) {
  return url.split('?')[0];
}

function reply(response, status, type, body) {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
}
