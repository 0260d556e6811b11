/* How a process begins on PostgreSQL: when the database cannot be reached, and when another process writes to it. */
import assert from 'node:assert/strict';
import { Server, makeFolder, pause, postgresOnly, within } from './harness.js';
import { NOT_KNOWN, PASSWORD, assertAway, proxied, startProxy, untilBack } from './postgres_scene.js';

const { test } = postgresOnly;

/* A folder, a proxy before its database, and what starts servers; all of them are gone when `fn` ends. */
async function withProxy(fn) {
  const folder = makeFolder(), proxy = await startProxy(folder), servers = [];
  const start = async (of, environment) => {
    servers.push(await Server.start({ folder: of, environment }));
    return servers.at(-1);
  };
  try {
    await fn({ folder, proxy, start });
  } finally {
    for (const { process } of servers) if (process.exitCode === null) process.kill('SIGKILL');
    proxy.stop();
    folder.remove();
  }
}

/* Status 1, and one line that is all that is said. */
const startFails = (folder, sentence) => assert.rejects(Server.start({ folder }), ({ message }) => {
  const told = message.match(/^the server ended \(1\): rowcast: (.*)\n$/)?.[1];
  assert.ok(told, message);
  assert.match(told, sentence);
  assert.equal(message.includes(PASSWORD), false, message);
  assert.doesNotMatch(message, /search_path|application_name/, 'the connection string');
  return true;
});

const CANNOT = /^cannot open the database of DB_CONNECTION_STRING: .*PostgreSQL: ./;
const UNREACHABLE = /^cannot open .*PostgreSQL: connection to server .* failed: ./;

test('when the database is away at the start the program says so, and ends', () => withProxy(async ({ folder, proxy, start }) => {
  proxy.away();
  await startFails(proxied(folder, proxy), UNREACHABLE);
  await startFails({ ...folder, environment: { DB_CLIENT: 'pg', DB_HOST: proxy.directory, DB_DATABASE: 'postgres', DB_USER: 'rowcast', DB_PASSWORD: PASSWORD } }, UNREACHABLE);
  await proxy.back();
  const server = await start(proxied(folder, proxy));
  await server.stop();
  assert.equal(server.stderr, '');
}));

test('when the database accepts and says nothing the program waits as long as it is told to, and ends', () => withProxy(async ({ folder, proxy }) => {
  proxy.hold();
  await startFails(proxied(folder, proxy, 'connect_timeout=2'), UNREACHABLE);
}));

test('when the connection is lost at the start the program says so, ends, and the next one finds all in order', () => withProxy(async ({ folder, proxy, start }) => {
  for (const sql of [/^SET /, /^BEGIN/, /^CREATE TABLE/, /^COMMIT$/]) {
    const lost = proxy.trap({ before: sql });
    await startFails(proxied(folder, proxy), CANNOT);
    await within(lost, 'the trap to spring');
  }
  const lost = proxy.trap({ answering: /^COMMIT$/ });
  await startFails(proxied(folder, proxy), CANNOT);
  await within(lost, 'the trap to spring');
  const server = await start(proxied(folder, proxy));
  await server.makeCollection('things', {});
  await server.stop();
  assert.equal(server.stderr, '');
}));

test('a process that is told to end while a commit is in doubt says that it is not known, and ends', () => withProxy(async ({ folder, proxy, start }) => {
  const server = await start(proxied(folder, proxy));
  await server.makeCollection('things', { title: 'string' });
  const lost = proxy.trap({ answering: /^COMMIT$/, within: (transaction) => transaction.some((sql) => sql.startsWith('INSERT INTO "things"')), act: 'away' });
  const answer = server.rest('POST', '/items/things', { title: 'there' });
  await within(lost, 'the trap to spring');
  const stopped = server.stop();
  assertAway(await answer, NOT_KNOWN);
  await stopped;
  await proxy.back();
  const next = await start(proxied(folder, proxy));
  assert.deepEqual(await next.ask('GET', '/items/things'), [{ id: 1, title: 'there' }]);
  await next.stop();
}));

test('a database that is silent does not hold up the end for ever', () => withProxy(async ({ folder, proxy, start }) => {
  const server = await start(proxied(folder, proxy), { SHUTDOWN_TIMEOUT: '100' });
  await server.makeCollection('things', { title: 'string' });
  proxy.hold();
  const answer = server.rest('POST', '/items/things', { title: 'never' }).catch(() => 'cut');
  await pause(200);
  server.process.kill('SIGTERM');
  const { code, signal } = await within(server.exited, 'the server to end');
  assert.deepEqual([code, signal], [1, null]);
  assert.match(server.stderr, /the database does not answer: ended without it\n$/);
  assert.equal(await answer, 'cut');
}));

/* ---- another process ---- */

test('a schema that is not there is called that, and not a database in use', () => withProxy(async ({ folder }) => {
  const { DB_CONNECTION_STRING: string } = folder.environment;
  const astray = { ...folder, environment: { ...folder.environment, DB_CONNECTION_STRING: string.replace(folder.schema, 'nowhere') } };
  await startFails(astray, /^cannot open the database of DB_CONNECTION_STRING: .*PostgreSQL: the schema that is asked for is not there$/);
}));

test('a second process on the same database says that it is in use, and ends', () => withProxy(async ({ folder, proxy, start }) => {
  const server = await start(folder);
  await startFails(proxied(folder, proxy), /^the database of DB_CONNECTION_STRING is in use by another rowcast process$/);
  await server.makeCollection('things', {});
  await server.stop();
}));

test('a process that took the place of one that was cut off writes alone; after it the first goes on, and clients come back', () => withProxy(async ({ folder, proxy, start }) => {
  const first = await start(proxied(folder, proxy));
  await first.makeCollection('things', { title: 'string' });
  const post = (server, title) => server.rest('POST', '/items/things', { title });
  const titles = async () => (await untilBack(() => first.rest('GET', '/items/things'))).body.data.map(({ title }) => title);
  const socket = await (await first.socket()).follow('things');
  proxy.away();
  const second = await start(folder);
  await proxy.back();
  assert.equal((await post(second, 'of the second')).status, 200);
  assertAway(await post(first, 'never'));
  assert.deepEqual(await titles(), ['of the second'], 'who may not write may read');
  await second.stop();

  await untilBack(() => post(first, 'of the first'));
  assert.deepEqual(await titles(), ['of the second', 'of the first']);
  await within(socket.closed, 'the socket to close: what it missed nobody can tell');
  const again = await (await first.socket()).follow('things');
  await post(first, 'on');
  assert.equal((await again.next()).payload.title, 'on');
  await first.stop();
  assert.equal(first.stderr.includes(PASSWORD), false);
}));
