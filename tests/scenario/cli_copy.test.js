/* rowcast copy: a whole instance goes to another database, on either store, and back; or nothing does. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ADMIN, BINARY, ON_POSTGRES, Server, makeFolder, postgresOnly, psql, runCommand, within } from './harness.js';

const RULES = [{ collection: 'things', action: 'read', permissions: { owner: { _eq: '$CURRENT_USER' } }, fields: ['id', 'name'] }];

let source, user;
before(async () => {
  source = makeFolder();
  await withServer(source, async (server) => {
    await server.makeCollection('things', {
      name: 'string', price: { type: 'decimal', schema: { numeric_precision: 12, numeric_scale: 2 } }, big: 'bigInteger', at: 'timestamp',
      day: 'date', flag: 'boolean', meta: 'json', tags: 'csv', owner: 'uuid', above: 'integer',
    });
    await server.ask('POST', '/relations', { collection: 'things', field: 'above', related_collection: 'things', schema: { on_delete: 'SET NULL' } });
    await server.makeCollection('nothing', { name: 'string' });
    user = await server.makeUser('ann', RULES);
    await server.ask('POST', '/items/things', [
      { name: 'Ä "quoted" \\ 😀', price: '1234567890.25', big: '9007199254740993', at: '2024-01-02T03:04:05.678Z', day: '0001-01-01', flag: true,
        meta: { b: [1.5, null], a: 'é' }, tags: ['x', ''], owner: user.user.id },
      { name: '', price: -0.01, flag: false, meta: [], tags: [] },
      {},
    ]);
    await server.ask('PATCH', '/items/things/1', { above: 3 });
    await server.ask('POST', '/items/things', { name: 'gone' });
    await server.ask('DELETE', '/items/things/4');
  });
});
after(() => source.remove());

/* A server for as long as `fn` runs; a failure of `fn` is the one that is told. */
async function withServer(folder, fn) {
  const server = await Server.start({ folder });
  try {
    await fn(server);
  } catch (error) {
    await server.kill();
    throw error;
  }
  await server.stop();
}

/* Runs with new folders. */
async function withFolders(count, fn) {
  const folders = Array.from({ length: count }, makeFolder);
  try {
    await fn(...folders);
  } finally {
    for (const folder of folders) folder.remove();
  }
}

/* Where a folder's database is, and a file in it, whatever the store of the tests. */
const address = (folder) => (ON_POSTGRES ? folder.environment.DB_CONNECTION_STRING : `sqlite:${folder.environment.DB_FILENAME}`);
const file = (folder) => path.join(folder.path, 'file.sqlite');

