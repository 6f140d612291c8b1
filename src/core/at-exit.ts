const tasks = new Set<() => void>();

/**
 * Runs a task when this process or thread exits, `process.exit()` and an uncaught error included; what it does must be
 * synchronous. All tasks share one listener: Node warns of more than ten.
 * @returns forgets the task
 */
export function atExit(task: () => void): () => void {
  if (tasks.size === 0) process.on('exit', runTasks);
  tasks.add(task);
  return () => {
    if (tasks.delete(task) && tasks.size === 0) process.off('exit', runTasks);
  };
}

function runTasks(): void {
  for (const task of tasks) {
    try {
      task();
    } catch {
      // The others still have their turn, and there is nobody left to tell.
    }
  }
}
