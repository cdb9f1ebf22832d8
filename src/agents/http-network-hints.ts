/**
 * The rows for requests that got no answer at all, by the error code of Node or OpenSSL; the first that fits holds,
 * and the last one fits every such request.
 */
import { type Case, hostOf, type Row, serverLog } from './http-trouble.ts';

const network =
  (...codes: readonly string[]) =>
  (one: Case): boolean =>
    codes.includes(one.network);

/** Requests without an answer. */
export const NETWORK_ROWS: readonly Row[] = [
  {
    code: 'AGENT_UNREACHABLE',
    backend: true,
    fits: network('ECONNREFUSED'),
    what: () => 'cannot be reached: nothing listens there',
    next: ({ at }) => `Is it running at ${at.url}? Start it, then send it again.`,
  },
  {
    code: 'AGENT_UNREACHABLE',
    backend: true,
    fits: network('ENOTFOUND'),
    what: ({ at }) => `cannot be reached: there is no host ${hostOf(at.url)}`,
    next: ({ section }) => `Correct ${section}.base_url, or this machine's DNS.`,
  },
  {
    code: 'AGENT_UNREACHABLE',
    backend: true,
    fits: network('EAI_AGAIN', 'EAI_FAIL', 'ECANCELLED'),
    what: ({ at }) => `cannot be reached: the host ${hostOf(at.url)} could not be looked up`,
    next: () => "Look at this machine's network and DNS, then send it again.",
  },
  {
    code: 'AGENT_UNREACHABLE',
    backend: true,
    fits: network('EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL'),
    what: () => 'cannot be reached: no route leads there',
    next: () => "Look at this machine's network, then send it again.",
  },
  {
    code: 'AGENT_TIMEOUT',
    backend: true,
    fits: network('ETIMEDOUT', 'ESOCKETTIMEDOUT'),
    what: () => 'cannot be reached: nobody answered in time',
    next: ({ at }) => `Is it running at ${at.url}? Look at it and at the network, then send it again.`,
  },
  {
    code: 'AGENT_TLS',
    backend: true,
    fits: network('CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'),
    what: ({ network }) =>
      `is not trusted: its certificate ${network === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet'}`,
    next: () => "Renew that server's certificate, or set this machine's clock.",
  },
  {
    code: 'AGENT_TLS',
    backend: true,
    fits: network(
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    ),
    what: () => 'is not trusted: nobody whom this machine knows signed its certificate',
    next: () => 'Name the file of its authority in NODE_EXTRA_CA_CERTS, then restart the gateway.',
  },
  {
    code: 'AGENT_TLS',
    backend: true,
    fits: network('ERR_TLS_CERT_ALTNAME_INVALID'),
    what: ({ at }) => `is not trusted: its certificate is not for ${hostOf(at.url)}`,
    next: ({ section }) => `Write the name that its certificate is for in ${section}.base_url.`,
  },
  {
    code: 'AGENT_TLS',
    backend: true,
    fits: ({ network }) => /^(EPROTO$|ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_)/.test(network),
    what: () => 'cannot be spoken to by TLS',
    next: ({ section }) =>
      `Correct ${section}.base_url if that server speaks plain http, else its certificate.`,
  },
  {
    code: 'AGENT_NOT_AN_API',
    backend: true,
    fits: ({ network }) => network.startsWith('HPE_'),
    what: () => 'does not speak HTTP there',
    next: ({ section }) => `Correct ${section}.base_url: another port, or https://, may be meant.`,
  },
  {
    code: 'AGENT_UNREACHABLE',
    backend: true,
    fits: ({ network }) => network.startsWith('ERR_PROXY_'),
    what: () => 'cannot be reached through the proxy of this machine',
    next: () => 'Correct HTTPS_PROXY, HTTP_PROXY or NO_PROXY, then restart the gateway.',
  },
  {
    code: 'AGENT_KEY',
    backend: false,
    fits: network('ERR_INVALID_CHAR'),
    what: ({ at }) => `was not asked: ${at.key.variable} holds what cannot be a key`,
    next: ({ at }) => `Correct ${at.key.variable}, then restart the gateway.`,
  },
  {
    code: 'AGENT_UNREACHABLE',
    backend: true,
    fits: ({ kind }) => kind === 'network',
    what: ({ network }) =>
      `lost the connection to its server${/^E[A-Z]+$/.test(network) ? ` (${network})` : ''}`,
    next: serverLog,
  },
];
