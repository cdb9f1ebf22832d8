/**
 * A gateway that is a service of a systemd in a box, started from one of the unit texts in `config/examples` with
 * this machine's paths filled in. The home lies outside, so its files and its control socket are reached directly.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CliResult, httpRequest, type LogLine, type Reply, TestFolder, testConfig } from './gateway.ts';
import { polled } from './polling.ts';
import { type JournalEntry, nameIn, type Ran, type SystemdBox } from './systemd-box.ts';

const MAIN = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The texts, by the names people know them by. */
export const UNITS = { ours: 'sluice.service', 'hermes-style': 'sluice-hermes-style.service' } as const;
export type UnitStyle = keyof typeof UNITS;

/** Ids that systemd gives to its own lines: how a life of a unit ended, and that it will be started again. */
const UNIT_SUCCESS = '7ad2d189f7e94e70a38c781354912448';
const UNIT_FAILURE = 'd9b373ed55a64feb8242e02dbe79a49c';
const UNIT_RESTART_SCHEDULED = '5eb03494b6584870a536b337290809b3';

/** What of a unit says how it stands. */
const STANDING = ['ActiveState', 'SubState', 'Result', 'ExecMainStatus', 'NRestarts'] as const;
export type Standing = Record<(typeof STANDING)[number], string>;

export interface UnitOptions {
  /** YAML of the configuration, below what suits tests. */
  readonly more?: string;
  /** An existing folder with a configuration; it is then not removed here. */
  readonly folder?: TestFolder;
  /** Changes the text of the unit. */
  readonly rewrite?: (text: string) => string;
}

/** Each gateway has a unit of its own, so that none sees another's past. */
let count = 0;

export class UnitGateway implements AsyncDisposable {
  readonly box: SystemdBox;
  readonly name: string;
  readonly folder: TestFolder;
  readonly #ownsFolder: boolean;

  private constructor(box: SystemdBox, name: string, folder?: TestFolder) {
    this.box = box;
    this.name = name;
    this.folder = folder ?? new TestFolder();
    this.#ownsFolder = folder === undefined;
  }

  /** Installs the unit without starting it. */
  static async install(
    box: SystemdBox,
    style: UnitStyle,
    { more = '', folder, rewrite = (text) => text }: UnitOptions = {},
  ): Promise<UnitGateway> {
    count += 1;
    const gateway = new UnitGateway(box, `gateway-${count}.service`, folder);
    if (folder === undefined) gateway.folder.writeConfig(testConfig(more));
    await box.writeUnit(gateway.name, rewrite(filledIn(style, gateway.folder)));
    return gateway;
  }

  /** Installs and starts it, and waits until it runs. */
  static async start(box: SystemdBox, style: UnitStyle, options: UnitOptions = {}): Promise<UnitGateway> {
    const gateway = await UnitGateway.install(box, style, options);
    await gateway.ctl('start');
    await gateway.ready();
    return gateway;
  }

  /** One verb of systemctl on this unit. */
  ctl(verb: string, ...options: readonly string[]): Promise<Ran> {
    return this.box.ctl(verb, ...options, this.name);
  }

  /** What systemd and the gateway said about it. */
  get entries(): readonly JournalEntry[] {
    return this.box.entries.filter((entry) => nameIn(entry) === this.name);
  }

  /** The log lines of all lives. */
  get lines(): readonly LogLine[] {
    return this.entries.flatMap(({ MESSAGE = '' }) => (MESSAGE.startsWith('{') ? [JSON.parse(MESSAGE)] : []));
  }

  /** With which code each life said it would leave. */
  get exitCodes(): readonly unknown[] {
    return this.lines.filter(({ msg }) => /^exit \d/.test(msg)).map(({ code }) => code);
  }

  /** What systemd made of the end of each life: `success`, or the kind of failure. */
  get verdicts(): readonly (string | undefined)[] {
    return this.entries.flatMap(({ MESSAGE_ID, UNIT_RESULT }) => {
      if (MESSAGE_ID === UNIT_SUCCESS) return ['success'];
      return MESSAGE_ID === UNIT_FAILURE ? [UNIT_RESULT] : [];
    });
  }

