import { document } from "../report/document.ts";
import { type Html, html } from "../report/html.ts";
import { time } from "../report/lanes.ts";
import { harmless } from "../terminal.ts";
import { span } from "../time-text.ts";
import type { LeftBehind } from "./leftovers.ts";
import type { Tried } from "./promises.ts";
import type { Answer } from "./questions.ts";
import { allHeld, type Rehearsal, summary } from "./report.ts";

/** The rehearsal as one page that needs nothing else. */
export function rehearsalPage(rehearsal: Rehearsal): string {
  const { stack, secret, startedAt, endedAt, graceMs, interrupted, tried, answers, leftBehind } = rehearsal;
  const page = document({
    title: `Rehearsal of ${stack}, ${time(startedAt).slice(0, 10)}`,
    skip: { to: "promises", text: "To the promises" },
    body: html`<header>
<h1>Rehearsal of the rotation of ${secret}</h1>
<p class="quiet">Stack ${stack}, ${time(startedAt)} to ${time(endedAt)} UTC, with a grace of ${span(graceMs)}, by <code>c2m-tokens rehearse</code>. It holds no token.</p>
<p class="verdict${allHeld(rehearsal) ? "" : " broken"}">${interrupted ? "Stopped; " : ""}${summary(rehearsal)}.</p>
</header>
<main id="promises">
<section>
<h2>Promises</h2>
${scrolled("Promises", ["verdict", "promise, and what was done", "what AWS or C2M answered"], html`${tried.map(promiseRows)}`)}
</section>
<section>
<h2>What only AWS and C2M can answer</h2>
${scrolled("Questions", ["question", "answer", "the local cloud", "its knob"], html`<tbody>${answers.map(answerRow)}</tbody>`)}
</section>
<section>
<h2>Left behind</h2>
${scrolled("Left behind", ["what", "until (UTC)", "what ends it"], html`<tbody>${leftBehind.map(leftRow)}</tbody>`)}
</section>
</main>`,
  });
  // Of what others have written nothing may hide, or turn the text around.
  return page.text.split("\n").map(harmless).join("\n");
}

function scrolled(label: string, columns: readonly string[], body: Html): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table><thead><tr>${columns.map((name) => html`<th>${name}</th>`)}</tr></thead>${body}</table></div>`;
}

function promiseRows({ promise, verdict, evidence }: Tried): Html {
  const rows = evidence.map(
    ({ did, answered, verdict: one }) =>
      html`<tr><td>${one === "held" ? "" : one}</td><td>${did}</td><td>${answered}</td></tr>`,
  );
  return html`<tbody><tr><th class="verdict${verdict === "held" ? "" : " broken"}">${verdict}</th><th scope="rowgroup" colspan="2">${promise}</th></tr>${rows}</tbody>`;
}

function answerRow({ knob, asks, answered, local, differs }: Answer): Html {
  const said = answered === undefined ? "did not come by" : `${differs ? "differs: " : ""}${answered}`;
  return html`<tr><td>${asks}</td><td>${said}</td><td>${local}</td><td class="name">${knob}</td></tr>`;
}

function leftRow({ what, until, how }: LeftBehind): Html {
  return html`<tr><td>${what}</td><td>${until === undefined ? "" : time(until)}</td><td>${how}</td></tr>`;
}
