/**
 * `npm run test:report`: opens the demo's report and the pages of `c2m-tokens history` and `rehearse` in a real Chromium, in light and dark, on
 * a desk, on a phone and on paper, checks what can be checked and leaves screenshots in reports/. Needs Debian's `chromium`, or CHROMIUM with the path of another one.
 */
import { strict as assert } from "node:assert";
import { accessSync, constants, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Histories } from "../../cli/history/gather.ts";
import { readLine } from "../../cli/history/lines.ts";
import { tokenLives as tokenLivesOf } from "../../cli/history/lives.ts";
import { historyPage } from "../../cli/history/page.ts";
import { rehearsalPage } from "../../cli/rehearse/page.ts";
import { type PromiseName, promises, Verdicts } from "../../cli/rehearse/promises.ts";
import { Answers } from "../../cli/rehearse/questions.ts";
import type { Rehearsal } from "../../cli/rehearse/report.ts";
import { formatLine } from "../../src/formats/ledger.ts";
import { parseValue } from "../../src/formats/stored-token.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { renderReport } from "../../tools/demo/report/page.ts";
import { tokenLives } from "../../tools/demo/report/token-lives.ts";
import { runDemo } from "../../tools/demo/run.ts";
import { runReconciler } from "../harness/reconciler-run.ts";
import { World } from "../harness/rotation-world.ts";

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
const history = await historyOfRotations();
const tokens = { skip: "To the tokens", first: ".lanes li" };
const pages = [
  { name: "report", page: renderReport(result), lanes: tokenLives(result.timeline).length, ...tokens },
  {
    name: "history",
    page: historyPage(history),
    lanes: history.secrets.flatMap(({ lives }) => lives).length,
    ...tokens,
  },
  { name: "rehearsal", page: rehearsalPage(aRehearsal()), lanes: 0, skip: "To the promises", first: ".scroll" },
];
// Chromium's own sandbox can't be made by root, as whom containers often run.
const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath, args });
try {
  mkdirSync("reports", { recursive: true });
  for (const page of pages) for (const view of views) await check(browser, page, view);
} finally {
  await browser.close();
}

async function check(
  opened: Browser,
  { name: of, page, lanes, skip, first }: (typeof pages)[number],
  { name: view, colorScheme, width, height }: (typeof views)[number],
): Promise<void> {
  const name = `${of}-${view}`;
  const context = await opened.newContext({ viewport: { width, height }, colorScheme });
  const shown = await context.newPage();
  const asked: string[] = [];
  const complaints: string[] = [];
  shown.on("request", (request) => asked.push(request.url()));
  shown.on("console", (message) => complaints.push(message.text()));
  await shown.setContent(page, { waitUntil: "load" });
  await shown.screenshot({ path: `reports/${name}.png`, fullPage: true });

  assert.deepEqual(asked, [], `${name}: it asks the network for something`);
  assert.deepEqual(complaints, [], `${name}: the browser complains`);
  const lists = shown.locator("main > section .lanes");
  const drawn = (await lists.count()) === 0 ? 0 : await lists.first().locator("li").count();
  assert.equal(drawn, lanes, `${name}: lanes`);
  const overflow = await shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  assert.equal(overflow, 0, `${name}: the page is wider than the window`);
  const ratios = await shown.evaluate<number[]>(contrasts);
  assert.ok(
    Math.min(...ratios) >= 4.5,
    `${name}: a text has a contrast of ${Math.min(...ratios).toFixed(2)}, below 4.5`,
  );
  await checkKeyboard(shown, name, { skip, first });
  if (of === "report") await checkDetails(shown, name);
  await checkPaper(shown, name);
  await context.close();
  process.stdout.write(`${name}: ok (reports/${name}.png)\n`);
}

async function checkKeyboard(
  shown: Page,
  name: string,
  { skip, first }: { skip: string; first: string },
): Promise<void> {
  await shown.keyboard.press("Tab");
  assert.equal(await shown.evaluate("document.activeElement.textContent"), skip, `${name}: the skip link is first`);
  await shown.keyboard.press("Tab");
  const isNext = await shown.evaluate(`document.activeElement.matches(${JSON.stringify(first)})`);
  assert.equal(isNext, true, `${name}: then ${first}`);
  const outline = await shown.evaluate("getComputedStyle(document.activeElement).outlineStyle");
  assert.equal(outline, "solid", `${name}: the focus is visible`);
}

