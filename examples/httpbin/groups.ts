import type { RequestCounts } from './count-requests.js';
import type { RouteGroup } from './route-group.js';
import { auth } from './routes/auth.js';
import { bodies } from './routes/bodies.js';
import { cookies } from './routes/cookies.js';
import { digest } from './routes/digest.js';
import { documents } from './routes/documents.js';
import { dynamic } from './routes/dynamic.js';
import { encodings } from './routes/encodings.js';
import { images } from './routes/images.js';
import { methods } from './routes/methods.js';
import { ranges } from './routes/ranges.js';
import { redirects } from './routes/redirects.js';
import { requestFacts } from './routes/request.js';
import { responseFacts } from './routes/response.js';
import { createServerGroup } from './routes/server.js';
import { status } from './routes/status.js';
import { streams } from './routes/streams.js';

/**
 * All routes but those of the home page and of /media/, in the order in which they are shown.
 * @param counts - what /stats tells
 */
export function createGroups(counts: RequestCounts): readonly RouteGroup[] {
  return [
    methods,
    auth,
    digest,
    status,
    requestFacts,
    responseFacts,
    documents,
    encodings,
    dynamic,
    streams,
    ranges,
    cookies,
    images,
    redirects,
    bodies,
    createServerGroup(counts),
  ];
}
