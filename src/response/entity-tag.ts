/** One element of a list of entity-tags, which may be empty (RFC 9110 §5.6.1, §8.8.3), up to its comma. */
const ELEMENT = /[ \t]*(?:((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y;
const ENTITY_TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;

/** True for one entity-tag: `"abc"` or `W/"abc"`. */
export function isEntityTag(text: string): boolean {
  return ENTITY_TAG.test(text);
}

/**
 * Whether a list of entity-tags has a tag, by strong or weak comparison (RFC 9110 §8.8.3.2). A list that is malformed
 * has what comes before the fault.
 */
export function listHasTag(list: string, tag: string, isStrong: boolean): boolean {
  if (isStrong && tag.startsWith('W/')) return false;
  const wanted = isStrong ? tag : opaque(tag);
  ELEMENT.lastIndex = 0;
  while (ELEMENT.lastIndex < list.length) {
    const match = ELEMENT.exec(list);
    if (match === null) return false;
    const [, found] = match;
    if (found !== undefined && (isStrong ? found : opaque(found)) === wanted) return true;
  }
  return false;
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}
