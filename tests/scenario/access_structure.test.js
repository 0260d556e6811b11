/*
 * Structure changes by its own routes only (D.8 to D.10): as items its tables can be read, and nothing else.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, assertRefused } from './harness.js';

let server;
before(async () => {
  server = await Server.start();
  await server.makeCollection('notes', { title: 'string', other: 'integer' });
  await server.ask('POST', '/items/notes', { title: 'a' });
});
after(() => server?.stop());

const attempts = (fields) => [
  { type: 'post', collection: 'directus_collections', data: { collection: 'made_up' } },
  { type: 'post', collection: 'Directus_Collections', data: { collection: 'made_up' } },
  { type: 'patch', collection: 'directus_collections', id: 'notes', data: { singleton: true } },
  { type: 'delete', collection: 'directus_collections', id: 'notes' },
  { type: 'post', collection: 'directus_fields', data: { collection: 'notes', field: 'made_up' } },
  { type: 'patch', collection: 'directus_fields', id: fields.title, data: { field: 'renamed' } },
  { type: 'delete', collection: 'directus_fields', ids: Object.values(fields) },
  { type: 'post', collection: 'directus_relations', data: { many_collection: 'notes', many_field: 'other', one_collection: 'notes' } },
];

async function tryAll(token) {
  const socket = await server.socket(token), admin = await server.socket();
  const { data } = await admin.ask({ type: 'get', collection: 'directus_fields', query: { filter: { collection: 'notes' } } });
  const fields = Object.fromEntries(data.map(({ field, id }) => [field, id]));
  for (const attempt of attempts(fields)) assertRefused(await socket.ask(attempt), 'FORBIDDEN', { status: 403 });
  assert.deepEqual(await server.ask('GET', '/items/notes'), [{ id: 1, title: 'a', other: null }]);
  assert.equal((await server.rest('GET', '/collections/made_up')).status, 403);
}

test('an admin cannot change the tables of structure as items', () => tryAll());

test('nor can who has every permission on them', async () => {
  const actions = ['create', 'read', 'update', 'delete'];
  const permissions = ['directus_collections', 'directus_fields', 'directus_relations']
    .flatMap((collection) => actions.map((action) => ({ collection, action, fields: ['*'], permissions: {} })));
  const { token } = await server.makeUser('builder', permissions);
  await tryAll(token);
});

test('sessions are nobody\'s to read or write', async () => {
  const socket = await server.socket();
  for (const message of [{ type: 'get' }, { type: 'post', data: { token: 'x' } }, { type: 'delete', id: 'x' }, { type: 'subscribe' }])
    assertRefused(await socket.ask({ collection: 'directus_sessions', ...message }), 'FORBIDDEN', { status: 403 });
});
