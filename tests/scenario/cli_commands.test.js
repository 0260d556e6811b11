/* The commands of the program: help, settings, secrets, users, schema, check. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ADMIN, BINARY, ON_POSTGRES, Server, environmentOf, makeFolder, postgresOnly, psql, runCommand, sqliteOnly } from './harness.js';

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
async function withServer(options, fn) {
  const server = await Server.start(options);
  try {
    await fn(server);
  } catch (error) {
    await server.kill();
    throw error;
  }
  await server.stop();
  return server;
}

function run(folder, args, environment, status = 0) {
  const result = runCommand(folder, args, environment);
  assert.equal(result.status, status, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
  return result;
}

const database = (folder) => path.join(folder.path, 'test.sqlite');

/* Does something to the database that no rowcast would do. */
function damage(folder, statements) {
  if (ON_POSTGRES) {
    psql(folder.schema, statements);
    return;
  }
  const script = 'import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.executescript(sys.argv[2])\nc.close()';
  const result = spawnSync('python3', ['-c', script, database(folder), statements], { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
}

function importRows(folder, name = 'things', rows = [{ code: 'a' }, { code: 'b' }]) {
  writeFileSync(path.join(folder.path, 'rows.json'), JSON.stringify(rows));
  run(folder, ['import', 'rows.json', '--collection', name, '--key', 'code']);
}

test('help and version are printed, what is unknown is refused', () => withFolder((folder) => {
  for (const args of [['--help'], ['help'], ['serve', '--help']]) {
    const { stdout, stderr } = run(folder, args);
    for (const word of ['rowcast serve', 'rowcast import', 'rowcast user', 'rowcast schema', 'rowcast check', 'DB_FILENAME', 'WEBSOCKET_PUBLIC', 'default 8055']) {
      assert.ok(stdout.includes(word), word);
    }
    assert.equal(stderr, '');
  }
  assert.match(run(folder, ['--version']).stdout, /^rowcast \d+\.\d+\.\d+\n$/);
  const unknown = run(folder, ['destroy'], {}, 2);
  assert.match(unknown.stderr, /there is no command "destroy"/);
  assert.equal(unknown.stdout, '');
  assert.match(run(folder, [], {}, 2).stderr, /Usage/);
  assert.match(run(folder, ['check', '--fast'], {}, 2).stderr, /"--fast" was not understood/);
  assert.match(run(folder, ['serve', '8080'], {}, 2).stderr, /"8080" was not understood/);
  assert.deepEqual(readdirSync(folder.path), [], 'none of this makes anything');
}));

test('a wrong setting is named and refused, wherever it comes from', () => withFolder((folder) => {
  const wrong = {
    PORT: '65536', HOST: '', DB_FILENAME: '', DB_CLIENT: 'oracle', CORS_ENABLED: 'maybe', ACCESS_TOKEN_TTL: 'soon', REFRESH_TOKEN_TTL: '0',
    LOGIN_STALL_TIME: '-1', QUERY_LIMIT_DEFAULT: '0', QUERY_LIMIT_MAX: '-2', MAX_BATCH_MUTATION: 'all', MAX_PAYLOAD_SIZE: '1tb',
    MAX_RESPONSE_SIZE: '1', MAX_CONNECTIONS: '0', HTTP_IDLE_TIME: '1', HASH_MEMORY_COST: '1', HASH_TIME_COST: '0', READERS: '0',
    JOURNAL_RETENTION: '1', SHUTDOWN_TIMEOUT: '1y', LOG_LEVEL: 'loud', LOG_STYLE: 'fancy', WEBSOCKET_ENABLED: 'on', WEBSOCKET_PUBLIC: '2',
    WEBSOCKET_PATH: 'socket', WEBSOCKET_PING_PERIOD: '2d', WEBSOCKET_OUTBOX_SIZE: '1', WEBSOCKET_SUBSCRIPTIONS: '0',
  };
  for (const [name, value] of Object.entries(wrong)) {
    const { stderr } = run(folder, ['serve'], { [name]: value }, 2);
    assert.match(stderr, new RegExp(`rowcast: ${name} .*must`), name);
  }
  assert.match(run(folder, ['check', '--port', 'x'], {}, 2).stderr, /PORT is "x"/);
  assert.match(run(folder, ['check', '--port'], {}, 2).stderr, /--port needs a value/);
  assert.match(run(folder, ['serve'], { ADMIN_PASSWORD: '', ADMIN_TOKEN: '' }, 2).stderr, /ADMIN_EMAIL needs/);
  const address = run(folder, ['serve'], { ADMIN_EMAIL: 'nobody' }, 1);
  assert.match(address.stderr, /field "email"/);
  assert.ok(!address.stderr.includes(ADMIN.password));
  writeFileSync(path.join(folder.path, '.env'), '# fine\nREADERS=none\n');
  assert.match(run(folder, ['serve'], {}, 2).stderr, /READERS is "none"/);
  writeFileSync(path.join(folder.path, '.env'), 'READERS\n');
  assert.match(run(folder, ['serve'], {}, 2).stderr, /\.env, line 1/);
}));

test('.env is read; the environment wins over it, and a flag over both', () => withFolder(async (folder) => {
  writeFileSync(path.join(folder.path, '.env'), 'WEBSOCKET_PATH="/from-file"\nQUERY_LIMIT_DEFAULT=1\nLOG_LEVEL=trace\n');
  const server = await withServer({ folder, environment: { LOG_LEVEL: 'error' } }, async (server) => {
    const socket = await server.socket(ADMIN.token, { path: '/from-file' });
    assert.ok(await server.refusal(ADMIN.token, { path: '/websocket' }) >= 400);
    await socket.close();
  });
  assert.equal(server.stderr, '');
}));

sqliteOnly.test('a flag names another database', () => withFolder((folder) => {
  importRows(folder);
  run(folder, ['check', '--db-filename', 'test.sqlite']);
  run(folder, ['check', '--db-filename=other.sqlite'], {}, 1);
}));

postgresOnly.test('a secret is asked for, where there is no file to keep one in', () => withFolder((folder) => {
  assert.match(run(folder, ['serve'], { SECRET: '' }, 1).stderr, /needs SECRET/);
  run(folder, ['user', 'list'], { SECRET: '' }, 1);
  assert.deepEqual(readdirSync(folder.path), []);
}));

sqliteOnly.test('the secret is made once, for its owner only, and tokens outlive a restart', () => withFolder(async (folder) => {
  const file = `${database(folder)}-secret`, environment = { SECRET: '' };
  let token;
  await withServer({ folder, environment }, async (server) => {
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(database(folder)).mode & 0o777, 0o600);
    ({ access_token: token } = await server.ask('POST', '/auth/login', { email: ADMIN.email, password: ADMIN.password }, null));
  });
  const secret = readFileSync(file, 'utf8');
  assert.match(secret, /^\S{64}$/);
  await withServer({ folder, environment }, async (server) => {
    assert.equal((await server.ask('GET', '/users/me', undefined, token)).email, ADMIN.email);
  });
  assert.equal(readFileSync(file, 'utf8'), secret);

  writeFileSync(file, 'short');
  assert.match(run(folder, ['serve'], environment, 1).stderr, /-secret holds no secret/);
  assert.deepEqual(readdirSync(folder.path).filter((name) => /secret\./.test(name)), [], 'nothing temporary is left');
}));

/* Everything that comes with a secret; returns the secrets. */
async function useSecrets(server, who) {
  const login = await server.ask('POST', '/auth/login', { email: ADMIN.email, password: ADMIN.password }, null);
  await server.rest('POST', '/auth/login', { email: ADMIN.email, password: 'a wrong password' }, null);
  await server.rest('GET', '/users/me', undefined, 'an-unknown-token');
  await server.rest('GET', `/users/me?access_token=${ADMIN.token}`, undefined, null);
  await server.ask('GET', '/users/me', undefined, login.access_token);
  const socket = await server.socket(null, { query: `?access_token=${login.access_token}` });
  await socket.ask({ type: 'get', collection: 'nothing' });
  await server.rest('POST', '/auth/refresh', { refresh_token: login.refresh_token, mode: 'json' }, null);
  const made = await server.ask('POST', '/users', { email: `${who}@example.com`, password: 'password-of-somebody', token: `token-of-${who}` });
  await server.ask('PATCH', `/users/${made.id}`, { password: 'another-password', token: `another-token-${who}` });
  return [
    ADMIN.password, ADMIN.token, login.access_token, login.refresh_token, 'a wrong password', 'an-unknown-token',
    'password-of-somebody', `token-of-${who}`, 'another-password', `another-token-${who}`,
  ];
}

test('nothing secret is printed, at any log level', () => withFolder(async (folder) => {
  for (const style of ['pretty', 'raw']) {
    let printed = '', secrets;
    const kept = ON_POSTGRES ? { DB_CONNECTION_STRING: `${folder.environment.DB_CONNECTION_STRING} password=word-of-the-database` } : { SECRET: '' };
    const server = await withServer({ folder, environment: { ...kept, LOG_LEVEL: 'trace', LOG_STYLE: style } }, async (server) => {
      server.process.stdout.on('data', (text) => { printed += text; });
      secrets = await useSecrets(server, style);
    });
    secrets.push('$argon2', ...(ON_POSTGRES ? ['word-of-the-database', environmentOf(folder).SECRET] : [readFileSync(`${database(folder)}-secret`, 'utf8')]));
    assert.match(server.stderr, /shutting down/);
    for (const secret of secrets) assert.ok(!(server.stderr + printed).includes(secret), `${secret} was printed`);
  }
}));

test('the log is one JSON object a line when that is asked for', () => withFolder(async (folder) => {
  const server = await withServer({ folder, environment: { LOG_LEVEL: 'info', LOG_STYLE: 'raw' } }, () => {});
  const lines = server.stderr.trim().split('\n').map((line) => JSON.parse(line));
  assert.ok(lines.length >= 3);
  for (const line of lines) assert.deepEqual([typeof line.level, typeof line.time, line.floor, typeof line.msg], ['number', 'number', 'server', 'string']);
  assert.ok(lines.some(({ msg }) => msg.includes(`address ${server.url}`)));
  assert.ok(lines.some(({ msg }) => new RegExp(`opened .*${folder.place}: journal head \\d+`).test(msg)));
}));

test('ADMIN_EMAIL makes the first admin, and never another one', () => withFolder(async (folder) => {
  await withServer({ folder }, async (server) => assert.equal((await server.ask('GET', '/users')).length, 1));
  const other = { ADMIN_EMAIL: 'other@example.com', ADMIN_PASSWORD: 'other', ADMIN_TOKEN: 'other-token' };
  await withServer({ folder, environment: other }, async (server) => {
    assert.deepEqual((await server.ask('GET', '/users')).map((user) => user.email), [ADMIN.email]);
    assert.equal((await server.rest('GET', '/users/me', undefined, 'other-token')).status, 401);
    assert.equal((await server.rest('POST', '/auth/login', { email: ADMIN.email, password: 'other' }, null)).status, 401);
  });
}));

test('users are made, listed and changed', () => withFolder(async (folder) => {
  const made = run(folder, ['user', 'create', '--email', 'ann@example.com', '--role', 'Administrator', '--password', 'one', '--token=ann-token']);
  assert.match(made.stdout, /^user ann@example\.com, id [0-9a-f-]{36}\n$/);
  const generated = run(folder, ['user', 'create', '--email', 'bob@example.com', '--generate']).stdout;
  const password = generated.match(/password \(shown this once\): (\S{20})\n/)[1];
  run(folder, ['user', 'set-password', '--email', 'ANN@example.com', '--password=--two']);
  const token = run(folder, ['user', 'token', '--email', 'bob@example.com']).stdout.match(/token \(shown this once\): (\S{32})\n/)[1];

  const list = run(folder, ['user', 'list']).stdout.trim().split('\n');
  assert.equal(list.length, 3);
  assert.match(list.find((line) => line.includes('ann@')), /active +Administrator +static token$/);
  for (const secret of ['ann-token', 'one', '--two', password, token, '$argon2']) assert.ok(!list.join().includes(secret));

  await withServer({ folder }, async (server) => {
    const login = (email, word) => server.rest('POST', '/auth/login', { email, password: word }, null).then(({ status }) => status);
    assert.equal(await login('ann@example.com', 'one'), 401);
    assert.equal(await login('ann@example.com', '--two'), 200);
    assert.equal(await login('bob@example.com', password), 200);
    assert.equal((await server.rest('GET', '/users/me', undefined, token)).status, 200);
    assert.equal((await server.ask('GET', '/users/me', undefined, 'ann-token')).email, 'ann@example.com');
  });
}));

test('a password comes from standard input, too', () => withFolder((folder) => {
  const script = `printf 'from a pipe\\n' | "$0" user create --email pipe@example.com`;
  const result = spawnSync('sh', ['-c', script, BINARY], { cwd: folder.path, encoding: 'utf8', env: environmentOf(folder) });
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, /user pipe@example\.com/);
  assert.match(run(folder, ['user', 'create', '--email', 'empty@example.com'], {}, 2).stderr, /a password is required/);
}));

