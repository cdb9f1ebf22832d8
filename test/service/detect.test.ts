import { describe, expect, test } from 'vitest';
import { detectSupervisor, readSupervisorFacts, type SupervisorFacts } from '../../src/service/detect.ts';

const facts = (more: Partial<SupervisorFacts>): SupervisorFacts => ({
  env: {},
  pid: 812,
  ppid: 700,
  parentName: 'bash',
  platform: 'linux',
  isContainer: false,
  ...more,
});

const NOTIFY = { NOTIFY_SOCKET: '/run/systemd/notify' };

describe.each<[string, Partial<SupervisorFacts>, string]>([
  ['typed into a shell', {}, 'none'],
  [
    'the main process of a unit',
    { env: { SYSTEMD_EXEC_PID: '812' }, ppid: 1, parentName: 'systemd' },
    'systemd',
  ],
  [
    'a unit of a systemd inside a container',
    { env: { SYSTEMD_EXEC_PID: '812' }, ppid: 1, isContainer: true },
    'systemd',
  ],
  [
    'typed into a shell that a unit started',
    { env: { SYSTEMD_EXEC_PID: '81', INVOCATION_ID: 'x', ...NOTIFY } },
    'none',
  ],
  [
    'a child of a unit that became an orphan of systemd',
    { env: { SYSTEMD_EXEC_PID: '81', ...NOTIFY }, ppid: 1, parentName: 'systemd' },
    'none',
  ],
  ['a notifying unit before systemd 248', { env: NOTIFY, ppid: 1, parentName: 'systemd' }, 'systemd'],
  ['a notifying unit of a user manager before 248', { env: NOTIFY, parentName: 'systemd' }, 'systemd'],
  ['with an inherited NOTIFY_SOCKET', { env: NOTIFY }, 'none'],
  ['with an empty NOTIFY_SOCKET', { env: { NOTIFY_SOCKET: '' }, parentName: 'systemd' }, 'none'],
  ['with an inherited INVOCATION_ID', { env: { INVOCATION_ID: 'x' }, parentName: 'systemd' }, 'none'],
  ['an orphan on a plain machine', { ppid: 1, parentName: 'systemd' }, 'none'],
  ['an orphan where no parent can be read', { env: NOTIFY, ppid: 1, parentName: '' }, 'none'],
  ['a job of launchd', { platform: 'darwin', ppid: 1, env: { XPC_SERVICE_NAME: 'dev.sluice' } }, 'launchd'],
  ['a child of a job of launchd', { platform: 'darwin', env: { XPC_SERVICE_NAME: 'dev.sluice' } }, 'none'],
  ['an orphan of a macOS terminal', { platform: 'darwin', ppid: 1, env: { XPC_SERVICE_NAME: '0' } }, 'none'],
  [
    'an orphan of the Terminal application',
    { platform: 'darwin', ppid: 1, env: { XPC_SERVICE_NAME: 'application.com.apple.Terminal.1' } },
    'none',
  ],
  ['with a label of launchd on Linux', { ppid: 1, env: { XPC_SERVICE_NAME: 'dev.sluice' } }, 'none'],
  ['process 1', { pid: 1, ppid: 0, parentName: '' }, 'container'],
  ['a child of a small init in a container', { ppid: 1, parentName: 'tini', isContainer: true }, 'container'],
  ['a grandchild in a container', { ppid: 7, parentName: 'sh', isContainer: true }, 'none'],
  [
    'an orphan of a systemd inside a container',
    { ppid: 1, parentName: 'systemd', isContainer: true },
    'none',
  ],
  ['overridden', { env: { SLUICE_SUPERVISOR: 'none', SYSTEMD_EXEC_PID: '812' } }, 'none'],
  ['overridden by an empty word', { env: { SLUICE_SUPERVISOR: '', SYSTEMD_EXEC_PID: '812' } }, 'systemd'],
])('a gateway %s', (_, more, kind) => {
  test(`has the supervisor ${kind}, with a reason`, () => {
    const finding = detectSupervisor(facts(more));
    expect(finding.kind).toBe(kind);
    expect(finding.because).not.toBe('');
  });
});

test.each(['systemd', 'launchd', 'supervise', 'container', 'none'])(
  'SLUICE_SUPERVISOR=%s decides',
  (kind) => {
    expect(detectSupervisor(facts({ env: { SLUICE_SUPERVISOR: kind }, pid: 1 }))).toEqual({
      kind,
      because: `SLUICE_SUPERVISOR=${kind}`,
    });
  },
);

test.each(['Systemd', 'docker', '0', ' none', 'toString'])(
  'SLUICE_SUPERVISOR=%j counts as not set, and is told with what would be right',
  (junk) => {
    const known = 'use one of systemd, launchd, supervise, container, none';
    expect(detectSupervisor(facts({ env: { SLUICE_SUPERVISOR: junk, SYSTEMD_EXEC_PID: '812' } }))).toEqual({
      ...detectSupervisor(facts({ env: { SYSTEMD_EXEC_PID: '812' } })),
      problem: `SLUICE_SUPERVISOR=${junk} is not known and counts as not set (recognised: systemd); ${known}`,
    });
    expect(detectSupervisor(facts({ env: { SLUICE_SUPERVISOR: junk } }))).toMatchObject({
      kind: 'none',
      problem: expect.stringContaining('(recognised: none)'),
    });
  },
);

test('the facts are those of this process', () => {
  const env = { HERE: 'yes' };
  const own = readSupervisorFacts(env);
  expect(own).toMatchObject({ env, pid: process.pid, ppid: process.ppid, platform: process.platform });
  if (process.platform === 'linux') expect(own.parentName).toMatch(/./);
});

test.skipIf(process.platform !== 'linux').each(['container', 'KUBERNETES_SERVICE_HOST'])(
  'the variable %s says that this is a container (Linux)',
  (name) => {
    expect(readSupervisorFacts({ [name]: 'podman' }).isContainer).toBe(true);
  },
);
