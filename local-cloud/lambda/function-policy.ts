import { AwsError } from "../aws/service.ts";

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

  /** @throws AwsError ResourceConflictException when the statement id is taken. */
  add(functionArn: string, { statementId, action, principal, sourceAccount, sourceArn }: FunctionPermission): void {
    if (this.#statements.has(statementId)) {
      throw new AwsError(
        "ResourceConflictException",
        `The statement id (${statementId}) provided already exists.`,
        409,
      );
    }
    const condition = {
      ...(sourceAccount !== undefined && { StringEquals: { "AWS:SourceAccount": sourceAccount } }),
      ...(sourceArn !== undefined && { ArnLike: { "AWS:SourceArn": sourceArn } }),
    };
    this.#statements.set(statementId, {
      Sid: statementId,
      Effect: "Allow",
      Principal: principal === "*" ? "*" : { [principal.endsWith(".amazonaws.com") ? "Service" : "AWS"]: principal },
      Action: action,
      Resource: functionArn,
      ...(Object.keys(condition).length > 0 && { Condition: condition }),
    });
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
    return JSON.stringify({ Version: "2012-10-17", Id: "default", Statement: [...this.#statements.values()] });
  }
}