test('what is wrong about a user is said', () => withFolder((folder) => {
  const user = (...args) => run(folder, ['user', ...args], {}, 1).stderr;
  run(folder, ['user', 'create', '--email', 'ann@example.com', '--password', 'one']);
  assert.match(user('create', '--email', 'Ann@example.com', '--password', 'two'), /email/);
  assert.match(user('create', '--email', 'no address', '--password', 'two'), /email/);
  assert.match(user('create', '--email', 'x@example.com', '--password', 'two', '--role', 'Nobody'), /There is no role "Nobody"/);
  assert.match(user('set-password', '--email', 'x@example.com', '--password', 'two'), /There is no user "x@example.com"/);
  assert.match(user('token', '--email', 'x@example.com', '--token', 't'), /There is no user/);
  assert.match(run(folder, ['user'], {}, 2).stderr, /usage: rowcast user/);
  assert.match(run(folder, ['user', 'remove', '--email', 'x'], {}, 2).stderr, /usage: rowcast user/);
  assert.match(run(folder, ['user', 'create', '--password', 'x'], {}, 2).stderr, /usage: rowcast user/);
  assert.equal(run(folder, ['user', 'list']).stdout.trim().split('\n').length, 2);
}));

test('the schema is printed for people and for programs', () => withFolder((folder) => {
  importRows(folder, 'things', [{ code: 'a', n: 1, flag: true, note: null }, { code: 'b', n: 2, flag: false, note: 'x' }]);
  writeFileSync(path.join(folder.path, 'parts.csv'), 'id,thing\n1,a\n');
  run(folder, ['import', 'parts.csv', '--collection', 'parts', '--link', 'thing=things']);
  const lines = run(folder, ['schema']).stdout.split('\n').map((line) => line.trim().replace(/ +/g, ' '));
  assert.deepEqual(lines, [
    'parts', 'id integer primary key, automatic', 'thing string not null -> things',
    'things', 'code string primary key', 'n integer not null', 'flag boolean not null', 'note string', '',
  ]);
  const schema = JSON.parse(run(folder, ['schema', '--json']).stdout);
  assert.deepEqual(schema.collections.map((c) => c.collection).filter((name) => !name.startsWith('directus_')), ['parts', 'things']);
  assert.equal(schema.fields.filter((f) => f.collection === 'things').length, 4);
  assert.deepEqual(schema.relations.filter((r) => r.collection === 'parts').map((r) => [r.field, r.related_collection]), [['thing', 'things']]);
}));

