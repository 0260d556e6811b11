/*
 * What one client may make the server hold or do, and that others do not wait for it (DESIGN 8).
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, assertRefused } from './harness.js';

const SLOW_HASHES = { HASH_MEMORY_COST: '65536', HASH_TIME_COST: '4' };
let server;
before(async () => {
  server = await Server.start({ environment: SLOW_HASHES });
  await server.makeCollection('notes', { title: 'text' });
});
after(() => server?.stop());

test('subscriptions of one socket take so many bytes in all, of names and of queries', async () => {
  const socket = await server.socket();
  const subscribe = (uid, query) => socket.send({ type: 'subscribe', collection: 'notes', uid, ...(query && { query }) });
  const half = 500_000; /* a uid is kept twice: as it is, and as it is told */
  for (const letter of 'abc') subscribe(letter.repeat(half));
  let [refused, ...rest] = await socket.drain();
  assertRefused(refused, 'LIMIT_EXCEEDED', { status: 403, uid: 'c'.repeat(half) });
  assert.deepEqual(rest, []);
  subscribe('b'.repeat(half)); /* in place of itself */
  assert.deepEqual(await socket.drain(), []);
  socket.send({ type: 'unsubscribe', uid: 'a'.repeat(half) });
  const query = { fields: Array(150_000).fill('id') };
  subscribe('d', query);
  subscribe('e', query);
  [refused, ...rest] = await socket.drain();
  assertRefused(refused, 'LIMIT_EXCEEDED', { status: 403, uid: 'e' });
  assert.deepEqual(rest, []);
  socket.send({ type: 'unsubscribe' });
  subscribe('e', query);
  assert.deepEqual(await socket.drain(), []);
});

test('reads do not wait for log-ins', async () => {
  let done = 0;
  const logins = Array.from({ length: 12 }, (_, i) =>
    server.rest('POST', '/auth/login', { email: `nobody${i}@example.com`, password: 'x' }, null).then((answer) => { done++; return answer.status; }));
  await Promise.race(logins);
  await server.ask('GET', '/items/notes');
  assert.ok(done <= logins.length / 2, `${done} log-ins were answered before the read`);
  assert.deepEqual(await Promise.all(logins), logins.map(() => 401));
});

test('nor for hashes that are asked for', async () => {
  const { data: hash } = (await server.rest('POST', '/utils/hash/generate', { string: 'a' })).body;
  assert.equal(await server.ask('POST', '/utils/hash/verify', { string: 'a', hash }), true);
  assert.equal(await server.ask('POST', '/utils/hash/verify', { string: 'b', hash }), false);
  let done = 0;
  const hashes = Array.from({ length: 12 }, () => server.ask('POST', '/utils/hash/generate', { string: 'a' }).then(() => { done++; }));
  await Promise.race(hashes);
  await server.ask('GET', '/items/notes');
  assert.ok(done <= hashes.length / 2, `${done} hashes were answered before the read`);
  await Promise.all(hashes);
});
