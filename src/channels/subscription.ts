import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';

/** Options of {@link Channels.subscribe}. */
export interface SubscribeOptions {
  /** The name may be a pattern: `*` stands for any characters. Not for a name that comes from a client. @defaultValue false */
  isPattern?: boolean;
}

/** @throws {TypeError} */
export function resolveSubscribe(options: SubscribeOptions): Required<SubscribeOptions> {
  const { isPattern = false, ...unknown } = requireOptions('subscribe', options);
  refuseUnknown('subscribe', unknown, ['isPattern']);
  requirePatternOption('subscribe', isPattern);
  return { isPattern };
}

/** @throws {TypeError} */
export function requirePatternOption(owner: string, isPattern: unknown): void {
  if (typeof isPattern !== 'boolean')
    throw new TypeError(
      `Option "isPattern" of ${owner} must be true or false; received ${describeValue(isPattern)}`,
    );
}

/** What {@link Channels.subscribe} gives. */
export class Subscription implements Disposable {
  /** The channel or pattern. */
  readonly channel: string;
  readonly #settled: () => Promise<void>;
  #end: (() => void) | undefined;

  /** Made by `subscribe`. */
  constructor(channel: string, end: () => void, settled: () => Promise<void>) {
    this.channel = channel;
    this.#end = end;
    this.#settled = settled;
  }

  /**
   * Resolves when what others publish reaches it: what is published here does at once. Rejects where the data store is away; it
   * is told when it is there again.
   */
  get ready(): Promise<void> {
    return this.#settled();
  }

  /** Ends it. A second call does nothing. */
  unsubscribe(): void {
    const end = this.#end;
    this.#end = undefined;
    end?.();
  }

  [Symbol.dispose](): void {
    this.unsubscribe();
  }
}
