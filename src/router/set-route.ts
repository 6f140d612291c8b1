import type { Environ } from '../core/contract.js';
import { OwnKeys } from '../core/own-keys.js';
import type { Params } from './params.js';
import type { Route } from './route.js';

/** Where a route and its parameters are for whatever has the environ. */
export function setRoute(environ: Environ, route: Route | undefined, params: Params | undefined): void {
  new RouteKeys(environ, route?.pattern.source, params);
}

class RouteKeys extends OwnKeys {
  'vela.route': string | undefined;
  'vela.params': Params | undefined;

  constructor(environ: Environ, route: string | undefined, params: Params | undefined) {
    super(environ);
    this['vela.route'] = route;
    this['vela.params'] = params;
  }
}
