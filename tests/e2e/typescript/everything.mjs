// What server-everything answers to each method, wherever it runs: started by the SDK, or behind a server.
import { connect } from './application.mjs';
import { comparable } from './comparable.mjs';
import { METHODS } from './methods.mjs';
import { drive } from './test_side.mjs';

drive(async wanted => {
    const application = await connect(wanted);
    const answers = {};
    for (const method of wanted.methods) {
        try {
            answers[method] = comparable(await METHODS[method](application));
        } catch (error) {
            answers[method] = { failed: `${error.name} ${error.code ?? ''}: ${error.message}` };
        }
    }
    return { answers, known: Object.keys(METHODS), modern: application.isModern, signIns: application.authorization.signIns };
});
