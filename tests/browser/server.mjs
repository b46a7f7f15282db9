// The server under test: a process with its store in memory, on a free port unless it is told one.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BUILT = fileURLToPath(new URL("../../target/debug/mcp-oauth-server", import.meta.url));

export async function startServer({ port = 0, configuration = "" } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "mcp-oauth-browser-"));
  const file = join(directory, "server.toml");
  writeFileSync(file, configuration);
  const flags = ["--config", file, "--port", String(port), "--store", "memory"];
  const program = spawn(process.env.MCP_OAUTH_SERVER ?? BUILT, flags, {
    cwd: directory,
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await announcedAddress(program);
  const stop = async () => {
    program.kill("SIGTERM");
    await once(program, "exit");
    rmSync(directory, { recursive: true });
  };
  return { url, stop };
}

async function announcedAddress(program) {
  let text = "";
  for await (const piece of program.stdout) {
    text += piece;
    const found = text.match(/(http:\/\/localhost:\d+)\/mcp\s/);
    if (found) {
      program.stdout.resume();
      return found[1];
    }
  }
  throw new Error(`the server ended without an address: ${text}`);
}