test('check finds a good database good, and reading commands make nothing', () => withFolder((folder) => {
  for (const args of [['check'], ['schema'], ['user', 'list']]) {
    assert.match(run(folder, args, {}, 1).stderr, new RegExp(`cannot open .*${folder.place}`));
    assert.deepEqual(readdirSync(folder.path), []);
  }
  importRows(folder);
  assert.match(run(folder, ['check']).stdout, /^ok: .*journal is dense: (\d+) entries, 1 to \1, in \d+ commits, epoch [0-9a-f-]{36}\n$/);
}));

for (const [statements, finding] of [
  ['DELETE FROM rowcast_journal WHERE sequence = 5;', /the journal lacks entries 5 to 5/],
  ['DELETE FROM rowcast_journal WHERE sequence = (SELECT max(sequence) FROM rowcast_journal);', /the journal ends at entry \d+, its head is at \d+/],
  ['DROP TABLE things;', /table "things" is missing/],
  ['DROP TABLE things; CREATE TABLE things (other text);', /table "things" has not the columns/],
  ['DROP TABLE rowcast_journal;', /./],
]) {
  test(`check names what is damaged: ${statements}`, () => withFolder((folder) => {
    importRows(folder);
    run(folder, ['check']);
    damage(folder, statements);
    const check = run(folder, ['check'], {}, 1);
    assert.match(check.stderr, finding);
    if (finding.source !== '.') assert.match(check.stdout, /^\d+ findings?\n$/);
  }));
}

