import { type Environ, html, requestOf, WsgiResponse } from 'vela';

/** How to use the API, for people. */
export function homePage(environ: Environ): WsgiResponse {
  const call = `curl -i -H 'Authorization: Bearer secret' ${requestOf(environ).origin}/v1/notes`;
  const content = html`<!doctype html>
<html lang="en">
<title>Notes</title>
<style>
  body { font: 1rem/1.6 system-ui; margin: 4rem auto; max-width: 50rem; padding: 0 1rem; color: #234 }
  pre { background: #f3f6f8; border-radius: 8px; padding: 1rem; overflow-x: auto }
</style>
<h1>Notes</h1>
<p>Write a note, list those with a tag, change one with its ETag, delete it:</p>
<pre>${call} --json '{"title": "Milk", "tags": ["shop"]}'
${call}?tag=shop
${call}/1 -X PUT -H 'If-Match: "1.1"' --json '{"title": "Milk and bread"}'
${call}/1 -X DELETE -H 'If-Match: "1.2"'</pre>
</html>
`;
  return new WsgiResponse({ content });
}