function run(folder, args, status = 0, environment = {}) {
  const result = runCommand(folder, args, environment);
  assert.equal(result.status, status, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
  return result;
}

const copy = (from, to, status = 0) => run(source, ['copy', '--from', from, '--to', to], status);
const schemaOf = (folder, environment) => run(folder, ['schema', '--json'], 0, environment).stdout;
const checkOf = (folder, environment) => run(folder, ['check'], 0, environment).stdout.match(/^ok: (.*), epoch (\S+)\n$/).slice(1);

function isEmpty(folder) {
  if (ON_POSTGRES) return psql(folder.schema, `SELECT count(*) FROM pg_tables WHERE schemaname = '${folder.schema}'`) === '0\n';
  if (!existsSync(folder.environment.DB_FILENAME)) return true;
  return python(folder.environment.DB_FILENAME, 'print(c.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])') === '0\n';
}

function python(database, statement) {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', `import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\n${statement}\nc.close()`, database], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

/* What clients are told of it: rows, accounts, and permissions. */
async function told(server) {
  const answers = [];
  for (const target of ['/items/things?sort=id', '/items/nothing', '/users?sort=id', '/roles?sort=id', '/policies?sort=id', '/permissions', '/relations'])
    answers.push(await server.ask('GET', target));
  answers.push(await server.ask('GET', '/items/things?sort=id', undefined, user.token));
  return answers.map((answer) => JSON.stringify(answer, (key, value) => (key === 'last_access' ? undefined : value)));
}

test('a copy is served as the source is, and goes on by itself', () => withFolders(1, async (target) => {
  const { stdout, stderr } = copy(address(source), address(target));
  assert.match(stdout, /^copied and compared: \d+ tables, \d+ rows, epoch [0-9a-f-]{36}\n$/);
  for (const line of ['things: 3 rows copied', 'things: 3 rows the same', 'nothing: 0 rows copied', 'rowcast_users: 2 rows the same'])
    assert.ok(stderr.split('\n').includes(line), `${line}: ${stderr}`);
  const [was, epoch] = checkOf(source), [is, copied] = checkOf(target);
  assert.equal(is, was);
  assert.notEqual(copied, epoch);
  assert.equal(schemaOf(target), schemaOf(source));

  let expected;
  await withServer(source, async (server) => { expected = await told(server); });
  await withServer(target, async (server) => {
    assert.deepEqual(await told(server), expected);
    assert.deepEqual(JSON.parse(expected.at(-1)), [{ id: 1, name: 'Ä "quoted" \\ 😀' }]);
    await server.ask('POST', '/auth/login', { email: ADMIN.email, password: ADMIN.password }, null);
    assert.equal((await server.ask('POST', '/items/things', { name: 'new' })).id, 5, 'no key is given twice');
    assert.equal((await server.rest('POST', '/items/things', { above: 99 })).body.errors[0].extensions.code, 'INVALID_FOREIGN_KEY');
    await server.ask('DELETE', '/items/things/3');
    assert.equal((await server.ask('GET', '/items/things/1')).above, null);
  });
  checkOf(target);
}));

test('an instance goes to a file and comes back as it was', () => withFolders(1, async (target) => {
  const inFile = { DB_CLIENT: 'sqlite3', DB_FILENAME: file(target) };
  copy(address(source), `sqlite:${file(target)}`);
  assert.equal(schemaOf(target, inFile), schemaOf(source));
  copy(`sqlite:${file(target)}`, address(target));
  assert.equal(schemaOf(target), schemaOf(source));
  assert.equal(checkOf(target)[0], checkOf(source)[0]);
  const epochs = new Set([checkOf(source)[1], checkOf(target)[1], checkOf(target, inFile)[1]]);
  assert.equal(epochs.size, 3, 'each has a history of its own');
}));

test('a copy of what is written meanwhile is one moment of it', () => withFolders(2, async (busy, target) => {
  await withServer(busy, async (server) => {
    await server.makeCollection('pairs', { a: 'integer', b: 'integer' });
    let written = 0, ended = false;
    const writing = (async () => {
      while (!ended) {
        await server.ask('POST', '/items/pairs', [{ a: written, b: 0 }, { a: written, b: 1 }]);
        written++;
      }
    })();
    while (written < 20) await new Promise(setImmediate);
    const acknowledged = written;
    const child = spawn(BINARY, ['copy', '--from', address(busy), '--to', address(target)], { stdio: 'ignore' });
    assert.equal(await within(new Promise((resolve) => child.once('exit', resolve)), 'the copy'), 0);
    ended = true;
    await writing;
    await withServer(target, async (copied) => {
      const rows = await copied.ask('GET', '/items/pairs?sort=id&limit=-1');
      assert.ok(rows.length >= 2 * acknowledged && rows.length <= 2 * written, `${rows.length} rows of ${acknowledged} to ${written} pairs`);
      rows.forEach(({ a, b }, i) => assert.deepEqual([a, b], [i >> 1, i & 1]));
    });
    checkOf(target);
  });
}));

test('a target that is taken is refused and stays as it is', () => withFolders(1, async (target) => {
  copy(address(source), address(target));
  const was = checkOf(target);
  assert.match(copy(address(source), address(target), 1).stderr, /the copy failed: the target holds an instance already\n$/);
  await withServer(target, async () => {
    assert.match(copy(address(source), address(target), 1).stderr, /the target is in use by another rowcast process/);
  });
  assert.deepEqual(checkOf(target), was);
}));

test('a source that is none makes no target', () => withFolders(1, async (target) => {
  assert.match(copy('sqlite:nowhere.sqlite', address(target), 1).stderr, /^rowcast: the copy failed: the source: .*unable to open/);
  writeFileSync(file(target), 'this is no database, but a text that is long enough to be taken for one'.repeat(100));
  assert.match(copy(`sqlite:${file(target)}`, address(target), 1).stderr, /the source: .*not a database/);
  assert.match(copy('postgres://me:hunter2@/x?host=/nowhere', address(target), 1).stderr, /the source: .*PostgreSQL: /);
  assert.match(copy(address(source), 'sqlite:no/folder/file', 1).stderr, /the target: .*no\/folder\/file/);
  assert.ok(isEmpty(target));
  assert.ok(ON_POSTGRES || !existsSync(target.environment.DB_FILENAME));
}));

test('an address that is none is refused, and no secret in one is repeated', () => {
  for (const wrong of ['', 'file.sqlite', 'sqlite:', 'mysql://me:hunter2@host/x', 'sqlite', 'hunter2']) {
    const { stderr, stdout } = run(source, ['copy', '--from', address(source), `--to=${wrong}`], 2);
    assert.match(stderr, /--to must be sqlite:FILE, postgres:/);
    assert.equal(stdout, '');
    assert.doesNotMatch(stderr, /hunter2/);
  }
  assert.match(run(source, ['copy', '--to', 'sqlite:x'], 2).stderr, /--from must be/);
  assert.match(run(source, ['copy', '--from', 'sqlite:x', '--to', 'sqlite:y', 'z'], 2).stderr, /"z" was not understood/);
  for (const place of ['postgres://me:hunter2@/x?host=/nowhere', 'postgresql://me:hunter2@localhost:1/x', 'host=/nowhere password=hunter2 dbname=x', 'hunter2=x', 'postgres://me:hunter2@[x/y',
    'postgres://me:hunter2/3@localhost/x', 'postgres://me:x@hunter2@localhost/x', 'host=x hunter2', 'host=x password=\'hunter2']) {
    const { stderr } = copy(address(source), place, 1);
    assert.match(stderr, /the target: /);
    assert.doesNotMatch(stderr, /hunter2/, stderr);
  }
});

test('a copy that is cut leaves nothing, and can be made again', () => withFolders(1, async (target) => {
  const big = file(target);
  writeFileSync(path.join(target.path, 'big.csv'), 'id,text\n1,x\n');
  run(target, ['import', 'big.csv', '--collection', 'big', '--key', 'id'], 0, { DB_CLIENT: 'sqlite3', DB_FILENAME: big });
  python(big, 'c.executescript("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) INSERT INTO big (id, text) SELECT i, hex(randomblob(20)) FROM n")');
  for (const sign of ['rowcast_journal', 'big']) {
    const child = spawn(BINARY, ['copy', '--from', `sqlite:${big}`, '--to', address(target)], { stdio: ['ignore', 'ignore', 'pipe'] });
    let heard = '';
    const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal)));
    child.stderr.on('data', (text) => {
      heard += text;
      if (heard.includes(`${sign}: `)) child.kill('SIGKILL');
    });
    assert.equal(await within(exited, 'the copy to be cut'), 'SIGKILL', heard);
    assert.doesNotMatch(heard, /big: \d+ rows the same/, 'it was not over');
    assert.ok(isEmpty(target), 'nothing is there');
  }
  assert.match(copy(`sqlite:${big}`, address(target)).stderr, /^big: 60000 rows the same$/m);
  assert.match(run(target, ['check']).stdout, /^ok: /);
}));

