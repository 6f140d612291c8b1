import type { MessageBytes, RawWebSocket, TopicHub } from './raw-websocket.js';

const hubs = new Set<TopicHub>();

/** A listener has WebSockets. @returns what to call when it is closed */
export function addTopicHub(hub: TopicHub): () => void {
  hubs.add(hub);
  return () => void hubs.delete(hub);
}

/**
 * Sends a message to all WebSockets of this thread that subscribe to a topic, on whichever listener.
 * @param except - one of them that does not get it
 */
export function publishToTopic(
  topic: string,
  message: string | MessageBytes,
  isBinary: boolean,
  compress: boolean,
  except?: RawWebSocket,
): void {
  for (const hub of hubs) (hub === except?.hub ? except : hub).publish(topic, message, isBinary, compress);
}
