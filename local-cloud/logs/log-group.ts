export interface LogEvent {
  eventId: string;
  stream: string;
  /** Epoch ms on the cloud's clock: when the line was written. */
  timestamp: number;
  /** When CloudWatch has it to give: the timestamp and the delivery delay. */
  ingestionTime: number;
  message: string;
}

export interface LogStream {
  name: string;
  creationTime: number;
}

/** A log group with its streams and events, in memory. */
export class LogGroup {
  readonly name: string;
  readonly creationTime: number;
  /** Events older than this many days are gone; kept for ever when undefined. */
  retentionInDays: number | undefined;
  /** While it is set the group can't be deleted. */
  deletionProtection = false;
  tags: Record<string, string> = {};
  kmsKeyId: string | undefined;
  readonly streams = new Map<string, LogStream>();
  #events: LogEvent[] = [];
  #sequence = 0;

  constructor(name: string, creationTime: number) {
    this.name = name;
    this.creationTime = creationTime;
  }

  stream(name: string, now: number): LogStream {
    const known = this.streams.get(name);
    if (known) return known;
    const stream = { name, creationTime: now };
    this.streams.set(name, stream);
    return stream;
  }

  add(event: Omit<LogEvent, "eventId">): LogEvent {
    const stored = { ...event, eventId: String(this.#sequence++).padStart(56, "0") };
    this.#events.push(stored);
    return stored;
  }

  /** Loses these events, as CloudWatch may when a function is killed before it has sent them. */
  lose(events: ReadonlySet<LogEvent>): void {
    this.#events = this.#events.filter((event) => !events.has(event));
  }

  /** What is there to be read at `now`, by time. */
  events(now: number): LogEvent[] {
    const oldest = this.retentionInDays === undefined ? -Infinity : now - this.retentionInDays * 86_400_000;
    return this.#events
      .filter((event) => event.timestamp >= oldest && event.ingestionTime <= now)
      .sort((one, other) => one.timestamp - other.timestamp || (one.eventId < other.eventId ? -1 : 1));
  }

  /** Everything that was ever stored and not lost, whatever the delay and the retention. */
  allEvents(): readonly LogEvent[] {
    return this.#events;
  }
}
