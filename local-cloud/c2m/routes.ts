import type { C2mOperation, C2mRequest } from "./exchange.ts";

type Target = { operation: Exclude<C2mOperation, "revokeToken"> } | { operation: "revokeToken"; tokenId: string };

/** What a method and a path mean; undefined where they mean nothing. Paths are exact: no trailing slash, no doubled one. */
export function route({ method, path }: Pick<C2mRequest, "method" | "path">): Target | undefined {
  const [pathname = ""] = path.split("?");
  if (method === "GET") return pathname === "/account" ? { operation: "getAccount" } : undefined;
  if (method !== "POST") return undefined;
  if (pathname === "/static") return { operation: "submitStatic" };
  if (pathname === "/auth/tokens/long") return { operation: "issueLongTermToken" };
  if (pathname === "/auth/tokens/short") return { operation: "issueShortTermToken" };
  const encoded = /^\/auth\/tokens\/([^/]+)\/revoke$/.exec(pathname)?.[1];
  const tokenId = encoded === undefined ? undefined : decode(encoded);
  return tokenId === undefined ? undefined : { operation: "revokeToken", tokenId };
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
