/** Browsers send up to 10 elements. What stands behind so many, or so many characters, is not looked at. */
const MOST_ELEMENTS = 32;
const LONGEST_READ = 1024;

/**
 * The first elements of a header that is a list, as much as is worth reading: negotiation takes time with each of them, and
 * a client may send thousands.
 */
export function cutList(list: string): string {
  if (list.length <= MOST_ELEMENTS) return list;
  let end = 0;
  for (let count = 0; count < MOST_ELEMENTS; count++) {
    const comma = list.indexOf(',', end);
    if (comma === -1 && list.length <= LONGEST_READ) return list;
    if (comma === -1 || comma > LONGEST_READ) break;
    end = comma + 1;
  }
  return list.slice(0, end);
}
