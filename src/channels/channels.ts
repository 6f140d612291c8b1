import { getActor } from '../actors/current-actor.js';
import type { Part, PartDescription, StartContext } from '../core/contract.js';
import { describeValue, toError } from '../core/errors.js';
import { type Logger, nameLogger } from '../core/logger.js';
import { stderrLogger } from '../core/stderr-logger.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import type { ServerSentEvent } from '../response/event-stream.js';
import { WebSocketConnection } from '../websocket/websocket-connection.js';
import type { Carrier, CarrierOwner, ChannelsStatus } from './carrier.js';
import { ChannelEvents, type ChannelEventsOptions, resolveEvents } from './channel-events.js';
import { requireChannel, requireTarget } from './channel-name.js';
import { channelsError } from './channels-error.js';
import { type ChannelsOptions, type ResolvedChannels, resolveChannels } from './channels-options.js';
import { type DataStore, findDataStore, whenDataStore } from './data-store.js';
import { Lock, type LockOptions } from './lock.js';
import { packMessage } from './packed-message.js';
import { type PublishOptions, resolveExcept } from './publish-options.js';
import { RedisCarrier } from './redis-carrier.js';
import { RelayCarrier } from './relay.js';
import { resolveSubscribe, type SubscribeOptions, Subscription } from './subscription.js';
import { type ChannelListener, Subscriptions } from './subscriptions.js';

/** Called with each status, and with the error that led to `disconnected`. */
export type StatusListener = (status: ChannelsStatus, error: Error | undefined) => void;

/**
 * Publishes to whoever subscribes: in this process, in the other workers of the program, and with a data store on other
 * machines. They open by themselves at their first use; in the stack of a server they open and close with it.
 * @see docs/channels.md for what is promised
 * @example
 * const channels = new Channels();
 * const room = websocket('/room', {
 *   open: (socket) => void channels.subscribe('room', socket),
 *   message: (_socket, message) => void channels.publish('room', message),
 * });
 * await new WsgiServer(new WsgiHandler([channels, room])).start();
 */
export class Channels implements Part {
  readonly name: string;
  /** It reads no headers of requests. */
  readonly headers: readonly string[] = [];
  readonly #options: ResolvedChannels;
  readonly #subscriptions: Subscriptions;
  readonly #owner: CarrierOwner;
  readonly #statusListeners = new Set<StatusListener>();
  readonly #events = new Set<ChannelEvents>();
  #carrier: Carrier | undefined;
  #forgetStore = () => {};
  #logger: Logger | undefined;
  #status: ChannelsStatus = 'initialised';
  #isLost = false;
  /** How many servers have started it. */
  #starts = 0;

