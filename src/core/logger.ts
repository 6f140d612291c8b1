/** What Vela needs of a logger; pino's and console-like loggers fit. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  /**
   * The logger of another namespace, such as `shop.orders`: its lines bear that name, and may have a level of their own. It
   * is kept, so a namespace is a constant, and nothing that a request brings.
   */
  named?(namespace: string): Logger;
}

/** The logger of a namespace; the given one itself where it has none. */
export function nameLogger(logger: Logger, namespace: string): Logger {
  return logger.named?.(namespace) ?? logger;
}
