export const middleware = { id: 'middleware', title: 'Middleware', rows: [], servers: [], full: {}, quick: {} };
