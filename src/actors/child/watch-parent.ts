/** How often a process looks whether its parent is still the one that made it, in ms. */
const LOOK_MS = 1000;

/** Tells once that this process's parent is gone, should its channel not tell. It keeps no process up. */
export function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, LOOK_MS).unref();
}
