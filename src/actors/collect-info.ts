import type { ActorHandle } from './actor-handle.js';
import type { ActorInfo } from './actor-info.js';
import { reviveProxies } from './actor-proxy.js';

/** How long an actor may take to tell of itself, in ms. */
const ANSWER_MS = 1000;

/**
 * Asks actors for their info.
 * @param note - what one said last by `notify`, in place of an answer that does not come
 */
export async function collectInfo(
  handles: readonly ActorHandle[],
  note: (id: string) => ActorInfo | undefined,
): Promise<ActorInfo[]> {
  const running = handles.filter(({ state }) => state === 'running');
  const infos = await Promise.all(
    running.map(async (handle) => (await ask(handle)) ?? note(handle.proxy.id)),
  );
  return infos.filter((info) => info !== undefined);
}

function ask(handle: ActorHandle): Promise<ActorInfo | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ANSWER_MS, undefined);
    handle.send({
      command: 'info',
      args: [],
      sender: undefined,
      ack: true,
      settle: (outcome) => {
        clearTimeout(timer);
        resolve(outcome.isOk ? reviveProxies(outcome.value as ActorInfo) : undefined);
      },
    });
  });
}
