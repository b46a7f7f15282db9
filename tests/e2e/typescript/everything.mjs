// What server-everything answers to each method, wherever it runs: started by the SDK, or behind a server.
import { connect } from './application.mjs';
import { comparable } from './comparable.mjs';
import { METHODS } from './methods.mjs';
import { drive } from './test_side.mjs';

drive(async wanted => {
    const application = await connect(wanted);
    const answers = {};
    for (const [method, { ask, until2026 }] of Object.entries(METHODS)) {
        if (until2026 && application.isModern) continue;
        try {
            answers[method] = comparable(await ask(application));
        } catch (error) {
            answers[method] = { failed: `${error.name} ${error.code ?? ''}: ${error.message}` };
        }
    }
    return { answers, modern: application.isModern, signIns: application.authorization.signIns };
});
