import { isIPv6 } from 'node:net';
import { formatIpv6 } from '../core/ip-address.js';

/** How many groups of an IPv6 address tell networks apart: a customer has a /64 or more (RFC 6177). */
const NETWORK_GROUPS = 4;
/** Perhaps an IPv4 address in one of its spellings (RFC 4291 §2.5.5.2). */
const MAPPED_IPV4 = /^[0:]+:ffff:/i;

/** What one client cannot change of its address: all of an IPv4 address, the /64 of an IPv6 address; else the text. */
export function findClientNetwork(address: string): string {
  if (!address.includes(':')) return address;
  const [bare = ''] = address.split('%', 1);
  if (!isIPv6(bare)) return address;
  const mapped = MAPPED_IPV4.test(bare) ? formatIpv6(bare) : bare;
  if (!mapped.includes(':')) return mapped;
  const [before = '', after] = bare.toLowerCase().split('::');
  const groups = before === '' ? [] : before.split(':');
  if (after === undefined) return format(groups);
  // A dotted end stands for two groups; both are in the host's half.
  const tail =
    after === '' ? [] : after.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
  while (groups.length + tail.length < 8) groups.push('0');
  return format([...groups, ...tail]);
}

function format(groups: readonly string[]): string {
  return `${groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
