import { Router, WsgiHandler } from 'vela';
import { cors, proxyHeaders, secureHeaders } from 'vela/middleware';
import { fileResponse, MediaRouter } from 'vela/static';
import { countRequests } from './count-requests.js';
import { createGroups } from './groups.js';
import { homePage } from './home-page.js';
import type { RouteGroup } from './route-group.js';
import { MEDIA } from './routes/images.js';

/** The site, and what it is made of. */
export interface Site {
  readonly site: WsgiHandler;
  /** Knows all routes. */
  readonly router: Router;
  readonly groups: readonly RouteGroup[];
}

export function createSite(): Site {
  const { middleware: count, counts } = countRequests();
  const groups = createGroups(counts);
  // Of all responses only the home page's run scripts, and only its own.
  const home = new Router({
    middleware: [
      secureHeaders({
        contentSecurityPolicy: {
          directives: {
            'script-src': ["'nonce'"],
            'style-src': ["'nonce'"],
            // What it shows of a response is a blob.
            'img-src': ["'self'", 'blob:', 'data:'],
            'media-src': ['blob:'],
          },
        },
      }),
    ],
  })
    .get('/', (request) => homePage(request, groups))
    .get('/favicon.ico', ({ environ }) => fileResponse(environ, 'vela.svg', { root: MEDIA }));

  const router = new Router().mount('/', home);
  for (const group of groups) router.mount(group.prefix, group.router);

  const site = new WsgiHandler([
    count,
    proxyHeaders({ trusted: ['loopback'] }),
    // Scripts of every site may do all here, with cookies too: there is nothing that is anybody's own.
    cors({ origins: () => true, credentials: true, headers: '*' }),
    router,
    new MediaRouter({ root: MEDIA, prefix: '/media', listing: true }),
  ]);
  return { site, router, groups };
}
