import { html, unsafeHtml } from 'vela';
import type { Upload } from './server.js';

const STYLE = unsafeHtml(`
  body { font: 1rem/1.6 system-ui; margin: 4rem auto; max-width: 42rem; padding: 0 1rem; color: #234 }
  form.upload { border: 2px dashed #9ab; border-radius: 12px; padding: 1.5rem; display: grid; gap: 1rem }
  button { font: inherit; border: 0; border-radius: 6px; padding: .3rem .9rem; background: #def; cursor: pointer }
  progress { width: 100%; height: 1rem }
  ul { list-style: none; padding: 0 }
  li { display: flex; gap: 1rem; align-items: center; border-bottom: 1px solid #e4eaee; padding: .4rem 0 }
  li a { flex: 1; overflow-wrap: anywhere }
`);

/** XMLHttpRequest, as fetch tells nothing of an upload's progress. Without scripts the form works as it is. */
const SCRIPT = unsafeHtml(`
  const form = document.querySelector('form.upload');
  const progress = document.querySelector('progress');
  const status = document.querySelector('#status');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', ({ loaded, total }) => {
      progress.hidden = false;
      progress.value = loaded / total;
    });
    request.addEventListener('load', () => {
      if (request.status === 201) location.reload();
      else status.textContent = request.response?.message ?? 'The server answered ' + request.status;
    });
    request.addEventListener('error', () => { status.textContent = 'The upload broke off.' });
    request.open('POST', form.action);
    request.setRequestHeader('Accept', 'application/json');
    request.responseType = 'json';
    request.send(new FormData(form));
  });
`);

/** The page: a form, and what is there. */
export function uploadsPage(uploads: readonly Upload[], nonce: string) {
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Uploads</title>
<style nonce="${nonce}">${STYLE}</style>
<h1>Uploads</h1>
<form class="upload" method="post" action="/files" enctype="multipart/form-data">
  <input type="file" name="file" multiple required>
  <progress max="1" value="0" hidden></progress>
  <div><button>Upload</button> <span id="status" role="status"></span></div>
</form>
<ul>
${uploads.map(
  ({ id, name, bytes }) => html`<li><a href="/files/${id}">${name}</a> ${bytes.toLocaleString('en')} bytes
<form method="post" action="/files/${id}/delete"><button>Delete</button></form></li>
`,
)}</ul>
<script nonce="${nonce}">${SCRIPT}</script>
</html>
`;
}
