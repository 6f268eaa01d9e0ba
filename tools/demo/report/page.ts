import { document } from "../../../cli/report/document.ts";
import { Html, html } from "../../../cli/report/html.ts";
import { key, lanes, time, type Window } from "../../../cli/report/lanes.ts";
import type { DemoResult } from "../run.ts";
import { tokenLanes } from "./token-lanes.ts";
import { type TokenLife, tokenLives } from "./token-lives.ts";

/** Shown before and after a rotation's close-up, in ms. */
const marginMs = 5 * 60_000;

/** What the demo did, as one page that needs nothing else: no script, no network. */
export function renderReport(result: DemoResult): string {
  const lives = tokenLives(result.timeline);
  const page = document({
    title: `c2m-token-rotation: ${result.rotations} rotations`,
    skip: { to: "lives", text: "To the tokens" },
    body: html`<header>
<h1>${result.rotations} rotations, ${result.lettersAccepted} letters: ${result.lettersDouble} sent twice, ${result.lettersLost} lost</h1>
<p class="quiet">The deployed program in the local cloud, ${time(result.window.from)} to ${time(result.window.to)} UTC of virtual time. Nothing here reached AWS or C2M.</p>
${verdict(result)}
${figures(result)}
</header>
<main>
<section id="lives" aria-labelledby="lives-title">
<h2 id="lives-title">A lane per token, from issue to revocation</h2>
${key(
  [
    ["pending", "pending"],
    ["current", "current"],
    ["grace", "in grace"],
  ],
  ["promoted", "revoked"],
)}
${lanes(tokenLanes(lives, result.window.to), result.window)}
</section>
<section aria-labelledby="close-title">
<h2 id="close-title">Each rotation close up</h2>
<p class="quiet">The old token stays alive for ${result.graceHours} h after the new one is current: an app that reads the secret once in that time never holds a dead one.</p>
${closeUps(lives)}
</section>
<section aria-labelledby="app-title">
<h2 id="app-title">Letters, per day</h2>
${appDays(result)}
</section>
<section aria-labelledby="calls-title">
<h2 id="calls-title">Calls per step</h2>
${calls(result)}
</section>
<section aria-labelledby="faults-title">
<h2 id="faults-title">Faults injected</h2>
${faults(result)}
</section>
</main>`,
  });
  return page.text;
}

function verdict({ violations }: DemoResult): Html {
  if (violations.length === 0) return html`<p class="verdict">✓ The promise was kept.</p>`;
  return html`<p class="verdict broken">✕ The promise was broken:</p><ul>${violations.map((text) => html`<li>${text}</li>`)}</ul>`;
}

function figures(result: DemoResult): Html {
  const shown: [string, number, bad?: boolean][] = [
    ["tokens issued", result.tokensIssued],
    ["revoked", result.tokensRevoked],
    ["alive at the end", result.tokensLive],
    ["letters sent", result.lettersSent],
    ["accepted", result.lettersAccepted],
    ["sent twice", result.lettersDouble, result.lettersDouble > 0],
    ["lost", result.lettersLost, result.lettersLost > 0],
    ["refused or unknown", result.appFailures, result.appFailures > 0],
    ["Secrets Manager calls per rotation", result.awsCallsPerRotation],
    ["C2M calls per rotation", result.c2mCallsPerRotation],
  ];
  return html`<dl class="figures">${shown.map(([name, value, bad]) => html`<div><dt>${name}</dt><dd class="${bad ? "bad" : ""}">${value}</dd></div>`)}</dl>`;
}

function closeUps(lives: readonly TokenLife[]): Html {
  const rotations = lives.slice(1).map((life, index) => ({ life, before: lives[index] }));
  return html`${rotations.map(({ life, before }, index) => {
    const end = Math.max(life.promotedAt ?? life.issuedAt, before?.revokedAt ?? 0);
    const window: Window = { from: life.issuedAt - marginMs, to: end + marginMs };
    const shown = before ? [before, life] : [life];
    return new Html(
      `<details${index === 0 ? " open" : ""}>${html`<summary>Rotation ${index + 1}: ${time(life.issuedAt)}</summary>${lanes(tokenLanes(shown, window.to), window)}`.text}</details>`,
    );
  })}`;
}

function appDays({ appByDay }: DemoResult): Html {
  const most = Math.max(1, ...appByDay.map(({ accepted, refused }) => accepted + refused));
  const percent = (count: number) => ((count / most) * 100).toFixed(1);
  const bars = appByDay.map(
    ({ day, accepted, refused }) =>
      html`<li title="${time(day).slice(0, 10)}: ${accepted} accepted, ${refused} refused"><i class="refused" style="height:${percent(refused)}%"></i><i style="height:${percent(accepted)}%"></i></li>`,
  );
  const total = appByDay.reduce((sum, { refused }) => sum + refused, 0);
  return html`<ol class="days" aria-hidden="true">${bars}</ol>
<p class="quiet">Higher on the days of a rotation: then an app sends one every second. Another one, in a process of its own, is frozen in the middle of a letter when a rotation begins, and goes on when the token it had is dead. Refused: ${total}.</p>
<details><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label="Letters per day"><table><thead><tr><th>day</th><th class="number">accepted</th><th class="number">refused</th></tr></thead><tbody>${appByDay.map(
    ({ day, accepted, refused }) =>
      html`<tr><td>${time(day).slice(0, 10)}</td><td class="number">${accepted}</td><td class="number">${refused}</td></tr>`,
  )}</tbody></table></div></details>`;
}

function calls({ callsPerStep, rotations }: DemoResult): Html {
  const each = (count: number) => Number((count / Math.max(1, rotations)).toFixed(2));
  const rows = callsPerStep.map(
    ({ step, service, operation, count }) =>
      html`<tr><td>${step}</td><td>${service}</td><td>${operation}</td><td class="number">${each(count)}</td></tr>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Calls per step"><table><thead><tr><th>step</th><th>service</th><th>operation</th><th class="number">calls per rotation</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function faults(result: DemoResult): Html {
  const rows = result.faults.map(
    ({ service, operation, latencyMs }) =>
      html`<tr><td>${service}</td><td>${operation}</td><td class="number">${latencyMs} ms slower</td></tr>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Faults"><table><thead><tr><th>service</th><th>operation</th><th class="number">fault</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
