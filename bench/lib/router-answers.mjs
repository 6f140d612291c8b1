/** What the servers of the router suite answer. Each makes the JSON itself, from the parameter of the route. */

/** Paths with a parameter, each of another resource. */
export const routesOf = (count) => Array.from({ length: count }, (_, place) => `/resource-${place}/:id`);

export const ROUTES = routesOf(100);

/** What is asked for: neither the first nor the last. */
export const ASKED = { path: 'resource-7/c0ffee-12', id: 'c0ffee-12' };

export const STATIC_ANSWER = { name: 'routes' };
