// What becomes of a call when the process behind it is killed, and of the calls after it.
import { connect } from './application.mjs';
import { drive, have } from './test_side.mjs';

drive(async ({ times, ...wanted }) => {
    const application = await connect(wanted);
    const found = [];
    for (let time = 0; time < times; time += 1) {
        await text(application, 'echo', { message: 'before' });
        const call = await callUnderWay(application);
        await have('kill');
        found.push({
            other: await text(application, 'hello', { name: 'World' }),
            call: await call.outcome,
            next: await text(application, 'echo', { message: 'after' }),
        });
    }
    return found;
});

const text = async (application, name, args) => (await application.callTool(name, args)).content[0].text;

/** A call of which the first step is done. */
function callUnderWay(application) {
    return new Promise((resolve, reject) => {
        const onprogress = () => resolve({ outcome });
        const outcome = application
            .callTool('trigger-long-running-operation', { duration: 30, steps: 300 }, { onprogress })
            .then(
                answer => ({ failed: answer.isError === true, saying: answer.content[0].text }),
                error => ({ failed: true, saying: error.message }),
            );
        outcome.then(what => reject(new Error(`before it was killed: ${what.saying}`)));
    });
}
