import { unsafeHtml } from 'vela';

/** What the home page looks like. */
export const HOME_STYLE = unsafeHtml(`
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --accent: #2b6cb0; --ink: #17233b; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --accent: #7db4e6; --ink: #dfe7f2; --paper: #10182a } }
* { box-sizing: border-box }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; color: var(--ink); background: var(--paper) }
a { color: var(--accent) }
header { background: linear-gradient(120deg, #0f1c3d, #24407a 60%, #5a4b8f); color: #fff; padding: 1.6rem 2rem }
header > div { display: flex; gap: 2rem; align-items: center; max-width: 82rem; margin: 0 auto }
header svg { width: 9rem; flex: none }
header h1 { margin: 0; font-size: 2rem; line-height: 1.2 }
header p { margin: .3rem 0 0; opacity: .85; max-width: 44rem }
header dl { display: flex; gap: 1.6rem; margin: 0 0 0 auto; text-align: right }
header dt { font-size: .75rem; opacity: .75 }
header dd { margin: 0; font-size: 1.2rem; font-variant-numeric: tabular-nums; white-space: nowrap }
main { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 27rem); gap: 2rem; max-width: 86rem; margin: 0 auto; padding: 1.2rem 2rem }
#find { font: inherit; width: 100%; padding: .5rem .8rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--soft); color: inherit }
section { margin-top: 1.2rem }
h2 { font-size: .85rem; letter-spacing: .06em; text-transform: uppercase; opacity: .7; margin: 0 0 .3rem }
ul { list-style: none; margin: 0; padding: 0; border: 1px solid var(--line); border-radius: .5rem; overflow: hidden }
li { display: grid; grid-template-columns: 5.2rem minmax(0, 1fr) auto; gap: .2rem .8rem; align-items: center; padding: .4rem .7rem }
li + li { border-top: 1px solid var(--line) }
li:hover { background: var(--soft) }
li form { margin: 0 }
.path { font-family: ui-monospace, monospace; font-size: .9rem; overflow-wrap: anywhere; text-decoration: none }
.path:hover { text-decoration: underline }
.text { display: block; font-size: .85rem; opacity: .75 }
.method { font: 700 .68rem/1 ui-monospace, monospace; text-align: center; padding: .35rem 0; border-radius: .3rem; color: #fff; background: #55637a }
.GET { background: #2f7d4f } .POST { background: #2b6cb0 } .PUT { background: #9a6412 }
.PATCH { background: #6b4fa3 } .DELETE { background: #b3362f }
button { font: inherit; font-size: .85rem; padding: .25rem .8rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--paper); color: var(--accent); cursor: pointer }
button:hover { border-color: var(--accent) }
aside { position: sticky; top: 1rem; align-self: start; border: 1px solid var(--line); border-radius: .5rem; overflow: hidden; max-height: calc(100vh - 2rem); display: flex; flex-direction: column }
aside h2 { padding: .6rem .9rem; margin: 0; text-transform: none; letter-spacing: 0; overflow-wrap: anywhere; border-bottom: 1px solid var(--line); background: var(--soft) }
aside > div { padding: .8rem .9rem; overflow: auto }
aside output { display: block; font-weight: 600 }
aside pre { font-size: .78rem; line-height: 1.45; white-space: pre-wrap; overflow-wrap: anywhere; margin: .6rem 0 0 }
#headers { opacity: .7 }
aside img, aside video { max-width: 100%; margin-top: .6rem; border-radius: .3rem }
[hidden] { display: none !important }
@media (max-width: 60rem) {
  header > div { flex-wrap: wrap } header svg { display: none } header dl { margin: 0; text-align: left }
  main { grid-template-columns: minmax(0, 1fr); padding: 1rem } aside { order: -1; position: static; max-height: 60vh }
}
`);
