/** What `vela doctor` found. */
export interface Finding {
  readonly state: 'ok' | 'warning' | 'error';
  readonly found: string;
  /** What to do; absent where all is well. */
  readonly remedy?: string;
}
