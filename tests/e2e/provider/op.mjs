// The OpenID provider itself, set up like one of the profiles. Nothing in here is a fault.

import { randomBytes } from 'node:crypto';

import { Provider } from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';

import { CLAIMS, accountOf, personOf } from './people.mjs';
import { PROFILES } from './profiles.mjs';

const SCOPES = ['openid', 'profile', 'email', 'offline_access', 'mcp:tools', 'mcp:write'];

// A provider with other keys is another instance on the same grants and cookies.
const adapter = createMemoryAdapter();
const cookieKeys = [randomBytes(32).toString('base64url')];

export function createProvider({ setup, state, keys }) {
  const profile = PROFILES[setup.profile];
  const provider = new Provider(setup.issuer, {
    adapter,
    jwks: keys.jwks,
    clients: setup.clients.map(confidential),
    claims: CLAIMS,
    scopes: SCOPES,
    cookies: { keys: cookieKeys },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    // ID tokens carry the claims of the scopes, as those of all three providers do.
    conformIdTokenClaims: false,
    extraParams: ['audience'],
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      introspection: { enabled: 'introspection' in profile.routes, allowedPolicy: () => true },
      pushedAuthorizationRequests: { enabled: false },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, client, oneOf) => oneOf ?? profile.resourceOf(ctx, setup),
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: SCOPES.join(' '),
          accessTokenFormat: state.opaque ? 'opaque' : 'jwt',
          accessTokenTTL: state.access_token_life,
        }),
      },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: false },
    },
    clientBasedCORS: () => true,
    findAccount: (ctx, subject) => accountOf(profile, subject),
    formats: { customizers: { jwt: (ctx, token, jwt) => customize(profile, { setup, state }, jwt) } },
    interactions: { url: (ctx, interaction) => `${profile.mount}/interaction/${interaction.uid}` },
    loadExistingGrant: grantEverything,
    pkce: { required: () => true },
    responseTypes: ['code'],
    rotateRefreshToken: true,
    routes: profile.routes,
    ttl: { AccessToken: () => state.access_token_life, AuthorizationCode: 600, Session: 86_400 },
  });
  if (setup.profile === 'clerk') nameTokensLikeClerk(provider);
  return provider;
}

function confidential(client) {
  return {
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    ...client,
  };
}

function customize(profile, { setup, state }, jwt) {
  const person = personOf(profile, jwt.payload.sub) ?? {};
  const { header, payload } = profile.customize({ header: {}, payload: jwt.payload }, { setup, state, person });
  jwt.header = header;
  jwt.payload = payload;
  if (!state.audience) {
    // oidc-provider insists on an audience. It is content with one that JSON does not show.
    Object.defineProperty(payload, 'aud', { value: payload.aud, enumerable: false, writable: true });
  }
}

/** Nobody is asked: the consent that counts is that of the server under test. */
async function grantEverything(ctx) {
  const { provider, client, session, params, resourceServers } = ctx.oidc;
  const known = ctx.oidc.result?.consent?.grantId ?? session.grantIdFor(client.clientId);
  const grant = (known && (await provider.Grant.find(known)))
    || new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  grant.addOIDCScope(params.scope ?? 'openid');
  for (const resource of Object.keys(resourceServers)) grant.addResourceScope(resource, params.scope ?? 'openid');
  await grant.save();
  return grant;
}

function nameTokensLikeClerk({ AccessToken }) {
  const { generateTokenId } = AccessToken.prototype;
  AccessToken.prototype.generateTokenId = function named() {
    return `oat_${generateTokenId.call(this)}`;
  };
}
