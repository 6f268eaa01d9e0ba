import { Secret, TOTP } from "otpauth";
import type { Clock } from "../../ports/clock.ts";
import { PermanentError, RetryableError } from "../../ports/errors.ts";
import { Sensitive } from "../../ports/sensitive.ts";
import type { OtpCredentials } from "../credentials.ts";
import type { OtpGrant } from "./grant.ts";

/** The last time step used, by client; per clock, since steps are counted on it. */
const usedSteps = new WeakMap<Clock, Map<string, number>>();

/** A code is sent this long after its time step began, in ms: C2M's clock may be behind ours. */
const leadMs = 3_000;

/**
 * A one-time code by TOTP (RFC 6238) for a time step that this process has not used for this client before: a verifier
 * accepts a code once (§5.2). When the present step is used up, waits for the next; in each, for its first seconds to
 * pass. Another process may still use the same step at the same time; C2M then refuses the later of the two.
 *
 * @param readyBy epoch ms
 * @throws RetryableError `no_time` when the next free step has not begun by `readyBy`
 * @throws PermanentError `credentials_invalid` when the seed is not Base32
 */
export async function makeOtpGrant(credentials: OtpCredentials, clock: Clock, readyBy: number): Promise<OtpGrant> {
  const totp = totpOf(credentials);
  const used = usedStepsOn(clock);
  const stepMs = credentials.periodSeconds * 1000;
  const presentStep = Math.floor(clock.now() / stepMs);
  const step = Math.max(presentStep, (used.get(credentials.clientId) ?? 0) + 1);
  const startsAt = step * stepMs;
  const sentAt = startsAt + Math.min(leadMs, stepMs / 3);
  if (sentAt > clock.now() && sentAt > readyBy) {
    throw new RetryableError(
      "no_time",
      "The one-time code of this moment is used, and too little time is left to wait for the next. Give the function a longer timeout if this repeats.",
    );
  }
  // Taken before waiting, so that two issue calls at once wait for different steps.
  used.set(credentials.clientId, step);
  if (sentAt > clock.now()) await clock.sleep(sentAt - clock.now());
  return { mechanism: "otp", otpCode: new Sensitive(totp.generate({ timestamp: startsAt })) };
}

function totpOf({ seed, algorithm, digits, periodSeconds }: OtpCredentials): TOTP {
  try {
    return new TOTP({ secret: Secret.fromBase32(seed.reveal()), algorithm, digits, period: periodSeconds });
  } catch {
    // Without the cause: it names the character that is wrong.
    throw new PermanentError("credentials_invalid", "The credentials secret: otp_seed must be Base32.");
  }
}

function usedStepsOn(clock: Clock): Map<string, number> {
  const steps = usedSteps.get(clock) ?? new Map<string, number>();
  usedSteps.set(clock, steps);
  return steps;
}
