/*
 * Fields that may be read on some rows only (F.5): who follows whole rows holds what a read would give now.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from './harness.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server?.stop());

test('a change of a hidden field that hides or shows another one is told with the whole row, and of no other row', async () => {
  await server.makeCollection('files', { title: 'string', note: 'string', open: 'boolean', weight: 'integer' });
  const { token } = await server.makeUser('reader', [
    { collection: 'files', action: 'read', fields: ['id', 'title'], permissions: {} },
    { collection: 'files', action: 'read', fields: ['note'], permissions: { open: { _eq: true } } },
  ]);
  await server.ask('POST', '/items/files', [true, true, false].map((open) => ({ title: 't', note: 'n', open })));
  const whole = await (await server.socket(token)).follow('files', { query: { fields: ['*'] } });
  const plain = await (await server.socket(token)).follow('files');
  const patch = (keys, data) => server.ask('PATCH', '/items/files', { keys, data });
  const told = async () => (await whole.drain()).map(({ action, payload, keys }) => [action, keys, payload.map((row) => row.note)]);

  await patch([1, 3], { open: false });
  assert.deepEqual(await told(), [['update', [1], [null]]]);
  await patch([1, 2], { open: true });
  assert.deepEqual(await told(), [['update', [1], ['n']]]);
  await patch([1, 2, 3], { weight: 7 });
  assert.deepEqual(await told(), []);
  assert.deepEqual(await plain.drain(), []);
});
