/** The page: the last ten seconds, drawn by uPlot as they come. */
import { type Environ, type Html, html } from 'vela';

export function graphPage(environ: Environ): Html {
  const nonce = String(environ['vela.csp_nonce']);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Live graph</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/uplot/uPlot.min.css">
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 48rem; padding: 1.5rem }
  p { display: flex; gap: 2rem; color: #555 }
  b { color: #2b6cb0; font-variant-numeric: tabular-nums }
</style>
</head>
<body>
<h1>Live graph</h1>
<div id="plot"></div>
<p><span role="status">connecting</span>
<span>points a second <b id="rate">0</b></span>
<span>pages <b id="pages">0</b></span></p>
<script type="module" nonce="${nonce}">
import uPlot from '/uplot/uPlot.esm.js';

const SHOWN_SECONDS = 10;
const LONGEST_PAUSE_MS = 10_000;
const find = (selector) => document.querySelector(selector);
const times = [];
const values = [];
let received = 0;
let pages = 0;
let pauseMs = 500;

const plot = new uPlot(
  {
    width: Math.min(720, innerWidth - 40),
    height: 320,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: [-2, 2] } },
    axes: [{}, {}],
    series: [{}, { stroke: '#2b6cb0', width: 2 }],
  },
  [times, values],
  find('#plot'),
);

function connect() {
  const socket = new WebSocket(location.href.replace('http', 'ws') + 'graph');
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => {
    pauseMs = 500;
    find('[role=status]').textContent = 'live';
  };
  socket.onmessage = ({ data }) => {
    const [at, value, viewers] = new Float64Array(data);
    times.push(at);
    values.push(value);
    pages = viewers;
    received++;
    while (times[0] < at - SHOWN_SECONDS) {
      times.shift();
      values.shift();
    }
  };
  // Also when the server stops, 1001: it, or another, will be there again.
  socket.onclose = () => {
    find('[role=status]').textContent = 'lost, connecting again';
    setTimeout(connect, pauseMs * (0.5 + Math.random()));
    pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs);
  };
}

function draw() {
  plot.setData([times, values]);
  requestAnimationFrame(draw);
}

setInterval(() => {
  find('#rate').textContent = received;
  find('#pages').textContent = pages;
  received = 0;
}, 1000);
connect();
draw();
</script>
</body>
</html>
`;
}
