import { type Html, html } from "./html.ts";

/** A stretch of time, epoch ms. */
export interface Window {
  from: number;
  to: number;
}

/** What a stretch of a token's life is drawn as; `unknown`: nothing says whether it lived. */
export type BarKind = "pending" | "current" | "grace" | "unknown";

/** One token's life as it is drawn. Times in epoch ms. */
export interface Lane {
  name: string;
  bars: readonly { kind: BarKind; from: number; to: number }[];
  marks: readonly { kind: "promoted" | "revoked" | "dead"; at: number }[];
  /** All that the picture says, in words. */
  told: string;
}

const signs = { promoted: "◆", revoked: "✕", dead: "†" } as const;

/** A lane per token, on one scale of time. */
export function lanes(shown: readonly Lane[], window: Window): Html {
  return html`<ol class="lanes">${shown.map((lane) => drawn(lane, window))}</ol>${axis(window)}`;
}

/** What the colours and signs mean, of those that a page uses. */
export function key(
  bars: readonly (readonly [BarKind, string])[],
  marks: readonly Lane["marks"][number]["kind"][],
): Html {
  const names = { promoted: "promoted", revoked: "revoked", dead: "seen dead" };
  return html`<p class="key">${bars.map(([kind, name]) => html`<span><i class="${kind}"></i>${name}</span>`)}${marks.map((kind) => html`<span>${signs[kind]} ${names[kind]}</span>`)}</p>`;
}

function drawn({ name, bars, marks, told }: Lane, window: Window): Html {
  // The text says all that the picture does: for whoever can't see it, and for the keyboard's focus.
  return html`<li tabindex="0"><span class="name">${name}</span><span class="track" aria-hidden="true">${bars.map((one) => bar(one, window))}${marks.map((one) => mark(one, window))}</span><span class="told">${told}</span></li>`;
}

function bar({ kind, from, to }: Lane["bars"][number], window: Window): Html {
  const [start, end] = [place(from, window), place(to, window)];
  if (end <= 0 || start >= 100) return html``;
  return html`<i class="bar ${kind}" style="left:${start.toFixed(3)}%;width:${(end - start).toFixed(3)}%"></i>`;
}

function mark({ kind, at }: Lane["marks"][number], window: Window): Html {
  if (at < window.from || at > window.to) return html``;
  return html`<b class="mark ${kind}" style="left:${place(at, window).toFixed(3)}%">${signs[kind]}</b>`;
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
