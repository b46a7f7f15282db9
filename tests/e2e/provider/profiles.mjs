// What Clerk, Auth0 and Keycloak do differently, as far as a resource server or a client can tell.

const seconds = { day: 86_400 };

/** Everything a token of `setup.profile` says is decided here: its issuer, paths, header and claims. */
export const PROFILES = {
  // The issuer is a bare origin; ID tokens have the keys of access tokens, so that `typ` is the only wall.
  clerk: {
    issuer: (origin) => origin,
    mount: '',
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      userinfo: '/oauth/userinfo',
      introspection: '/oauth/token_info',
      revocation: '/oauth/token/revoke',
      jwks: '/.well-known/jwks.json',
      registration: '/oauth/register',
    },
    subjectOf: (username) => `user_2xhFjEI5X2qWRvtV13${username}`,
    accessTokenLife: seconds.day,
    // An access token is a JWT whether or not a resource was asked for.
    resourceOf: (ctx, setup) => setup.resource,
    customize({ header, payload }, { state }) {
      return { header: { ...header, typ: state.token_type ?? 'at+jwt' }, payload };
    },
  },

  // The issuer ends with a slash. Only who names an API, by `audience`, gets a JWT.
  auth0: {
    issuer: (origin) => `${origin}/`,
    mount: '',
    routes: {
      authorization: '/authorize',
      token: '/oauth/token',
      userinfo: '/userinfo',
      revocation: '/oauth/revoke',
      jwks: '/.well-known/jwks.json',
      registration: '/oidc/register',
    },
    subjectOf: (username) => `auth0|${username}`,
    accessTokenLife: seconds.day,
    resourceOf: (ctx) => ctx.oidc.params.audience,
    customize({ header, payload }, { state, setup, person }) {
      const { client_id, ...rest } = payload;
      const rfc9068 = state.token_type === 'at+jwt';
      return {
        header: { ...header, typ: state.token_type ?? 'JWT' },
        payload: {
          ...rest,
          ...(rfc9068 ? { client_id } : { azp: client_id }),
          aud: [payload.aud, `${setup.issuer}userinfo`],
          permissions: person.permissions,
          org_id: person.org_id,
        },
      };
    },
  },

  // The issuer has a path. Without an audience mapper a token is for nobody in particular.
  keycloak: {
    issuer: (origin) => `${origin}/realms/demo`,
    mount: '/realms/demo',
    routes: {
      authorization: '/protocol/openid-connect/auth',
      token: '/protocol/openid-connect/token',
      userinfo: '/protocol/openid-connect/userinfo',
      introspection: '/protocol/openid-connect/token/introspect',
      revocation: '/protocol/openid-connect/revoke',
      jwks: '/protocol/openid-connect/certs',
      registration: '/clients-registrations/openid-connect',
    },
    subjectOf: (username) => `3f0c7e1a-8d52-4a0b-9c3e-${Buffer.from(username).toString('hex').padStart(12, '0')}`,
    accessTokenLife: 300,
    resourceOf: (ctx, setup) => setup.resource,
    customize({ header, payload }, { state, setup, person }) {
      const { client_id, ...rest } = payload;
      return {
        header: { ...header, typ: state.token_type ?? 'JWT' },
        payload: {
          ...rest,
          typ: 'Bearer',
          azp: client_id,
          aud: setup.resource,
          groups: person.groups,
          realm_access: { roles: person.groups },
          email: person.email,
          email_verified: person.email_verified,
          preferred_username: person.preferred_username,
        },
      };
    },
  },
};
