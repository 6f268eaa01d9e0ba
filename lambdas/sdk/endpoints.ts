/** A group of regions: the pattern of their names, and the end of its hosts' names. */
export type Partition = readonly [pattern: string, suffix: string];

interface EndpointParameters {
  Endpoint?: string | undefined;
  Region?: string | undefined;
  UseFIPS?: boolean | undefined;
  UseDualStack?: boolean | undefined;
}

/**
 * Finds a service's address as the SDK's rules for it do, which the bundle has this in place of; a test holds the two
 * against each other in every region. Endpoints of FIPS and of both stacks are left out: no option of the stack asks for one.
 *
 * @param service the first part of its hosts' names
 * @param partitions the SDK's; the first one holds what no pattern fits
 */
export function endpointResolver(service: string, partitions: readonly Partition[]) {
  return ({ Endpoint, Region, UseFIPS, UseDualStack }: EndpointParameters) => {
    if (UseFIPS || UseDualStack) {
      throw new Error("This Lambda bundle knows no endpoints of FIPS and of both stacks. Remove AWS_USE_…_ENDPOINT.");
    }
    if (Endpoint !== undefined) return endpoint(Endpoint);
    if (!Region) throw new Error("There is no region: AWS_REGION must be set, as Lambda sets it.");
    const [, suffix] = partitions.find(([pattern]) => new RegExp(pattern).test(Region)) ?? partitions[0] ?? [];
    return endpoint(`https://${service}.${Region}.${suffix}`);
  };
}

function endpoint(url: string) {
  return { url: new URL(url), properties: {}, headers: {} };
}
