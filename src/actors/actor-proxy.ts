import type { ActorKind } from './actor-state.js';

/** Marks proxies among what was sent: copies have no class any more. */
const MARK = 'vela.actor';

/** A handle of an actor, wherever it runs. It may be sent in messages, and be compared by its id. */
export class ActorProxy {
  readonly [MARK] = true;
  /** Eight letters and digits; `arbiter` for the arbiter. */
  readonly id: string;
  readonly name: string;
  readonly kind: ActorKind;

  constructor(id: string, name: string, kind: ActorKind) {
    this.id = id;
    this.name = name;
    this.kind = kind;
  }

  /** True for a handle of the same actor. */
  equals(other: unknown): boolean {
    return other instanceof ActorProxy && other.id === this.id;
  }

  toString(): string {
    return `${this.name} (${this.id})`;
  }
}

/** Gives the proxies among data that was just received their class again, in place. */
export function reviveProxies<T>(value: T): T {
  const found = new Set<object>();
  find(value, found);
  // It meets what is found meanwhile, too: data may be nested deeper than calls can be.
  for (const one of found) revive(one, found);
  return value;
}

function revive(value: object, found: Set<object>): void {
  if (value instanceof Map) {
    for (const [key, one] of value) {
      find(key, found);
      find(one, found);
    }
  } else if (Array.isArray(value) || value instanceof Set) {
    for (const one of value) find(one, found);
  } else if (MARK in value) {
    Object.setPrototypeOf(value, ActorProxy.prototype);
  } else {
    for (const key of Object.keys(value)) find(Reflect.get(value, key), found);
  }
}

function find(value: unknown, found: Set<object>): void {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) found.add(value);
}
