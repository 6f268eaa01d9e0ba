import type { Command } from "./command.ts";
import { completionOf } from "./completion.ts";
import type { OptionSpec, OptionSpecs } from "./options.ts";

const dryRun: OptionSpecs = {
  "dry-run": { type: "boolean", help: "say what would be done, and change nothing" },
};

const confirmation: OptionSpecs = {
  yes: { type: "string", value: "NAME", help: "confirm with the secret's name instead of being asked" },
};

const grace: OptionSpec = { type: "string", value: "DURATION", help: "the token's grace, where no stack tells it" };

/** Loaded when it is run: the help and the shell's completion are there at once. */
const others: readonly Command[] = [
  {
    name: "status",
    summary: "every token: its state, what is wrong with it and what to do",
    description: `Shows each token secret: which version is current, previous and pending, how old its token is and until when
it lives, when it was rotated and will be, how long the previous token's grace lasts, and what the last rotation said.
Whatever is wrong comes with the command that mends it. Changes nothing.`,
    examples: [
      ["status --stack production", "every token of a Pulumi stack"],
      ["status --secret c2m/api-token", "one token, without Pulumi"],
      ["status --stack production --json", "for a script; exit status 1 when something is wrong"],
    ],
    options: {
      grace,
    },
    run: async (call) => (await import("./looking/status.ts")).status(call),
  },
  {
    name: "verify",
    summary: "exchange the current token at C2M: does it work, for what and until when",
    description: `Exchanges the current token for a short-lived one, as the rotation does before it promotes a token, and throws
the short one away. Says which scopes the token was issued with and until when it lives. Changes nothing.`,
    examples: [
      ["verify --secret c2m/api-token", "one token"],
      ["verify --stack production --json", "every token of a stack; exit status 1 when one does not work"],
    ],
    options: {
      timeout: {
        type: "string",
        value: "DURATION",
        help: 'how long C2M may take, with repetitions (default "20 seconds")',
      },
    },
    run: async (call) => (await import("./looking/verify.ts")).verify(call),
  },
  {
    name: "history",
    summary: "the life of every token, for who asks for proof of the rotation",
    description: `Tells from the functions' log and the secret's versions what happened to every token: issued, stored, proven, promoted,
superseded, revoked, seen dead, when and by which function's run or operator's command. Names what the log leaves open: a
call without an outcome, a token that can't be revoked, a line that is missing, each with the time after which it can hide
no token that lives. Says what it can't know. Nothing is asked of C2M, and nothing is changed. Exit status 0 when the
history could be told, whatever it says.`,
    examples: [
      ["history --stack production --report history.html", "a page to hand to an auditor: open it, or print it"],
      ["history --secret c2m/api-token --since 30d", "what happened lately, at the terminal"],
      ["history --stack production --since 2026-01-01 --csv > history.csv", "for a spreadsheet"],
      [
        "history --secret c2m/old --log-group /aws/lambda/c2m-token-rotation",
        "of a secret that is gone: from the log alone",
      ],
    ],
    options: {
      since: {
        type: "string",
        value: "TIME",
        help: "how far back, as in 90d, or a day, as in 2026-01-31, UTC (default 90d: no token lives longer)",
      },
      grace,
      report: { type: "string", value: "FILE", help: "write it as an HTML page" },
      csv: { type: "boolean", help: "print it as CSV: a line for each thing that happened, and for each gap" },
    },
    run: async (call) => (await import("./history/history.ts")).history(call),
  },
  {
    name: "rotate",
    summary: "rotate a token now; with --wait follow the steps until it is current",
    description: `Starts a rotation, as the schedule does: a new token is issued, stored, proven and promoted. The replaced token
keeps its grace. With --wait the steps are shown as they happen, and a failure with its reason from the functions' log.`,
    examples: [
      ["rotate --secret c2m/api-token --wait", "rotate and see how it goes"],
      ["rotate --stack production --secret c2m/api-token --dry-run", "only whether a rotation could start"],
    ],
    options: {
      wait: { type: "boolean", help: "follow the rotation until the new token is current" },
      timeout: { type: "string", value: "DURATION", help: 'with --wait: how long to wait (default "10 minutes")' },
      interval: { type: "string", value: "DURATION", help: 'with --wait: how often to look (default "2 seconds")' },
      ...dryRun,
    },
    whenInterrupted: "A rotation that has begun goes on in AWS; `c2m-tokens status` shows it.",
    run: async (call) => (await import("./acting/rotate.ts")).rotate(call),
  },
  {
    name: "rollback",
    summary: "make the previous token current again, while it lives",
    description: `Exchanges the previous token, makes it current and exchanges it again; if C2M rejects it then, the labels move back. An
open rotation loses AWSPENDING. Refuses when the previous token is expired or not known, when its revocation has begun or may be
on its way, and when it ends before the next rotation, unless that is accepted. The replaced token keeps its grace, and the
schedule goes on: the next rotation issues a new token.`,
    examples: [
      ["rollback --secret c2m/api-token --dry-run", "only whether there is a token to go back to"],
      ["rollback --secret c2m/api-token", "the new token lacks a scope, say"],
    ],
    options: {
      timeout: {
        type: "string",
        value: "DURATION",
        help: 'how long C2M may take, with repetitions (default "40 seconds")',
      },
      grace,
      "accept-expiry": {
        type: "boolean",
        help: "go back, too, to a token that ends before the next rotation: rotate before it does",
      },
      ...dryRun,
    },
    run: async (call) => (await import("./acting/rollback.ts")).rollback(call),
  },
  {
    name: "unstick",
    summary: "explain a version stuck at AWSPENDING, and free the way for the next rotation",
    description: `A rotation that failed leaves its version at AWSPENDING, and Secrets Manager starts no other one ("A previous rotation
isn't complete"). This says why it failed and takes AWSPENDING off it; and it clears what a rollback that was cut short has left.
Refuses while a step may still be at work. The current
token is not touched; a token that the pending version holds is revoked by the reconciler in one of its next runs.`,
    examples: [
      ["unstick --secret c2m/api-token --dry-run", "only the explanation"],
      ["unstick --secret c2m/api-token", "then `rotate --wait`"],
    ],
    options: dryRun,
    run: async (call) => (await import("./acting/unstick.ts")).unstick(call),
  },
  {
    name: "compromised",
    summary: "a token has leaked: replace it, end the grace at once, see it dead",
    description: `Rotates, waits until the new token is current, ends the grace of every superseded token of this secret at once (one
that was superseded before may take until the next hourly run), and
exchanges the old token until C2M rejects it, which its documents say can take 5 minutes. Reports when each of it happened, and
until when short tokens that were made from the leaked one may live (15 minutes). Apps that still hold the old token fail until
they read the secret again. If the client's own credentials have leaked, this does not help: see docs/runbook.md#a-leak.`,
    examples: [
      ["compromised --secret c2m/api-token", "asks for the secret's name before it does anything"],
      [
        "compromised --stack production --secret c2m/api-token --yes c2m/api-token --json",
        "for a script, with a report to file",
      ],
    ],
    options: {
      timeout: { type: "string", value: "DURATION", help: 'how long the rotation may take (default "10 minutes")' },
      interval: { type: "string", value: "DURATION", help: 'how often to look (default "5 seconds")' },
      ...confirmation,
      ...dryRun,
    },
    whenInterrupted:
      "What has begun goes on in AWS, and the old token may still live. When `c2m-tokens status` shows that no rotation is open, run the command again: it ends the old token's life, too, at the latest by the next hourly run.",
    run: async (call) => (await import("./acting/compromised.ts")).compromised(call),
  },
  {
    name: "reconcile",
    summary: "have the reconciler look now instead of at the next full hour",
    description: `Invokes the reconciler for each token secret, with a look at every version and the whole log: it revokes what
should be dead, takes AWSPENDING off what no rotation will finish, and reports the rest. It never issues and never promotes
a token, and each token keeps its grace.`,
    examples: [["reconcile --secret c2m/api-token", "after an alarm about what should be dead and is not"]],
    options: {},
    whenInterrupted: "A run that has begun goes on in AWS.",
    run: async (call) => (await import("./acting/reconcile.ts")).reconcile(call),
  },
  {
    name: "decommission",
    summary: "the end of a token: stop the schedule, revoke every live token, delete the secret",
    description: `For a secret that no app reads any more. Has no token issued for it any more, stops the rotation, waits until
no step can be at work and the log tells of all (about 17 minutes), revokes every token of the secret that lives (the current one last, by itself), looks again, and then marks the secret
for deletion. A token that nobody can revoke is reported with its expiry, and the secret is kept unless that is accepted. A secret
that was lent to the stack (\`secretArn\`) is kept, too. Where a revocation fails for the moment, run the command again. It is no
part of \`pulumi destroy\`, which leaves tokens alive; afterwards remove the token from the stack's config.`,
    examples: [
      ["decommission --secret c2m/api-token --dry-run", "which tokens would be revoked"],
      ["decommission --secret c2m/api-token", "asks for the secret's name before it does anything"],
    ],
    options: {
      "recovery-days": {
        type: "string",
        value: "DAYS",
        help: "how long the secret can be restored: 7 to 30 (default 30)",
      },
      "accept-alive": { type: "boolean", help: "delete it, too, while tokens live that nobody can revoke" },
      "delete-lent": { type: "boolean", help: "delete it, too, where it was lent to the stack" },
      cancel: { type: "boolean", help: "give up a decommission that was begun, so that tokens are issued again" },
      ...confirmation,
      ...dryRun,
    },
    whenInterrupted:
      "What is revoked stays revoked. Run the command again: it goes on where it stopped. `c2m-tokens status` shows what is left.",
    run: async (call) => (await import("./acting/decommission.ts")).decommission(call),
  },
  {
    name: "rehearse",
    summary: "try every promise of a sandbox stack, for real",
    description: `For a stack whose config says \`sandbox: true\`, on which no app depends: rotates for real and looks with AWS's public
APIs whether each promise holds. Labels and values at each step, the old token alive in its grace and dead afterwards, the
log, the reconciler's run, the alarms (one is set off and set back), rollback and compromised. It takes the token's grace and
up to 40 minutes more: a sandbox does with \`grace\` "5 minutes". Ends with a table of what was done, what AWS answered and
whether the promise held; with what differs from the local cloud, each with the name of its knob; and with what it leaves
behind, and until when, also after Ctrl-C. Exit status 0 when every promise held.`,
    examples: [
      ["rehearse --stack sandbox --dry-run", "what it would do, and what that takes and costs"],
      ["rehearse --stack sandbox --report rehearsal.html", "for real; asks for the secret's name first"],
      ["rehearse --stack sandbox --yes c2m/api-token --json", "for a script"],
    ],
    options: {
      report: { type: "string", value: "FILE", help: "write it as an HTML page, too" },
      ...confirmation,
      ...dryRun,
    },
    whenInterrupted: "A rotation that has begun goes on in AWS; `c2m-tokens status` shows it.",
    run: async (call) => (await import("./rehearse/rehearse.ts")).rehearse(call),
  },
  {
    name: "doctor",
    summary: "check everything that a token's life depends on, line by line",
    description: `Tries what can be tried without changing anything: account and region, what you may do, the functions, the log group
and its retention, the schedule against the token's lifetime, the reconciler's heartbeat, what the functions were denied lately,
whether C2M answers, and every alarm: that it is there, does not ring, and would tell somebody. What can't be tried without doing
it (RotateSecret, say) is not.

The alarms are those of the rotation that keeps the secret; they and its rotator are named after it (c2m-token-rotation-rotator,
c2m-token-rotation-rotator-errors).`,
    examples: [
      ["doctor --stack production", "after a deployment, or when nothing seems to work"],
      ["doctor --secret c2m/api-token --json", "for a script; exit status 1 when a check fails"],
    ],
    options: {
      timeout: { type: "string", value: "DURATION", help: 'how long C2M may take (default "20 seconds")' },
      "alarm-prefix": {
        type: "string",
        value: "NAME",
        help: "the rotation's name, with which its alarms' begin (default: the rotator's without -rotator)",
      },
      "no-alarms": {
        type: "boolean",
        help: "leave the alarms out: while one still rings, or where the monitoring is off",
      },
    },
    run: async (call) => (await import("./looking/doctor.ts")).doctor(call),
  },
];

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [...others, completionOf(others)];
