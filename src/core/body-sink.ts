/** Takes a body as it comes, at once. */
export interface BodySink {
  /** False while the rest is to wait; to go on, `RequestInput.pour` is called again. */
  readonly wantsMore: boolean;
  take(bytes: Buffer): void;
  /** All has been taken. Called once, or else `failed` is. */
  ended(): void;
  failed(error: Error): void;
}
