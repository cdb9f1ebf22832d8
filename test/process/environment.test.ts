import { expect, test } from 'vitest';
import { agentEnvironment, commandEnvironment } from '../../src/process/environment.ts';

const parent = {
  PATH: '/bin',
  HOME: '/home/ada',
  LC_ALL: 'C.UTF-8',
  LC_TIME: 'de_DE.UTF-8',
  EDITOR: 'vi',
  OPENAI_API_KEY: 'secret',
  TELEGRAM_TOKEN: 'secret too',
  SLUICE_HOME: '/var/lib/sluice',
  SLUICE_WORK_ID: 'c-1',
  ABSENT: undefined,
};

test('a command gets the short list and the language, and no secret', () => {
  expect(commandEnvironment(parent, [], {})).toEqual({
    PATH: '/bin',
    HOME: '/home/ada',
    LC_ALL: 'C.UTF-8',
    LC_TIME: 'de_DE.UTF-8',
  });
});

test('each name of the short list reaches a command', () => {
  const names =
    'PATH HOME USER LOGNAME SHELL LANG LC_CTYPE TERM TZ TMPDIR XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS';
  const all = Object.fromEntries(names.split(' ').map((name) => [name, `the ${name}`]));
  expect(commandEnvironment(all, [], {})).toEqual(all);
});

test('a command gets the variables that the operator named, where they exist', () => {
  const environment = commandEnvironment(parent, ['EDITOR', 'ABSENT', 'NEVER_SET'], {});
  expect(environment).toMatchObject({ EDITOR: 'vi' });
  expect(Object.keys(environment)).toEqual(['PATH', 'HOME', 'LC_ALL', 'LC_TIME', 'EDITOR']);
});

test('declared values win over inherited ones', () => {
  expect(commandEnvironment(parent, ['EDITOR'], { EDITOR: 'ed', LINES: '20' })).toMatchObject({
    EDITOR: 'ed',
    LINES: '20',
  });
  expect(agentEnvironment(parent, [], { EDITOR: 'ed' }).EDITOR).toBe('ed');
});

test('an agent gets everything except what belongs to the gateway and the named secrets', () => {
  expect(agentEnvironment(parent, ['TELEGRAM_TOKEN'], {})).toEqual({
    PATH: '/bin',
    HOME: '/home/ada',
    LC_ALL: 'C.UTF-8',
    LC_TIME: 'de_DE.UTF-8',
    EDITOR: 'vi',
    OPENAI_API_KEY: 'secret',
  });
});

const ofSupervisor = {
  NOTIFY_SOCKET: '/run/systemd/notify',
  WATCHDOG_PID: '1',
  WATCHDOG_USEC: '30000000',
  LISTEN_FDS: '1',
  LISTEN_PID: '1',
  LISTEN_FDNAMES: 'http',
  SYSTEMD_EXEC_PID: '1',
  MANAGERPID: '1',
  INVOCATION_ID: 'f00',
  JOURNAL_STREAM: '8:1',
};

test('what the supervisor said to the gateway reaches no child, not even by name', () => {
  const names = Object.keys(ofSupervisor);
  expect(commandEnvironment({ ...parent, ...ofSupervisor }, names, {})).toEqual(
    commandEnvironment(parent, [], {}),
  );
  expect(agentEnvironment({ ...parent, ...ofSupervisor }, [], {})).toEqual(agentEnvironment(parent, [], {}));
});
