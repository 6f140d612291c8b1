/** Actors that tests spawn, and functions that they run in them. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Actor,
  type ActorCode,
  type ActorInfo,
  type ActorMessage,
  type ActorProxy,
  arbiter,
  type CommandRequest,
  command,
  getActor,
  send,
  spawn,
  watch,
} from '../../src/actors/index.js';

// Nine tenths of what an actor that needs none of it would load.
const loadErrors = () => import('../../src/index.js');

command('shout', (_request, text: string) => text.toUpperCase());
command('whisper', ({ actor }, text: string) => note(actor, text), { ack: false });

const notes: string[] = [];

function note(actor: Actor, text: string): void {
  notes.push(text);
  const file = actor.config.file;
  if (typeof file === 'string') appendFileSync(file, `${actor.name} ${text}\n`);
}

export const plain: ActorCode = {};

/** Notes what happens to it, in the file of its settings. */
export class Hooked {
  #tasks = 0;

  readonly commands = {
    greet: ({ actor, sender }: CommandRequest, name: string) =>
      `Hello ${name}, I am ${actor.name}, and you are ${sender?.name}`,
    silent: () => undefined,
  };

  async onInit(actor: Actor) {
    await Promise.resolve();
    note(actor, `init ${actor.state}`);
  }

  onStart(actor: Actor) {
    note(actor, `start ${actor.state}`);
  }

