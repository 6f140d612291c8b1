import type { Server, ServerOptions } from 'node:http';

/** Events that tell of connections. */
const EVENTS = ['upgrade', 'connect', 'connection', 'secureConnection'] as const;
const OPTIONS = [
  'IncomingMessage',
  'ServerResponse',
  'insecureHTTPParser',
  'joinDuplicateHeaders',
  'rejectNonStandardBodyWrites',
  'uniqueHeaders',
] as const;

/** The option of a server, if there is one, that only node:http heeds. */
export function findNodeOption(options: ServerOptions): string | undefined {
  const option = OPTIONS.find((name) => Boolean(options[name]));
  return option && `the option '${option}'`;
}

/** Whether only node:http has that event. */
export function isNodeEvent(event: string | symbol): event is (typeof EVENTS)[number] {
  return (EVENTS as readonly (string | symbol)[]).includes(event);
}

/** The event that a server has listeners of, if there is one, and that only node:http has. @param own - its own listeners of 'connection' */
export function findNodeEvent(server: Server, own: number): string | undefined {
  const event = EVENTS.find((name) => server.listenerCount(name) > (name === 'connection' ? own : 0));
  return event && `the event '${event}'`;
}
