// What a person would see, for a look after the run: to the folder SCREENSHOTS, if it is set.

import { join } from "node:path";

export const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 375, height: 700 };

export async function screenshot(page, name) {
  if (!process.env.SCREENSHOTS) return;
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
      await page.setViewportSize(viewport);
      const file = `${name}-${device}${colorScheme === "dark" ? "-dark" : ""}.png`;
      await page.screenshot({ path: join(process.env.SCREENSHOTS, file), fullPage: true });
    }
  }
}
