/** Media types beside `text/*` and `+json`, `+xml`, `+text` whose content shrinks. Others are compressed already, or unknown. */
const TYPES: ReadonlySet<string> = new Set([
  'application/geo+json-seq',
  'application/graphql',
  'application/javascript',
  'application/json',
  'application/json-seq',
  'application/jsonl',
  'application/manifest+json',
  'application/ndjson',
  'application/rtf',
  'application/sql',
  'application/toml',
  'application/vnd.ms-fontobject',
  'application/wasm',
  'application/x-javascript',
  'application/x-ndjson',
  'application/x-sh',
  'application/x-www-form-urlencoded',
  'application/xml',
  'application/xml-dtd',
  'application/yaml',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/vnd.microsoft.icon',
  'image/x-icon',
]);

/** True for a Content-Type whose content is worth compressing. */
export function isCompressibleType(contentType: string): boolean {
  const end = contentType.indexOf(';');
  const type = (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
  return type.startsWith('text/') || TYPES.has(type) || /\+(?:json|xml|text)$/.test(type);
}
