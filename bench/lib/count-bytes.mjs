/** Reads a body of node's as it comes, and keeps none of it. */
export function countBytes(req, done) {
  let size = 0;
  req.on('data', (part) => {
    size += part.length;
  });
  req.on('end', () => done(size));
}
