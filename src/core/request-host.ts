import type { ConnectionInfo, ResponseControl, TakeTunnel, WsgiInput } from './contract.js';
import type { UpgradeToWebSocket } from './raw-websocket.js';
import type { ServerFacts } from './server-facts.js';

/** What stands behind an environ: one request of one server. */
export interface RequestHost {
  readonly facts: ServerFacts;
  readonly method: string;
  /** Undecoded. */
  readonly path: string;
  /** What follows the `?`; undefined without one. */
  readonly query: string | undefined;
  /** The request target as the client sent it. */
  readonly target: string;
  readonly protocol: string;
  /** As the client stated it, `''` when it did not. */
  readonly contentLength: string;
  /** How many body bytes come: 0 for none, -1 when that is not known. */
  readonly bodyBytes: number;
  readonly connection: ConnectionInfo;
  readonly input: WsgiInput;
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** When the request arrived, in ms since the epoch. */
  readonly timestamp: number;
  readonly response: ResponseControl;
  readonly tunnel: TakeTunnel | undefined;
  readonly upgrade: UpgradeToWebSocket | undefined;
  /** The value of a header, by its name in lower case. @throws {VelaError} `ERR_ENVIRON_EXPIRED` */
  header(name: string): string | undefined;
  /** The names of all headers that can be read, in lower case. */
  headerNames(): string[];
  /** All header lines that can be read: name, value, name, value. @throws {VelaError} `ERR_ENVIRON_EXPIRED` */
  fields(): readonly string[];
}
