// Whether each of many calls at the same time gets its own answer.
import { connect } from './application.mjs';
import { drive } from './test_side.mjs';

drive(async ({ calls, ...wanted }) => {
    const application = await connect(wanted);
    const echo = async number => {
        const { content } = await application.callTool('echo', { message: `number ${number}` });
        return content[0].text === `Echo: number ${number}`;
    };
    const answers = await Promise.allSettled(Array.from({ length: calls }, (_, number) => echo(number)));
    return {
        right: answers.filter(answer => answer.value === true).length,
        wrong: answers.filter(answer => answer.value === false).length,
        failed: [...new Set(answers.filter(answer => answer.reason).map(answer => answer.reason.message))],
    };
});
