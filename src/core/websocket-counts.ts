/** What the WebSockets of this process have done so far. */
class WebSocketCounts {
  open = 0;
  received = 0;
  /** Those of channels too, and none that were thrown away at once. */
  sent = 0;
  /** By code: 1000 to 1015, and all of an application's as `3xxx` and `4xxx`, as clients choose these. */
  readonly closed = new Map<string, number>();

  close(code: number): void {
    const name = nameCode(code);
    this.open--;
    this.closed.set(name, (this.closed.get(name) ?? 0) + 1);
  }
}

/** For whoever tells of it. A count is the increment of a number, so it is kept always. */
export const webSocketCounts = new WebSocketCounts();

function nameCode(code: number): string {
  if (code >= 1000 && code <= 1015) return String(code);
  return code >= 3000 && code <= 4999 ? `${Math.floor(code / 1000)}xxx` : 'other';
}
