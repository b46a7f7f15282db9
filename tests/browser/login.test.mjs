// A person in a real browser: the login, the consent, Swagger UI's Authorize button.
//
// Needs Chromium (CHROMIUM, else /usr/bin/chromium) and the built binary (MCP_OAUTH_SERVER, else
// target/debug). Screenshots go to the folder SCREENSHOTS, if it is set.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, watch } from "./browser.mjs";
import { authorizationRequest } from "./client.mjs";
import { DESKTOP, screenshot } from "./screenshots.mjs";
import { startServer } from "./server.mjs";

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function logIn(page, password) {
  await page.getByLabel("User name").fill("alice");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

test("a person without JavaScript logs in, consents and returns to the client", async () => {
  const { listener, url } = await authorizationRequest(server);
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const seen = watch(page, server);

  await page.goto(url);
  await screenshot(page, "login");
  await logIn(page, "wrong");
  assert.match(await page.getByRole("alert").innerText(), /Wrong user name or password/);
  await screenshot(page, "login-wrong");

  await logIn(page, "password");
  const text = await page.locator("main").innerText();
  assert.match(text, /A <b>test<\/b> client/, "markup in a name is text");
  assert.ok(text.includes(listener.uri), "the whole redirect address is shown");
  assert.match(text, /Use the tools of this server on your behalf/);
  assert.match(text, /program on this computer/, "a loopback client comes with a warning");
  await screenshot(page, "consent");
  assert.deepEqual(seen, { elsewhere: [], refused: [] });

  await page.getByRole("button", { name: "Allow" }).click();
  const answer = (await listener.answer).searchParams;
  assert.equal(answer.get("state"), "a state");
  assert.equal(answer.get("iss"), server.url);
  assert.ok(answer.get("code"));
  listener.close();
  await context.close();
});

test("the keyboard alone is enough, and no is an answer", async () => {
  const { listener, url } = await authorizationRequest(server);
  const page = await browser.newPage({ colorScheme: "dark" });

  await page.goto(url);
  // The browser gives the focus that the page asks for after it has loaded.
  await page.locator("input[name=username]:focus").waitFor();
  await page.keyboard.type("alice");
  await page.keyboard.press("Tab");
  await page.keyboard.type("password");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /Allow/ }).waitFor();
  await screenshot(page, "consent-by-keyboard");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");

  const answer = (await listener.answer).searchParams;
  assert.equal(answer.get("error"), "access_denied");
  assert.equal(answer.get("code"), null);
  listener.close();
  await page.close();
});

test("a person who logs out is asked for the password again", async () => {
  const { listener, url } = await authorizationRequest(server);
  const context = await browser.newContext();
  const page = await context.newPage();
  const seen = watch(page, server);

  await page.goto(url);
  await logIn(page, "password");
  await page.getByRole("heading", { name: /Allow/ }).waitFor();
  await page.goto(`${server.url}/logout`);
  await screenshot(page, "log-out");
  await page.getByRole("button", { name: "Log out" }).click();
  assert.match(await page.getByRole("status").innerText(), /Nobody is logged in/);
  await screenshot(page, "logged-out");

  await page.goto(url);
  await page.getByLabel("Password").waitFor();
  assert.deepEqual(seen, { elsewhere: [], refused: [] });
  listener.close();
  await context.close();
});

test("an unknown client gets a page that says so, and no redirect", async () => {
  const page = await browser.newPage();
  const response = await page.goto(`${server.url}/authorize?client_id=nobody&redirect_uri=https://evil.example/`);
  assert.equal(response.status(), 400);
  assert.match(await page.getByRole("alert").innerText(), /nobody/);
  await screenshot(page, "error");
  await page.close();
});

test("the landing page shows the address to copy", async () => {
  const page = await browser.newPage();
  const seen = watch(page, server);
  await page.goto(server.url);
  assert.ok((await page.locator("main").innerText()).includes(`${server.url}/mcp`));
  assert.deepEqual(seen, { elsewhere: [], refused: [] });
  await screenshot(page, "landing");
  await page.close();
});

for (const host of ["localhost", "127.0.0.1"]) {
  test(`Swagger UI at ${host} works offline and its Authorize button completes the flow`, async () => {
    const page = await browser.newPage({ viewport: DESKTOP });
    await page.goto(`${server.url.replace("localhost", host)}/docs`);
    await page.getByRole("button", { name: "Authorize" }).first().click();
    await page.locator(".modal-ux input[type=checkbox]").first().check();
    const popup = page.waitForEvent("popup");
    await page.locator(".modal-ux").getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
    const login = await popup;
    await logIn(login, "password");
    const closed = login.waitForEvent("close");
    await login.getByRole("button", { name: "Allow" }).click();
    await closed;
    await page.locator(".modal-ux").getByRole("button", { name: "Remove authorization" }).waitFor();
    await screenshot(page, `docs-${host}`);
    await page.locator(".modal-ux").getByRole("button", { name: "Close" }).click();

    await page.locator("#operations-OAuth-userinfo").getByRole("button").first().click();
    await page.getByRole("button", { name: "Try it out" }).click();
    await page.getByRole("button", { name: "Execute" }).click();
    const answer = page.locator("#operations-OAuth-userinfo .live-responses-table");
    await answer.getByText('"alice"').first().waitFor();
    await page.close();
  });
}