  /** @throws {TypeError} for wrong options @throws {ImproperlyConfigured} for a data store that cannot be */
  constructor(options: ChannelsOptions = {}) {
    const resolved = resolveChannels(options);
    const { name, maxMessageBytes, maxSubscriptions } = resolved;
    this.name = name;
    this.#options = resolved;
    const logger: Logger = {
      debug: (details, message) => this.#log.debug(details, message),
      info: (details, message) => this.#log.info(details, message),
      warn: (details, message) => this.#log.warn(details, message),
      error: (details, message) => this.#log.error(details, message),
    };
    this.#subscriptions = new Subscriptions(maxSubscriptions, {
      logger,
      changed: (target) => this.#carrier?.changed(target),
    });
    this.#owner = {
      name,
      maxMessageBytes,
      logger,
      deliver: (delivery) => this.#subscriptions.deliver(delivery),
      countOf: (target) => this.#subscriptions.countOf(target),
      targets: () => this.#subscriptions.targets(),
      become: (status, error) => this.#become(status, error),
    };
  }

  /** How they are connected with other processes, or the data store. */
  get status(): ChannelsStatus {
    return this.#status;
  }

  /** Calls a function at each change of the status. @returns what ends that */
  onStatus(listener: StatusListener): () => void {
    requireFunction('onStatus', listener);
    const own: StatusListener = (status, error) => listener(status, error);
    this.#statusListeners.add(own);
    return () => void this.#statusListeners.delete(own);
  }

  /**
   * Sends a message to all that subscribe to a channel: in this process before this returns.
   * @param data - text, bytes, a message of a WebSocket, or any value that JSON can say
   * @param options - `{ except: socket }` leaves a WebSocket out
   * @returns a promise that resolves when other processes, or the data store, have it. It need not be awaited
   * @throws {TypeError} for what is no channel, and for what JSON cannot say
   * @throws {VelaError} `ERR_CHANNELS_MESSAGE_SIZE`, `ERR_CHANNELS_CLOSED`; the promise rejects with `ERR_CHANNELS_DISCONNECTED`,
   * `ERR_CHANNELS_BACKLOG`
   */
  publish(channel: string, data: unknown, options: PublishOptions = {}): Promise<void> {
    requireChannel('publish', channel);
    const except = resolveExcept(options);
    const message = packMessage(data, this.#options.maxMessageBytes);
    const carrier = this.#open();
    this.#subscriptions.deliver({ channel, message, except });
    return carrier.publish(channel, message, except);
  }

  /**
   * Subscribes a function, or a WebSocket: what is published is sent to it then, and it leaves when it is closed.
   * @param channel - its name, or with `isPattern` a pattern: `*` stands for any characters
   * @throws {TypeError} for what is no channel, or cannot listen @throws {VelaError} `ERR_CHANNELS_FULL`, `ERR_CHANNELS_CLOSED`
   */
  subscribe<State, Request extends WsgiRequest>(
    channel: string,
    subscriber: ChannelListener | WebSocketConnection<State, Request>,
    options: SubscribeOptions = {},
  ): Subscription {
    requireTarget('subscribe', channel, resolveSubscribe(options).isPattern);
    const isSocket = subscriber instanceof WebSocketConnection;
    if (!isSocket) requireFunction('subscribe', subscriber, ' or a WebSocket');
    this.#open();
    const end = isSocket
      ? this.#subscriptions.addSocket(channel, WebSocketConnection.sessionOf(subscriber))
      : this.#subscriptions.addListener(channel, subscriber);
    return new Subscription(channel, end, () => this.#open().settled());
  }

  /**
   * How many subscribe to a channel, in all processes. Those of patterns are not among them.
   * @throws {TypeError} for what is no channel @throws {VelaError} `ERR_CHANNELS_DISCONNECTED`, `ERR_CHANNELS_CLOSED`
   */
  async count(channel: string): Promise<number> {
    requireChannel('count', channel);
    const others = await this.#open().countOthers(channel);
    return this.#subscriptions.countOf(channel) + others;
  }

  /**
   * The messages of a channel as server-sent events, for `eventStream`: the channel is `event`, and `data` the text, the value as
   * JSON, or the bytes in base64. It ends when its signal aborts, and when the server begins to stop.
   * @param channel - its name, or with `isPattern` a pattern
   * @throws {TypeError} for what is no channel, and wrong options
   * @example return eventStream(channels.events('news', { signal: environ['vela.signal'] }));
   */
  events(channel: string, options: ChannelEventsOptions = {}): AsyncIterable<ServerSentEvent> {
    const resolved = resolveEvents(options);
    requireTarget('events', channel, resolved.isPattern);
    return {
      [Symbol.asyncIterator]: () => {
        this.#open();
        const events = new ChannelEvents(
          resolved,
          (listener) => this.#subscriptions.addPackedListener(channel, listener),
          (ended) => void this.#events.delete(ended),
        );
        this.#events.add(events);
        return events;
      },
    };
  }

  /**
   * Something that one at a time does: in this program, or with a data store on all machines.
   * @throws {TypeError} for a name that is none, and wrong options
   * @example await channels.lock('report', { timeoutMs: 60_000 }).run(writeReport);
   */
  lock(name: string, options: LockOptions = {}): Lock {
    requireChannel('lock', name);
    const keeper = async () => {
      const carrier = this.#open();
      await carrier.open();
      return carrier.locks;
    };
    return new Lock({ keeper }, this.name, name, options);
  }

  /**
   * Opens them, and waits until they are connected, or cannot be at present: they try again then.
   * @throws {VelaError} `ERR_CHANNELS_REDIS_MISSING`
   */
  async start(context?: StartContext): Promise<void> {
    this.#starts++;
    if (this.#status === 'closed') this.#status = 'initialised';
    if (context !== undefined) {
      this.#logger = nameLogger(context.logger, 'vela.channels');
      context.stopping.addEventListener('abort', () => this.#endEvents(), { once: true });
    }
    await this.#open().open();
  }

  /** Closes them, when all servers that have started them are stopped. Subscriptions of functions are there again after `start`. */
  async stop(): Promise<void> {
    if (--this.#starts > 0) return;
    this.#starts = 0;
    this.#endEvents();
    this.#forgetStore();
    const carrier = this.#carrier;
    if (carrier === undefined && this.#status === 'closed') return;
    await carrier?.close();
    this.#carrier = undefined;
    this.#become('closed');
  }

  /** In a stack it passes each request on. */
  handle(): undefined {
    return undefined;
  }

  describe(): PartDescription {
    return { name: 'channels', channels: this.name };
  }

  get #log(): Logger {
    this.#logger ??= getActor()?.logger ?? stderrLogger;
    return this.#logger;
  }

  #open(): Carrier {
    if (this.#status === 'closed')
      throw channelsError(
        'ERR_CHANNELS_CLOSED',
        `The channels "${this.name}" are closed: their server has stopped, or stop() was called`,
      );
    if (this.#carrier !== undefined) return this.#carrier;
    const store = this.#options.dataStore ?? findDataStore();
    // Settings may be known only later.
    if (store === undefined) this.#forgetStore = whenDataStore((found) => this.#moveTo(found));
    const owner = this.#owner;
    return this.#use(store === undefined ? new RelayCarrier(owner) : new RedisCarrier(owner, store));
  }

  #moveTo(store: DataStore): void {
    void this.#carrier?.close();
    this.#use(new RedisCarrier(this.#owner, store));
  }

  #use(carrier: Carrier): Carrier {
    this.#carrier = carrier;
    carrier.open().catch((error: unknown) => {
      this.#log.error({ err: toError(error) }, 'the channels cannot be opened');
    });
    return carrier;
  }

  #endEvents(): void {
    for (const events of [...this.#events]) events.end();
  }

  #become(status: ChannelsStatus, error?: Error): void {
    if (this.#status === status || (this.#status === 'closed' && status !== 'closed')) return;
    this.#status = status;
    this.#report(status, error);
    for (const listener of [...this.#statusListeners]) {
      try {
        listener(status, error);
      } catch (thrown) {
        this.#log.error({ err: toError(thrown) }, 'a listener of the status of channels failed');
      }
    }
  }

  /** Says once that the connection is lost, and once that it is there again. */
  #report(status: ChannelsStatus, error: Error | undefined): void {
    const what = `the channels "${this.name}" are ${status}`;
    if (status === 'disconnected' && !this.#isLost)
      this.#log.warn({ err: error }, `${what}: ${error?.message}`);
    else if (status === 'disconnected') this.#log.debug({ err: error }, `${what}: ${error?.message}`);
    else if (status === 'connected' && this.#isLost) this.#log.warn({}, `${what} again`);
    if (status !== 'connecting') this.#isLost = status === 'disconnected';
  }
}

function requireFunction(owner: string, value: unknown, more = ''): void {
  if (typeof value !== 'function')
    throw new TypeError(`${owner}() takes a function${more}; received ${describeValue(value)}`);
}
