/** A WebSocket of test/support/channels-app.mjs, which has it call what the test wants. */
import { once } from 'node:events';
import type { Test } from 'tap';
import { WebSocket } from 'ws';
import { eventually } from './eventually.js';

interface Answer {
  readonly id?: number;
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly pid?: number;
  readonly heard?: unknown;
}

export class Peer {
  readonly socket: WebSocket;
  pid = 0;
  /** Text that was published, as it came; bytes as `bytes 01ff`; what a listener heard as `heard` and JSON. */
  readonly messages: string[] = [];
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #id = 0;

  private constructor(url: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/control`);
    this.socket.on('message', (data, isBinary) => this.#take(data as Buffer, isBinary));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      for (const answer of this.#answers.values())
        answer({ code: 'closed', message: 'closed before an answer' });
    });
  }

  static async open(t: Test, url: string): Promise<Peer> {
    const peer = new Peer(url);
    t.teardown(() => peer.socket.terminate());
    await once(peer.socket, 'open');
    await eventually('a process id', () => peer.pid !== 0);
    return peer;
  }

  /** One in each of so many workers. */
  static async openEach(t: Test, url: string, workers: number): Promise<Peer[]> {
    const peers = new Map<number, Peer>();
    await eventually('each worker has a WebSocket', async () => {
      const peer = await Peer.open(t, url);
      if (peers.has(peer.pid)) peer.socket.terminate();
      else peers.set(peer.pid, peer);
      return peers.size === workers;
    });
    return [...peers.values()];
  }

  /** @throws with the code of what was thrown there */
  async call(call: string, ...args: unknown[]): Promise<unknown> {
    const id = ++this.#id;
    const answer = await new Promise<Answer>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to ${call}`)), 30_000);
      this.#answers.set(id, (found) => {
        clearTimeout(late);
        resolve(found);
      });
      this.socket.send(JSON.stringify([id, call, ...args]));
    });
    if (answer.code !== undefined) throw Object.assign(new Error(answer.message), { code: answer.code });
    return answer.value;
  }

  /** Waits for so many messages. */
  async received(count: number): Promise<readonly string[]> {
    await eventually(`${count} messages, not ${this.messages.length}`, () => this.messages.length >= count);
    return this.messages;
  }

  #take(data: Buffer, isBinary: boolean): void {
    const text = data.toString();
    if (isBinary) {
      this.messages.push(`bytes ${data.toString('hex')}`);
      return;
    }
    const answer = text.startsWith('{"') ? (JSON.parse(text) as Answer) : {};
    if (answer.pid !== undefined) this.pid = answer.pid;
    else if (answer.id !== undefined && this.#answers.has(answer.id)) {
      this.#answers.get(answer.id)?.(answer);
      this.#answers.delete(answer.id);
    } else if ('heard' in answer) this.messages.push(`heard ${JSON.stringify(answer.heard)}`);
    else this.messages.push(text);
  }
}

/** What came of a burst's name, as its numbers in order. */
export function numbersOf(messages: readonly string[], name: string): number[] {
  return messages
    .map((text) => JSON.parse(text.replace(/^heard /, '')) as { name?: string; i: number })
    .filter((one) => one.name === name)
    .map((one) => one.i);
}
