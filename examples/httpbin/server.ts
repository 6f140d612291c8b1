/**
 * A clone of httpbin.org, with the routes of pulsar's example beside it: requests told back, and responses of every kind to
 * try clients with. Open / for all of them.
 */
import { WsgiHandler, WsgiServer } from 'vela';
import { accessLog } from 'vela/middleware';
import { createSite } from './site.js';

const log = accessLog({ destination: 'logger', format: '%(m)s %(U)s %(s)s %(B)s bytes %(M)s ms' });

await new WsgiServer(new WsgiHandler([log, createSite().site])).start();
