import { defineConfig } from 'vitest/config';

/**
 * One project a layer, so that the gate can run and time each by its budget. Layers that spawn daemons run
 * one file at a time: the machines this is checked on have two cores. What is polled for is polled for long:
 * the limit is there to end a test that hangs, not to time one on a busy machine.
 */
const layer = (name: string, include: string[], extra: Record<string, unknown> = {}) => ({
  test: {
    ...{ name, include, environment: 'node', testTimeout: 10_000, hookTimeout: 20_000 },
    expect: { poll: { timeout: 9_000, interval: 20 } },
    ...extra,
  },
});

export default defineConfig({
  test: {
    projects: [
      layer('unit', [
        'test/{machines,messages,config,gateway,telemetry,agents,service,cli,visualizations}/**/*.test.ts',
        'test/*.test.ts',
      ]),
      layer('contract', ['test/{contract,store,process,control,platforms}/**/*.test.ts'], {
        testTimeout: 20_000,
      }),
      layer('model', ['test/model/**/*.test.ts'], {
        testTimeout: 120_000,
        fileParallelism: false,
        setupFiles: ['test/support/no-leftovers.ts'],
      }),
      layer('system', ['test/system/**/*.test.ts'], {
        testTimeout: 60_000,
        fileParallelism: false,
        setupFiles: ['test/support/no-leftovers.ts'],
      }),
      layer('browser', ['test/browser/**/*.test.ts'], { testTimeout: 60_000, fileParallelism: false }),
      layer('systemd', ['test/systemd/**/*.test.ts'], {
        testTimeout: 90_000,
        hookTimeout: 60_000,
        fileParallelism: false,
      }),
    ],
  },
});
