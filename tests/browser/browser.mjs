// The browser, and what is noticed of it.

import { chromium } from "playwright-core";

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
  });
}

// Anything the page asked for from elsewhere, and anything its policy refused.
export function watch(page, server) {
  const seen = { elsewhere: [], refused: [] };
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith("data:")) seen.elsewhere.push(request.url());
  });
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) seen.refused.push(message.text());
  });
  return seen;
}
