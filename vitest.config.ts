import { defineConfig } from 'vitest/config';

/**
 * One project a layer, so that the gate can run and time each by its budget. Layers that spawn daemons run
 * one file at a time: the machines this is checked on have two cores. All limits here are long: they are there to
 * end a test that hangs, not to time one on a busy machine. Waits in `test/support` end before them, and say
 * what did not come.
 */
const layer = (name: string, include: string[], extra: Record<string, unknown> = {}) => ({
  test: {
    ...{ name, include, environment: 'node', testTimeout: 30_000, hookTimeout: 60_000 },
    expect: { poll: { timeout: 25_000, interval: 20 } },
    ...extra,
  },
});

export default defineConfig({
  test: {
    projects: [
      layer(
        'unit',
        [
          'test/{machines,messages,config,gateway,telemetry,agents,service,cli,setup,visualizations}/**/*.test.ts',
          'test/*.test.ts',
        ],
        { maxWorkers: 2 },
      ),
      layer('contract', ['test/{contract,store,process,control,platforms}/**/*.test.ts'], {
        testTimeout: 60_000,
      }),
      layer('model', ['test/model/**/*.test.ts'], {
        testTimeout: 300_000,
        fileParallelism: false,
        setupFiles: ['test/support/no-leftovers.ts'],
      }),
      // Nothing but the processor bounds it; its files are the shares that run side by side.
      layer('simulation', ['test/simulation/**/*.test.ts'], {
        testTimeout: 300_000,
        maxWorkers: 2,
        // What a world leaves behind is short-lived; with room for it the collector has half the work.
        execArgv: ['--max-semi-space-size=64'],
      }),
      // Most of their time is spent waiting for one another's processes, so two of them share the two cores well.
      layer('system', ['test/system/**/*.test.ts'], {
        testTimeout: 180_000,
        maxWorkers: 2,
        setupFiles: ['test/support/no-leftovers.ts'],
      }),
      layer('crash', ['test/crash/**/*.test.ts'], {
        testTimeout: 60_000,
        hookTimeout: 180_000,
        fileParallelism: false,
        setupFiles: ['test/support/no-leftovers.ts'],
      }),
      layer('browser', ['test/browser/**/*.test.ts'], { testTimeout: 120_000, fileParallelism: false }),
      layer('systemd', ['test/systemd/**/*.test.ts'], {
        testTimeout: 180_000,
        fileParallelism: false,
      }),
    ],
  },
});
