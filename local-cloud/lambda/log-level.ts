import { type FunctionDefinition, type LogLevel, logLevels } from "./function-definition.ts";

/**
 * Whether a line that a function wrote reaches its log. In the JSON format Lambda drops lines below
 * `applicationLogLevel`; a line that is no JSON, has no level that Lambda knows, or no valid timestamp, counts as INFO. In
 * the text format nothing is dropped. Source: Lambda developer guide, "log-level filtering".
 */
export function reachesLog({ logFormat, applicationLogLevel = "INFO" }: FunctionDefinition, line: string): boolean {
  return logFormat !== "JSON" || logLevels.indexOf(levelOf(line)) >= logLevels.indexOf(applicationLogLevel);
}

function levelOf(line: string): LogLevel {
  const { level, timestamp } = fieldsOf(line);
  const isDated = typeof timestamp === "string" && isRfc3339(timestamp);
  const known = typeof level === "string" && logLevels.find((name) => name === level.toUpperCase());
  return known && isDated ? known : "INFO";
}

function isRfc3339(text: string): boolean {
  const form = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
  return form.test(text) && !Number.isNaN(Date.parse(text));
}

function fieldsOf(line: string): { level?: unknown; timestamp?: unknown } {
  if (!line.startsWith("{")) return {};
  try {
    return JSON.parse(line) as { level?: unknown; timestamp?: unknown };
  } catch {
    return {};
  }
}
