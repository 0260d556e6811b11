/*
 * What rules, validations and filters ask of the caller's own row is asked of the row as it is now (E.4, F.5).
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from './harness.js';

let server, user;
before(async () => {
  server = await Server.start();
  await server.makeCollection('cards', { dept: { type: 'string', meta: { validation: { dept: { _eq: '$CURRENT_USER.title' } } } } });
  await server.makeCollection('pages', { path: 'string' });
  user = await server.makeUser('clerk', [
    { collection: 'cards', action: 'create', fields: ['*'] }, { collection: 'cards', action: 'read', fields: ['*'] },
    { collection: 'pages', action: 'read', fields: ['*'], permissions: { path: { _eq: '$CURRENT_USER.last_page' } } },
  ], { user: { title: 'one' } });
});
after(() => server?.stop());

const setTitle = (title) => server.ask('PATCH', `/users/${user.user.id}`, { title });
const makeCard = async (dept) => (await server.rest('POST', '/items/cards', { dept }, user.token)).status;

test('a field\'s validation sees the change of the caller\'s row', async () => {
  await setTitle('one');
  assert.deepEqual([await makeCard('one'), await makeCard('two')], [200, 400]);
  await setTitle('two');
  assert.deepEqual([await makeCard('one'), await makeCard('two')], [400, 200]);
});

test('a client\'s filter sees it, over REST and in a subscription', async () => {
  await setTitle('three');
  const filter = { dept: { _eq: '$CURRENT_USER.title' } };
  const list = () => server.ask('GET', `/items/cards?fields=dept&filter=${encodeURIComponent(JSON.stringify(filter))}`, undefined, user.token);
  await makeCard('three');
  assert.deepEqual(await list(), [{ dept: 'three' }]);
  const socket = await (await server.socket(user.token)).follow('cards', { query: { fields: ['dept'], filter } });
  await setTitle('four');
  assert.deepEqual(await list(), []);
  await makeCard('four');
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload), [{ dept: 'four' }]);
});

test('a rule on where the caller was last sees it, on open sockets too', async () => {
  const visit = (last_page) => server.ask('PATCH', '/users/me/track/page', { last_page }, user.token);
  const list = async () => (await server.ask('GET', '/items/pages', undefined, user.token)).map((page) => page.path);
  await visit('/a');
  const socket = await (await server.socket(user.token)).follow('pages');
  await server.ask('POST', '/items/pages', [{ path: '/a' }, { path: '/b' }]);
  assert.deepEqual(await list(), ['/a']);
  await visit('/b');
  assert.deepEqual(await list(), ['/b']);
  await server.ask('POST', '/items/pages', [{ path: '/a' }, { path: '/b' }]);
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload.path), ['/a', '/b']);
});
