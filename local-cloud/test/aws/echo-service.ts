import { AwsError, type AwsRequest, type AwsService, type PermissionNeeded } from "../../aws/service.ts";

/** Stands for Secrets Manager: GetSecretValue answers the secret's id; remembers what it was asked. */
export class EchoService implements AwsService {
  readonly name = "secretsmanager";
  readonly requests: AwsRequest[] = [];

  permissionsFor({ operation, input }: AwsRequest): PermissionNeeded[] {
    return [{ action: `secretsmanager:${operation}`, resource: `arn:aws:secretsmanager:::secret:${input.SecretId}` }];
  }

  async handle(request: AwsRequest): Promise<Record<string, unknown>> {
    this.requests.push(request);
    if (request.input.SecretId === "missing") {
      throw new AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
    }
    if (request.input.SecretId === "broken") throw new TypeError("a bug");
    return { Name: request.input.SecretId, CreatedDate: 1_767_225_600.5 };
  }
}
