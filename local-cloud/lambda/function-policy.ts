import { AwsError } from "../aws/service.ts";
import { brokenConstraint, quotas, tooLong } from "../quotas.ts";

export interface FunctionPermission {
  statementId: string;
  /** `lambda:InvokeFunction`. */
  action: string;
  /** A service, an account id, or an ARN. */
  principal: string;
  sourceAccount?: string;
  sourceArn?: string;
}

/** A function's resource policy, as AddPermission builds it statement by statement. */
export class FunctionPolicy {
  readonly #statements = new Map<string, Record<string, unknown>>();
  readonly #mostBytes: number;

  /** `mostBytes`: default Lambda's quota. */
  constructor(mostBytes: number = quotas.functionPolicy.most) {
    this.#mostBytes = mostBytes;
  }

  /**
   * @throws AwsError ResourceConflictException when the statement id is taken, PolicyLengthExceededException,
   * ValidationException
   */
  add(functionArn: string, { statementId, action, principal, sourceAccount, sourceArn }: FunctionPermission): void {
    if (this.#statements.has(statementId)) {
      throw new AwsError(
        "ResourceConflictException",
        `The statement id (${statementId}) provided already exists.`,
        409,
      );
    }
    const problem =
      tooLong("statementId", "statementId", statementId) ??
      (/^[A-Za-z0-9_-]+$/.test(statementId)
        ? undefined
        : brokenConstraint("statementId", "characters of [A-Za-z0-9-_]"));
    if (problem) throw new AwsError("ValidationException", problem);
    const condition = {
      ...(sourceAccount !== undefined && { StringEquals: { "AWS:SourceAccount": sourceAccount } }),
      ...(sourceArn !== undefined && { ArnLike: { "AWS:SourceArn": sourceArn } }),
    };
    const statement = {
      Sid: statementId,
      Effect: "Allow",
      Principal: principal === "*" ? "*" : { [principal.endsWith(".amazonaws.com") ? "Service" : "AWS"]: principal },
      Action: action,
      Resource: functionArn,
      ...(Object.keys(condition).length > 0 && { Condition: condition }),
    };
    const size = Buffer.byteLength(documentOf([...this.#statements.values(), statement]));
    if (size > this.#mostBytes) {
      const message = `The final policy size (${size}) is bigger than the limit (${this.#mostBytes}).`;
      throw new AwsError("PolicyLengthExceededException", message);
    }
    this.#statements.set(statementId, statement);
  }

  /** @throws AwsError ResourceNotFoundException */
  remove(statementId: string): void {
    if (!this.#statements.delete(statementId)) {
      throw new AwsError("ResourceNotFoundException", `Statement ${statementId} is not found in resource policy.`, 404);
    }
  }

  /** The policy document, JSON; undefined while it is empty. */
  document(): string | undefined {
    if (this.#statements.size === 0) return undefined;
    return documentOf([...this.#statements.values()]);
  }

  /** A statement as it is now; undefined where there is none. */
  statement(statementId: string): Record<string, unknown> | undefined {
    return this.#statements.get(statementId);
  }
}

function documentOf(statements: Record<string, unknown>[]): string {
  return JSON.stringify({ Version: "2012-10-17", Id: "default", Statement: statements });
}
