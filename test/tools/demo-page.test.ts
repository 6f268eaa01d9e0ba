import { describe, expect, it } from "vitest";
import { html } from "../../cli/report/html.ts";
import { lanes } from "../../cli/report/lanes.ts";
import { renderReport } from "../../tools/demo/report/page.ts";
import { tokenLanes } from "../../tools/demo/report/token-lanes.ts";
import { tokenLives } from "../../tools/demo/report/token-lives.ts";
import type { DemoResult } from "../../tools/demo/run.ts";

const result: DemoResult = {
  rotations: 1,
  tokensIssued: 2,
  tokensRevoked: 1,
  tokensLive: 1,
  appRequests: 12,
  appFailures: 2,
  lettersSent: 12,
  lettersAccepted: 11,
  lettersDouble: 0,
  lettersLost: 1,
  awsCallsPerRotation: 8,
  c2mCallsPerRotation: 3,
  reconcilerCallsPerDay: 90,
  violations: [],
  timeline: [
    { at: 0, what: "issued", tokenId: "one" },
    { at: 0, what: "promoted", tokenId: "one" },
    { at: 50_000, what: "issued", tokenId: "two" },
    { at: 60_000, what: "promoted", tokenId: "two" },
    { at: 75_000, what: "failed", note: "a step" },
    { at: 80_000, what: "revoked", tokenId: "one" },
  ],
  window: { from: 0, to: 100_000 },
  graceHours: 1,
  appByDay: [{ day: 0, accepted: 10, refused: 2 }],
  callsPerStep: [{ step: "createSecret", service: "c2m", operation: "issueLongTermToken", count: 1 }],
  faults: [{ service: "c2m", operation: "issueLongTermToken", latencyMs: 2600 }],
};

describe("the report", () => {
  it("follows each token from its issue over promotion and grace to its end", () => {
    expect(tokenLives(result.timeline)).toEqual([
      { tokenId: "one", issuedAt: 0, promotedAt: 0, supersededAt: 60_000, revokedAt: 80_000 },
      { tokenId: "two", issuedAt: 50_000, promotedAt: 60_000, supersededAt: undefined, revokedAt: undefined },
    ]);
  });

  it("draws the times to scale, and marks promotion and revocation at their places", () => {
    const { text } = lanes(tokenLanes(tokenLives(result.timeline), result.window.to), result.window);
    expect(text).toContain('class="bar current" style="left:0.000%;width:60.000%"');
    expect(text).toContain('class="bar grace" style="left:60.000%;width:20.000%"');
    expect(text).toContain('class="bar pending" style="left:50.000%;width:10.000%"');
    expect(text).toContain('class="mark revoked" style="left:80.000%"');
    expect(text).toContain("in grace from 1970-01-01 00:01:00 · revoked 1970-01-01 00:01:20");
  });

  it("leaves out of a close-up what is before or after it", () => {
    const { text } = lanes(tokenLanes(tokenLives(result.timeline), 70_000), { from: 62_000, to: 70_000 });
    expect(text).not.toContain("bar pending");
    expect(text).not.toContain('"mark ');
    expect(text).toContain('class="bar grace" style="left:0.000%;width:100.000%"');
  });

  it("shows figures, requests by outcome, calls per step and faults, and whether the promise was kept", () => {
    const page = renderReport(result);
    expect(page).toContain("The promise was kept.");
    expect(page).toContain('<dt>refused or unknown</dt><dd class="bad">2</dd>');
    expect(page).toContain('<dt>lost</dt><dd class="bad">1</dd>');
    expect(page).toContain('<dt>sent twice</dt><dd class="">0</dd>');
    expect(page).toContain('<td class="number">10</td><td class="number">2</td>');
    expect(page).toContain('<td>createSecret</td><td>c2m</td><td>issueLongTermToken</td><td class="number">1</td>');
    expect(page).toContain("2600 ms slower");
    const broken = renderReport({ ...result, violations: ["I1 <b>no outage</b>"] });
    expect(broken).toContain("The promise was broken");
    expect(broken).toContain("I1 &#60;b&#62;no outage");
  });

  it("needs nothing but itself: no script, and no address of anything", () => {
    const page = renderReport(result);
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|https?:/);
    expect(page).toContain("default-src 'none'");
  });

  it("escapes what it is given", () => {
    expect(html`<p title="${'"'}">${"<&>"}${html`<b>`}</p>`.text).toBe('<p title="&#34;">&#60;&#38;&#62;<b></p>');
  });
});