  /** How often systemd has said that it will start it again of itself. */
  get revivals(): number {
    return this.entries.filter(({ MESSAGE_ID }) => MESSAGE_ID === UNIT_RESTART_SCHEDULED).length;
  }

  /** Waits until as many lives have reached `running`. */
  async ready(lives = 1): Promise<void> {
    const isReady = (line: LogLine) => line.from === 'starting' && String(line.to).startsWith('running.');
    await this.box.until(
      () => this.lines.filter(isReady).length >= lives,
      `life ${lives} of ${this.name} to run`,
    );
  }

  /** The first line of the log that is asked for, once the journal has it: it knows things later than a status. */
  async said(isIt: (line: LogLine) => boolean): Promise<LogLine> {
    await this.box.until(() => this.lines.some(isIt), `a line of ${this.name}`);
    return this.lines.find(isIt) as LogLine;
  }

  /** Waits until systemd has given its verdict on as many lives. */
  async ended(lives: number): Promise<void> {
    await this.box.until(() => this.verdicts.length >= lives, `life ${lives} of ${this.name} to end`);
  }

  /** Waits until the chart has entered a state, as the log tells it. */
  async entered(state: string): Promise<void> {
    await this.box.until(() => this.lines.some(({ to }) => to === state), `the state ${state}`);
  }

  standing(): Promise<Standing> {
    return this.box.show(this.name, ...STANDING);
  }

  /** Sends a signal to the main process, as a stranger would. */
  async signal(signal: string): Promise<void> {
    const { MainPID } = await this.box.show(this.name, 'MainPID');
    const { code, stderr } = await this.box.run('kill', `-${signal}`, MainPID);
    if (code !== 0) throw new Error(stderr);
  }

  request(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply> {
    return httpRequest({ socketPath: join(this.folder.home, 'control.sock') }, method, path, body);
  }

  /** Sends a message and waits for its outcome. */
  async send(text: string, more: Readonly<Record<string, unknown>> = {}): Promise<Reply['json']> {
    return (await this.request('POST', '/v1/messages?wait=1', { text, ...more })).json;
  }

  async status(): Promise<Reply['json']> {
    return (await this.request('GET', '/v1/status')).json;
  }

  /** Waits until one turn or one command is in flight. */
  async inFlight(what: 'turns' | 'commands'): Promise<void> {
    await polled(async () => (await this.status()).inFlight[what].length > 0, `${what} in flight`);
  }

  /** Runs the real CLI on this gateway's home, in the box as its users do. */
  async cli(...args: readonly string[]): Promise<Pick<CliResult, 'code' | 'stdout' | 'stderr'>> {
    return this.box.run(process.execPath, MAIN, ...args, '--home', this.folder.home);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // With the stop queued the kill revives nobody; where nothing runs there is nothing to kill.
    const name = this.name;
    await this.box.run(
      'sh',
      '-c',
      `systemctl stop --no-block ${name}; systemctl kill --signal=KILL ${name}; systemctl stop ${name}`,
    );
    if (this.#ownsFolder) this.folder[Symbol.dispose]();
  }
}

/** The text with what differs from machine to machine replaced; each such word is in force exactly once. */
function filledIn(style: UnitStyle, folder: TestFolder): string {
  const text = readFileSync(new URL(`../../config/examples/${UNITS[style]}`, import.meta.url), 'utf8');
  const here = new Map([
    ['User=sluice', 'User=root'],
    ['/usr/bin/node', process.execPath],
    ['/usr/lib/node_modules/sluice/dist/main.js', MAIN],
    ['--home /var/lib/sluice', `--home ${folder.home}`],
    ['--config /etc/sluice/sluice.yaml', `--config ${folder.configPath}`],
  ]);
  const lines = text.split('\n');
  for (const [word, replacement] of here) {
    const places = [...lines.keys()].filter(
      (index) => !/^#/.test(lines[index]!) && lines[index]!.includes(word),
    );
    const [place] = places;
    if (place === undefined || places.length !== 1)
      throw new Error(`${UNITS[style]}: ${word} is not there once`);
    lines[place] = lines[place]!.replace(word, () => replacement);
  }
  return lines.join('\n');
}
