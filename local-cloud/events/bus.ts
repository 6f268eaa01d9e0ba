/** An event as EventBridge carries it. */
export interface CloudEvent {
  source: string;
  "detail-type": string;
  account: string;
  region: string;
  /** ISO 8601. */
  time: string;
  resources: string[];
  detail: Record<string, unknown>;
}

/** The account's default event bus: keeps what was sent and tells whoever listens. */
export class EventBus {
  readonly events: CloudEvent[] = [];
  readonly #listeners = new Set<(event: CloudEvent) => void>();

  put(event: CloudEvent): void {
    this.events.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  onEvent(listener: (event: CloudEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
