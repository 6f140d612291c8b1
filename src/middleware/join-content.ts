import type { WsgiResponse } from '../core/wsgi-response.js';
import { Html } from '../response/html.js';

/** Content that is all there; undefined for what has to be waited for. */
export function joinContent(content: WsgiResponse['content']): string | Uint8Array | undefined {
  if (typeof content === 'string' || content instanceof Uint8Array) return content;
  const isList = Array.isArray(content) && !('close' in content);
  if (!isList && !(content instanceof Html)) return undefined;
  const parts: unknown[] = [...content];
  if (parts.every((part) => typeof part === 'string')) return parts.join('');
  if (!parts.every((part) => typeof part === 'string' || part instanceof Uint8Array)) return undefined;
  return Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : (part as Uint8Array))),
  );
}
