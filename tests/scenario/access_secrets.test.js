/*
 * Concealed fields and hashes: events show of them what a read shows, and to whom a read shows the row.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, assertRefused } from './harness.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server?.stop());

const read = (collection, permissions) => [{ collection, action: 'read', fields: ['*'], permissions }];

test('a rule that asks whether a concealed field is empty judges events as it judges reads', async () => {
  await server.makeCollection('safes', { title: 'string', pin: { type: 'string', meta: { special: ['conceal'] } } });
  const locked = await server.makeUser('locked', read('safes', { pin: { _nempty: true } }));
  const open = await server.makeUser('open', read('safes', { pin: { _empty: true } }));
  const sockets = [];
  for (const { token } of [locked, open]) sockets.push(await (await server.socket(token)).follow('safes'));
  await server.ask('POST', '/items/safes', [{ title: 'a', pin: '' }, { title: 'b', pin: '1234' }, { title: 'c', pin: null }]);
  const told = [];
  for (const socket of sockets) told.push((await socket.drain()).map((frame) => frame.payload.title));
  const seen = [];
  for (const { token } of [locked, open]) seen.push((await server.ask('GET', '/items/safes', undefined, token)).map((item) => item.title));
  assert.deepEqual(seen, [['b'], ['a', 'c']]);
  assert.deepEqual(told, seen);
});

for (const type of ['string', 'csv'])
  test(`a hash in a field of type ${type} is told as stars, in a frame that is JSON`, async () => {
    const collection = `hashes_${type}`;
    await server.makeCollection(collection, { secret: { type, meta: { special: ['hash'] } } });
    const plain = await (await server.socket()).follow(collection), whole = await (await server.socket()).follow(collection, { query: { fields: ['secret'] } });
    const created = await server.ask('POST', `/items/${collection}`, { secret: 'plain text' });
    assert.deepEqual(created, { id: 1, secret: '**********' });
    assert.deepEqual((await plain.drain()).map((frame) => frame.payload), [{ secret: '**********' }]);
    assert.deepEqual((await whole.drain()).map((frame) => frame.payload), [{ secret: '**********' }]);
  });

test('a field that cannot hold a hash is no field for hashes', async () => {
  for (const type of ['json', 'date', 'integer', 'uuid']) {
    const fields = [{ field: 'secret', type, meta: { special: ['conceal', 'hash'] } }];
    const { status, body } = await server.rest('POST', '/collections', { collection: 'hashes', schema: {}, fields });
    assert.deepEqual([status, body.errors[0].extensions.code], [400, 'INVALID_PAYLOAD']);
  }
});

test('passwords are hashed ahead of the write under any spelling of the collection\'s name, and counted', async () => {
  const socket = await server.socket();
  const data = Array.from({ length: 101 }, (_, i) => ({ email: `many${i}@example.com`, password: `password ${i}` }));
  for (const collection of ['directus_users', ' Directus_Users '])
    assertRefused(await socket.ask({ type: 'post', collection, data }), 'INVALID_PAYLOAD');
  const { type } = await socket.ask({ type: 'post', collection: 'DIRECTUS_USERS', data: data.slice(0, 2) });
  assert.equal(type, 'RESPONSE');
  assert.equal((await server.rest('POST', '/auth/login', data[1], null)).status, 200);
});
