import { type CauseKind, causeOf, isUnsent } from "../ports/cause.ts";
import { AmbiguousError, PermanentError, RetryableError, type RotationError, type StoreCode } from "../ports/errors.ts";

/** What won't go away by itself, by kind; the names say more where a kind has several meanings for the protocol. */
const permanent: Partial<Record<CauseKind, StoreCode>> = {
  denied: "store_denied",
  credentials: "store_denied",
  not_found: "secret_not_found",
  invalid: "store_invalid",
};
const permanentNames: Record<string, StoreCode> = {
  LimitExceededException: "store_limit",
};

/**
 * What a failed call means for the protocol. The SDK's own text is left out: it may repeat what was sent.
 *
 * @param call.isUnsent whether no attempt of the SDK's was sent; default: by the error, where it is of the only attempt
 */
export function storeFailure(
  error: unknown,
  call: { operation: string; writes: boolean; isUnsent?: boolean },
): RotationError {
  const { kind, code: name, said, remedy } = causeOf(error);
  const told = `${call.operation}: ${said}${remedy === "" ? "" : ` ${remedy}`}`;
  const code = Object.hasOwn(permanentNames, name) ? permanentNames[name] : permanent[kind];
  if (code !== undefined) return new PermanentError(code, told);
  if (kind === "throttled") return new RetryableError("store_throttled", told);
  if (call.isUnsent ?? wasUnsent(error)) {
    return new RetryableError("store_unavailable", `${told} Nothing was sent.`);
  }
  if (!call.writes) return new RetryableError("store_unavailable", told);
  return new AmbiguousError("store_unknown", `${told} It may have been done or not.`);
}

function wasUnsent(error: unknown): boolean {
  const { attempts = 1 } = (error as { $metadata?: { attempts?: number } } | null)?.$metadata ?? {};
  return attempts === 1 && isUnsent(error);
}

/** The name that AWS gave a failure. */
export function isNamed(error: unknown, ...names: string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}