  onTask(actor: Actor) {
    if (++this.#tasks === 3) note(actor, `task ${actor.state}`);
    if (this.#tasks === 2) throw new Error('the second task fails');
  }

  async onStop(actor: Actor) {
    note(actor, `stop ${actor.state}`);
    note(actor, String(await actor.send('arbiter', 'echo', 'still there')));
  }

  onExit(actor: Actor) {
    note(actor, `exit ${actor.state}`);
  }

  onInfo(_actor: Actor, info: ActorInfo) {
    return { tasks: this.#tasks, was: info.actor.state };
  }

  onMessage(actor: Actor, message: ActorMessage) {
    if (message.command === 'silent') throw new RangeError('not that');
    if (message.command === 'greet') note(actor, `message ${message.args.join()}`);
  }

  onMessageProcessed(actor: Actor, message: ActorMessage, error: Error | undefined) {
    if (message.command === 'greet') note(actor, `processed ${message.command} ${error?.message}`);
  }
}

export const failsToStart: ActorCode = {
  async onStart() {
    const { HttpError } = await loadErrors();
    throw new HttpError(503, 'not today', { cause: new Error('no tea') });
  },
};

export const neverStarts: ActorCode = { onStart: () => new Promise(() => {}) };

/** Dies in its `onStart` as often as the file of its settings says, which it shortens. */
export const diesFirst: ActorCode = {
  onStart(actor) {
    note(actor, 'up');
    if (actor.config.dies === true) throw new Error('as told');
  },
};

export const noted: ActorCode = {
  onStart: (actor) => note(actor, 'up'),
  onStop: (actor) => note(actor, 'down'),
};

export const unwilling: ActorCode = { onStop: () => new Promise(() => {}) };

/** Counts what comes from each sender, and whether it comes in order. */
export class Counter {
  readonly #next = new Map<string, number>();
  #outOfOrder = 0;

  readonly commands = {
    count: ({ sender }: CommandRequest, number: number) => {
      const from = sender?.id ?? '';
      if (number !== (this.#next.get(from) ?? 0)) this.#outOfOrder++;
      this.#next.set(from, number + 1);
      return number;
    },
    counted: () => ({ counts: [...this.#next.values()], outOfOrder: this.#outOfOrder }),
  };
}

/** One message after the other, each of which takes a turn of the loop. */
export class Careful {
  #inside = 0;
  #most = 0;

  readonly commands = {
    enter: async () => {
      this.#most = Math.max(this.#most, ++this.#inside);
      await sleep(1);
      this.#inside--;
      return this.#most;
    },
    reenter: ({ actor }: CommandRequest) =>
      actor.send({ to: actor, timeoutMs: 200 }, 'ping').catch((error: { code?: string }) => error.code),
  };
}

const gates: (() => void)[] = [];

/** Keeps its messages until it is told to let them go. */
export class Gate {
  readonly commands = {
    wait: () => new Promise<void>((go) => gates.push(go)),
  };
}

// Functions for the command "run".

export const lengthOf = (_actor: Actor, list: readonly unknown[]) => list.length;
export const transfers = (_actor: Actor, bytes: Uint8Array<ArrayBuffer>) =>
  structuredClone(bytes, { transfer: [bytes.buffer] }).length;
export const pid = () => process.pid;
export const nest = (_actor: Actor, depth: number) => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = { value };
  return value;
};
export const add = (_actor: Actor, a: number, b: number) => a + b;
export const openGates = () => gates.splice(0).forEach((go) => void go());
export const whoAmI = (actor: Actor) => ({
  same: actor === getActor(),
  kind: actor.proxy.kind,
  args: actor.args,
  pid: process.pid,
  env: process.env.ACTOR_TEST,
});
export const whisperedTo = () => notes.filter((text) => text.startsWith('psst'));
export const notAFunction = 5;

export async function fails() {
  const { HttpError } = await loadErrors();
  throw new HttpError(418, 'a teapot', { cause: new TypeError('too short and stout') });
}

export const givesAFunction = () => () => 1;
export const exits = (_actor: Actor, code: number) => process.exit(code);
export const throwsLater = () => void setTimeout(() => Promise.reject(new Error('it was too late')), 1);
export const never = () => new Promise(() => {});

export function blocks(_actor: Actor, ms = Number.POSITIVE_INFINITY) {
  const end = Date.now() + ms;
  while (Date.now() < end);
}

export const greetFrom = (actor: Actor, to: ActorProxy) => actor.send(to, 'echo', actor.proxy);
export const askMonitor = () => send('monitor', 'info').then((info) => info.actor.name);
export const spawnOne = (_actor: Actor, name: string) =>
  spawn({ module: import.meta.url, export: 'plain', name, kind: 'thread' });
export const callsArbiter = () => {
  try {
    return arbiter();
  } catch (error) {
    return (error as { code: string }).code;
  }
};
export const watches = async (_actor: Actor, target: string) => {
  const { reason, actor, error } = await watch(target);
  return { reason, actor, message: error?.message };
};
export const logs = (actor: Actor) => actor.logger.warn({ err: new Error('inner'), a: 1 }, 'a line');

/** Sends to all of them until its setting `isOver` says so, to each five times at once. @returns how often what came of it */
export async function storms(actor: Actor, names: readonly string[]) {
  const counts: Record<string, number> = {};
  const storm = async (to: string) => {
    while (actor.config.isOver !== true) {
      const what = await send({ to, timeoutMs: 60_000 }, 'echo', to).then(
        (answer) => (answer === to ? 'answer' : 'wrong answer'),
        (error: { code: string }) => error.code,
      );
      counts[what] = (counts[what] ?? 0) + 1;
      // Without a pause the storm has the processors, and not those that start anew.
      await sleep(1);
    }
  };
  await Promise.all([1, 2, 3, 4, 5].flatMap(() => names.map(storm)));
  return counts;
}

/** Pings an actor until it is told to end, and counts in memory that it shares with who asked. */
export async function pings(_actor: Actor, to: string, shared: Int32Array) {
  while (Atomics.load(shared, 0) === 0) {
    await send(to, 'ping');
    Atomics.add(shared, 1, 1);
  }
}

/** Sends so many numbers to a counter: all at once, or `wide` at once. @returns how many came back as they were */
export async function floods(_actor: Actor, to: string, count: number, wide: number) {
  let right = 0;
  for (let first = 0; first < count; first += wide) {
    const numbers = Array.from({ length: Math.min(wide, count - first) }, (_, i) => first + i);
    const answers = await Promise.all(numbers.map((number) => send(to, 'count', number)));
    right += numbers.filter((number, i) => answers[i] === number).length;
  }
  return right;
}

/** Leaves soon after it has started, with an exit code of its settings. */
export const leaves: ActorCode = {
  onStart(actor) {
    note(actor, 'up');
    setTimeout(() => process.exit(Number(actor.config.code)), 1);
  },
};