/** On paper it is dark on white, whatever the reader's screen, and nothing is cut off at the side. */
async function checkPaper(shown: Page, name: string): Promise<void> {
  const a4Width = 680;
  await shown.setViewportSize({ width: a4Width, height: 1000 });
  await shown.emulateMedia({ media: "print" });
  assert.equal(
    await shown.evaluate("getComputedStyle(document.body).backgroundColor"),
    "rgb(255, 255, 255)",
    `${name}: paper is white`,
  );
  const overflow = await shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  assert.equal(overflow, 0, `${name}: the page is wider than the paper`);
  assert.ok(Math.min(...(await shown.evaluate<number[]>(contrasts))) >= 4.5, `${name}: a text is too pale on paper`);
  await shown.screenshot({ path: `reports/${name}-paper.png`, fullPage: true });
}

/** One in which a promise was broken and one was not tried, with answers that differ from the local cloud's. */
function aRehearsal(): Rehearsal {
  const startedAt = Date.parse("2026-06-01T20:15:00Z");
  const verdicts = new Verdicts();
  const version = "8a3f1e5c-6f0d-4a53-9d7e-0f2f6c1f7a11";
  for (const name of Object.keys(promises) as PromiseName[]) {
    if (name !== "compromised") verdicts.held(name, `looked at version ${version}`, "C2M accepts it (works)");
  }
  const topic = "arn:aws:sns:us-east-1:123456789012:c2m-token-rotation-alarms";
  verdicts.broken("heard", "SetAlarmState of c2m-token-rotation-rotator-errors", `Failed to execute action ${topic}`);
  const answers = new Answers();
  answers.met("secretsManager.pendingAfterSuccess", "not within 1 min", true);
  answers.met("secretsManager.labelOrder", "sorted", false);
  answers.delay("logs.deliveryDelayMs", 12_000, 1_000);
  return {
    stack: "sandbox",
    secret: "c2m/api-token",
    startedAt,
    endedAt: startedAt + 900_000,
    graceMs: 300_000,
    interrupted: false,
    tried: verdicts.all(),
    answers: answers.all(),
    leftBehind: [
      {
        what: `current token tok_lt_b8e0aa in version ${version}`,
        until: startedAt + 5e9,
        how: "the next rotation replaces it",
      },
      { what: "versions in the secret", until: undefined, how: "Secrets Manager removes old ones" },
    ],
  };
}

/** Weekly rotations with a call that got no answer, a token that can't be revoked, and one that was revoked. */
async function historyOfRotations(): Promise<Histories> {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  for (let week = 0; week < 6; week += 1) {
    await world.clock.advanceBy(7 * 86_400_000);
    if (week === 2) world.fail("issueLongTermToken", { kind: "cut", when: "after" });
    if (week === 4) Object.assign(world.c2mEngine.knobs, { tokenIdInBody: false, tokenIdInHeader: false });
    await world.rotate();
    if (week === 2) world.operator.moveStage("AWSPENDING", undefined);
    await world.clock.advanceBy(2 * 3_600_000);
    await runReconciler(world, { scope: "all" });
  }
  const to = world.clock.now();
  const lines = world.log.flatMap(({ event, fields, at }) => {
    const line = readLine(
      formatLine(event, fields, at),
      at,
      "2026/01/01/c2m-token-rotation-rotator[$LATEST]0a1b2c3d4e5f",
    );
    return line && line !== "unreadable" ? [line] : [];
  });
  const versions = Object.entries(world.stages()).map(([versionId, labels]) => ({
    versionId,
    labels,
    createdAt: undefined,
    held: parseValue(new Sensitive(world.text(versionId) ?? "")),
  }));
  const from = to - 90 * 86_400_000;
  const lives = tokenLivesOf({ now: to, from, versions, lines, graceMs: 3_600_000 });
  return { from, to, secrets: [{ name: world.settings.secretName, arn: world.arn, lives, gaps: [] }] };
}

async function checkDetails(shown: Page, name: string): Promise<void> {
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
