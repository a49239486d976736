/** Speed and time left of one upload, smoothed: an average in which the weight of a measure halves every 3 s. */

const HALF_LIFE = 3000;
/** Before so many milliseconds were measured, any number would be a guess. */
const WARM_UP = 1000;

export class Pace {
  #at = 0;
  #bytes = 0;
  #begun = false;
  #measured = 0;
  #rate = 0;

  /** Forget everything: the line stood still. */
  reset(): void {
    this.#begun = false;
    this.#measured = 0;
    this.#rate = 0;
  }

  /** Note that `bytes` of the file are sent at `at` (milliseconds). Less than before begins anew. */
  note(at: number, bytes: number): void {
    const passed = at - this.#at;
    if (!this.#begun || bytes < this.#bytes) {
      this.reset();
      this.#begun = true;
    } else if (passed < 200) {
      return;
    } else {
      const now = ((bytes - this.#bytes) / passed) * 1000;
      const old = this.#measured === 0 ? 0 : 0.5 ** (passed / HALF_LIFE);
      this.#rate = old * this.#rate + (1 - old) * now;
      this.#measured += passed;
    }
    this.#at = at;
    this.#bytes = bytes;
  }

  /** Bytes a second, or `null` while it is too early to say. */
  get rate(): number | null {
    return this.#measured >= WARM_UP ? this.#rate : null;
  }

  /** Seconds until `size` bytes are sent, or `null` while nobody can say. */
  left(size: number): number | null {
    const rate = this.rate;
    return rate ? (size - this.#bytes) / rate : null;
  }
}
