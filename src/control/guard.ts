/**
 * Who is let in over HTTP on loopback, which every user and every web page of the machine can reach: the Host
 * and the Origin keep other pages out, the token other users. The control socket needs none of it.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type ApiReply, failure } from './api-reply.ts';

/** Answer without a token and under any Host: a prober has neither. */
const OPEN_PATHS: readonly string[] = ['/livez', '/readyz'];

export interface Caller {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** `in`: let in. `cookie`: it brought the token in the address, and gets it as this cookie instead. */
export type Admittance =
  | { readonly is: 'in' }
  | { readonly is: 'cookie'; readonly setCookie: string }
  | { readonly is: 'out'; readonly reply: ApiReply };

/** Judges the requests of one server; `host` and `port` are what it listens on. */
export function createGuard(host: string, port: number, token: string): (caller: Caller) => Admittance {
  const names = [host, '127.0.0.1', 'localhost', '::1'].map(addressName);
  const hosts: ReadonlySet<string> = new Set(names.map((name) => `${name}:${port}`.toLowerCase()));
  // Cookies know no ports: two gateways of one machine would take each other's.
  const cookie = `sluice_${port}`;
  const ours = Buffer.from(token);
  const isToken = (given: string): boolean => {
    const theirs = Buffer.from(given);
    return ours.length === theirs.length && timingSafeEqual(ours, theirs);
  };
  return ({ headers, path, query }) => {
    // They say nothing of anybody, and a prober calls them by an address that no name of ours need be.
    if (OPEN_PATHS.includes(path)) return { is: 'in' };
    const { host: to = '', origin } = headers;
    // The names of hosts know no case.
    if (!hosts.has(to.toLowerCase())) return out(403, 'FORBIDDEN_ORIGIN', `the host "${to}" is not ours`);
    if (origin !== undefined && !hosts.has(origin.toLowerCase().replace(/^http:\/\//, '')))
      return out(403, 'FORBIDDEN_ORIGIN', `requests from "${origin}" are not taken`);
    const inAddress = query.get('token');
    if (path === '/' && inAddress !== null && isToken(inAddress)) {
      const value = encodeURIComponent(inAddress);
      return { is: 'cookie', setCookie: `${cookie}=${value}; Path=/; HttpOnly; SameSite=Strict` };
    }
    const bearer = /^Bearer +(?<token>\S+)$/i.exec(headers.authorization ?? '')?.groups?.token;
    if (isToken(bearer ?? cookieIn(headers, cookie) ?? '')) return { is: 'in' };
    return out(401, 'UNAUTHORIZED', 'the token is missing or wrong');
  };
}

/** An address as it stands in a URL. */
export const addressName = (host: string): string => (host.includes(':') ? `[${host}]` : host);

const out = (...words: Parameters<typeof failure>): Admittance => ({ is: 'out', reply: failure(...words) });

function cookieIn({ cookie = '' }: IncomingHttpHeaders, name: string): string | undefined {
  const pair = cookie.split(/; */).find((one) => one.startsWith(`${name}=`));
  try {
    return pair && decodeURIComponent(pair.slice(name.length + 1));
  } catch {
    // Half an escape: no value of ours.
    return undefined;
  }
}
