// How a driver talks to the test that started it: one JSON document a line. The first line of its input is
// what to do; it asks for what it needs, is answered in turn, and its last line is the outcome.
import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function read() {
    const { value, done } = await lines.next();
    if (done) throw new Error('the test has gone');
    return JSON.parse(value);
}

const write = document => process.stdout.write(`${JSON.stringify(document)}\n`);

/** Shows a person's browser the address, and returns the parameters with which they came back. */
export async function openBrowser(url) {
    write({ open: url });
    return read();
}

/** Has the test do something to the server, and waits for that. */
export async function have(what) {
    write({ have: what });
    await read();
}

/** Tells the test of secrets that passed, by the name of their parameter, so that it can look for them in logs. */
export const showSecrets = secrets => write({ secrets });

/** Does what the test asks, tells it the outcome and ends. */
export async function drive(work) {
    const outcome = await work(await read());
    process.stdout.write(`${JSON.stringify({ outcome })}\n`, () => process.exit(0));
}
