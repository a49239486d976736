/** How long to wait before asking again. */

const STEPS = [1, 2, 4, 8, 15, 30];

/** Return milliseconds to wait before attempt `attempt` (0 is the first), spread so that a crowd does not come at once. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const step = STEPS[Math.min(attempt, STEPS.length - 1)]!;
  return step * 1000 * (0.75 + random() / 2);
}

/** Wait `milliseconds`, or until the line is back, or until `signal` ends it. Never rejects. */
export function pause(milliseconds: number, signal: AbortSignal, line: EventTarget): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      line.removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
    line.addEventListener("online", end);
    if (signal.aborted) end();
  });
}
