/** Through what the gateway is reached: its token, the live chart, the routes and the servers they stand on. */
import { systemClock as clock } from '../clock.ts';
import type { Configuration } from '../config/configuration.ts';
import { Api } from '../control/api.ts';
import { Faces } from '../control/http.ts';
import { Inspector } from '../control/inspector.ts';
import { builtPageFolder } from '../control/page.ts';
import { Routes } from '../control/routes.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { readToken } from '../process/home.ts';
import type { World } from './world.ts';

export interface OpenFaces {
  readonly faces: Faces;
  readonly inspector: Inspector;
  readonly token: string;
}

/** Makes the faces; nothing listens yet. Their end, with the socket's file, comes before the lock is given back. */
export function makeFaces(
  { paths, secrets, log, acquired }: World,
  gateway: Gateway,
  configuration: Configuration,
): OpenFaces {
  const token = readToken(paths.token, (problem) => gateway.warnings.push(problem));
  secrets.add(token);
  const inspector = new Inspector(gateway, clock);
  const api = new Api({ gateway, clock, configuration: () => configuration.running });
  const routes = new Routes({ api, inspector, clock, pageFolder: builtPageFolder() });
  const faces = new Faces({ routes, clock, log, token });
  acquired.defer('the control socket and HTTP', () => faces.close());
  return { faces, inspector, token };
}
