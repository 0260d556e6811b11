/* The main job, end to end: two clients with different roles, and what each is told. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from './harness.js';

let server, viewer;

before(async () => {
  server = await Server.start();
  await server.ask('POST', '/collections', {
    collection: 'articles', schema: {}, meta: {},
    fields: [
      { field: 'id', type: 'integer', schema: { is_primary_key: true, has_auto_increment: true } },
      { field: 'title', type: 'string' }, { field: 'status', type: 'string' }, { field: 'secret', type: 'string' },
    ],
  });
  viewer = await server.makeUser('viewer', [{
    collection: 'articles', action: 'read', fields: ['id', 'title', 'status'], permissions: { status: { _eq: 'published' } },
  }]);
});
after(() => server.stop());

test('an update reaches each role once, with exactly the fields it may read', async () => {
  const admin = await server.socket(), reader = await server.socket(viewer.token);
  admin.send({ type: 'subscribe', collection: 'articles' });
  reader.send({ type: 'subscribe', collection: 'articles' });
  assert.deepEqual(await admin.drain(), []);
  assert.deepEqual(await reader.drain(), []);

  const { id } = await server.ask('POST', '/items/articles', { title: 'a', status: 'published', secret: 's' });
  assert.deepEqual(await admin.next(), { action: 'create', payload: { title: 'a', status: 'published', secret: 's' }, key: id, collection: 'articles' });
  assert.deepEqual(await reader.next(), { action: 'create', payload: { title: 'a', status: 'published' }, key: id, collection: 'articles' });

  await server.ask('PATCH', `/items/articles/${id}`, { title: 'b', secret: 't' });
  assert.deepEqual(await admin.next(), { action: 'update', payload: { title: 'b', secret: 't' }, keys: [String(id)], collection: 'articles' });
  assert.deepEqual(await reader.next(), { action: 'update', payload: { title: 'b' }, keys: [String(id)], collection: 'articles' });

  await server.ask('PATCH', `/items/articles/${id}`, { status: 'draft' });
  assert.deepEqual(await admin.next(), { action: 'update', payload: { status: 'draft' }, keys: [String(id)], collection: 'articles' });
  assert.deepEqual(await reader.next(), { action: 'delete', payload: [String(id)], collection: 'articles' });

  await server.ask('PATCH', `/items/articles/${id}`, { title: 'hidden' });
  await server.ask('POST', '/items/articles', { title: 'never seen', status: 'draft' });
  assert.equal((await admin.drain()).length, 2);
  assert.deepEqual(await reader.drain(), []);

  await server.ask('PATCH', `/items/articles/${id}`, { status: 'published' });
  assert.deepEqual(await reader.next(), { action: 'create', payload: { id, title: 'hidden', status: 'published' }, key: String(id), collection: 'articles' });
});

test('taking the permission away silences a subscriber at once, giving it back wakes it', async () => {
  const reader = await server.socket(viewer.token);
  reader.send({ type: 'subscribe', collection: 'articles' });
  await reader.drain();
  const [permission] = viewer.permissions;
  await server.rest('DELETE', `/permissions/${permission.id}`);
  await server.ask('POST', '/items/articles', { title: 'while silent', status: 'published' });
  assert.deepEqual(await reader.drain(), []);
  const { id: _, ...again } = permission;
  await server.ask('POST', '/permissions', again);
  await server.ask('POST', '/items/articles', { title: 'awake', status: 'published' });
  assert.equal((await reader.next()).payload.title, 'awake');
});
