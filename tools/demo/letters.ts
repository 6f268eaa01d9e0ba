import type { VirtualClock } from "../../local-cloud/clock.ts";
import type { LocalCloud } from "../../local-cloud/cloud.ts";
import type { App, LetterState } from "./app.ts";
import type { FrozenApp } from "./frozen-app.ts";
import type { Moment } from "./timeline.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** How long a process is frozen from the start of a rotation on: longer than the grace, until the old token is dead. */
const frozenMs = 4 * hour;

/** What became of the letters, by C2M's own register. */
export interface LetterFigures {
  lettersSent: number;
  lettersAccepted: number;
  /** Mailed, and billed, a second time. */
  lettersDouble: number;
  /** Never taken, though the app had it to send. */
  lettersLost: number;
}

/** The letters of two apps: one that runs all the time, and one in a process that is frozen in each rotation. */
export class Letters {
  readonly byDay = new Map<number, { accepted: number; refused: number }>();
  readonly #cloud: LocalCloud;
  readonly #clock: VirtualClock;
  readonly #onMoment: (moment: Moment) => void;
  readonly #sent = new Set<number>();
  #underWay = 0;
  #failures = 0;

  constructor(cloud: LocalCloud, clock: VirtualClock, onMoment: (moment: Moment) => void) {
    this.#cloud = cloud;
    this.#clock = clock;
    this.#onMoment = onMoment;
  }

  /** Letters that the apps were told to be anything but accepted. */
  get failures(): number {
    return this.#failures;
  }

  get figures(): LetterFigures {
    const numbers = this.#cloud.c2m.jobs.all.map(({ submission }) => JSON.stringify(submission.docSourceAll));
    const accepted = new Set(numbers);
    const isLost = (letter: number) => !accepted.has(JSON.stringify({ documentIdSource: { documentId: letter } }));
    return {
      lettersSent: this.#sent.size,
      lettersAccepted: accepted.size,
      lettersDouble: this.#cloud.c2m.jobs.repeated.length,
      lettersLost: [...this.#sent].filter(isLost).length,
    };
  }

  /** Every half hour, and every second of a rotation. */
  sendFrom(app: App): void {
    const send = async () => this.#note(await app.send(this.#next()));
    let rotatingUntil = 0;
    this.#onRotation("RotationStarted", () => {
      rotatingUntil = this.#clock.now() + minute;
      const every = async (): Promise<void> => {
        await send();
        if (this.#clock.now() < rotatingUntil) this.#clock.at(this.#clock.now() + 1_000, every);
      };
      this.#clock.at(this.#clock.now(), every);
    });
    this.#onRotation("RotationSucceeded", () => {
      // When the rotation's own letters are through.
      this.#clock.at(this.#clock.now() + 2 * minute, () => this.#onMoment(this.moment()));
    });
    const steadily = async (): Promise<void> => {
      this.#clock.at(this.#clock.now() + 30 * minute, steadily);
      await send();
    };
    this.#clock.at(this.#clock.now() + 7 * minute, steadily);
  }

  /** One a day, and one that each rotation freezes in the middle; it goes on when the token it was sent with is dead. */
  sendFromFrozen(app: FrozenApp): void {
    let isFrozen = false;
    const daily = async (): Promise<void> => {
      this.#clock.at(this.#clock.now() + day, daily);
      if (!isFrozen) this.#note(await (await app.begin(this.#next())).sent);
    };
    this.#clock.at(this.#clock.now() + 11 * minute, daily);
    this.#onRotation("RotationStarted", () => {
      this.#clock.at(this.#clock.now(), async () => {
        const { sent } = await app.begin(this.#next());
        app.freeze();
        isFrozen = true;
        this.#onMoment({ at: this.#clock.now(), what: "frozen", note: "a process in the middle of a letter" });
        this.#clock.at(this.#clock.now() + frozenMs, async () => {
          app.thaw();
          isFrozen = false;
          this.#onMoment({ at: this.#clock.now(), what: "thawed", note: "it goes on with what it had" });
          this.#note(await sent);
          this.#note(await (await app.begin(this.#next())).sent);
        });
      });
    });
  }

  moment(): Moment {
    const { lettersSent, lettersAccepted, lettersDouble, lettersLost } = this.figures;
    const underWay = Math.min(this.#underWay, lettersLost);
    const parts = [`${lettersSent} sent`, `${lettersAccepted} accepted`];
    if (underWay > 0) parts.push(`${underWay} frozen`);
    const note = [...parts, `${lettersDouble} double`, `${lettersLost - underWay} lost`].join(", ");
    return { at: this.#clock.now(), what: "letters", note };
  }

  #onRotation(name: string, run: () => void): void {
    this.#cloud.bus.onEvent(({ detail }) => {
      if (detail.eventName === name) run();
    });
  }

  #next(): number {
    const letter = this.#sent.size + 1;
    this.#sent.add(letter);
    this.#underWay += 1;
    return letter;
  }

  #note(state: LetterState): void {
    this.#underWay -= 1;
    if (state !== "accepted") this.#failures += 1;
    const today = Math.floor(this.#clock.now() / day) * day;
    const counts = this.byDay.get(today) ?? { accepted: 0, refused: 0 };
    this.byDay.set(today, counts);
    counts[state === "accepted" ? "accepted" : "refused"] += 1;
  }
}
