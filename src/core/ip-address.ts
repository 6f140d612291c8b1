const MAPPED_IPV4 = '::ffff:';

/** An IPv6 address as RFC 5952 wants it; one that stands for an IPv4 address as that (RFC 4291 §2.5.5.2). */
export function formatIpv6(address: string): string {
  const short = isDotted(address) ? address : new URL(`http://[${address}]`).hostname.slice(1, -1);
  if (!short.startsWith(MAPPED_IPV4)) return short;
  const mapped = short.slice(MAPPED_IPV4.length);
  if (mapped.includes('.')) return mapped;
  const words = mapped.split(':');
  // `::ffff:1` is no IPv4 address.
  if (words.length !== 2) return short;
  return words.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255]).join('.');
}

/** An address that `isIP` knows, in the one spelling that addresses of peers have. A zone (RFC 4007 §11) stays. */
export function formatAddress(address: string): string {
  if (!address.includes(':')) return address;
  const mark = address.indexOf('%');
  return mark === -1 ? formatIpv6(address) : formatIpv6(address.slice(0, mark)) + address.slice(mark);
}

/** As the systems write it: spares the parsing. */
function isDotted(address: string): boolean {
  return address.startsWith(MAPPED_IPV4) && address.includes('.');
}
