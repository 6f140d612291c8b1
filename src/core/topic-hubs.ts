import type { MessageBytes } from './raw-websocket.js';

/** The WebSockets of one listener, as far as topics go. */
export interface TopicHub {
  publish(topic: string, message: string | MessageBytes, isBinary: boolean, compress: boolean): unknown;
}

const hubs = new Set<TopicHub>();

/** A listener has WebSockets. @returns what to call when it is closed */
export function addTopicHub(hub: TopicHub): () => void {
  hubs.add(hub);
  return () => void hubs.delete(hub);
}

/** Sends a message to all WebSockets of this thread that subscribe to a topic, on whichever listener. */
export function publishToTopic(
  topic: string,
  message: string | MessageBytes,
  isBinary: boolean,
  compress: boolean,
): void {
  for (const hub of hubs) hub.publish(topic, message, isBinary, compress);
}
