import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const CSS = `body { font: 1rem/1.6 system-ui; margin: 4rem auto; max-width: 40rem; padding: 0 1rem; color: #234 }
a { color: #06c }
img { vertical-align: middle; margin-right: .5rem }
${'/* A comment of some length, so that there is something to compress. */\n'.repeat(20)}`;

const page = (title: string, body: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<link rel="stylesheet" href="/assets/style.0a1b2c3d.css">
<h1><img src="/assets/star.svg" alt="" width="32">${title}</h1>
${body}
</html>
`;

const FILES: Readonly<Record<string, string>> = {
  'index.html': page(
    'Files',
    `<ul>
<li><a href="/about">about</a>, found as about.html
<li><a href="/letters/">letters</a>, a folder without an index
<li><a href="/numbers.txt">numbers</a>, for ranges: <code>curl -r 0-9</code>
<li><a href="/license">the license</a>, by wsgi.file_wrapper
<li><a href="/nowhere">a page that is not there</a>
</ul>`,
  ),
  'about.html': page('About', '<p>This page has a suffix, and its address has none.</p>'),
  '404.html': page('Nothing here', '<p><a href="/">Home</a></p>'),
  'style.0a1b2c3d.css': CSS,
  'star.svg':
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#f5b301" d="m12 1 3 8h8l-6 5 2 9-7-5-7 5 2-9-6-5h8z"/></svg>\n',
  'numbers.txt': Array.from({ length: 10_000 }, (_, n) => `${n}\n`).join(''),
  'letters/alpha.txt': 'alpha\n',
  'letters/ünïcode & more.txt': 'beta\n',
  'letters/.hidden': 'not listed, and not sent\n',
};

/** Writes some files, with compressed siblings where they are worth it, into a new folder for this user only. */
export function makeSample(root: string): void {
  mkdirSync(root, { mode: 0o700 });
  for (const [name, content] of Object.entries(FILES)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (!/\.(?:css|txt)$/.test(name) || content.length < 1000) continue;
    writeFileSync(`${path}.gz`, gzipSync(content));
    writeFileSync(`${path}.br`, brotliCompressSync(content));
  }
}
