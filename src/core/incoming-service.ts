import type { DeclaredFields } from './request-fields.js';
import type { ServerFacts } from './server-facts.js';
import type { TakenOwner } from './take-over.js';
import type { ResponseOwner, Transport } from './transport.js';

/** What the incoming side needs of its server. */
export interface IncomingService<R> {
  /** The headers that can be read once a request has gone async; undefined for all. */
  readonly headers: DeclaredFields | undefined;
  readonly facts: ServerFacts;
  readonly transport: Transport<R>;
}

/** The exchange that a request belongs to. */
export interface RequestOwner extends ResponseOwner, TakenOwner {
  interrupt(error: unknown): void;
  cutOff(error: Error): void;
  sendHead(): void;
}
