/** A few places for many: whoever waited longest is next. */

export class Slots {
  #free: number;
  readonly #queue: Array<() => void> = [];

  constructor(places: number) {
    this.#free = places;
  }

  /**
   * Return a place's release, which may be called twice, or `null` if `signal` ended the waiting.
   */
  async take(signal: AbortSignal): Promise<(() => void) | null> {
    while (!signal.aborted) {
      if (this.#free > 0) return this.#place();
      await this.#turn(signal);
    }
    return null;
  }

  #place(): () => void {
    this.#free -= 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#free += 1;
      this.#wake();
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push(resolve);
      signal.addEventListener(
        "abort",
        () => {
          const place = this.#queue.indexOf(resolve);
          // One that was woken already hands its turn on.
          if (place < 0) this.#wake();
          else this.#queue.splice(place, 1);
          resolve();
        },
        { once: true },
      );
    });
  }

  #wake(): void {
    if (this.#free > 0) this.#queue.shift()?.();
  }
}
