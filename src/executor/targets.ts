import { describeValue } from '../core/errors.js';
import type { KnownServer } from './known-servers.js';
import { resolveModule } from './module-url.js';
import type { TargetKind } from './wire.js';
import type { WireError } from './wire-error.js';

/** A module's export that is called in threads. */
export interface Target {
  readonly url: string;
  readonly name: string;
  readonly use: TargetKind;
  /** The first server that it is started for; undefined for none. */
  readonly server: KnownServer | undefined;
  /** Who waits until it is loaded somewhere. */
  readonly waiting: ((error: WireError | undefined) => void)[];
}

/** What an executor calls, by number. */
export class Targets {
  readonly #all: Target[] = [];

  get(index: number): Target {
    return this.#all[index] as Target;
  }

  indexes(): Iterable<number> {
    return this.#all.keys();
  }

  /** @param onNew - told of the number of one that is new @throws {TypeError} for what is no module's export */
  find({ module, name, use, owner, server }: TargetRequest, onNew: (index: number) => void): number {
    const given = module instanceof URL ? module.href : module;
    // Looking for the file costs a system call.
    const url = this.#all.find((one) => one.url === given)?.url ?? resolveModule(owner, module);
    if (typeof name !== 'string' || name === '')
      throw new TypeError(`${owner} takes the name of an export; received ${describeValue(name)}`);
    const known = this.#all.findIndex((one) => one.url === url && one.name === name && one.use === use);
    if (known !== -1) return known;
    const index = this.#all.push({ url, name, use, server, waiting: [] }) - 1;
    onNew(index);
    return index;
  }

  /** Waits until it is loaded somewhere, or cannot be. */
  loaded(index: number): Promise<WireError | undefined> {
    return new Promise((resolve) => {
      this.get(index).waiting.push(resolve);
    });
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
  readonly server?: KnownServer | undefined;
}
