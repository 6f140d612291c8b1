import { LONGEST_TIMER_MS } from '../core/duration.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import type { WatchOptions } from './actor.js';
import { ActorTimeout, unpackActorError } from './actor-errors.js';
import type { ActorHost } from './actor-host.js';
import { type ActorProxy, reviveProxies } from './actor-proxy.js';
import type { DownNotice } from './down-notice.js';
import { type ActorTarget, resolveSend, resolveTarget, type SendOptions } from './send-target.js';
import { resolveSpawn, type SpawnOptions } from './spawn-options.js';

/** How much longer than the actor itself the arbiter may take for a `spawn`, in ms. */
const SPAWN_MS = 5000;

/** For whom something is sent. */
export interface Speaker {
  readonly host: ActorHost;
  readonly proxy: ActorProxy;
  readonly monitor: string;
  readonly sendTimeoutMs: number;
}

/** Sends a command, and gives its answer. */
export async function sendCommand(
  { host, proxy, monitor, sendTimeoutMs }: Speaker,
  to: ActorTarget | SendOptions,
  command: string,
  args: readonly unknown[],
): Promise<unknown> {
  const { target, timeoutMs, ack } = resolveSend(to, sendTimeoutMs);
  if (typeof command !== 'string') throw new TypeError('send() takes the name of a command after its target');
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ActorTimeout(target, command, timeoutMs)), timeoutMs);
    host.deliver(target === 'monitor' ? monitor : target, {
      command,
      args: args.map((one) => (one instanceof URL ? one.href : one)),
      sender: proxy,
      ack,
      settle: (outcome) => {
        clearTimeout(timer);
        if (outcome.isOk) resolve(reviveProxies(outcome.value));
        else reject(unpackActorError(outcome.error));
      },
    });
  });
}

/** Makes an actor, or has the arbiter make it. */
export async function spawnFor(speaker: Speaker, options: SpawnOptions): Promise<ActorProxy> {
  const resolved = resolveSpawn('spawn', options);
  if (speaker.host.spawn !== undefined) return speaker.host.spawn(resolved);
  const timeoutMs = Math.min(LONGEST_TIMER_MS, resolved.startTimeoutMs + SPAWN_MS);
  return (await sendCommand(speaker, { to: 'arbiter', timeoutMs }, 'spawn', [resolved])) as ActorProxy;
}

/** Waits for the end of an actor. */
export async function watchFor(
  { host, monitor }: Speaker,
  to: ActorTarget,
  options: WatchOptions,
): Promise<DownNotice> {
  const { signal, ...unknown } = requireOptions('watch', options);
  refuseUnknown('watch', unknown, ['signal']);
  const target = resolveTarget('watch', to);
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => {
      end();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const end = host.watch(target === 'monitor' ? monitor : target, (down) => {
      signal?.removeEventListener('abort', abort);
      resolve({ ...down, target });
    });
  });
}
