/** What the site looks like. Every value in a template is escaped. */
import { type Environ, type Html, html, WsgiResponse } from 'vela';
import type { User } from './users.js';

const STYLE = `
  :root { color-scheme: light dark; --line: #8884; --accent: #2b6cb0 }
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 38rem; padding: 1.5rem }
  header { display: flex; align-items: center; gap: 1rem; border-bottom: 1px solid var(--line); padding-bottom: .75rem }
  header strong { margin-right: auto }
  form { display: grid; gap: .75rem; margin: 1rem 0 }
  header form, td form { display: inline; margin: 0 }
  label { display: grid; gap: .25rem }
  input, textarea, button { font: inherit; padding: .45rem .6rem; border: 1px solid var(--line); border-radius: .4rem }
  button { background: var(--accent); color: #fff; border: 0; cursor: pointer; justify-self: start }
  a { color: var(--accent) }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; padding: .5rem; border-bottom: 1px solid var(--line) }
  code { background: #8882; padding: .1rem .3rem; border-radius: .25rem; overflow-wrap: anywhere }
  .flash { background: #38a16922; border-left: 4px solid #38a169; padding: .5rem .75rem }
  .wrong { background: #e53e3e22; border-left: 4px solid #e53e3e; padding: .5rem .75rem }
`;

/** What all pages need to know. */
export interface Frame {
  readonly environ: Environ;
  readonly user?: User | undefined;
  readonly token?: string;
  readonly flash?: string | undefined;
}

/** A whole document. The policy of secureHeaders() lets styles and scripts run that have the nonce, and no others. */
export function layout({ environ, user, token = '', flash }: Frame, title: string, content: Html): Html {
  const nonce = String(environ['vela.csp_nonce']);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="csrf-token" content="${token}">
<title>${title}</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<header>
<strong>Account</strong> <a href="/">Home</a> <a href="/account">My account</a>
${user && html`<form method="post" action="/logout">${tokenField(token)}<button>Log out ${user.name}</button></form>`}
</header>
<h1>${title}</h1>
${flash === undefined ? '' : html`<p class="flash" role="status">${flash}</p>`}
${content}
</body>
</html>
`;
}

/** A page is for one client at one time: nothing may keep it, nor show it after a logout. */
export function page(frame: Frame, title: string, content: Html, status = 200): WsgiResponse {
  const headers: [string, string][] = [['Cache-Control', 'no-store']];
  return new WsgiResponse({ status, content: layout(frame, title, content), headers });
}

/** Each form that changes something has a token. */
function tokenField(token: string): Html {
  return html`<input type="hidden" name="csrf" value="${token}">`;
}

export function loginForm(token: string, next: string, problem?: string): Html {
  return html`
${problem === undefined ? '' : html`<p class="wrong" role="alert">${problem}</p>`}
<form method="post" action="/login">
${tokenField(token)}
<input type="hidden" name="next" value="${next}">
<label>Name <input name="name" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`;
}

export function accountContent(environ: Environ, user: User, token: string): Html {
  return html`
<p>Hello <b id="name">${user.name}</b>. This note is saved by <code>fetch</code>, with the token in a header:</p>
<textarea id="note" rows="3" cols="50" aria-label="Note">${user.note}</textarea>
<p><button id="save" type="button">Save the note</button> <output id="state"></output></p>
<form method="post" action="/account/token">${tokenField(token)}<button>Make a token for the API</button></form>
<script nonce="${String(environ['vela.csp_nonce'])}">
const find = (id) => document.getElementById(id);
find('save').addEventListener('click', async () => {
  const response = await fetch('/account/note', {
    method: 'PUT',
    headers: {
      'Content-Type': 'application/json',
      'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content,
    },
    body: JSON.stringify({ note: find('note').value }),
  });
  find('state').value = response.ok ? 'Saved' : 'Not saved: ' + response.status;
});
</script>`;
}

export function adminContent(users: readonly User[], token: string): Html {
  return html`
<table>
<tr><th>Name</th><th>State</th><th></th></tr>
${users.map(
  (user) => html`<tr><td>${user.name}</td><td>${user.isLocked ? 'locked' : 'active'}</td>
<td><form method="post" action="/admin">${tokenField(token)}
<button name="name" value="${user.name}">${user.isLocked ? 'Unlock' : 'Lock'}</button></form></td></tr>`,
)}
</table>`;
}
