/** The main process's loop may have been held itself, and what was said meanwhile be unread: so long is listened once more. */
const LONGEST_SECOND_LOOK_MS = 250;

/** Tells when nothing was heard for so long. */
export class SilenceWatch {
  readonly #timeoutMs: number;
  readonly #onSilence: () => void;
  #heardMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number, onSilence: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onSilence = onSilence;
  }

  begin(): void {
    this.heard();
    this.#plan(this.#timeoutMs, false);
  }

  heard(): void {
    this.#heardMs = performance.now();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #plan(ms: number, isSecondLook: boolean): void {
    this.#timer = setTimeout(() => this.#look(isSecondLook), ms).unref();
  }

  #look(isSecondLook: boolean): void {
    const leftMs = this.#heardMs + this.#timeoutMs - performance.now();
    if (leftMs > 0) this.#plan(leftMs, false);
    else if (isSecondLook) this.#onSilence();
    else this.#plan(Math.min(LONGEST_SECOND_LOOK_MS, this.#timeoutMs), true);
  }
}
