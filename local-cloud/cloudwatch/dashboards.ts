import { AwsError } from "../aws/service.ts";
import { quotas } from "../quotas.ts";

interface Widget {
  type?: string;
  properties?: { alarms?: unknown[] };
}

/** CloudWatch's dashboards: names and bodies. */
export class Dashboards {
  readonly #bodies = new Map<string, string>();

  /** Creates a dashboard, or replaces the one of that name without a word. @throws AwsError InvalidParameterInput */
  put(name: string, body: string): void {
    if (!/^[A-Za-z0-9_-]+$/.test(name) || name.length > quotas.dashboardName.most)
      throw invalid(`The value ${name} for field DashboardName is invalid.`);
    for (const { type, properties } of widgetsOf(body)) {
      if (type === "alarm" && (properties?.alarms?.length ?? 0) > quotas.alarmsOnWidget.most)
        throw invalid(`Property "alarms" should NOT have more than ${quotas.alarmsOnWidget.most} items`);
    }
    this.#bodies.set(name, body);
  }

  /** The body as it is now; undefined where there is no such dashboard. */
  body(name: string): string | undefined {
    return this.#bodies.get(name);
  }

  delete(name: string): void {
    this.#bodies.delete(name);
  }
}

function widgetsOf(body: string): Widget[] {
  let parsed: { widgets?: Widget[] };
  try {
    parsed = JSON.parse(body) as { widgets?: Widget[] };
  } catch {
    throw invalid("The field DashboardBody must be a valid JSON object");
  }
  if (!Array.isArray(parsed.widgets))
    throw invalid('The dashboard body is invalid: it should have required property "widgets"');
  return parsed.widgets;
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterInput", message);
}
