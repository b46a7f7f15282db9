// What a host does on behalf of its user: answers a server's questions, and listens to what it tells.

const DEADLINE_MILLISECONDS = 20_000;

const ANSWERS = {
    'elicitation/create': asked =>
        asked.mode === 'url'
            ? { action: 'accept' }
            : { action: 'accept', content: { check: true, integer: 7, name: 'Ada', number: 2.5 } },
    'sampling/createMessage': asked => ({
        role: 'assistant',
        content: { type: 'text', text: `A model's answer to: ${asked.messages[0].content.text}` },
        model: 'model-of-the-test',
        stopReason: 'endTurn',
    }),
};
const HEARD = [
    'notifications/message',
    'notifications/prompts/list_changed',
    'notifications/resources/list_changed',
    'notifications/resources/updated',
    'notifications/tools/list_changed',
];

export class Person {
    static CAPABILITIES = {
        elicitation: { form: {}, url: {} },
        roots: { listChanged: true },
        sampling: {},
    };
    roots = [{ uri: 'file:///tea', name: 'Tea' }];
    /** What a server asked, oldest first. */
    asked = [];
    #heard = [];
    #waiting = new Set();

    attend(client, sdk) {
        for (const [method, answer] of Object.entries(ANSWERS)) {
            sdk.onRequest(client, method, params => this.#answer(method, params, answer));
        }
        sdk.onRequest(client, 'roots/list', params => this.#answer('roots/list', params, () => ({ roots: this.roots })));
        for (const method of HEARD) {
            sdk.onNotification(client, method, params => this.#hear({ method, params }));
        }
    }

    /** What is heard from now on: wait for one with `until`. */
    listen() {
        const from = this.#heard.length;
        return {
            all: () => this.#heard.slice(from),
            until: (method, fits = () => true) =>
                this.#until(() => this.#heard.slice(from).find(one => one.method === method && fits(one.params)), method),
        };
    }

    #until(find, what) {
        return new Promise((resolve, reject) => {
            const look = () => {
                const found = find();
                if (found) settle(resolve, found.params);
            };
            const settle = (end, value) => {
                clearTimeout(deadline);
                this.#waiting.delete(look);
                end(value);
            };
            const deadline = setTimeout(() => settle(reject, new Error(`${what} was not heard`)), DEADLINE_MILLISECONDS);
            this.#waiting.add(look);
            look();
        });
    }

    #answer(method, params, answer) {
        this.asked.push({ method, params });
        return answer(params);
    }

    #hear(one) {
        this.#heard.push(one);
        this.#waiting.forEach(look => look());
    }
}