/* A database that changes what it is given. */
postgresOnly.test('a copy that differs is told of and undone', () => {
  const name = `t_differs_${process.pid}`, server = process.env.ROWCAST_TEST_POSTGRES;
  const sql = (where, text) => {
    const { status, stdout, stderr } = spawnSync('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', where, '-c', text], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const target = `${server} dbname=${name}`;
  sql(server, `CREATE DATABASE ${name}`);
  try {
    sql(target, `
      CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$;
      CREATE FUNCTION spoil() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'public.things') THEN
          CREATE TRIGGER shout BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION shout();
        END IF; END $$;
      CREATE EVENT TRIGGER spoil ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION spoil();`);
    const { stderr, stdout } = copy(address(source), target, 1);
    assert.match(stderr, /the copy failed: table "things", row 1: column "name" differs\n$/);
    assert.equal(stdout, '');
    assert.equal(sql(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), '0\n');

    sql(target, 'DROP EVENT TRIGGER spoil; CREATE OR REPLACE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;');
    sql(target, `CREATE EVENT TRIGGER spoil ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION spoil();`);
    assert.match(copy(address(source), target, 1).stderr, /the copy failed: table "things" has 3 rows, the copy of it 0\n$/);
    assert.equal(sql(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), '0\n');
  } finally {
    sql(server, `DROP DATABASE ${name} WITH (FORCE)`);
  }
});
