/** Copies of the store: made beside a gateway that writes and without one, whole or not at all. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { survivors } from '../process/survivors.ts';
import { TestFolder } from '../support/gateway.ts';
import { alone, folderHere, gatewayHere } from '../support/ledger.ts';

const HOLDING = 'quick_commands: { hold: { type: exec, command: "cat hold; exit 0", timeout: 120 } }';

describe('a copy of the store', () => {
  test('is made beside a gateway that writes, is private, and opens with all that was there', async () => {
    const gateway = await gatewayHere();
    const { path } = gateway.folder;
    for (let n = 0; n < 20; n += 1) await gateway.send('/up', { id: `before-${n}` });
    const writing = Promise.all(
      Array.from({ length: 60 }, (_, n) => gateway.send('/up', { id: `beside-${n}` })),
    );
    const made = await gateway.cli('messages', 'backup', 'copy.db', '--json');
    await writing;
    const copy = join(path, 'copy.db');
    expect(made).toMatchObject({ code: 0, stderr: '', json: { path: copy, bytes: statSync(copy).size } });
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    const db = new DatabaseSync(copy, { readOnly: true });
    onTestFinished(() => db.close());
    expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    const before =
      "SELECT count(*) AS rows FROM inbox WHERE outcome = 'ran' AND platform_message_id LIKE 'before-%'";
    expect(db.prepare(before).get()).toEqual({ rows: 20 });
  });

  test('is made without a gateway, replaces nothing, and leaves nothing where it fails', async () => {
    const gateway = await gatewayHere();
    await gateway.send('hello', { id: 'one' });
    await gateway.kill9();
    const { folder } = gateway;
    expect(await alone(folder, 'messages', 'backup', 'copy.db')).toMatchObject({
      ...{ code: 0, stdout: expect.stringMatching(/copy\.db: \d+ KB\n$/) },
    });
    writeFileSync(join(folder.path, 'mine.txt'), 'mine');
    expect(await alone(folder, 'messages', 'backup', 'mine.txt', '--json')).toMatchObject({
      ...{ code: 1, json: { error: { code: 'BACKUP_FAILED' } } },
    });
    expect(readFileSync(join(folder.path, 'mine.txt'), 'utf8')).toBe('mine');
    const nowhere = await alone(folder, 'messages', 'backup', 'no/such/folder.db');
    expect(nowhere).toMatchObject({ code: 1, stdout: '' });
    expect(existsSync(join(folder.path, 'no'))).toBe(false);

    // What was copied is a store that a gateway starts with.
    const other = folderHere();
    await alone(folder, 'messages', 'backup', join(other.path, 'sluice.db'));
    const moved = new TestFolder(other.path);
    moved.writeConfig(readFileSync(folder.configPath, 'utf8'));
    onTestFinished(() => moved[Symbol.dispose]());
    const next = await gatewayHere({ folder: moved });
    expect((await next.send('hello again', { id: 'one' })).json).toMatchObject({ duplicate: true });
    await next.stop();
  });

  test('of a damaged store is not made, and the next step is for the store', async () => {
    const gateway = await gatewayHere();
    await gateway.stop();
    writeFileSync(
      join(gateway.folder.home, 'sluice.db'),
      'no database at all, and long enough for a header\n'.repeat(99),
    );
    const failed = await alone(gateway.folder, 'messages', 'backup', 'copy.db', '--json');
    expect(failed).toMatchObject({
      ...{
        code: 1,
        json: { error: { code: 'BACKUP_FAILED', hint: expect.stringContaining('restore a backup') } },
      },
    });
  });

  test('started elsewhere leaves nothing open that the original works on, and the original works on', async () => {
    const original = await gatewayHere({ config: HOLDING });
    original.folder.fifo('hold');
    void original.post('/hold', { id: 'cut' }).catch(() => {});
    const [id = ''] = await original.commandsBegun(1);
    const other = folderHere();
    await original.cli('messages', 'backup', join(other.path, 'sluice.db'));
    const moved = new TestFolder(other.path);
    moved.writeConfig(readFileSync(original.folder.configPath, 'utf8'));
    onTestFinished(() => moved[Symbol.dispose]());
    const copy = await gatewayHere({ folder: moved });
    expect(await copy.outcome('cut')).toMatchObject({
      outcome: 'interrupted',
      outcomeReason: 'gateway-died',
    });
    await copy.stop();
    expect(survivors(id)).not.toEqual([]);
    await original.folder.release('hold');
    expect(await original.outcome('cut')).toMatchObject({ outcome: 'ran', exitCode: 0 });
  });
});
