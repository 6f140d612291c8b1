/** How messages of a client travel. */
export interface JsonRpcTransport {
  /**
   * Sends a message, and gives what came back for it: a value from JSON; undefined for none, where only notifications were in it.
   * @param ids - of the calls whose answers are awaited; none for notifications
   * @param signal - ends the wait
   * @throws {VelaError} `ERR_RPC_CONNECTION`, `ERR_RPC_ANSWER`
   */
  exchange(text: string, ids: readonly number[], signal: AbortSignal): Promise<unknown>;
  /** Ends its connections. The signals of what was under way have aborted, and nothing follows. */
  close(): Promise<void>;
}
