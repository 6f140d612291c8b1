import type { HeaderPair } from '../core/contract.js';
import type { MemoryResponse } from '../gateway/memory-transport.js';

/** A response that a {@link TestClient} received. The body is read once, in one of its forms. */
export class TestResponse {
  /** The status code. */
  readonly status: number;
  /** Code and reason: `200 OK`. */
  readonly statusLine: string;
  /** In the order of arrival, repeated ones apart. */
  readonly headers: readonly HeaderPair[];
  readonly #response: MemoryResponse;

  constructor(response: MemoryResponse) {
    this.status = response.code;
    this.statusLine = response.status;
    this.headers = response.headers;
    this.#response = response;
  }

  /** The first value of a header, whatever its case. */
  header(name: string): string | undefined {
    return this.headerValues(name)[0];
  }

  /** All values of a header. */
  headerValues(name: string): string[] {
    const lower = name.toLowerCase();
    return this.headers.filter((pair) => pair[0].toLowerCase() === lower).map((pair) => pair[1]);
  }

  /** The body as it comes: what is not read holds the application back. Rejects when the response is cut. */
  get body(): AsyncIterable<Uint8Array> {
    return this.#response.read();
  }

  async bytes(): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.body) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async text(): Promise<string> {
    return (await this.bytes()).toString();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }
}
