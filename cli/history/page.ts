import { document } from "../report/document.ts";
import { type Html, html } from "../report/html.ts";
import { key, type Lane, lanes, time, type Window } from "../report/lanes.ts";
import { harmless } from "../terminal.ts";
import { type Histories, type SecretHistory, unknowable } from "./gather.ts";
import { type Fate, first, type Gap, type Life, last, nameOf } from "./life.ts";
import { byText, fateText, purposeOf, untilText } from "./told.ts";

/** The histories as one page that needs nothing else, for who asks for proof of the rotation. */
export function historyPage(histories: Histories): string {
  const { from, to, secrets } = histories;
  const page = document({
    title: `Rotation of C2M tokens, ${time(from).slice(0, 10)} to ${time(to).slice(0, 10)}`,
    skip: { to: "tokens", text: "To the tokens" },
    body: html`<header>
<h1>Rotation of C2M tokens</h1>
<p class="quiet">${time(from)} to ${time(to)} UTC, from the functions' log and the versions in AWS Secrets Manager, by <code>c2m-tokens history</code>. It holds no token.</p>
${figures(secrets.flatMap(({ lives }) => lives))}
</header>
<main id="tokens">
${secrets.map((secret) => section(secret, drawnTime(histories)))}
<section>
<h2>What no history can tell</h2>
<ul>${unknowable.map((sentence) => html`<li>${sentence}</li>`)}</ul>
</section>
</main>`,
  });
  // Of what others have written nothing may hide, or turn the text around.
  return page.text.split("\n").map(harmless).join("\n");
}

/** The time that is drawn: from the first thing that happened on, where nothing is known of the time before. */
function drawnTime({ from, to, secrets }: Histories): Window {
  const times = secrets.flatMap(({ lives }) => lives.flatMap(({ happenings }) => happenings.map(({ at }) => at)));
  const begin = Math.max(from, Math.min(...times));
  return { from: begin < to ? begin : from, to };
}

function figures(lives: readonly Life[]): Html {
  const count = (...fates: Fate[]) => lives.filter(({ fate }) => fates.includes(fate)).length;
  const shown: [string, number, bad?: boolean][] = [
    ["tokens", lives.length - count("suspect")],
    ["promoted in this time", lives.reduce((sum, { reigns }) => sum + reigns.length, 0)],
    ["current or pending", count("current", "pending")],
    ["replaced, in grace", count("in grace")],
    ["revoked", count("revoked", "seen dead")],
    ["of these seen dead", count("seen dead")],
    ["expired", count("expired")],
    ["with an open end", count("superseded", "unsettled", "suspect", "not ours"), true],
  ];
  return html`<dl class="figures">${shown.map(([name, value, bad]) => html`<div><dt>${name}</dt><dd class="${bad && value > 0 ? "bad" : ""}">${value}</dd></div>`)}</dl>`;
}

function section({ name, arn, lives, gaps }: SecretHistory, window: Window): Html {
  const open = [...gaps.map((gap) => ({ of: "all tokens", gap })), ...lives.flatMap(gapsOf)];
  return html`<section>
<h2>${name}</h2>
<p class="quiet">${arn}</p>
${key(
  [
    ["pending", "pending"],
    ["current", "current"],
    ["grace", "replaced, not known to be dead"],
    ["unknown", "may have been issued"],
  ],
  ["promoted", "revoked", "dead"],
)}
${
  lives.length === 0
    ? html`<p>No token is in the log or in a version.</p>`
    : lanes(
        lives.map((life) => laneOf(life, window)),
        window,
      )
}
<h3>Gaps</h3>
${open.length === 0 ? html`<p>None.</p>` : gapTable(open)}
<h3>What happened</h3>
${happenings(lives)}
</section>
`;
}

function laneOf(life: Life, { to }: Window): Lane {
  const { reigns, happenings, expiresAt, fate } = life;
  const bornAt = happenings[0]?.at ?? to;
  const diedAt = first(life, "revoked", "seen dead");
  const isDead = fate === "revoked" || fate === "seen dead";
  const end = Math.min((isDead ? diedAt : undefined) ?? to, expiresAt ?? to, to);
  const bars: Lane["bars"][number][] = [];
  const add = (kind: Lane["bars"][number]["kind"], begin: number, until: number) => {
    if (until >= begin) bars.push({ kind, from: begin, to: until });
  };
  const isCall = happenings.length > 0 && happenings.every(({ what }) => what.startsWith("issue call"));
  const replacedAt = last(life, "superseded");
  const start = reigns[0]?.from ?? replacedAt;
  if (isCall || fate === "not ours") add("unknown", bornAt, end);
  else add("pending", bornAt, start ?? end);
  for (const [index, reign] of reigns.entries()) {
    const next = reigns[index + 1]?.from;
    add("current", reign.from, Math.min(reign.to ?? end, end));
    if (reign.to !== undefined) add("grace", reign.to, Math.min(next ?? end, end));
  }
  if (reigns.length === 0 && replacedAt !== undefined) add("grace", replacedAt, end);
  const marks: Lane["marks"][number][] = reigns.map(({ from }) => ({ kind: "promoted", at: from }));
  const [revokedAt, deadAt] = [first(life, "revoked"), last(life, "seen dead")];
  if (revokedAt !== undefined) marks.push({ kind: "revoked", at: revokedAt });
  if (deadAt !== undefined) marks.push({ kind: "dead", at: deadAt });
  const told = [
    ...happenings
      .filter(({ what }) => ["issued", "promoted", "superseded", "revoked", "seen dead"].includes(what))
      .map(({ what, at }) => `${what} ${time(at)}`),
    `${purposeOf(life)}${fateText[fate]}${expiresAt === undefined ? "" : ` · ${isDead || fate === "expired" ? "would have ended" : "ends"} ${time(expiresAt)}`}`,
  ].join(" · ");
  return { name: nameOf(life), bars, marks, told };
}

function gapsOf(life: Life): { of: string; gap: Gap }[] {
  return life.gaps.map((gap) => ({ of: nameOf(life), gap }));
}

function gapTable(rows: readonly { of: string; gap: Gap }[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Gaps"><table><thead><tr><th>token</th><th>gap</th><th>what is open</th><th>how long it can matter</th></tr></thead><tbody>${rows.map(
    ({ of, gap: { kind, text, until } }) =>
      html`<tr><td class="name">${of}</td><td>${kind}</td><td>${text}</td><td>${untilText(until)}</td></tr>`,
  )}</tbody></table></div>`;
}

/** A part of the table for each token, so that its name stands once. */
function happenings(lives: readonly Life[]): Html {
  const parts = lives.map(
    (life) =>
      html`<tbody><tr><th scope="rowgroup" colspan="3"><span class="name">${nameOf(life)}</span> ${purposeOf(life)}${fateText[life.fate]}</th></tr>${life.happenings.map(
        (one) =>
          html`<tr><td>${time(one.at)}</td><td>${one.what}${one.note === undefined ? "" : `: ${one.note}`}</td><td>${byText(one)} <span class="name quiet">${one.stream ?? ""}</span></td></tr>`,
      )}</tbody>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="What happened"><table class="happened"><thead><tr><th>when (UTC)</th><th>what</th><th>by, and its log stream</th></tr></thead>${parts}</table></div>`;
}
