// Everything that server-everything answers, one by one: how it is asked, and what of the answer is told.
import { ADDED } from './comparable.mjs';

const DOCUMENT = 'demo://resource/static/document/features.md';
const TEXT = 'demo://resource/dynamic/text/7';
const BLOB = 'demo://resource/dynamic/blob/8';
const DATA = `data:text/plain;base64,${Buffer.from('Tea and biscuits, '.repeat(50)).toString('base64')}`;
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';

const byName = (one, other) => (one.name < other.name ? -1 : 1);
const sorted = things => [...things].sort(byName);
const tool = (name, args) => application => application.callTool(name, args);
const prompt = (name, args) => ({ client }) => client.getPrompt({ name, arguments: args });
const read = uri => ({ client }) => client.readResource({ uri });
const complete = (ref, name, value, context) => ({ client }) =>
    client.complete({ ref, argument: { name, value }, ...(context && { context }) });

/** A server may say no in two ways, as an error of the protocol or of the tool: either is a no. */
const refused = act => async application => {
    const answer = await act(application).catch(() => ({ isError: true }));
    if (!answer.isError) throw new Error(`not refused: ${JSON.stringify(answer)}`);
    return 'refused';
};

export const METHODS = {
    'initialize': ({ client }) => {
        // Tasks of 2025-11-25 were an experiment that 2026-07-28 has no more: they end here.
        const { tasks, ...capabilities } = client.getServerCapabilities();
        return capabilities;
    },
    'instructions': ({ client }) => client.getInstructions(),
    'ping': ({ client }) => client.ping(),

    'tools/list': async ({ client }) => sorted((await client.listTools()).tools).map(({ execution, ...tool }) => tool),
    'tools/call echo': tool('echo', { message: 'Grüße, 茶 & 🍪' }),
    'tools/call get-sum': tool('get-sum', { a: 2.5, b: 40 }),
    'tools/call get-tiny-image': tool('get-tiny-image'),
    'tools/call get-annotated-message': tool('get-annotated-message', { messageType: 'success', includeImage: true }),
    'tools/call get-env': async application => {
        const { content } = await application.callTool('get-env');
        return JSON.parse(content[0].text).FAVOURITE_TEA;
    },
    'tools/call get-resource-links': tool('get-resource-links', { count: 4 }),
    'tools/call get-resource-reference text': tool('get-resource-reference', { resourceType: 'Text', resourceId: 3 }),
    'tools/call get-resource-reference blob': tool('get-resource-reference', { resourceType: 'Blob', resourceId: 4 }),
    'tools/call get-structured-content': tool('get-structured-content', { location: 'Chicago' }),
    'tools/call gzip-file-as-resource': tool('gzip-file-as-resource', { name: 'tea.gz', data: DATA, outputType: 'resource' }),
    'tools/call trigger-long-running-operation': tool('trigger-long-running-operation', { duration: 0.2, steps: 2 }),
    'tools/call trigger-elicitation-request': asking('trigger-elicitation-request', {}),
    'tools/call trigger-url-elicitation': asking('trigger-url-elicitation', {
        url: 'https://tea.example/',
        elicitationId: 'tea-1',
    }),
    'tools/call trigger-sampling-request': asking('trigger-sampling-request', { prompt: 'Tea?', maxTokens: 9 }),
    'tools/call get-roots-list': tool('get-roots-list'),
    'tools/call of a tool that is unknown': refused(application => application.callTool('brew-coffee')),
    'tools/call with arguments of another type': refused(application => application.callTool('get-sum', { a: 'two' })),
    'notifications/progress': progress,
    'notifications/cancelled': cancel,

    'resources/list': async ({ client }) => sorted((await client.listResources()).resources),
    'resources/templates/list': async ({ client }) =>
        sorted((await client.listResourceTemplates()).resourceTemplates),
    'resources/read document': read(DOCUMENT),
    'resources/read text': read(TEXT),
    'resources/read blob': read(BLOB),
    'resources/read of a resource that is unknown': refused(({ client }) => client.readResource({ uri: 'demo://coffee' })),
    'resources/subscribe': subscribe,
    'resources/unsubscribe': unsubscribe,
    'notifications/resources/list_changed': addResource,
    'resources/read of a resource that was added': read(`demo://resource/session/${ADDED}`),

    'prompts/list': async ({ client }) => sorted((await client.listPrompts()).prompts),
    'prompts/get simple-prompt': prompt('simple-prompt'),
    'prompts/get args-prompt': prompt('args-prompt', { city: 'Assam', state: 'Brahmaputra' }),
    'prompts/get args-prompt, the optional left out': prompt('args-prompt', { city: 'Assam' }),
    'prompts/get completable-prompt': prompt('completable-prompt', { department: 'Sales', name: 'Eve' }),
    'prompts/get resource-prompt': prompt('resource-prompt', { resourceType: 'Blob', resourceId: '5' }),
    'prompts/get of a prompt that is unknown': refused(({ client }) => client.getPrompt({ name: 'brew-coffee' })),
    'completion/complete of a prompt': complete({ type: 'ref/prompt', name: 'completable-prompt' }, 'department', 'S'),
    'completion/complete with context': complete({ type: 'ref/prompt', name: 'completable-prompt' }, 'name', 'D', {
        arguments: { department: 'Sales' },
    }),
    'completion/complete of a template': complete(
        { type: 'ref/resource', uri: 'demo://resource/dynamic/text/{resourceId}' },
        'resourceId',
        '12',
    ),

    'logging/setLevel': setLevel,
    'notifications/message': logMessage,
    'notifications/roots/list_changed': changeRoots,
};

