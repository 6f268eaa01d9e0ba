import type { TokenUser } from "../ports/c2m.ts";
import { RetryableError } from "../ports/errors.ts";

/** How many calls to C2M a run of the reconciler may still make. */
export class CallBudget {
  #left: number;
  #used = 0;

  constructor(calls: number) {
    this.#left = calls;
  }

  get used(): number {
    return this.#used;
  }

  /** The same C2M; every call counts. @throws RetryableError `budget_spent` once the budget is */
  limit(c2m: TokenUser): TokenUser {
    const counted =
      <Request, Answer>(call: (request: Request) => Promise<Answer>) =>
      async (request: Request): Promise<Answer> => {
        if (this.#left === 0) {
          throw new RetryableError(
            "budget_spent",
            "The run has made as many calls to C2M as it may. The next one goes on.",
          );
        }
        this.#left -= 1;
        this.#used += 1;
        return await call(request);
      };
    return {
      issueShortTermToken: counted((request) => c2m.issueShortTermToken(request)),
      revokeToken: counted((request) => c2m.revokeToken(request)),
    };
  }
}
