import type { ConnectionInfo, ServerConfig, TakeTunnel, WsgiErrors, WsgiInput } from './contract.js';
import type { Logger } from './logger.js';
import type { RequestFields, RequestHead } from './request-fields.js';

/** What stands behind an environ: one request of one server. */
export interface RequestHost {
  readonly facts: ServerFacts;
  readonly method: string;
  /** Undecoded. */
  readonly path: string;
  readonly query: string | undefined;
  readonly head: RequestHead;
  readonly fields: RequestFields | undefined;
  readonly target: string | undefined;
  readonly protocol: string;
  /** As the client stated it, `''` when it did not. */
  readonly contentLength: string;
  readonly connection: ConnectionInfo;
  readonly input: WsgiInput;
  readonly signal: AbortSignal;
  readonly requestId: string;
  readonly tunnel: TakeTunnel | undefined;
}

/** What all requests of one server have in common. */
export interface ServerFacts {
  readonly host: string;
  readonly port: string;
  readonly scheme: 'http' | 'https';
  readonly software: string;
  readonly multiprocess: boolean;
  readonly config: ServerConfig;
  readonly logger: Logger;
  readonly errors: WsgiErrors;
}
