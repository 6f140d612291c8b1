import { type ActorCode, type ActorProxy, type CommandRequest, watch } from 'vela/actors';

interface Fork {
  /** The id of who holds it. */
  holder: string | undefined;
  waiting: { readonly id: string; readonly give: () => void }[];
}

/** The table, which is the monitor of the philosophers: it hands out forks, one to one, in the order in which they were asked for. */
export class Table implements ActorCode {
  readonly #forks: readonly Fork[];
  /** The ids of those who sit there. */
  readonly #guests = new Set<string>();

  constructor(seats: number) {
    this.#forks = Array.from({ length: seats }, () => ({ holder: undefined, waiting: [] }));
  }

  readonly commands = {
    /** Answers when the fork is the sender's. */
    pickup_fork: ({ sender }: CommandRequest, number: number): Promise<void> => {
      const fork = this.#forks[number];
      if (fork === undefined || sender === undefined) throw new RangeError(`there is no fork ${number}`);
      this.#know(sender);
      return new Promise((give) => {
        fork.waiting.push({ id: sender.id, give });
        this.#pass(fork);
      });
    },
    putdown_fork: ({ sender }: CommandRequest, number: number): void => {
      if (sender !== undefined) this.#putDown(number, sender.id);
    },
  };

  /** Who dies at the table lets go of the forks, and waits for none. */
  #know({ id }: ActorProxy): void {
    if (this.#guests.has(id)) return;
    this.#guests.add(id);
    void watch(id).then(() => {
      this.#guests.delete(id);
      for (const [number, fork] of this.#forks.entries()) {
        fork.waiting = fork.waiting.filter((one) => one.id !== id);
        this.#putDown(number, id);
      }
    });
  }

  #putDown(number: number, id: string): void {
    const fork = this.#forks[number];
    if (fork?.holder !== id) return;
    fork.holder = undefined;
    this.#pass(fork);
  }

  #pass(fork: Fork): void {
    if (fork.holder !== undefined) return;
    const next = fork.waiting.shift();
    fork.holder = next?.id;
    next?.give();
  }
}
