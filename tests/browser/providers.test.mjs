// A person in a real browser who logs in at one of two providers: consent, login there, back at the client.
//
// Needs what login.test.mjs needs, and PROVIDER: how to start the OpenID provider, see tests/e2e/README.md.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, watch } from "./browser.mjs";
import { authorizationRequest } from "./client.mjs";
import { PROVIDER, freePort, startProvider } from "./provider.mjs";
import { screenshot } from "./screenshots.mjs";
import { startServer } from "./server.mjs";

const SUBJECTS = { clerk: /\|user_2xhFjEI5X2qWRvtV13alice$/, keycloak: /\|3f0c7e1a-8d52-4a0b-9c3e-00616c696365$/ };

const options = PROVIDER ? {} : { skip: "PROVIDER does not say how to start the OpenID provider" };

let providers = [];
let server;
let browser;

before(async () => {
  if (!PROVIDER) return;
  const port = await freePort();
  const url = `http://localhost:${port}`;
  providers = await Promise.all(["clerk", "keycloak"].map((profile) => startProvider(profile, url)));
  server = await startServer({ port, configuration: configuration() });
  assert.equal(server.url, url);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await Promise.all(providers.map((provider) => provider.stop()));
});

function configuration() {
  const table = ({ profile, issuer, client_id, client_secret }) => `
[identity.${profile}]
kind = "${profile}"
issuer = "${issuer}"
client_id = "${client_id}"
client_secret = "${client_secret}"
allowed_domains = ["example.com"]
`;
  return `providers = ["clerk", "keycloak"]\n${providers.map(table).join("")}`;
}

async function consent(page, title) {
  await page.getByRole("button", { name: title }).click();
  await page.getByRole("heading", { name: "Log in at the provider" }).waitFor();
}

async function logIn(page, name) {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill("password");
  await page.getByRole("button", { name: "Log in" }).click();
}

function subjectOf(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url")).sub;
}

for (const [index, title] of ["Clerk", "Keycloak"].entries()) {
  test(`a person without JavaScript consents, logs in at ${title} and returns to the client`, options, async () => {
    const provider = providers[index];
    const { listener, redeem, url } = await authorizationRequest(server);
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    const seen = watch(page, server);

    await page.goto(url);
    const text = await page.locator("main").innerText();
    assert.match(text, /A <b>test<\/b> client/, "markup in a name is text");
    assert.ok(text.includes(listener.uri), "the whole redirect address is shown");
    assert.equal(await page.getByLabel("Password").count(), 0, "nobody types a password of a provider here");
    for (const name of ["Clerk", "Keycloak"]) assert.equal(await page.getByRole("button", { name }).count(), 1);
    await screenshot(page, "providers-consent");
    assert.deepEqual(seen, { elsewhere: [], refused: [] });

    await consent(page, title);
    assert.ok(page.url().startsWith(provider.origin));
    await logIn(page, "alice");

    const answer = (await listener.answer).searchParams;
    assert.equal(answer.get("state"), "a state");
    assert.equal(answer.get("iss"), server.url);
    assert.match(subjectOf(await redeem(answer.get("code"))), SUBJECTS[provider.profile]);
    assert.deepEqual(seen.refused, []);
    listener.close();
    await context.close();
  });
}

test("a person who is on no list is told so, and the client only when they go back", options, async () => {
  const { listener, url } = await authorizationRequest(server);
  const context = await browser.newContext();
  const page = await context.newPage();
  const seen = watch(page, server);

  await page.goto(url);
  await consent(page, "Keycloak");
  await logIn(page, "carol");
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.ok(page.url().startsWith(`${server.url}/callback/keycloak`));
  assert.match(await page.locator("main").innerText(), /carol@elsewhere\.example/);
  await screenshot(page, "providers-refused");
  assert.deepEqual(seen.refused, []);

  await page.getByRole("link").first().click();
  const answer = (await listener.answer).searchParams;
  assert.equal(answer.get("error"), "access_denied");
  assert.equal(answer.get("code"), null);
  listener.close();
  await context.close();
});

test("a person who changes their mind at the provider, or before, is not let in", options, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const denied = await authorizationRequest(server);
  await page.goto(denied.url);
  await page.locator("button[name=decision][value=deny]").click();
  assert.equal((await denied.listener.answer).searchParams.get("error"), "access_denied");

  const cancelled = await authorizationRequest(server);
  await page.goto(cancelled.url);
  await consent(page, "Clerk");
  await page.getByRole("button", { name: "Cancel" }).click();
  assert.equal((await cancelled.listener.answer).searchParams.get("error"), "access_denied");
  for (const { listener } of [denied, cancelled]) listener.close();
  await context.close();
});

test("an answer that nobody asked for gets a page that says so", options, async () => {
  const page = await browser.newPage();
  const response = await page.goto(`${server.url}/callback/clerk?code=made-up&state=made-up`);
  assert.equal(response.status(), 403);
  await page.getByRole("alert").waitFor();
  await screenshot(page, "providers-unasked");
  await page.close();
});
