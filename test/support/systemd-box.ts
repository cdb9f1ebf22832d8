/**
 * A real systemd in namespaces of its own (`systemd-in-a-box.sh`), for tests of units. What happens in it is read
 * from its journal as it comes, so a test waits for what systemd or a service said, not for time to pass.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./systemd-in-a-box.sh', import.meta.url));

/** Older ones do not say to a service which process is its main one, or lack switches that the box uses. */
const SYSTEMD_VERSION_MIN = 250;

/** How long anything may take before the test is told what did not come. */
const PATIENCE_MS = 15_000;

/** A line of the journal: its own fields and those that whoever wrote it added. */
export type JournalEntry = Readonly<Record<string, string | undefined>>;

/** How a program in the box ended. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What this machine lacks for a systemd in a box, in words; undefined where it has everything. */
export function whySkipped(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const version = spawnSync('/lib/systemd/systemd', ['--version'], { encoding: 'utf8' }).stdout;
  const found = /^systemd (\d+)/.exec(version ?? '')?.[1];
  if (Number(found ?? 0) < SYSTEMD_VERSION_MIN) {
    return `needs systemd ${SYSTEMD_VERSION_MIN} or later, here is ${found ?? 'none'}`;
  }
  const cgroup = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
  if (cgroup === undefined || !mayWrite(cgroup)) return 'needs a cgroup2 mount that may be written';
  const namespaces = ['--pid', '--mount', '--uts', '--ipc', '--cgroup', '--fork', '--mount-proc'];
  if (spawnSync('unshare', [...namespaces, 'nsenter', '--version']).status !== 0) {
    return 'needs unshare, nsenter and the right to make namespaces';
  }
  return undefined;
}

export class SystemdBox implements AsyncDisposable {
  /** Its journal from the first line on. */
  readonly entries: JournalEntry[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-box-'));
  readonly #waiting = new Set<() => void>();
  #journal: ChildProcess | undefined;

  private constructor() {}

  /** Boots one. Rejects with what it said when it does not come up; then nothing of it is left. */
  static async up(): Promise<SystemdBox> {
    const box = new SystemdBox();
    try {
      await box.#must('up');
      box.#follow();
      return box;
    } catch (error) {
      await box[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a program inside, with nothing in its environment but PATH. */
  run(...command: readonly string[]): Promise<Ran> {
    return this.#script('exec', 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', ...command);
  }

  /** systemctl inside. Rejects when it fails. */
  ctl(...args: readonly string[]): Promise<Ran> {
    return this.#must('ctl', ...args);
  }

  /** Makes the unit known to systemd. */
  async writeUnit(name: string, text: string): Promise<void> {
    writeFileSync(join(this.#folder, 'units', name), text);
    await this.ctl('daemon-reload');
  }

  /** Properties of a unit as `systemctl show` prints them. */
  async show<Name extends string>(unit: string, ...names: readonly Name[]): Promise<Record<Name, string>> {
    const { stdout } = await this.ctl('show', unit, ...names.map((name) => `--property=${name}`));
    const pairs = stdout.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    });
    return Object.fromEntries(pairs);
  }

  /** Waits until `check` is truthy; looked at with every line of the journal. */
  async until<T>(check: () => T | undefined | false | null, what: string): Promise<T> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = check();
      if (found) return found;
      if (limit.aborted) {
        const said = this.entries.slice(-30).map((entry) => `${nameIn(entry)}: ${entry.MESSAGE}`);
        throw new Error(`waited in vain for ${what}\n${said.join('\n')}`);
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          limit.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        limit.addEventListener('abort', wake);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const journal = this.#journal;
    const ended = journal && new Promise((resolve) => journal.once('close', resolve));
    await this.#must('down');
    await ended;
    rmSync(this.#folder, { recursive: true });
  }

  #follow(): void {
    const child = spawn(SCRIPT, ['exec', 'journalctl', '-f', '-n', 'all', '-o', 'json'], {
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#journal = child;
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.entries.push(JSON.parse(line));
      for (const wake of [...this.#waiting]) wake();
    });
  }

  async #must(...args: readonly string[]): Promise<Ran> {
    const ran = await this.#script(...args);
    if (ran.code !== 0) throw new Error(`${args.join(' ')}: exit ${ran.code}\n${ran.stdout}${ran.stderr}`);
    return ran;
  }

  #script(...args: readonly string[]): Promise<Ran> {
    const child = spawn(SCRIPT, args, { env: this.#environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout, stderr }));
    });
  }

  #environment(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, BOX: this.#folder };
  }
}

/** The unit that a line of the journal is about: systemd names it, of a service's own lines the journal does. */
export const nameIn = (entry: JournalEntry): string | undefined => entry.UNIT ?? entry._SYSTEMD_UNIT;

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
