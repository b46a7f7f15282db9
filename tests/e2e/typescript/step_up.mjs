// How a client of either SDK goes on when a tool needs more than it has.
import { connect } from './application.mjs';
import { drive } from './test_side.mjs';

drive(async wanted => {
    const application = await connect(wanted);
    const { authorization, client } = application;
    const call = async (name, args) => {
        const outcome = await application.callTool(name, args).then(
            ({ content }) => ({ text: content[0].text }),
            error => ({ refusal: error.message }),
        );
        return { ...outcome, scopes: authorization.scopes, signIns: authorization.signIns };
    };
    return {
        modern: application.isModern,
        hello: await call('hello', { name: 'World' }),
        listed: (await client.listTools()).tools.map(tool => tool.name).sort(),
        more: await call('add_numbers', { a: 2, b: 40 }),
        again: await call('add_numbers', { a: 1, b: 1 }),
    };
});
