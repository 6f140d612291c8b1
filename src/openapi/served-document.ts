import { hash } from 'node:crypto';
import type { RouteOperation, Router } from '../router/router.js';
import type { OpenApiDocument } from './document.js';
import { makeDocument } from './openapi.js';
import type { OpenApiTerms } from './openapi-options.js';

/** A document in JSON, with a strong ETag. */
interface DocumentText {
  readonly text: string;
  readonly etag: string;
}

/** 132 bits of the digest, in base64. */
const TAG_LENGTH = 22;

/** A router's document as it is sent: made when it is asked for, and anew when there are other routes. */
export class ServedDocument {
  readonly #router: Router;
  readonly #terms: OpenApiTerms;
  #operations: readonly RouteOperation[] = [];
  #document: OpenApiDocument | undefined;
  /** The last one, as an application is mounted in one place. */
  #text: (DocumentText & { readonly scriptName: string }) | undefined;

  constructor(router: Router, terms: OpenApiTerms) {
    this.#router = router;
    this.#terms = terms;
  }

  /** @throws {VelaError} `ERR_OPENAPI_SCHEMA` */
  get document(): OpenApiDocument {
    const operations = this.#router.operations();
    if (this.#document === undefined || !isSame(operations, this.#operations)) {
      this.#document = makeDocument(operations, this.#terms);
      this.#operations = operations;
      this.#text = undefined;
    }
    return this.#document;
  }

  /** @param scriptName - where the application is mounted: the server, unless the options name others */
  read(scriptName: string): DocumentText {
    const { document } = this;
    if (this.#text?.scriptName !== scriptName) {
      const servers = document.servers ?? (scriptName === '' ? undefined : [{ url: encodeURI(scriptName) }]);
      const { openapi, info, servers: _servers, ...rest } = document;
      const text = JSON.stringify({ openapi, info, servers, ...rest });
      const etag = `"${hash('sha256', text, 'base64').slice(0, TAG_LENGTH)}"`;
      this.#text = { scriptName, text, etag };
    }
    return this.#text;
  }
}

/** Whether they are the same routes at the same paths: a route's contract is its own. */
function isSame(some: readonly RouteOperation[], others: readonly RouteOperation[]): boolean {
  return (
    some.length === others.length &&
    some.every((one, index) => one.contract === others[index]?.contract && one.path === others[index]?.path)
  );
}
