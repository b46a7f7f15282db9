// Clerk's own way of asking about an opaque token: POST /oauth_applications/access_tokens/verify of its
// Backend API, which authenticates the caller by the instance's secret key.

import { createHash } from 'node:crypto';
import { json } from 'node:stream/consumers';

export const VERIFY_PATHS = ['/oauth_applications/access_tokens/verify', '/v1/oauth_applications/access_tokens/verify'];

export async function verify(request, { setup, state, provider }) {
  if (request.headers.authorization !== `Bearer ${setup.secret_key}`) {
    return refusal(401, 'clerk_key_invalid', 'The provided Clerk Secret Key is invalid.');
  }
  const { access_token: token } = await json(request);
  if (typeof token !== 'string') return refusal(422, 'form_param_missing', 'access_token must be included.');
  // A JWT needs nobody's word; what Clerk says of one it does not look up is this.
  if (token.split('.').length === 3) return [200, { active: false }];
  const found = await provider.AccessToken.find(token, { ignoreExpiration: true });
  if (!found) return refusal(404, 'resource_not_found', 'No access token was found.');
  const unit = state.verify_milliseconds ? 1_000 : 1;
  return [200, {
    object: 'clerk_idp_oauth_access_token',
    id: `oat_${createHash('sha256').update(token).digest('hex').slice(0, 32)}`,
    type: 'oauth_token',
    client_id: found.clientId,
    subject: found.accountId,
    scopes: found.scope.split(' '),
    revoked: state.revoked.includes(token),
    revocation_reason: state.revoked.includes(token) ? 'Revoked by user' : null,
    expired: found.isExpired,
    expiration: found.exp * unit,
    created_at: found.iat * unit,
    updated_at: found.iat * unit,
  }];
}

function refusal(status, code, message) {
  return [status, { errors: [{ message, long_message: message, code }] }];
}
