// What a host keeps of OAuth for its SDK: the registration, the tokens, and a browser beside it. Both SDKs
// take the same interface.
import { randomUUID } from 'node:crypto';
import { openBrowser, showSecrets } from './test_side.mjs';

export const CLIENT_NAME = 'Tea & Biscuits in TypeScript';
const REDIRECT_URI = 'http://localhost:33420/callback';

export class Authorization {
    /** How often a person was sent to the browser. */
    signIns = 0;
    /** What the person came back with last, as it stood in the address bar. */
    callback;
    #state;
    #registration;
    #tokens;
    #verifier;
    #discovery;
    #grantTypes;

    constructor(grantTypes = ['authorization_code', 'refresh_token']) {
        this.#grantTypes = grantTypes;
    }

    get redirectUrl() {
        return REDIRECT_URI;
    }

    get clientMetadata() {
        return {
            client_name: CLIENT_NAME,
            redirect_uris: [REDIRECT_URI],
            grant_types: this.#grantTypes,
            response_types: ['code'],
            token_endpoint_auth_method: 'none',
        };
    }

    /** The scopes of the token, the permission to refresh aside. */
    get scopes() {
        return this.#tokens.scope.split(' ').filter(scope => scope !== 'offline_access').sort();
    }

    state() {
        return (this.#state = randomUUID());
    }

    clientInformation() {
        return this.#registration;
    }

    saveClientInformation(registration) {
        this.#registration = registration;
        const { client_secret, registration_access_token } = registration;
        showSecrets({ client_secret, registration_access_token });
    }

    tokens() {
        return this.#tokens;
    }

    saveTokens(tokens) {
        this.#tokens = tokens;
        const { access_token, refresh_token } = tokens;
        showSecrets({ access_token, refresh_token });
    }

    saveCodeVerifier(verifier) {
        this.#verifier = verifier;
        showSecrets({ code_verifier: verifier });
    }

    codeVerifier() {
        return this.#verifier;
    }

    saveDiscoveryState(state) {
        this.#discovery = state;
    }

    discoveryState() {
        return this.#discovery;
    }

    async redirectToAuthorization(url) {
        this.signIns += 1;
        this.callback = new URLSearchParams(await openBrowser(url.href));
        if (this.callback.get('state') !== this.#state) throw new Error('another request was answered');
    }
}