/** A tool that asks the person or their model: what it asked, and what it made of the answer. */
function asking(name, args) {
    return async application => {
        const before = application.person.asked.length;
        const answer = await application.callTool(name, args);
        // For the roots it asks once, a moment after the connection was made.
        const asked = application.person.asked.slice(before).filter(({ method }) => method !== 'roots/list');
        // Revision 2026-07-28 has no id of a question.
        return { asked: asked.map(({ method, params: { elicitationId, ...params } }) => ({ method, params })), answer };
    };
}

/** Both SDKs may lose the last step, when the answer comes with it. */
async function progress(application) {
    const steps = [];
    const onprogress = ({ progress, total }) => steps.push({ progress, total });
    await application.callTool('trigger-long-running-operation', { duration: 0.3, steps: 3 }, { onprogress });
    return steps.slice(0, 2);
}

/** Given up after the first step: the call ends at once, and the connection serves the next. */
async function cancel(application) {
    const giveUp = new AbortController();
    const options = { onprogress: () => giveUp.abort(), signal: giveUp.signal };
    const call = application.callTool('trigger-long-running-operation', { duration: 30, steps: 300 }, options);
    const outcome = await call.then(() => 'ended', () => 'given up');
    return { outcome, next: await application.callTool('echo', { message: 'still here' }) };
}

/** Asks for updates of the resource, in the way of either era, and returns how to take that back. */
async function askForUpdates({ client, isModern }, uri) {
    if (isModern) {
        const subscription = await client.listen({ resourceSubscriptions: [uri] });
        return () => subscription.close();
    }
    await client.subscribeResource({ uri });
    return () => client.unsubscribeResource({ uri });
}

async function subscribe(application) {
    const heard = application.person.listen();
    const takeBack = await askForUpdates(application, TEXT);
    await application.callTool('toggle-subscriber-updates');
    const { uri } = await heard.until('notifications/resources/updated', update => update.uri === TEXT);
    await application.callTool('toggle-subscriber-updates');
    await takeBack();
    return { uri };
}

/** The updates are sent in the order of the subscriptions: the second would come after the first. */
async function unsubscribe(application) {
    await (await askForUpdates(application, TEXT))();
    const takeBack = await askForUpdates(application, BLOB);
    const heard = application.person.listen();
    await application.callTool('toggle-subscriber-updates');
    await heard.until('notifications/resources/updated', update => update.uri === BLOB);
    await application.callTool('toggle-subscriber-updates');
    await takeBack();
    return heard.all().filter(one => one.method === 'notifications/resources/updated').map(one => one.params.uri);
}

async function addResource(application) {
    const { client, isModern, person } = application;
    const subscription = isModern && (await client.listen({ resourcesListChanged: true }));
    const heard = person.listen();
    const answer = await application.callTool('gzip-file-as-resource', { name: ADDED, data: DATA });
    await heard.until('notifications/resources/list_changed');
    if (subscription) await subscription.close();
    const { resources } = await client.listResources();
    return { answer, listed: resources.some(resource => resource.uri === answer.content[0].uri) };
}

/** The server says something of a level it draws by lot, at once and every few seconds, until it is told again. */
async function simulateLog(application, meta) {
    const started = await application.callTool('toggle-simulated-logging', {}, { meta });
    return { started, stopped: await application.callTool('toggle-simulated-logging', {}, { meta }) };
}

const SIMULATED = /^[A-Z][a-z]+[- ]level[- ]message/;

async function logMessage(application) {
    const heard = application.person.listen();
    const meta = application.isModern ? { [LOG_LEVEL]: 'debug' } : undefined;
    if (!application.isModern) await application.client.setLoggingLevel('debug');
    const said = await simulateLog(application, meta);
    const { level, data } = await heard.until('notifications/message', message => SIMULATED.test(message.data));
    return { ...said, saysItsLevel: data.toLowerCase().startsWith(level) };
}

/** Of ten messages drawn by lot hardly all are of the highest level: those below it may not come. */
async function setLevel(application) {
    const { client, person } = application;
    await client.setLoggingLevel('emergency');
    const high = person.listen();
    for (let time = 0; time < 10; time += 1) await simulateLog(application);
    const heard = high.all().filter(one => SIMULATED.test(one.params?.data));
    await client.setLoggingLevel('debug');
    const all = person.listen();
    await simulateLog(application);
    await all.until('notifications/message', message => SIMULATED.test(message.data));
    return { tooLow: heard.filter(one => one.params.level !== 'emergency').map(one => one.params) };
}

/** The server asks for the roots again, and says so in its log. */
async function changeRoots(application) {
    const { client, person } = application;
    await client.setLoggingLevel('info');
    const heard = person.listen();
    person.roots = [...person.roots, { uri: 'file:///biscuits', name: 'Biscuits' }];
    await client.sendRootsListChanged();
    const { data } = await heard.until('notifications/message', message => message.data.startsWith('Roots updated'));
    return { data, listed: await application.callTool('get-roots-list') };
}
