import { type Html, html } from "./html.ts";
import type { TokenLife } from "./token-lives.ts";

/** A stretch of time, epoch ms. */
export interface Window {
  from: number;
  to: number;
}

/** A lane per token: pending, current, in grace, and the marks of promotion and revocation. */
export function lanes(lives: readonly TokenLife[], window: Window): Html {
  return html`<ol class="lanes">${lives.map((life) => lane(life, window))}</ol>${axis(window)}`;
}

function lane(life: TokenLife, window: Window): Html {
  const { issuedAt, promotedAt, supersededAt, revokedAt } = life;
  const end = revokedAt ?? window.to;
  const bars = [
    bar("pending", issuedAt, promotedAt ?? end, window),
    promotedAt === undefined ? html`` : bar("current", promotedAt, supersededAt ?? end, window),
    supersededAt === undefined ? html`` : bar("grace", supersededAt, end, window),
  ];
  const marks = [mark("promoted", "◆", promotedAt, window), mark("revoked", "✕", revokedAt, window)];
  // The text says all that the picture does: for whoever can't see it, and for the keyboard's focus.
  return html`<li tabindex="0"><span class="name">${life.tokenId}</span><span class="track" aria-hidden="true">${bars}${marks}</span><span class="told">${story(life)}</span></li>`;
}

function story({ issuedAt, promotedAt, supersededAt, revokedAt }: TokenLife): string {
  const parts = [`issued ${time(issuedAt)}`];
  if (promotedAt !== undefined) parts.push(`current ${time(promotedAt)}`);
  if (supersededAt !== undefined) parts.push(`in grace from ${time(supersededAt)}`);
  parts.push(revokedAt === undefined ? "alive at the end" : `revoked ${time(revokedAt)}`);
  return parts.join(" · ");
}

function bar(kind: string, from: number, to: number, window: Window): Html {
  const [start, end] = [place(from, window), place(to, window)];
  if (end <= 0 || start >= 100) return html``;
  return html`<i class="bar ${kind}" style="left:${start.toFixed(3)}%;width:${(end - start).toFixed(3)}%"></i>`;
}

function mark(kind: string, sign: string, at: number | undefined, window: Window): Html {
  if (at === undefined || at < window.from || at > window.to) return html``;
  return html`<b class="mark ${kind}" style="left:${place(at, window).toFixed(3)}%">${sign}</b>`;
}

/** In percent of the window, kept within it. */
function place(at: number, { from, to }: Window): number {
  return Math.min(100, Math.max(0, ((at - from) / (to - from)) * 100));
}

function axis({ from, to }: Window): Html {
  return html`<p class="axis" aria-hidden="true"><span>${time(from)}</span><span>${time(to)}</span></p>`;
}

/** `2026-01-08 00:00:02`, UTC. */
export function time(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}
