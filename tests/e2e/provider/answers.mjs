// What is changed in the provider's own answers: how tests make it lie.

import { payloadOf } from './keys.mjs';

const LONG_AGO = 3_600;

/** Changes an ID token that the token endpoint is about to answer. */
const ID_TOKEN_FAULTS = {
  wrong_nonce: (claims) => ({ claims: { ...claims, nonce: 'of-another-login' } }),
  no_nonce: (claims) => ({ claims: { ...claims, nonce: null } }),
  wrong_audience: (claims) => ({ claims: { ...claims, aud: 'another-client' } }),
  foreign_azp: (claims) => ({ claims: { ...claims, aud: [claims.aud, 'another-client'], azp: 'another-client' } }),
  wrong_issuer: (claims) => ({ claims: { ...claims, iss: 'https://another-issuer.example' } }),
  expired: (claims) => ({ claims: { ...claims, iat: claims.iat - 2 * LONG_AGO, exp: claims.iat - LONG_AGO } }),
  wrong_key: (claims) => ({ claims, key: 'stranger' }),
  unsigned: (claims) => ({ claims, header: { alg: 'none', kid: null } }),
  signed_with_public_key: (claims) => ({ claims, header: { alg: 'HS256' } }),
};

const DISCOVERY_FAULTS = {
  wrong_issuer: (document) => { document.issuer = 'https://another-issuer.example'; },
  // The spelling people get wrong: with a slash where there is none, and the other way round.
  other_slash: (document) => { document.issuer = otherSlash(document.issuer); },
  no_pkce: (document) => { delete document.code_challenge_methods_supported; },
};

const REDIRECT_FAULTS = {
  wrong_issuer: (parameters) => parameters.set('iss', 'https://another-issuer.example'),
  no_issuer: (parameters) => parameters.delete('iss'),
  wrong_state: (parameters) => parameters.set('state', 'of-another-login'),
};

/** A middleware around everything oidc-provider does. */
export function lies({ state, keys, issued }) {
  return async (ctx, next) => {
    askForRefreshTokens(ctx);
    await next();
    const lie = LIES[ctx.oidc?.route];
    if (lie) lie(ctx, { state, keys, issued });
  };
}

/** oidc-provider gives refresh tokens only after a consent that was asked for; the profiles are not so strict. */
function askForRefreshTokens(ctx) {
  const { scope = '', prompt } = ctx.query;
  if (ctx.method === 'GET' && !prompt && String(scope).split(' ').includes('offline_access')) {
    ctx.query = { ...ctx.query, prompt: 'consent' };
  }
}

const LIES = {
  discovery(ctx, { state }) {
    DISCOVERY_FAULTS[state.faults.discovery]?.(ctx.body);
  },
  authorization: redirectToClient,
  resume: redirectToClient,
  token(ctx, { state, keys, issued }) {
    const change = ID_TOKEN_FAULTS[state.faults.token];
    if (ctx.body.id_token && change) ctx.body.id_token = keys.mint(change(payloadOf(ctx.body.id_token)));
    for (const kind of ['access_token', 'refresh_token', 'id_token']) {
      if (ctx.body[kind]) issued.push([kind, ctx.body[kind]]);
    }
  },
  introspection(ctx, { state }) {
    if (!state.audience) delete ctx.body.aud;
  },
};

function redirectToClient(ctx, { state }) {
  const location = ctx.response.get('Location');
  const change = REDIRECT_FAULTS[state.faults.authorization];
  const { redirect_uri: back } = ctx.oidc.params ?? {};
  if (!change || !back || !location.startsWith(back)) return;
  const changed = new URL(location);
  change(changed.searchParams);
  ctx.response.set('Location', changed.href);
}

function otherSlash(issuer) {
  return issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`;
}
