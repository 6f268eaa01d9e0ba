import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { VirtualClock } from "../../local-cloud/clock.ts";
import { TimeFile } from "../../local-cloud/lambda/time-file.ts";
import type { AppOptions, LetterState } from "./app.ts";

/** An app in a process of its own that the operating system stops and lets go on, as a Lambda or a laptop is frozen. */
export class FrozenApp {
  readonly #process: ChildProcess;
  readonly #time: TimeFile;

  constructor(options: AppOptions, clock: VirtualClock) {
    this.#time = new TimeFile(clock);
    this.#process = fork(resolve(import.meta.dirname, "app-process.ts"), {
      env: { PATH: process.env.PATH, DEMO_APP: JSON.stringify(options) },
      stdio: ["ignore", "inherit", "inherit", "ipc", this.#time.descriptor],
    });
  }

  /** Resolves when it has begun to send the letter, with what comes of it. */
  async begin(letter: number): Promise<{ sent: Promise<LetterState> }> {
    const begun = this.#told((message) => message.begun === letter);
    const sent = this.#told((message) => message.letter === letter).then(({ state }) => state ?? "failed");
    this.#process.send(letter);
    await begun;
    return { sent };
  }

  freeze(): void {
    this.#process.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    this.thaw();
    const ended = this.#process.exitCode === null ? once(this.#process, "exit") : undefined;
    if (this.#process.connected) this.#process.disconnect();
    await ended;
    this.#time.close();
  }

  /** The first message of this kind; one that says `failed` when the process ends first. */
  #told(isMeant: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve) => {
      const look = (message: Message) => isMeant(message) && end(message);
      const gone = () => end({ state: "failed" });
      const end = (message: Message) => {
        this.#process.off("message", look).off("exit", gone);
        resolve(message);
      };
      this.#process.on("message", look).on("exit", gone);
    });
  }
}

interface Message {
  begun?: number;
  letter?: number;
  state?: LetterState;
}
