import { formatIpv6 } from '../core/ip-address.js';
import type { HttpResponse } from './uws-binding.js';

/** How many addresses are remembered: 2 to the power of this. */
const SLOT_BITS = 10;
const SLOTS = 2 ** SLOT_BITS;
/** The third word of an IPv6 address that stands for an IPv4 address (RFC 4291 §2.5.5.2), as it lies in memory. */
const MAPPED = new Uint32Array(new Uint8Array([0, 0, 255, 255]).buffer)[0] as number;

/** Peers seen lately, each in the slot that its bytes say: four words of IPv6, and the text that they stand for. */
const words = new Uint32Array(4 * SLOTS);
const texts = new Array<string>(SLOTS).fill('');

/**
 * The address of a response's peer; `''` on a unix socket. Peers come again, and as bytes an address costs half of what
 * it costs as text: so the text is asked for once.
 */
export function readAddress(response: HttpResponse): string {
  const bytes = response.getRemoteAddress();
  const { byteLength } = bytes;
  if (byteLength !== 4 && byteLength !== 16) return readText(response);
  const given = new Uint32Array(bytes);
  const isIpv4 = byteLength === 4;
  const first = isIpv4 ? 0 : (given[0] as number);
  const second = isIpv4 ? 0 : (given[1] as number);
  const third = isIpv4 ? MAPPED : (given[2] as number);
  const fourth = isIpv4 ? (given[0] as number) : (given[3] as number);

  const slot = Math.imul(first ^ second ^ third ^ fourth, 0x9e3779b1) >>> (32 - SLOT_BITS);
  const at = 4 * slot;
  const isKnown =
    words[at] === first &&
    words[at + 1] === second &&
    words[at + 2] === third &&
    words[at + 3] === fourth &&
    texts[slot] !== '';
  if (isKnown) return texts[slot] as string;
  words[at] = first;
  words[at + 1] = second;
  words[at + 2] = third;
  words[at + 3] = fourth;
  const text = readText(response);
  texts[slot] = text;
  return text;
}

function readText(response: HttpResponse): string {
  const text = Buffer.from(response.getRemoteAddressAsText()).toString('latin1');
  return text.includes(':') ? formatIpv6(text) : text;
}
