/**
 * Reads the small languages inside configuration values: durations, network addresses, paths and places of arguments.
 * Pure: each takes a text and returns a value, or undefined when the text is not of its language.
 */
import { isAbsolute, join, resolve } from 'node:path';

/** Milliseconds in each unit a duration may carry. */
const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Longest duration a key takes: beyond a day a deadline is a mistake, and timers end at 24.8 days. */
export const DURATION_MS_MAX = UNIT_MS.d;

/** A TCP address. `host` carries no brackets; port 0 asks the system for a free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Milliseconds of `30` (seconds), `"30"`, `"1.5s"`, `"10ms"`, `"5m"`, `"2h"`, `"1d"`. Negative ones are read, so that
 * the caller can say that they are negative; anything else is undefined.
 */
export function parseDurationMs(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.round(value * UNIT_MS.s) : undefined;
  const match = /^(-?\d{1,15}(?:\.\d{1,9})?)(ms|s|m|h|d)?$/.exec(value.trim());
  if (match === null) return undefined;
  const unit = (match[2] ?? 's') as keyof typeof UNIT_MS;
  return Math.round(Number(match[1]) * UNIT_MS[unit]);
}

/** The address of `HOST:PORT` or `[IPv6]:PORT`. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([0-9a-z.-]{1,253})):(\d{1,5})$/i.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) return undefined;
  return { host: host.toLowerCase(), port };
}

/** True when only programs on this machine can reach the host: `localhost`, `127.0.0.0/8`, `::1`. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  const octets = host.split('.');
  const numeric = octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255);
  return numeric && octets.length === 4 && octets[0] === '127';
}

/** The absolute path of what a configuration in `folder` calls `path`; a leading `~/` is the user's home. */
export function resolveFrom(folder: string, path: string, userHome: string | undefined): string {
  if (userHome !== undefined && isAbsolute(userHome)) {
    if (path === '~') return userHome;
    if (path.startsWith('~/')) return join(userHome, path.slice(2));
  }
  return resolve(folder, path);
}

/** What an item of a command is for its program: `$$NAME` and nothing else is the text `$NAME`, any other is itself. */
export function textIn(item: string): string {
  return /^\$\$[A-Za-z_][A-Za-z0-9_]*$/.test(item) ? item.slice(1) : item;
}

/** The argument whose place an item of a command is: `$NAME` and nothing else. Undefined when the item is a text. */
export function placeIn(item: string): string | undefined {
  return /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(item)?.[1];
}
