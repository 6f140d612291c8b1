/** All routes, each with something to try. */
import { type Html, html, unsafeHtml, type WsgiRequest, WsgiResponse } from 'vela';
import { HOME_SCRIPT } from './home-script.js';
import { HOME_STYLE } from './home-style.js';
import { joinPath, type RouteGroup, type ShownRoute, tryMethod } from './route-group.js';

/** The Sails: Regor, Alsephina, Markeb, Suhail and two more. */
const STARS = unsafeHtml(`<svg viewBox="0 0 160 100" fill="#fff" stroke="#fff" aria-hidden="true">
<path d="M14 30 62 84 104 78 146 40 96 14 52 22Z" fill="#fff1" stroke-opacity=".5"/>
<circle cx="14" cy="30" r="4.5"/><circle cx="62" cy="84" r="3.5"/><circle cx="104" cy="78" r="3"/>
<circle cx="146" cy="40" r="2.5"/><circle cx="96" cy="14" r="3.5"/><circle cx="52" cy="22" r="2"/></svg>`);

export function homePage({ environ }: WsgiRequest, groups: readonly RouteGroup[]): WsgiResponse {
  const nonce = String(environ['vela.csp_nonce']);
  const base = environ.SCRIPT_NAME;
  const content = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>httpbin on Vela</title>
<link rel="icon" href="${base}/favicon.ico">
<style nonce="${nonce}">${HOME_STYLE}</style>
</head>
<body data-base="${base}">
<header><div>
${STARS}
<div>
<h1>httpbin on Vela</h1>
<p>Requests told back, and responses of every kind, to try HTTP clients with. The routes are those of httpbin.org and of
pulsar's example.</p>
</div>
<dl>
<div><dt>Gateway</dt><dd id="gateway">–</dd></div>
<div><dt>Requests</dt><dd id="requests">–</dd></div>
<div><dt>Memory</dt><dd id="memory">–</dd></div>
</dl>
</div></header>
<main>
<div>
<input id="find" type="search" placeholder="Find a route" aria-label="Find a route">
${groups.map((group) => renderGroup(group, base))}
<section><h2>Files</h2><ul><li><span class="method GET">GET</span>
<span><a class="path" href="${base}/media/">/media/</a> <span class="text">A folder, with ranges and ETags</span></span></li></ul></section>
</div>
<aside aria-label="Response">
<h2 id="asked">Try one</h2>
<div><output id="status">What a route answers is shown here.</output>
<pre id="headers"></pre><div id="media"></div><pre id="body"></pre></div>
</aside>
</main>
<script nonce="${nonce}">${HOME_SCRIPT}</script>
</body>
</html>
`;
  return new WsgiResponse({ content, headers: [['Cache-Control', 'no-store']] });
}

function renderGroup(group: RouteGroup, base: string): Html {
  return html`<section><h2>${group.title}</h2><ul>
${group.routes.map((route) => renderRoute(route, group, base))}</ul></section>
`;
}

/** A link where a GET will do; else a form if a form can send it, which the script replaces by fetch. */
function renderRoute(route: ShownRoute, group: RouteGroup, base: string): Html {
  const { method, path, text, example = path, headers = {}, body = '' } = route;
  const target = base + joinPath(group, example);
  const name = joinPath(group, path);
  const used = tryMethod(route);
  const label =
    used === 'GET'
      ? html`<a class="path" href="${target}">${name}</a>`
      : html`<span class="path">${name}</span>`;
  // Without the script only POST can be tried: forms know no other method that has a body.
  const button = html`<button data-method="${used}" data-path="${target}" data-headers="${JSON.stringify(headers)}" data-body="${body}"${used === 'POST' ? '' : html` hidden`}>Try</button>`;
  return html`<li><span class="method ${method}">${method}</span>
<span>${label} <span class="text">${text}</span></span>
${used === 'POST' ? html`<form method="post" action="${target}">${button}</form>` : button}</li>
`;
}
