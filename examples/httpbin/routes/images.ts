/** The sky around Vela, in four formats; which one, the client's Accept header decides, or the path. */
import { fileURLToPath } from 'node:url';
import { Router } from 'vela';
import { fileResponse } from 'vela/static';
import { prettyJson } from '../pretty-json.js';
import type { RouteGroup } from '../route-group.js';

/** A folder that /media/ shows as well. */
export const MEDIA = fileURLToPath(new URL('../media', import.meta.url));

/** The best first, for clients that take them equally. */
const FILES: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/webp': 'webp',
  'image/svg+xml': 'svg',
};
export const IMAGE_TYPES: readonly string[] = Object.keys(FILES);

const router = new Router()
  .get('', (request) => {
    const type = request.accepts(...IMAGE_TYPES);
    if (type !== undefined)
      return fileResponse(request.environ, `vela.${FILES[type]}`, {
        root: MEDIA,
        headers: [['Vary', 'Accept']],
      });
    const message = 'There is no image of a type that this client takes.';
    return prettyJson({ accept: IMAGE_TYPES, message }, { status: 406 });
  })
  .get('/:format', { params: { format: Object.values(FILES) } }, ({ environ, params }) =>
    fileResponse(environ, `vela.${params.format}`, { root: MEDIA }),
  );

export const images: RouteGroup = {
  title: 'Images',
  prefix: '/image',
  router,
  routes: [
    { method: 'GET', path: '', text: 'The type that you like best' },
    { method: 'GET', path: '/:format', text: 'png, jpeg, webp or svg', example: '/svg' },
  ],
};
