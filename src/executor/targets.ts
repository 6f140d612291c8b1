import { describeValue } from '../core/errors.js';
import { resolveModule } from '../core/module-url.js';
import type { KnownFacts } from '../core/server-facts.js';
import type { WireError } from '../core/wire-error.js';
import { ITSELF } from './loading.js';
import type { TargetKind } from './wire.js';

/** A module's export that is called in threads. */
export interface Target {
  readonly url: string;
  readonly name: string;
  readonly use: TargetKind;
  /** The first server that it is started for; undefined for none. */
  readonly server: KnownFacts | undefined;
  /** It was loaded in some thread, and has ended none since: new threads load it before it is called. */
  isSound: boolean;
  /** Who waits until it is loaded somewhere. */
  readonly waiting: ((error: WireError | undefined) => void)[];
}

/** What an executor calls, by number. */
export class Targets {
  readonly #all: Target[] = [];
  /** The URL of each module, by how it was given. */
  readonly #urls = new Map<unknown, string>();

  get(index: number): Target {
    return this.#all[index] as Target;
  }

  indexes(): Iterable<number> {
    return this.#all.keys();
  }

  /** @param onNew - told of the URL of one that is new @throws {TypeError} for what is no module's export */
  find({ module, name, use, owner, server }: TargetRequest, onNew: (url: string) => void): number {
    const given = module instanceof URL ? module.href : module;
    // Looking for the file costs a system call.
    const url = this.#urls.get(given) ?? resolveModule(owner, module);
    this.#urls.set(given, url);
    if (typeof name !== 'string' || name === '')
      throw new TypeError(`${owner} takes the name of an export; received ${describeValue(name)}`);
    const known = this.#all.findIndex((one) => one.url === url && one.name === name && one.use === use);
    if (known !== -1) return known;
    const index = this.#all.push({ url, name, use, server, isSound: false, waiting: [] }) - 1;
    onNew(url);
    return index;
  }

  /** Waits until it is loaded somewhere, or cannot be. */
  loaded(index: number): Promise<WireError | undefined> {
    return new Promise((resolve) => {
      this.get(index).waiting.push(resolve);
    });
  }

  isAwaited(index: number): boolean {
    return (this.#all[index]?.waiting.length ?? 0) > 0;
  }

  /** What is to blame when a thread has ended while it loaded these: of those that never were sound, if there are any. */
  suspects(indexes: readonly number[]): readonly number[] {
    const unsound = indexes.filter((index) => index === ITSELF || !this.get(index).isSound);
    return unsound.length > 0 ? unsound : indexes;
  }

  settle(index: number, error: WireError | undefined): void {
    for (const resolve of this.get(index).waiting.splice(0)) resolve(error);
  }

  settleAll(error: WireError): void {
    for (const index of this.indexes()) this.settle(index, error);
  }
}

/** What is to be called. */
export interface TargetRequest {
  readonly module: unknown;
  readonly name: unknown;
  readonly use: TargetKind;
  /** Who asks, for error messages. */
  readonly owner: string;
  readonly server?: KnownFacts | undefined;
}
