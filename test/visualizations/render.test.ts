import { execFile } from 'node:child_process';
import { appendFile, cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { statePath } from '../../machines/admission.ts';
import { catalog, transitionsOf } from '../../machines/catalog.ts';
import type { Admission, LifecycleEvent } from '../../machines/events.ts';
import { gatewayMachine } from '../../machines/gateway.ts';
import { exitTable } from '../../visualizations/admission-table.ts';
import { GATEWAY_LEGEND, GATEWAY_LINES } from '../../visualizations/gateway-lines.ts';
import { gatewayScene, wrongStates } from '../../visualizations/gateway-scene.ts';
import { layOut } from '../../visualizations/layout.ts';
import { WIDE } from '../../visualizations/layout-plan.ts';
import { wrongLines } from '../../visualizations/line-check.ts';
import { overlaps } from '../../visualizations/overlaps.ts';
import { GENERATED, renderAll, staleFiles } from '../../visualizations/render.ts';
import type { EdgeMeta, Scene, SceneFile } from '../../visualizations/scene.ts';
import { NARROW_PARTS, WIDE_PARTS } from '../../visualizations/state-parts.ts';
import { svgOf } from '../../visualizations/svg.ts';

const root = join(import.meta.dirname, '../..');
let file: SceneFile;

beforeAll(async () => {
  file = await gatewayScene();
});

describe('the generated files', () => {
  test('equal a fresh rendering', async () => {
    const files = await renderAll();
    expect([...files.keys()]).toEqual([
      'gateway.scene.json',
      'gateway.svg',
      'admission.md',
      'transitions.md',
      'connection.md',
    ]);
    expect(await staleFiles(files)).toEqual([]);
  });

  test('are stale where one is missing', async () => {
    expect(await staleFiles(new Map([['never-rendered.md', '']]))).toEqual(['never-rendered.md']);
  });

  test('are the same bytes each time', async () => {
    expect([...(await renderAll())]).toEqual([...(await renderAll())]);
  });

  test('hold the scene that the page reads', async () => {
    expect(JSON.parse(await readFile(join(GENERATED, 'gateway.scene.json'), 'utf8'))).toEqual(file);
  });
});

describe('the page of the connection chart', () => {
  const arrows = (text = '') => [...text.matchAll(/^ {2}(\w+) --> (\w+): (.*)$/gm)];

  test('draws an arrow for each transition that leads elsewhere, and no other', async () => {
    const text = (await renderAll()).get('connection.md');
    const drawn = arrows(text).flatMap(([, from, to, events]) =>
      (events ?? '').split(', ').map((event) => `${from} ${to} ${event}`),
    );
    const word = (path: string | null) => path?.replace('-', '_');
    const led = transitionsOf(catalog.connection)
      .filter(({ to }) => to !== null)
      .map(({ from, to, event, guard }) => {
        const said = event === 'always' ? `at once [${guard}]` : event;
        return `${word(from)} ${word(to)} ${said}`;
      });
    expect(drawn.length).toBeGreaterThan(10);
    expect(drawn.toSorted()).toEqual(led.toSorted());
  });

  test('has every transition in its table', async () => {
    const rows = (await renderAll()).get('connection.md')?.match(/^\| `.*$/gm) ?? [];
    expect(rows).toHaveLength(transitionsOf(catalog.connection).length);
  });
});

describe('the render command', () => {
  let copy: string;

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'sluice-render-'));
    const isOurs = (path: string) => !/visualizations\/(generated|inspector|xstate-inspect)/.test(path);
    await cp(join(root, 'machines'), join(copy, 'machines'), { recursive: true });
    await cp(join(root, 'visualizations'), join(copy, 'visualizations'), { recursive: true, filter: isOurs });
    await cp(join(root, 'package.json'), join(copy, 'package.json'));
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  });

  afterAll(() => rm(copy, { recursive: true, force: true }));

  const render = (...flags: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const script = join(copy, 'visualizations/render.ts');
      execFile(process.execPath, [script, ...flags], (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
      });
    });

  test('writes the files; with --check it writes nothing and fails on a stale one, naming it', async () => {
    expect(await render()).toMatchObject({ code: 0, err: '' });
    expect(await render('--check')).toEqual({ code: 0, out: '', err: '' });

    const table = join(copy, 'visualizations/generated/admission.md');
    await appendFile(table, 'edited by hand\n');
    const stale = await render('--check');
    expect(stale).toMatchObject({ code: 1, out: '' });
    expect(stale.err.trim().split('\n')).toHaveLength(1);
    expect(stale.err).toContain('admission.md');
    expect(await readFile(table, 'utf8')).toContain('edited by hand');
  }, 20_000);
});

describe('the admission table of the scene', () => {
  const stop = { type: 'stop.requested', requestId: 'r', actor: 'local', hurry: false } as const;
  const busy: LifecycleEvent = { type: 'message.turn', id: 'w', agent: 'other', whenBusy: 'queue' };
  const leave = { ...stop, intent: 'stop', cause: 'stop' } as const;
  const again = { ...stop, intent: 'restart', cause: 'restart' } as const;
  /** A way into each state in which the gateway lives. */
  const ways: Record<string, LifecycleEvent[]> = {
    starting: [],
    'running.healthy': [{ type: 'started' }],
    'running.degraded': [{ type: 'started' }, { type: 'degraded.raised', reason: 'agent:main' }],
    'draining.waiting': [{ type: 'started' }, busy, leave],
    'draining.drained': [{ type: 'started' }, { type: 'drain.requested', requestId: 'r', actor: 'local' }],
    'draining.interrupting': [{ type: 'started' }, busy, { ...leave, hurry: true }],
    'restarting.flushing': [again],
    'restarting.closing': [again, { type: 'outbox.flushed' }],
    'stopped.flushing': [leave],
    'stopped.closing': [leave, { type: 'outbox.flushed' }],
  };

  /** What a running chart did with a message in the state that `way` leads to. */
  function met(way: readonly LifecycleEvent[], message: LifecycleEvent): { state: string; did: Admission[] } {
    const did: Admission[] = [];
    const chart = gatewayMachine.provide({
      actions: {
        dispatch: () => did.push('dispatch'),
        hold: () => did.push('hold'),
        refuse: () => did.push('refuse'),
      },
    });
    const actor = createActor(chart, { input: { supervisor: 'none' } }).start();
    for (const event of way) actor.send(event);
    const state = statePath(actor.getSnapshot());
    did.length = 0;
    actor.send(message);
    actor.stop();
    return { state, did };
  }

  test('has exactly one row for every state but the final one', () => {
    const leaves = file.wide.nodes.filter(({ id, c }) => c !== true && id !== 'exited').map(({ id }) => id);
    expect(Object.keys(ways).toSorted()).toEqual(leaves.toSorted());
    for (const leaf of leaves) expect(rowsFor(leaf), leaf).toHaveLength(1);
    expect(rowsFor('exited')).toEqual([]);
  });

  test.for(Object.entries(ways))('is what a running chart does in %s', ([state, way]) => {
    const turn = { type: 'message.turn', id: 'm', agent: 'main' } as const;
    const messages = {
      control: { type: 'message.control', id: 'm' },
      exec: { type: 'message.exec', id: 'm' },
      alias: { type: 'message.alias', id: 'm' },
      turn: { ...turn, whenBusy: 'interrupt' },
      queue: { ...turn, whenBusy: 'queue' },
    } as const;
    const [row] = rowsFor(state);
    for (const column of ['control', 'exec', 'alias', 'turn', 'queue'] as const) {
      const message = messages[column];
      expect(met(way, message), column).toEqual({ state, did: [row?.cells[column]] });
      const usable = message.type === 'message.turn' ? { ...message, agent: 'other' } : message;
      expect(met(way, usable).did, `${column}, usable agent`).toEqual([
        (row?.usableAgent ?? row?.cells)?.[column],
      ]);
    }
    expect(met(way, { ...turn, whenBusy: 'steer' }).did, 'steer').toEqual([row?.cells.turn]);
  });

  const rowsFor = (leaf: string) =>
    file.admission.filter(({ state }) => leaf === state || leaf.startsWith(`${state}.`));

  test('comes with what holds in every state', () => {
    expect(file.everywhere).toEqual([
      { event: 'message.control', admission: 'dispatch' },
      { event: 'message.exec', admission: 'dispatch' },
      {
        event: 'fatal',
        to: 'stopped',
        except: [
          { from: 'restarting', to: 'exited' },
          { from: 'stopped', to: 'exited' },
        ],
      },
    ]);
  });
});

test('the exit table tells a stop, a stray SIGTERM and a restart apart by who revives the process', () => {
  const { columns, rows } = exitTable();
  expect(columns).toEqual([
    ['none', 'container'],
    ['systemd', 'launchd', 'supervise'],
  ]);
  const codes = rows.map(({ causes, exits }) => [causes.join(' '), ...exits.map(({ code }) => code)]);
  expect(codes).toContainEqual(['stop takeover SIGINT hangup', 0, 0]);
  expect(codes).toContainEqual(['SIGTERM', 0, 1]);
  expect(codes).toContainEqual(['restart SIGUSR1', 75, 75]);
  expect(rows.find(({ causes }) => causes.includes('restart'))?.exits.map((exit) => exit.reexecute)).toEqual([
    true,
    false,
  ]);
});

describe('the drawn lines', () => {
  const faults = (lines: readonly EdgeMeta[], legend = GATEWAY_LEGEND) =>
    wrongLines(catalog.gateway, lines, legend);
  const changed = (name: string, change: Partial<EdgeMeta>) =>
    GATEWAY_LINES.map((line) => (`${line.from} → ${line.to}` === name ? { ...line, ...change } : line));

  test('stand for every transition that changes the state, once', () => {
    expect(faults(GATEWAY_LINES)).toEqual([]);
    const drawn = [...GATEWAY_LINES.flatMap(({ transitions }) => transitions), ...GATEWAY_LEGEND];
    const changing = transitionsOf(catalog.gateway).filter(({ to }) => to !== null);
    expect(drawn.toSorted()).toEqual(changing.map(({ id }) => id).toSorted());
  });

  test('fail when a transition has no line, two, or none any more in the chart', () => {
    expect(faults(GATEWAY_LINES, [])).toEqual([
      '(root)|fatal|0 is drawn by 0 lines and named 0 times in the legend',
    ]);
    expect(faults(GATEWAY_LINES, [...GATEWAY_LEGEND, 'starting|started|0'])).toEqual([
      'starting|started|0 is drawn by 1 lines and named 1 times in the legend',
    ]);
    expect(faults(changed('restarting → stopped', { transitions: ['restarting|gone|0'] }))).toContain(
      'e18 (restarting → stopped) stands for restarting|gone|0, which the chart does not have',
    );
  });

  test('fail when a line ends where its transitions do not', () => {
    expect(faults(changed('restarting → stopped', { to: 'exited' }))).toContain(
      'e18 (restarting → exited) stands for restarting|stop.requested|0, which leads to stopped',
    );
    expect(
      faults(changed('draining.waiting → running', { transitions: ['draining.waiting|drain.cancelled|0'] })),
    ).toContain(
      'e12 (draining.waiting → running) ends at the border of running, but never enters running.healthy',
    );
  });

  test('fail when a line leaves a state in which its transitions are never taken', () => {
    // In drained the chart answers stop.requested itself, so that the candidates of draining are out of reach.
    const hurry = { from: 'draining.drained', transitions: ['draining|stop.requested|0'] };
    expect(faults(changed('draining → draining.interrupting', hurry))).toContain(
      'e23 (draining.drained → draining.interrupting) stands for draining|stop.requested|0, which is never taken there',
    );
    expect(faults(changed('draining.drained → draining.waiting', { from: 'draining' }))).toContain(
      'e11 (draining → draining.waiting) leaves draining.interrupting, where none of its transitions is taken',
    );
  });

  test('join the states they name: each starts on the border of one and ends on that of the other', () => {
    for (const scene of [file.wide, file.narrow]) {
      for (const { id, p } of scene.edges) {
        const meta = file.edges.find((line) => line.id === id);
        expect(onBorder(scene, meta?.from, p[0]), `${id} starts at ${meta?.from}`).toBe(true);
        expect(onBorder(scene, meta?.to, p.at(-1)), `${id} ends at ${meta?.to}`).toBe(true);
      }
      expect(scene.edges.map(({ id }) => id)).toEqual(file.edges.map(({ id }) => id));
    }
  });

  test('run level or upright only', () => {
    for (const { p } of [...file.wide.edges, ...file.narrow.edges]) {
      expect(p.slice(1).every(([x, y], index) => x === p[index]?.[0] || y === p[index]?.[1])).toBe(true);
    }
  });

  test('a line without a route is refused, not guessed', async () => {
    const stray = {
      id: 'e99',
      from: 'starting',
      to: 'exited',
      label: '',
      tier: 'side',
      transitions: [],
    } as const;
    await expect(layOut(WIDE, [...GATEWAY_LINES, stray])).rejects.toThrow('starting → exited');
  });
});

describe('the picture', () => {
  test('is clear at both widths', () => {
    expect(overlaps(file.wide, file.admission, WIDE_PARTS)).toEqual([]);
    expect(overlaps(file.narrow, file.admission, NARROW_PARTS)).toEqual([]);
    expect(file.wide.w).toBeLessThanOrEqual(760);
    expect(file.narrow.w).toBeLessThanOrEqual(380);
  });

  test('a label on a state, on a label, across a border or outside is found', () => {
    const at = (x: number, y: number) =>
      overlaps(withLabel(file.wide, 'e1', x, y), file.admission, WIDE_PARTS);
    const waiting = file.wide.nodes.find(({ id }) => id === 'draining.waiting');
    const other = file.wide.edges.find(({ id }) => id === 'e2')?.l;
    const running = file.wide.nodes.find(({ id }) => id === 'running');
    expect(at(waiting?.x ?? 0, waiting?.y ?? 0)).toContain(
      'the label started of e1 lies on draining.waiting',
    );
    expect(at(other?.x ?? 0, other?.y ?? 0)).toContain(
      'the label started of e1 lies on the label [degraded] of e2',
    );
    expect(at(100, (running?.y ?? 0) - 5)).toContain(
      'the label started of e1 lies across the border of running',
    );
    expect(at(-20, 60)).toContain('the label started of e1 leaves the picture');
  });

  test('a line through a state, a name or a foreign label is found', () => {
    const through = (y: number) => {
      const edges = file.wide.edges.map((edge) =>
        edge.id === 'e18'
          ? {
              id: edge.id,
              p: [
                [0, y],
                [file.wide.w, y],
              ] as const,
            }
          : edge,
      );
      return overlaps({ ...file.wide, edges }, file.admission, WIDE_PARTS);
    };
    const middle = (box?: { y: number; h: number }) => (box ? box.y + box.h / 2 : 0);
    expect(through(middle(file.wide.nodes.find(({ id }) => id === 'exited')))).toContain(
      'e18 runs through exited',
    );
    expect(through(middle(file.wide.edges.find(({ id }) => id === 'e7')?.l))).toContain(
      'e18 runs through the label stop · restart · drain of e7',
    );
    const head = file.wide.nodes.find(({ id }) => id === 'stopped')?.y ?? 0;
    expect(through(head + 14)).toEqual(
      expect.arrayContaining([
        'e18 runs through the name of stopped',
        'e18 runs through the glyphs of stopped',
      ]),
    );
  });

  test('a name that is too long for its box is found', () => {
    const nodes = file.narrow.nodes.map((node) => (node.id === 'exited' ? { ...node, w: 30 } : node));
    expect(overlaps({ ...file.narrow, nodes }, file.admission, NARROW_PARTS)).toContain(
      'the name or the glyphs of exited do not fit in it',
    );
  });

  test('shows every state of the chart and no other', () => {
    expect(wrongStates(catalog.gateway, file.narrow)).toEqual([]);
    const nodes = file.narrow.nodes.map((node) => (node.id === 'exited' ? { ...node, id: 'gone' } : node));
    expect(wrongStates(catalog.gateway, { ...file.narrow, nodes })).toEqual([
      'the state exited is not drawn',
      'the chart has no state gone',
    ]);
  });

  test('marks the states that a line to their phase enters, and the final one', () => {
    expect(file.wide.nodes.filter((node) => node.final === true).map(({ id }) => id)).toEqual(['exited']);
    const initial = file.wide.nodes.filter((node) => node.initial === true).map(({ id }) => id);
    expect(initial).toEqual(['restarting.flushing', 'stopped.flushing']);
  });

  test('as SVG has a title, a description, both colour schemes, and every line with its transitions', () => {
    const svg = svgOf(file);
    expect(svg).toMatch(/role="img" aria-labelledby="gateway-title gateway-desc"/);
    expect(svg).toContain('<title id="gateway-title">The gateway chart</title>');
    expect(svg).toContain(
      'draining admits control dispatch, exec dispatch, alias refuse, turn refuse, queue hold',
    );
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
    expect(svg.match(/<g class="line /g)).toHaveLength(GATEWAY_LINES.length);
    expect(svg).toContain('draining.waiting: always [restarts &amp; idle] → restarting');
  });
});

function onBorder(
  { nodes }: Scene,
  id: string | undefined,
  point: readonly [number, number] | undefined,
): boolean {
  const node = nodes.find((candidate) => candidate.id === id);
  if (node === undefined || point === undefined) return false;
  const [x, y] = [point[0] - node.x, point[1] - node.y];
  const upright = (x === 0 || x === node.w) && y >= 0 && y <= node.h;
  const level = (y === 0 || y === node.h) && x >= 0 && x <= node.w;
  return upright || level;
}

function withLabel(scene: Scene, id: string, x: number, y: number): Scene {
  return {
    ...scene,
    edges: scene.edges.map((edge) => (edge.id === id && edge.l ? { ...edge, l: { ...edge.l, x, y } } : edge)),
  };
}
