/** Text as an API gives it, of exactly so many bytes; it shrinks as JSON does. */
export function makeText(bytes) {
  let text = '';
  for (let id = 1; text.length < bytes; id++) {
    text += `{"id":${id},"name":"user ${(id * 7919) % 10007}","email":"user${(id * 104729) % 10007}@example.com","active":${id % 3 === 0}},\n`;
  }
  return text.slice(0, bytes);
}

export const TEXT_1K = makeText(1024);
export const TEXT_16K = makeText(16_384);

/** Who the `authenticate` row is. */
export const USER = { name: 'ann', password: 'correct horse' };

/** What the `session` row remembers. */
export const SESSION_USER = 'ann';
