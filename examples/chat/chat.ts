/** Rooms, who is in them, and what is said there, over all workers and servers. */
import { randomUUID } from 'node:crypto';
import type { Channels } from 'vela/channels';
import type { WebSocketConnection } from 'vela/websocket';

/** What pages get. */
export type ChatEvent =
  | { readonly type: 'said'; readonly name: string; readonly text: string; readonly at: number }
  /** All who are in the room by way of one worker; pages forget a worker that they have not heard of for a while. */
  | { readonly type: 'here'; readonly worker: string; readonly names: readonly string[] };

const LONGEST_TEXT = 500;
/** How often each worker says who is there. */
const HERE_MS = 5000;

/** A room in this worker. */
interface Room {
  readonly people: Map<object, string>;
  /** Somebody has come, and wants to know who is there. */
  readonly questions: { unsubscribe(): void };
}

export class Chat {
  readonly #channels: Channels;
  readonly #worker = randomUUID();
  readonly #rooms = new Map<string, Room>();
  #timer: NodeJS.Timeout | undefined;

  constructor(channels: Channels) {
    this.#channels = channels;
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const name of this.#rooms.keys()) this.#tellHere(name);
    }, HERE_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The channel of a room. */
  channelOf(room: string): string {
    return `chat:${room}`;
  }

  /** Says something in a room, whoever it is that asks for it. @returns false for what is empty or too long */
  message(room: string, name: string, text: string): boolean {
    const trimmed = text.trim();
    if (trimmed === '' || trimmed.length > LONGEST_TEXT) return false;
    this.#publish(room, { type: 'said', name, text: trimmed, at: Date.now() });
    return true;
  }

  async enter<S, R extends import('vela').WsgiRequest>(
    socket: WebSocketConnection<S, R>,
    room: string,
    name: string,
  ): Promise<void> {
    await this.#channels.subscribe(this.channelOf(room), socket).ready.catch(() => undefined);
    if (!socket.isOpen) return;
    this.#open(room).people.set(socket, name);
    this.#tellHere(room);
    void this.#channels.publish(`who:${room}`, this.#worker);
  }

  leave(socket: object, room: string): void {
    const found = this.#rooms.get(room);
    if (found?.people.delete(socket) !== true) return;
    this.#tellHere(room);
    if (found.people.size > 0) return;
    found.questions.unsubscribe();
    this.#rooms.delete(room);
  }

  #open(name: string): Room {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      const questions = this.#channels.subscribe(`who:${name}`, (worker) => {
        if (worker !== this.#worker) this.#tellHere(name);
      });
      room = { people: new Map(), questions };
      this.#rooms.set(name, room);
    }
    return room;
  }

  #tellHere(room: string): void {
    const names = [...(this.#rooms.get(room)?.people.values() ?? [])];
    this.#publish(room, { type: 'here', worker: this.#worker, names });
  }

  #publish(room: string, event: ChatEvent): void {
    // Where the data store is away, those of this worker still hear it.
    void this.#channels.publish(this.channelOf(room), event);
  }
}
