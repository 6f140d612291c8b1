import type { MessageBytes, TopicHub } from './raw-websocket.js';

/** A WebSocket that topics are delivered to. */
export interface TopicMember {
  deliver(message: string | MessageBytes, isBinary: boolean, compress: boolean): void;
}

/** Topics of WebSockets whose gateway has none of its own. */
export class TopicMap implements TopicHub {
  readonly #members = new Map<string, Set<TopicMember>>();

  publish(
    topic: string,
    message: string | MessageBytes,
    isBinary: boolean,
    compress: boolean,
    except?: TopicMember,
  ): void {
    // A copy: whoever is closed by it is taken off the list.
    for (const one of [...(this.#members.get(topic) ?? [])])
      if (one !== except) one.deliver(message, isBinary, compress);
  }

  add(member: TopicMember, topic: string): boolean {
    const members = this.#members.get(topic);
    if (members === undefined) this.#members.set(topic, new Set([member]));
    else members.add(member);
    return true;
  }

  remove(member: TopicMember, topic: string): boolean {
    const members = this.#members.get(topic);
    if (members?.delete(member) !== true) return false;
    if (members.size === 0) this.#members.delete(topic);
    return true;
  }
}
