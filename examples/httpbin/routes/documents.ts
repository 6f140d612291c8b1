/** Documents of each kind. */
import { html, Router, WsgiResponse } from 'vela';
import { prettyJson } from '../pretty-json.js';
import type { RouteGroup } from '../route-group.js';

const SLIDESHOW = {
  slideshow: {
    author: 'Vela',
    date: '2026',
    slides: [
      { title: 'The Sails', type: 'all' },
      { items: ['Regor is <em>two</em> stars', 'Suhail is <em>one</em>'], title: 'Its stars', type: 'all' },
    ],
    title: 'A constellation',
  },
};

const XML = `<?xml version="1.0" encoding="utf-8"?>
<slideshow title="A constellation" date="2026" author="Vela">
  <slide type="all"><title>The Sails</title></slide>
  <slide type="all">
    <title>Its stars</title>
    <item>Regor is <em>two</em> stars</item>
    <item>Suhail is <em>one</em></item>
  </slide>
</slideshow>
`;

const DENIED = `
        ___________
       /           \\
      |    S T O P  |
       \\___________/
            | |
            | |
   This page is not for you.
`;

const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>The Sails</title></head>
<body>
<h1>The Sails</h1>
<p>South of the zodiac lies a ship. Astronomers found it too large for one constellation, and took it apart: Carina is its
keel, Puppis its stern, and Vela its sails. Among them a pulsar turns eleven times a second: what is left of a star that
burst before anybody could write it down.</p>
</body>
</html>
`;

const letters = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>UTF-8</title></head>
<body>
<h1>Ünïcödé in UTF-8</h1>
<pre>
Sails     Segel · voiles · velas · žagle · ιστία · паруса · अंशुक · 帆 · 돛 · أشرعة · מפרשים
Numbers   ∀x∈ℝ: ⌈x⌉ = −⌊−x⌋   α ∧ ¬β = ¬(¬α ∨ β)   ℕ ⊆ ℤ ⊂ ℚ ⊂ ℝ ⊂ ℂ
Marks     “quotes” ‘single’ «guillemets» – dash — long dash … ‰ € £ ¥
Lines     ┌──┬──┐ ╔══╗ ▁▂▃▄▅▆▇█ ░▒▓
          │  │  │ ║  ║
          └──┴──┘ ╚══╝
Beyond    😀 🚀 ⛵ 𝒱𝑒𝓁𝒶   combined: é ñ ö
</pre>
</body>
</html>
`;

const order = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Pizza</title></head>
<body>
<form method="post" action="/post">
<p><label>Name <input name="custname" autocomplete="name"></label></p>
<p><label>Telephone <input type="tel" name="custtel"></label></p>
<p><label>E-mail <input type="email" name="custemail"></label></p>
<fieldset><legend>Size</legend>
${['small', 'medium', 'large'].map((size) => html`<label><input type="radio" name="size" value="${size}"> ${size}</label>\n`)}
</fieldset>
<fieldset><legend>Toppings</legend>
${['bacon', 'cheese', 'onion', 'mushroom'].map((one) => html`<label><input type="checkbox" name="topping" value="${one}"> ${one}</label>\n`)}
</fieldset>
<p><label>Delivery at <input type="time" name="delivery" min="11:00" max="21:00" step="900"></label></p>
<p><label>What else we should know <textarea name="comments"></textarea></label></p>
<button>Order</button>
</form>
</body>
</html>
`;

const router = new Router()
  .get('/html', () => new WsgiResponse({ content: page }))
  .get('/json', () => prettyJson(SLIDESHOW))
  .get('/xml', () => new WsgiResponse({ content: XML, contentType: 'application/xml' }))
  .get('/robots.txt', () => 'User-agent: *\nDisallow: /deny\n')
  .get('/deny', () => DENIED)
  .get('/encoding/utf8', () => new WsgiResponse({ content: letters }))
  .get('/forms/post', () => new WsgiResponse({ content: order }));

export const documents: RouteGroup = {
  title: 'Documents',
  prefix: '/',
  router,
  routes: [
    { method: 'GET', path: '/html', text: 'HTML' },
    { method: 'GET', path: '/json', text: 'JSON' },
    { method: 'GET', path: '/xml', text: 'XML' },
    { method: 'GET', path: '/robots.txt', text: 'What robots may ask for' },
    { method: 'GET', path: '/deny', text: 'What they may not' },
    { method: 'GET', path: '/encoding/utf8', text: 'Letters of many kinds, in UTF-8' },
    { method: 'GET', path: '/forms/post', text: 'A form, sent to /post' },
  ],
};
