/**
 * `npm run test:report`: opens the report in a real Chromium, in light and dark, on a desk and on a phone, checks what can
 * be checked and leaves screenshots in reports/. Needs Debian's `chromium`, or CHROMIUM with the path of another one.
 */
import { strict as assert } from "node:assert";
import { accessSync, constants, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { renderReport } from "../../tools/demo/report/page.ts";
import { tokenLives } from "../../tools/demo/report/token-lives.ts";
import { runDemo } from "../../tools/demo/run.ts";

const views = [
  { name: "light", colorScheme: "light", width: 1280, height: 900 },
  { name: "dark", colorScheme: "dark", width: 1280, height: 900 },
  { name: "phone", colorScheme: "light", width: 360, height: 740 },
  { name: "phone-dark", colorScheme: "dark", width: 360, height: 740 },
] as const;

/** The WCAG contrast of every text on the page's ground. Runs in the browser. */
const contrasts = `(() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = luminance(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll("h1, h2, p, dt, dd, td, th, summary, .name, .told")].map((element) => {
    const ink = luminance(getComputedStyle(element).color);
    return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
  });
})()`;

const executablePath = findChromium();
if (executablePath === undefined) {
  process.stderr.write(
    "There is no Chromium: install Debian's (apt-get install chromium), or set CHROMIUM to the path of one.\n",
  );
  process.exit(2);
}
const result = await runDemo({ weeks: 3 });
const page = renderReport(result);
// Chromium's own sandbox can't be made by root, as whom containers often run.
const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath, args });
try {
  mkdirSync("reports", { recursive: true });
  for (const view of views) await check(browser, view);
} finally {
  await browser.close();
}

async function check(opened: Browser, { name, colorScheme, width, height }: (typeof views)[number]): Promise<void> {
  const context = await opened.newContext({ viewport: { width, height }, colorScheme });
  const shown = await context.newPage();
  const asked: string[] = [];
  const complaints: string[] = [];
  shown.on("request", (request) => asked.push(request.url()));
  shown.on("console", (message) => complaints.push(message.text()));
  await shown.setContent(page, { waitUntil: "load" });
  await shown.screenshot({ path: `reports/report-${name}.png`, fullPage: true });

  assert.deepEqual(asked, [], `${name}: it asks the network for something`);
  assert.deepEqual(complaints, [], `${name}: the browser complains`);
  assert.equal(await shown.locator("#lives .lanes li").count(), tokenLives(result.timeline).length, `${name}: lanes`);
  const overflow = await shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  assert.equal(overflow, 0, `${name}: the page is wider than the window`);
  const ratios = await shown.evaluate<number[]>(contrasts);
  assert.ok(
    Math.min(...ratios) >= 4.5,
    `${name}: a text has a contrast of ${Math.min(...ratios).toFixed(2)}, below 4.5`,
  );
  await checkKeyboard(shown, name);
  await context.close();
  process.stdout.write(`${name}: ok (reports/report-${name}.png)\n`);
}

async function checkKeyboard(shown: Page, name: string): Promise<void> {
  await shown.keyboard.press("Tab");
  assert.equal(
    await shown.evaluate("document.activeElement.textContent"),
    "To the tokens",
    `${name}: the skip link is first`,
  );
  await shown.keyboard.press("Tab");
  assert.equal(await shown.evaluate("document.activeElement.matches('.lanes li')"), true, `${name}: then the lanes`);
  const outline = await shown.evaluate("getComputedStyle(document.activeElement).outlineStyle");
  assert.equal(outline, "solid", `${name}: the focus is visible`);
  await shown.locator("details > summary").nth(1).focus();
  await shown.keyboard.press("Enter");
  assert.equal(
    await shown.evaluate("document.querySelectorAll('details')[1].open"),
    true,
    `${name}: Enter opens a rotation`,
  );
}

function findChromium(): string | undefined {
  const { CHROMIUM, PATH = "" } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const names = ["chromium", "chromium-browser", "google-chrome"];
  return PATH.split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
