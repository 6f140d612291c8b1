import { formatRoutes, listRoutes } from '../router/format-routes.js';
import { loadApp } from './load-app.js';

/**
 * Prints the routes of a module's application, those of routers within it too.
 * @returns whether it has some
 * @throws {ImproperlyConfigured} for a module that has no application; what the module throws
 */
export async function printRoutes(module: string): Promise<boolean> {
  const { app, file, name } = await loadApp(module);
  const description = app.describe?.();
  const routes = description === undefined ? [] : listRoutes(description);
  if (routes.length > 0) {
    process.stdout.write(formatRoutes(routes));
    return true;
  }
  process.stderr.write(
    `vela: The export "${name}" of ${file} tells of no routes: a Router does, alone or in a WsgiHandler; what lazyWsgi makes does not\n`,
  );
  return false;
}
