const MAPPED_IPV4 = '::ffff:';

/** An IPv6 address as RFC 5952 wants it; one that stands for an IPv4 address as that (RFC 4291 §2.5.5.2). */
export function formatIpv6(address: string): string {
  const short = address.startsWith(MAPPED_IPV4)
    ? address
    : new URL(`http://[${address}]`).hostname.slice(1, -1);
  if (!short.startsWith(MAPPED_IPV4)) return short;
  const mapped = short.slice(MAPPED_IPV4.length);
  if (mapped.includes('.')) return mapped;
  return mapped
    .split(':')
    .flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255])
    .join('.');
}
