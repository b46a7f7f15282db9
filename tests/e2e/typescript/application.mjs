// How a host connects with either SDK: directly to a command, or by way of OAuth to a server.
import { Authorization } from './authorization.mjs';
import { Person } from './person.mjs';

const INFO = { name: 'tea-and-biscuits', version: '1.0.0' };

/** Opens what the test asks for: `{ sdk, mode, transport: stdio | http | sse, command | url }`. */
export async function connect(wanted) {
    const application = new Application(await import(`./sdk_${wanted.sdk}.mjs`), wanted);
    await application.open();
    return application;
}

class Application {
    person = new Person();
    #sdk;
    #wanted;
    #transport;

    constructor(sdk, wanted) {
        this.#sdk = sdk;
        this.#wanted = wanted;
        this.authorization = new Authorization(wanted.grantTypes);
    }

    get isModern() {
        return this.#sdk.isModern(this.client);
    }

    /** A client that is turned away can't be used again: the next one begins with the tokens. */
    async open() {
        await this.authorized(async () => {
            this.client = this.#sdk.createClient(INFO, { capabilities: Person.CAPABILITIES, mode: this.#wanted.mode });
            this.person.attend(this.client, this.#sdk);
            this.#transport = this.#createTransport();
            await this.client.connect(this.#transport);
        });
    }

    /** Does something; if that takes a person's consent first, gets it and does it once more. */
    async authorized(act) {
        try {
            return await act();
        } catch (error) {
            if (!(error instanceof this.#sdk.UnauthorizedError)) throw error;
            await this.#sdk.finishAuthorization(this.#transport, this.authorization.callback);
            return act();
        }
    }

    callTool(name, args = {}, { meta, ...options } = {}) {
        const params = { name, arguments: args, ...(meta && { _meta: meta }) };
        return this.authorized(() => this.#sdk.callTool(this.client, params, options));
    }

    #createTransport() {
        const { transport, command, url } = this.#wanted;
        const authProvider = this.authorization;
        if (transport === 'stdio') {
            const [program, ...args] = command;
            return new this.#sdk.StdioClientTransport({ command: program, args, env: this.#wanted.env, stderr: 'ignore' });
        }
        return transport === 'sse'
            ? new this.#sdk.SSEClientTransport(new URL(url), { authProvider })
            : new this.#sdk.StreamableHTTPClientTransport(new URL(url), { authProvider });
    }
}
