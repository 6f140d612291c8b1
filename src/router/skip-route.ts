/**
 * Thrown by a handler that does not want a request after all: the next route that matches has it, as if this one were not
 * there.
 */
export class SkipRoute extends Error {
  override readonly name = 'SkipRoute';

  constructor(message = 'This route does not take the request') {
    super(message);
  }
}
