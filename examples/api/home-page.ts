import { type Environ, html, requestOf, WsgiResponse } from 'vela';

/** How to use the API, for people. */
export function homePage(environ: Environ): WsgiResponse {
  const url = `${requestOf(environ).origin}/v1/notes`;
  const call = "curl -i -H 'Authorization: Bearer secret'";
  const content = html`<!doctype html>
<html lang="en">
<title>Notes</title>
<style>
  body { font: 1rem/1.6 system-ui; margin: 4rem auto; max-width: 50rem; padding: 0 1rem; color: #234 }
  pre { background: #f3f6f8; border-radius: 8px; padding: 1rem; overflow-x: auto }
</style>
<h1>Notes</h1>
<p>Write a note, list those with a tag, change one with its ETag, delete it:</p>
<pre>${call} '${url}' --json '{"title": "Milk", "tags": ["shop"]}'
${call} '${url}?tag=shop'
${call} '${url}/1' -X PUT -H 'If-Match: "1.1"' --json '{"title": "Milk and bread"}'
${call} '${url}/1' -X DELETE -H 'If-Match: "1.2"'</pre>
</html>
`;
  return new WsgiResponse({ content });
}