sqliteOnly.test('check names what is damaged in the file', () => withFolder((folder) => {
  importRows(folder);
  damage(folder, 'PRAGMA wal_checkpoint(TRUNCATE);');
  const good = readFileSync(database(folder));
  const replace = (bytes) => {
    for (const end of ['-wal', '-shm']) rmSync(database(folder) + end, { force: true });
    writeFileSync(database(folder), bytes);
  };

  /* The kind of a page: the first byte of each page but the first. */
  const bytes = Buffer.from(good);
  bytes[bytes.readUInt16BE(16) * 3] ^= 0x55;
  replace(bytes);
  assert.match(run(folder, ['check'], {}, 1).stderr, /malformed|page 4|Page 4/i);

  replace('this is no database, but a text that is long enough to be taken for one'.repeat(100));
  assert.match(run(folder, ['check'], {}, 1).stderr, /cannot open .*not a database/);
  replace(good);
  run(folder, ['check']);
}));

sqliteOnly.test('what another program made is refused', () => withFolder((folder) => {
  damage(folder, 'CREATE TABLE other (id integer);');
  assert.match(run(folder, ['check'], {}, 1).stderr, /cannot open/);
  mkdirSync(path.join(folder.path, 'folder'));
  assert.match(run(folder, ['serve'], { DB_FILENAME: 'folder' }, 1).stderr, /rowcast: cannot open folder/);
  assert.match(run(folder, ['serve'], { DB_FILENAME: 'nowhere/x.sqlite' }, 1).stderr, /nowhere\/x\.sqlite/);
}));

test('one process writes; others may look', () => withFolder(async (folder) => {
  await withServer({ folder }, async (server) => {
    await server.makeCollection('things', { name: 'string' });
    for (const args of [['serve'], ['user', 'create', '--email', 'x@example.com', '--password', 'x'], ['user', 'token', '--email', ADMIN.email]]) {
      const refused = run(folder, args, {}, 1);
      assert.match(refused.stderr, new RegExp(`${folder.place} is in use by another rowcast process`));
      assert.equal(refused.stdout, '');
    }
    assert.match(run(folder, ['schema']).stdout, /^things\n/);
    assert.match(run(folder, ['check']).stdout, /^ok: /);
    assert.match(run(folder, ['user', 'list']).stdout, /admin@example\.com/);
    await server.ask('POST', '/items/things', { name: 'still writing' });
  });
  assert.match(run(folder, ['check']).stdout, /^ok: /);
}));

test('output that does not arrive is a failure', () => withFolder((folder) => {
  importRows(folder);
  const result = spawnSync('sh', ['-c', '"$0" schema --json >/dev/full', BINARY], { encoding: 'utf8', env: environmentOf(folder) });
  assert.equal(result.status, 1);
  assert.match(result.stderr, /not all of it could be written to standard output/);
}));
