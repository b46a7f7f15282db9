// OpenID providers as processes, those of the end-to-end tests: PROVIDER says how one is started.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

export const PROVIDER = process.env.PROVIDER?.split(" ").filter(Boolean);

// Another spelling of loopback than the server's: cookies do not tell ports apart.
const HOST = "127.0.0.1";

/** One provider like that of `profile`, for a server at `serverUrl` that calls it the same. */
export async function startProvider(profile, serverUrl) {
  const client = { client_id: `client-${profile}`, client_secret: randomBytes(24).toString("base64url") };
  const setup = {
    profile,
    host: HOST,
    port: await freePort(),
    resource: `${serverUrl}/mcp`,
    secret_key: "sk_test_unused",
    clients: [{ ...client, redirect_uris: [`${serverUrl}/callback/${profile}`] }],
  };
  const [command, ...flags] = PROVIDER;
  // The input stays open: its end ends the process, also when this one is killed.
  const program = spawn(command, flags, { stdio: ["pipe", "pipe", "inherit"] });
  program.stdin.write(`${JSON.stringify(setup)}\n`);
  const ended = once(program, "exit");
  const [line] = await Promise.race([once(createInterface({ input: program.stdout }), "line"), ended]);
  if (typeof line !== "string") throw new Error(`the provider ended with ${line}`);
  const stop = async () => {
    program.stdin.end();
    await ended;
  };
  return { ...client, profile, issuer: JSON.parse(line).issuer, origin: `http://${HOST}:${setup.port}`, stop };
}

export async function freePort() {
  const probe = createServer();
  probe.listen(0, HOST);
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
