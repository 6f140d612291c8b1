/** Channels behind a server, for tests: its WebSockets call what they are told to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventStream, requestOf, WsgiHandler } from 'vela';
import { getActor } from 'vela/actors';
import { Channels } from 'vela/channels';
import { websocket } from 'vela/websocket';

const channels = new Channels();
const same = new Channels();
/** By socket and channel. */
const subscriptions = new WeakMap();
const statuses = [];
channels.onStatus((status) => statuses.push(status));
// Before anything is started.
const early = [];
channels.subscribe('early', (message) => early.push(message));

const keep = async (socket, channel, subscription) => {
  const kept = subscriptions.get(socket) ?? new Map();
  kept.set(channel, [...(kept.get(channel) ?? []), subscription]);
  subscriptions.set(socket, kept);
  await subscription.ready.catch(() => undefined);
};

const calls = {
  join: (socket, channel) =>
    keep(socket, channel, channels.subscribe(channel, socket, { isPattern: channel.includes('*') })),
  listen: (socket, channel) =>
    keep(
      socket,
      channel,
      channels.subscribe(
        channel,
        (message, from) =>
          socket.sendJson({ heard: message instanceof Uint8Array ? [...message] : message, from }),
        { isPattern: channel.includes('*') },
      ),
    ),
  leave(socket, channel) {
    for (const one of subscriptions.get(socket)?.get(channel)?.splice(0) ?? []) one.unsubscribe();
  },
  publish: (_socket, channel, data) => channels.publish(channel, data),
  others: (socket, channel, data) => channels.publish(channel, data, { except: socket }),
  /** By other channels of the same name. */
  again: (socket, channel, data) => same.publish(channel, data, { except: socket }),
  /** In one turn of the loop. */
  both: (socket, channel, first, second) =>
    Promise.all([channels.publish(channel, first), channels.publish(channel, second, { except: socket })]),
  bytes: (_socket, channel, ...bytes) => channels.publish(channel, new Uint8Array(bytes)),
  async burst(_socket, channel, name, count) {
    const sent = [];
    for (let i = 0; i < count; i++) sent.push(channels.publish(channel, { name, i }));
    await Promise.all(sent);
  },
  async paced(_socket, channel, name, count, pauseMs) {
    let lost = 0;
    for (let i = 0; i < count; i++) {
      await channels.publish(channel, { name, i }).catch(() => lost++);
      await sleep(pauseMs);
    }
    return lost;
  },
  /** No faster than the caller reads. */
  async flood(socket, channel, count, bytes) {
    for (let i = 0; i < count; i++) {
      await channels.publish(channel, 'x'.repeat(bytes));
      await socket.drained();
    }
  },
  count: (_socket, channel) => channels.count(channel),
  async counts(_socket, channel, times) {
    const counts = await Promise.all(Array.from({ length: times }, () => channels.count(channel)));
    return [...new Set(counts)];
  },
  /** Subscribes while more messages to the main process are under way than may be. @returns what became of `ready` */
  async squeezeIn(socket, channel) {
    const pings = Array.from({ length: 30_000 }, () => getActor().send('arbiter', 'ping'));
    await sleep(0);
    const ready = await channels.subscribe(channel, socket).ready.then(
      () => 'ready',
      (error) => error.code,
    );
    const refused = (await Promise.allSettled(pings)).filter(({ status }) => status === 'rejected');
    return refused.length > 0 ? ready : 'none was refused';
  },
  status: () => channels.status,
  statuses: () => statuses,
  early: () => early,
  held: (_socket, name, timeoutMs, workMs) =>
    channels.lock(name, { timeoutMs }).run(async () => {
      const beganMs = Date.now();
      await sleep(workMs);
      return [beganMs, Date.now()];
    }),
  async locked(_socket, name, times) {
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await undefined;
      inside--;
    };
    const runs = Array.from({ length: times }, (_, i) => channels.lock(`${name}${i % 100}`).run(work));
    await Promise.all(runs);
    return most;
  },
  take: async (_socket, name, timeoutMs, waitMs) => {
    await channels.lock(name, { timeoutMs, waitMs }).acquire();
  },
  buffered: (socket) => socket.bufferedBytes,
};

const control = websocket(
  '/control',
  {
    open: (socket) => void socket.sendJson({ pid: process.pid }),
    async message(socket, message) {
      const [id, call, ...args] = message.json();
      try {
        socket.sendJson({ id, value: (await calls[call](socket, ...args)) ?? null });
      } catch (error) {
        socket.sendJson({ id, code: error.code ?? error.name, message: error.message });
      }
    },
  },
  { concurrency: 100, maxBackpressureBytes: 100_000 },
);

const events = (environ) => {
  if (environ.PATH_INFO !== '/events') return undefined;
  const { query } = requestOf(environ);
  const options = {
    signal: environ['vela.signal'],
    maxBackpressureBytes: Number(query.get('bytes') ?? 1_048_576),
    onBackpressure: query.get('full') ?? 'close',
  };
  return eventStream(channels.events(query.get('channel'), options), { heartbeatMs: 100 });
};

const parts = process.env.OUTSIDE === undefined ? [channels, control, events] : [control, events];
export const app = new WsgiHandler(parts);
