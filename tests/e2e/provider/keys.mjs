// The provider's signing keys, and tokens made of any claims, in any header, signed by any of them.

import { constants, createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

const DIGESTS = { RS256: 'sha256', PS256: 'sha256', RS512: 'sha512' };

export class KeyRing {
  // Newest first: the first key signs.
  #keys = [];

  // Published nowhere: what a stranger would sign with.
  #stranger = generate('stranger');

  // Key ids are counted rather than random, so that two providers have the same ids for other keys.
  #made = 0;

  constructor() {
    this.rotate({ keep: false });
  }

  /** A new key signs from now on; the old ones stay published with `keep`. Returns the new key's id. */
  rotate({ keep }) {
    this.#made += 1;
    const fresh = generate(`key-${this.#made}`);
    this.#keys = [fresh, ...(keep ? this.#keys : [])];
    return fresh.kid;
  }

  get jwks() {
    return { keys: structuredClone(this.#keys) };
  }

  get published() {
    return { keys: this.#keys.map(({ kty, n, e, kid, use, alg }) => ({ kty, n, e, kid, use, alg })) };
  }

  /**
   * A JWT of `claims`. A member of `claims` or `header` that is null is left out. `key` is `current`, or
   * `stranger` for a key nobody published; `kid` of the header may say anything.
   */
  mint({ claims, header = {}, key = 'current' }) {
    const jwk = key === 'stranger' ? this.#stranger : this.#keys[0];
    const protectedHeader = { alg: 'RS256', kid: this.#keys[0].kid, ...header };
    const signed = [protectedHeader, claims].map((part) => encode(JSON.stringify(withoutNulls(part)))).join('.');
    return `${signed}.${signature(protectedHeader.alg, jwk, signed)}`;
  }
}

export function payloadOf(jwt) {
  return JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));
}

function generate(kid) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}

function signature(alg, jwk, signed) {
  if (alg === 'none') return '';
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  // The classic confusion: the published key taken for a shared secret.
  if (alg === 'HS256') {
    const secret = createPublicKey(key).export({ type: 'spki', format: 'pem' });
    return createHmac('sha256', secret).update(signed).digest('base64url');
  }
  const padding = alg.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  return sign(DIGESTS[alg], Buffer.from(signed), { key, padding, saltLength }).toString('base64url');
}

function withoutNulls(part) {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null));
}

function encode(text) {
  return Buffer.from(text).toString('base64url');
}
