import { readFileSync } from 'node:fs';
import { parseAddresses } from '../app/address.js';
import { parseCommandLine } from '../app/command-line.js';
import { loadSettings } from '../app/load-settings.js';
import { ImproperlyConfigured } from '../core/errors.js';
import { checkUwsBuild } from './check-uws-build.js';
import type { Finding } from './finding.js';

/** The least Node, as package.json has it under `engines`. */
const LEAST_NODE = [20, 18] as const;
/** Each connection is an open file, and each file sent another one. */
const ENOUGH_FILES = 4096;
/** Each connection of this machine to one address elsewhere, a database or an upstream, takes a port for itself. */
const ENOUGH_PORTS = 20_000;

/** What is looked at, in this order. */
export const MACHINE_CHECKS: readonly (readonly [name: string, check: () => Finding | Promise<Finding>])[] = [
  ['settings', checkSettings],
  ['Node', checkNode],
  ['libc', checkLibc],
  ['uWebSockets.js', checkUwsBuild],
  ['open files', checkOpenFiles],
  ['tcp_migrate_req', checkMigration],
  ['port range', checkPortRange],
];

async function checkSettings(): Promise<Finding> {
  try {
    (await loadSettings(parseCommandLine([])))();
    return { state: 'ok', found: 'those of environment and config file are good' };
  } catch (error) {
    if (!(error instanceof ImproperlyConfigured)) throw error;
    const found = error.message.replaceAll('\n', '; ');
    return { state: 'error', found, remedy: 'mend them: docs/settings.md lists all' };
  }
}

function checkNode(): Finding {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const isOld = major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1]);
  return isOld
    ? { state: 'error', found: node, remedy: `install Node ${LEAST_NODE.join('.')} or newer` }
    : { state: 'ok', found: node };
}

function checkLibc(): Finding {
  if (process.platform !== 'linux') return { state: 'ok', found: `that of ${process.platform}` };
  const { glibcVersionRuntime } = report().header;
  return glibcVersionRuntime === undefined
    ? {
        state: 'warning',
        found: 'musl, or another without builds of uWebSockets.js',
        remedy:
          'serve on node:http (--gateway node or auto), or take an image with glibc, such as node:20-slim',
      }
    : { state: 'ok', found: `glibc ${glibcVersionRuntime}` };
}

function checkOpenFiles(): Finding {
  const { soft, hard } = report().userLimits?.open_files ?? {};
  if (soft === undefined) return { state: 'ok', found: 'no limit is told here' };
  const found = `${soft} at once (hard limit ${hard})`;
  return typeof soft === 'number' && soft < ENOUGH_FILES
    ? {
        state: 'warning',
        found,
        remedy: `ulimit -n 65536 before the server, or LimitNOFILE=65536 in its systemd unit: each connection is an open file`,
      }
    : { state: 'ok', found };
}

function checkMigration(): Finding {
  const value = readKernel('net/ipv4/tcp_migrate_req');
  if (value === undefined) return { state: 'ok', found: 'this kernel has none' };
  return value === '1'
    ? { state: 'ok', found: '1' }
    : {
        state: 'warning',
        found: `${value}: where several processes listen, one that stops resets connections that wait to be accepted`,
        remedy: 'sysctl -w net.ipv4.tcp_migrate_req=1, and the same line in /etc/sysctl.d',
      };
}

async function checkPortRange(): Promise<Finding> {
  const range = readKernel('net/ipv4/ip_local_port_range')?.split(/\s+/).map(Number);
  const [first, last] = range ?? [];
  if (first === undefined || last === undefined) return { state: 'ok', found: 'this system tells none' };
  const found = `${first} to ${last} for outgoing connections`;
  const taken = (await listPorts()).find((port) => port >= first && port <= last);
  if (taken !== undefined)
    return {
      state: 'warning',
      found: `${found}; an outgoing connection may take port ${taken} before the server does`,
      remedy: `bind a port below ${first}, or sysctl -w net.ipv4.ip_local_reserved_ports=${taken}`,
    };
  return last - first < ENOUGH_PORTS
    ? { state: 'warning', found, remedy: 'sysctl -w net.ipv4.ip_local_port_range="32768 60999"' }
    : { state: 'ok', found };
}

/** The ports that the settings name; none when these are wrong. */
async function listPorts(): Promise<number[]> {
  try {
    const { settings } = (await loadSettings(parseCommandLine([])))();
    return parseAddresses(settings.bind).flatMap((address) => ('port' in address ? address.port : []));
  } catch {
    // checkSettings tells it.
    return [];
  }
}

/** A setting of the Linux kernel; undefined where there is none of that name. */
function readKernel(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** What Node tells of itself and its system, as far as it is looked at here. */
interface Report {
  readonly header: { readonly glibcVersionRuntime?: string };
  readonly userLimits?: {
    readonly open_files?: { readonly soft?: number | string; readonly hard?: number | string };
  };
}

function report(): Report {
  return process.report.getReport() as Report;
}
