/* rowcast backup and epoch: a copy of a running SQLite instance, and what PostgreSQL has instead. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { BINARY, Server, makeFolder, postgresOnly, runCommand, sqliteOnly, within } from './harness.js';

/* Runs with a folder of its own. */
async function withFolder(fn) {
  const folder = makeFolder();
  try {
    await fn(folder);
  } finally {
    folder.remove();
  }
}

/* A server for as long as `fn` runs; a failure of `fn` is the one that is told. */
async function withServer(folder, fn, environment = {}) {
  const server = await Server.start({ folder, environment });
  try {
    await fn(server);
  } catch (error) {
    await server.kill();
    throw error;
  }
  await server.stop();
}

function run(folder, args, status = 0, environment = {}) {
  const result = runCommand(folder, args, environment);
  assert.equal(result.status, status, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
  return result;
}

const epochOf = (folder, environment) => run(folder, ['epoch'], 0, environment).stdout.trim();

sqliteOnly.test('a backup under a storm of writes holds all that was acknowledged before', () => withFolder(async (folder) => {
  const backups = [];
  await withServer(folder, async (server) => {
    await server.makeCollection('rows', { n: 'integer', text: 'text' });
    const acknowledged = new Set();
    let next = 0, ended = false;
    const writers = Array.from({ length: 8 }, async () => {
      while (!ended) {
        const n = next++;
        await server.ask('POST', '/items/rows', { n, text: 'x'.repeat(n % 3000) });
        acknowledged.add(n);
      }
    });
    for (let i = 0; i < 3; i++) {
      const enough = acknowledged.size + 50;
      while (acknowledged.size < enough) await new Promise(setImmediate);
      const file = `backup-${i}.sqlite`, before = [...acknowledged];
      const child = spawn(BINARY, ['backup', file], { cwd: folder.path, env: { ...process.env, ...folder.environment }, stdio: ['ignore', 'pipe', 'inherit'] });
      let said = '';
      child.stdout.on('data', (text) => { said += text; });
      assert.equal(await within(new Promise((resolve) => child.once('close', resolve)), 'the backup'), 0);
      assert.match(said, new RegExp(`^${file}, epoch [0-9a-f-]{36}\n$`));
      backups.push({ file, before, after: next });
    }
    ended = true;
    await Promise.all(writers);
  });

  const epochs = new Set([epochOf(folder)]);
  for (const { file, before, after } of backups) {
    assert.equal(statSync(path.join(folder.path, file)).mode & 0o777, 0o600);
    const restored = { DB_FILENAME: file };
    assert.match(run(folder, ['check'], 0, restored).stdout, /^ok: /);
    epochs.add(epochOf(folder, restored));
    await withServer(folder, async (server) => {
      const rows = await server.ask('GET', '/items/rows?limit=-1&fields=n,text');
      const held = new Set(rows.map(({ n }) => n));
      assert.equal(held.size, rows.length, 'nothing is there twice');
      for (const n of before) assert.ok(held.has(n), `row ${n} of ${before.length} is missing in ${file}`);
      assert.ok(rows.every(({ n, text }) => n < after && text.length === n % 3000));
      await server.ask('POST', '/items/rows', { n: -1 });
    }, restored);
    assert.match(run(folder, ['check'], 0, restored).stdout, /^ok: /);
  }
  assert.equal(epochs.size, 4, 'each has a history of its own');
}));

sqliteOnly.test('a backup is one file, and replaces nothing', () => withFolder(async (folder) => {
  run(folder, ['user', 'create', '--email', 'x@example.com', '--password', 'x']);
  mkdirSync(path.join(folder.path, 'kept'));
  const file = path.join(folder.path, 'kept', 'a b');
  await withServer(folder, async () => { run(folder, ['backup', file]); });
  assert.deepEqual(readdirSync(path.join(folder.path, 'kept')), ['a b']);
  assert.match(run(folder, ['user', 'list'], 0, { DB_FILENAME: file }).stdout, /x@example\.com/);

  const epoch = epochOf(folder, { DB_FILENAME: file });
  assert.match(run(folder, ['backup', file], 1).stderr, /^rowcast: .*a b is there already\n$/);
  assert.match(run(folder, ['backup', 'kept'], 1).stderr, /kept is there already/);
  assert.match(run(folder, ['backup', 'test.sqlite'], 1).stderr, /is there already/);
  assert.equal(epochOf(folder, { DB_FILENAME: file }), epoch);
}));

sqliteOnly.test('what cannot be backed up is told, and leaves nothing', () => withFolder(async (folder) => {
  assert.match(run(folder, ['backup', 'copy'], 1).stderr, /^rowcast: cannot back up, the source: .*unable to open/);
  assert.deepEqual(readdirSync(folder.path), []);
  writeFileSync(path.join(folder.path, 'text'), 'this is no database, but a text that is long enough to be taken for one'.repeat(100));
  assert.match(run(folder, ['backup', 'copy'], 1, { DB_FILENAME: 'text' }).stderr, /not a database/);
  run(folder, ['user', 'create', '--email', 'x@example.com', '--password', 'x']);
  const there = readdirSync(folder.path);
  assert.match(run(folder, ['backup', 'no/folder/copy'], 1).stderr, /cannot make .*no\/folder/);
  assert.match(run(folder, ['backup'], 2).stderr, /usage: rowcast backup FILE/);
  assert.match(run(folder, ['backup', 'one', 'two'], 2).stderr, /"two" was not understood/);
  assert.deepEqual(readdirSync(folder.path), there);
}));

postgresOnly.test('PostgreSQL is told to be backed up by its own tools', () => withFolder((folder) => {
  const { stderr, stdout } = run(folder, ['backup', 'copy'], 1);
  assert.match(stderr, /pg_dump.*`rowcast epoch --new`/);
  assert.equal(stdout, '');
  assert.deepEqual(readdirSync(folder.path), []);
}));

test('an epoch is told, and made anew for what nobody serves', () => withFolder(async (folder) => {
  assert.equal(run(folder, ['epoch'], 1).stdout, '');
  assert.equal(run(folder, ['epoch', '--new'], 1).stdout, '', 'nothing is made where nothing is');
  assert.deepEqual(readdirSync(folder.path), []);
  let before;
  await withServer(folder, async () => {
    before = epochOf(folder);
    assert.match(before, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.match(run(folder, ['epoch', '--new'], 1).stderr, /in use by another rowcast process/);
    assert.equal(epochOf(folder), before);
  });
  const made = run(folder, ['epoch', '--new']).stdout.trim();
  assert.notEqual(made, before);
  assert.equal(epochOf(folder), made);
  assert.match(run(folder, ['check']).stdout, new RegExp(`epoch ${made}\n$`));
}));
