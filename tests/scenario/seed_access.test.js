/*
 * Who is told what: A.8's rule that events are checked against each subscriber's permissions, line A42, section F.7,
 * and decision 6 (entering is told as create, leaving as delete).
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PUBLIC_POLICY, Server, assertRefused, within } from './harness.js';

const FORBIDDEN = { status: 403 };
const PUBLISHED = { status: { _eq: 'published' } };
let server;

before(async () => { server = await Server.start({ environment: { WEBSOCKET_PUBLIC: 'true' } }); });
after(() => server?.stop());

let made = 0;
async function makeTable(fields = {}) {
  const name = `access_${++made}`;
  await server.makeCollection(name, { title: 'string', status: 'string', note: 'string', owner: 'uuid', ...fields });
  return name;
}

/* A user who may read the collection by these rows: { permissions, fields }. */
let people = 0;
const makeReader = (collection, ...rules) =>
  server.makeUser(`person${++people}`, rules.map(({ rows = {}, fields = ['*'] }) => ({ collection, action: 'read', permissions: rows, fields })));

const follower = async (token, collection, more) => (await server.socket(token)).follow(collection, more);
const post = (collection, data) => server.ask('POST', `/items/${collection}`, data);
const patch = (collection, id, data) => server.ask('PATCH', `/items/${collection}/${id}`, data);
const patchMany = (collection, keys, data) => server.ask('PATCH', `/items/${collection}`, { keys, data });
const remove = (collection, keys) => server.ask('DELETE', `/items/${collection}`, keys);
const closing = (socket) => within(socket.closed, 'the server to close the socket');

test('A42 fields that may not be read are not in the payload; nothing is sent when none is left', async () => {
  const collection = await makeTable(), { token } = await makeReader(collection, { fields: ['id', 'title'] });
  const socket = await follower(token, collection);
  await post(collection, { title: 'a', note: 'hidden' });
  await patch(collection, 1, { title: 'b', note: 'hidden' });
  await patch(collection, 1, { note: 'hidden again' });
  await remove(collection, [1]);
  assert.deepEqual(await socket.drain(), [
    { action: 'create', payload: { title: 'a' }, key: 1, collection }, { action: 'update', payload: { title: 'b' }, keys: ['1'], collection },
    { action: 'delete', payload: [1], collection },
  ]);
});

test('A42 a create of nothing but hidden fields still tells that the item exists', async () => {
  const collection = await makeTable(), { token } = await makeReader(collection, { fields: ['id'] });
  const socket = await follower(token, collection);
  await post(collection, { note: 'hidden' });
  assert.deepEqual(await socket.drain(), [{ action: 'create', payload: {}, key: 1, collection }]);
});

test('A42 items that may not be read are not told: create, update and delete', async () => {
  const collection = await makeTable(), { token } = await makeReader(collection, { rows: PUBLISHED });
  const socket = await follower(token, collection), admin = await follower(undefined, collection);
  await post(collection, { title: 'draft', status: 'draft' });
  await patch(collection, 1, { title: 'still a draft' });
  await remove(collection, [1]);
  assert.deepEqual(await socket.drain(), []);
  assert.equal((await admin.drain()).length, 3);
});

test('A42 an update of many keys names only those that may be read', async () => {
  const collection = await makeTable(), { token } = await makeReader(collection, { rows: PUBLISHED, fields: ['id', 'title'] });
  await post(collection, ['published', 'draft', 'published', 'draft'].map((status) => ({ status })));
  const socket = await follower(token, collection), admin = await follower(undefined, collection);
  await patchMany(collection, [4, 3, 2, 1], { title: 't', note: 'n' });
  assert.deepEqual(await socket.drain(), [{ action: 'update', payload: { title: 't' }, keys: [3, 1], collection }]);
  await patchMany(collection, [2, 4], { title: 'u' });
  assert.deepEqual(await socket.drain(), []);
  assert.deepEqual((await admin.drain()).map((frame) => frame.keys), [[4, 3, 2, 1], [2, 4]]);
});

test('A42 a delete of many keys names only those that could be read before', async () => {
  const collection = await makeTable(), { token } = await makeReader(collection, { rows: PUBLISHED });
  await post(collection, ['published', 'draft', 'published'].map((status) => ({ status })));
  const socket = await follower(token, collection);
  await remove(collection, [3, 2, 1]);
  assert.deepEqual(await socket.drain(), [{ action: 'delete', payload: [3, 1], collection }]);
});

test('0006 a row that enters is told as create with all of it that may be seen; one that leaves as delete', async () => {
  const collection = await makeTable(), { token } = await makeReader(collection, { rows: PUBLISHED, fields: ['id', 'title', 'status'] });
  await post(collection, { title: 'a', status: 'draft', note: 'n' });
  const socket = await follower(token, collection);
  await patch(collection, 1, { status: 'published' });
  assert.deepEqual(await socket.drain(), [{ action: 'create', payload: { id: 1, title: 'a', status: 'published' }, key: '1', collection }]);
  await patch(collection, 1, { status: 'published', title: 'b' });
  assert.deepEqual(await socket.drain(), [{ action: 'update', payload: { status: 'published', title: 'b' }, keys: ['1'], collection }]);
  await patch(collection, 1, { status: 'draft', title: 'secret' });
  assert.deepEqual(await socket.drain(), [{ action: 'delete', payload: ['1'], collection }]);
});

test('0006 one update may bring in, keep and take out: each row is told its own way', async () => {
  const collection = await makeTable({ a: 'integer', b: 'integer' });
  const { token } = await makeReader(collection, { rows: { _or: [{ a: { _eq: 1 } }, { b: { _eq: 1 } }] }, fields: ['id', 'a', 'b'] });
  await post(collection, [{ a: 1, b: 0 }, { a: 0, b: 0 }, { a: 1, b: 1 }, { a: 2, b: 1 }]);
  const socket = await follower(token, collection);
  await patchMany(collection, [1, 2, 3, 4], { a: 0, b: 1 });
  const frames = await socket.drain();
  assert.deepEqual(frames, [
    { action: 'create', payload: { id: 2, a: 0, b: 1 }, key: 2, collection },
    { action: 'update', payload: { a: 0, b: 1 }, keys: [1, 3, 4], collection },
  ]);
  await patchMany(collection, [4, 3, 2, 1], { b: 0 });
  assert.deepEqual(await socket.drain(), [{ action: 'delete', payload: [4, 3, 2, 1], collection }]);
});

test('A.11 0006 with a query the rows of the permission and of the query both count', async () => {
  const collection = await makeTable(), { token } = await makeReader(collection, { rows: PUBLISHED, fields: ['id', 'title', 'status'] });
  const socket = await follower(token, collection, { query: { filter: { title: { _starts_with: 'a' } } } });
  await post(collection, [{ title: 'ax', status: 'draft' }, { title: 'bx', status: 'published' }, { title: 'ay', status: 'published' }]);
  assert.deepEqual((await socket.drain()).map((frame) => frame.key), [3]);
  await patchMany(collection, [1, 2], { status: 'published' });
  assert.deepEqual((await socket.drain()).map((frame) => [frame.action, frame.key, frame.payload]), [['create', 1, { id: 1, title: 'ax', status: 'published' }]]);
});

test('A42 rules with the current user: each is told of the own rows only', async () => {
  const collection = await makeTable(), rows = { owner: { _eq: '$CURRENT_USER' } };
  const [ann, bob] = [await makeReader(collection, { rows }), await makeReader(collection, { rows })];
  const [hers, his] = [await follower(ann.token, collection), await follower(bob.token, collection)];
  await post(collection, [{ title: 'a', owner: ann.user.id }, { title: 'b', owner: bob.user.id }, { title: 'nobody' }]);
  assert.deepEqual((await hers.drain()).map((frame) => frame.key), [1]);
  assert.deepEqual((await his.drain()).map((frame) => frame.key), [2]);
  await patch(collection, 1, { owner: bob.user.id });
  assert.deepEqual(await hers.drain(), [{ action: 'delete', payload: ['1'], collection }]);
  assert.deepEqual((await his.drain()).map(({ action, payload }) => [action, payload.title]), [['create', 'a']]);
});

/* Everybody's published rows without the note, the own rows with it. */
async function makeMasked(collection) {
  const reader = await makeReader(collection, { rows: PUBLISHED, fields: ['id', 'title', 'status'] });
  await server.ask('POST', '/permissions', {
    policy: reader.policy.id, collection, action: 'read', permissions: { owner: { _eq: '$CURRENT_USER' } }, fields: ['id', 'title', 'status', 'note', 'owner'],
  });
  return reader;
}

test('A42 masks: a field that may be read on some rows only is told on those only', async () => {
  const collection = await makeTable(), { token, user } = await makeMasked(collection), socket = await follower(token, collection);
  await post(collection, [
    { title: 'foreign', status: 'published', note: 'n1' }, { title: 'own', status: 'draft', note: 'n2', owner: user.id }, { title: 'foreign draft', status: 'draft', note: 'n3' },
  ]);
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload), [{ title: 'foreign', status: 'published' }, { title: 'own', status: 'draft', note: 'n2', owner: user.id }]);
  await patch(collection, 1, { note: 'n1 changed' });
  assert.deepEqual(await socket.drain(), []);
  await patch(collection, 2, { note: 'n2 changed' });
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload), [{ note: 'n2 changed' }]);
});

test('A42 masks: of an update of many keys each row is told with what may be seen of it, no more and no less', async () => {
  const collection = await makeTable(), { token, user } = await makeMasked(collection);
  await post(collection, [{ status: 'published' }, { status: 'published', owner: user.id }, { status: 'published' }, { status: 'draft', owner: user.id }, { status: 'draft' }]);
  const socket = await follower(token, collection);
  await patchMany(collection, [5, 4, 3, 2, 1], { title: 't', note: 'n' });
  const frames = await socket.drain(), told = {};
  for (const { keys, payload } of frames) for (const key of keys) Object.assign(told[key] ??= {}, payload);
  assert.deepEqual(told, { 1: { title: 't' }, 2: { title: 't', note: 'n' }, 3: { title: 't' }, 4: { title: 't', note: 'n' } });
  await patchMany(collection, [1, 2, 3], { note: 'm' });
  assert.deepEqual((await socket.drain()).map(({ keys, payload }) => [keys, payload]), [[[2], { note: 'm' }]]);
});

test('A.11 masks: with a query what is hidden on a row is null', async () => {
  const collection = await makeTable(), { token, user } = await makeMasked(collection);
  const socket = await follower(token, collection, { query: { fields: ['id', 'note'] } });
  await post(collection, [{ status: 'published', note: 'n1' }, { note: 'n2', owner: user.id }]);
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload), [{ id: 1, note: null }, { id: 2, note: 'n2' }]);
});

test('F.4 several policies add up: rows and fields of all of them', async () => {
  const collection = await makeTable(), { token, user } = await makeReader(collection, { rows: PUBLISHED, fields: ['id', 'title'] });
  const policy = await server.ask('POST', '/policies', { name: 'more' });
  await server.ask('POST', '/permissions', { policy: policy.id, collection, action: 'read', permissions: { status: { _eq: 'review' } }, fields: ['id', 'note'] });
  const socket = await follower(token, collection);
  await post(collection, [{ title: 'a', note: 'n', status: 'published' }, { title: 'b', note: 'm', status: 'review' }]);
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload), [{ title: 'a' }]);
  await server.ask('POST', '/access', { user: user.id, policy: policy.id });
  await post(collection, [{ title: 'a', note: 'n', status: 'published' }, { title: 'b', note: 'm', status: 'review' }]);
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload), [{ title: 'a' }, { note: 'm' }]);
});

test('A.8 each role is told its own of one write, and the members of a role the same', async () => {
  const collection = await makeTable(), narrow = await makeReader(collection, { fields: ['id', 'title'] }), wide = await makeReader(collection, { fields: ['id', 'title', 'note'] });
  const sockets = [await follower(narrow.token, collection), await follower(narrow.token, collection), await follower(wide.token, collection), await follower(undefined, collection)];
  await post(collection, { title: 't', note: 'n', status: 's' });
  const payloads = await Promise.all(sockets.map(async (socket) => (await socket.drain()).map((frame) => frame.payload)));
  assert.deepEqual(payloads, [[{ title: 't' }], [{ title: 't' }], [{ title: 't', note: 'n' }], [{ title: 't', note: 'n', status: 's' }]]);
});

test('A42 the public is told what the public may read', async () => {
  const collection = await makeTable();
  await server.ask('POST', '/permissions', { policy: PUBLIC_POLICY, collection, action: 'read', permissions: PUBLISHED, fields: ['id', 'title'] });
  const socket = await follower(null, collection);
  await post(collection, [{ title: 'a', status: 'published' }, { title: 'b', status: 'draft' }]);
  assert.deepEqual(await socket.drain(), [{ action: 'create', payload: { title: 'a' }, key: 1, collection }]);
});

test('A42 the one who writes is told what it may read, no more', async () => {
  const collection = await makeTable();
  const { token } = await server.makeUser('writer_only', [
    { collection, action: 'create', fields: ['*'] }, { collection, action: 'update', fields: ['*'], permissions: {} },
    { collection, action: 'read', fields: ['id', 'title'], permissions: PUBLISHED },
  ]);
  const socket = await follower(token, collection);
  socket.send({ type: 'post', collection, data: { title: 'a', note: 'n', status: 'published' }, uid: 1 });
  socket.send({ type: 'post', collection, data: { title: 'b', note: 'n', status: 'draft' }, uid: 2 });
  const [first, event, second, ...more] = await socket.drain();
  assert.deepEqual(first, { type: 'RESPONSE', data: { id: 1, title: 'a' }, uid: 1 });
  assert.deepEqual(event, { action: 'create', payload: { title: 'a' }, key: 1, collection });
  assertRefused(second, 'FORBIDDEN', { ...FORBIDDEN, uid: 2 });
  assert.deepEqual(more, []);
});

test('F.7 permission rows: taking away silences from the next event on, giving back wakes', async () => {
  const collection = await makeTable(), { token, permissions: [permission] } = await makeReader(collection, {}), socket = await follower(token, collection);
  await server.rest('DELETE', `/permissions/${permission.id}`);
  await post(collection, { title: 'unheard' });
  assert.deepEqual(await socket.drain(), []);
  assertRefused(await socket.ask({ type: 'get', collection }), 'FORBIDDEN', FORBIDDEN);
  await server.ask('POST', '/permissions', { ...permission, id: undefined });
  await post(collection, { title: 'heard' });
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload.title), ['heard']);
});

test('F.7 a changed permission row counts from the next event on, in both directions', async () => {
  const collection = await makeTable(), { token, permissions: [{ id }] } = await makeReader(collection, { rows: PUBLISHED, fields: ['id', 'title'] });
  const socket = await follower(token, collection);
  await server.ask('PATCH', `/permissions/${id}`, { fields: ['id', 'note'] });
  await post(collection, { title: 't', note: 'n', status: 'published' });
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload), [{ note: 'n' }]);
  await server.ask('PATCH', `/permissions/${id}`, { permissions: { status: { _eq: 'draft' } } });
  await post(collection, [{ note: 'p', status: 'published' }, { note: 'd', status: 'draft' }]);
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload), [{ note: 'd' }]);
});

test('F.7 writes and changes of rules from one client take effect in their order', async () => {
  const collection = await makeTable(), { token, permissions: [{ id }] } = await makeReader(collection, { rows: PUBLISHED }), socket = await follower(token, collection);
  const rule = (status) => ({ type: 'patch', collection: 'directus_permissions', id, data: { permissions: { status: { _eq: status } } } });
  const row = (status, title) => ({ type: 'post', collection, data: { status, title } });
  const admin = await server.socket();
  for (const message of [row('published', 1), rule('draft'), row('published', 2), row('draft', 3), rule('published'), row('draft', 4), row('published', 5)]) admin.send(message);
  for (const frame of await admin.drain()) assert.equal(frame.type, 'RESPONSE', JSON.stringify(frame));
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload.title), ['1', '3', '5']);
});

test('F.7 policies and access rows: attaching and detaching count at once', async () => {
  const collection = await makeTable(), { token, role, policy } = await makeReader(collection, {}), socket = await follower(token, collection);
  const [access] = await server.ask('GET', `/access?filter[role][_eq]=${role.id}`);
  await server.ask('DELETE', `/access/${access.id}`);
  await post(collection, { title: 'detached' });
  await server.ask('POST', '/access', { role: role.id, policy: policy.id });
  await post(collection, { title: 'attached' });
  await server.ask('PATCH', `/policies/${policy.id}`, { admin_access: true });
  await server.ask('DELETE', '/permissions', (await server.ask('GET', `/permissions?filter[policy][_eq]=${policy.id}`)).filter((one) => one.id).map((one) => one.id));
  await post(collection, { title: 'admin' });
  await server.ask('DELETE', `/policies/${policy.id}`);
  await post(collection, { title: 'gone' });
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload.title), ['attached', 'admin']);
});

test('B13 the role of a user changes: regrouped at once, on the same socket', async () => {
  const collection = await makeTable(), one = await makeReader(collection, { fields: ['id', 'title'] }), other = await makeReader(collection, { rows: PUBLISHED, fields: ['id', 'note'] });
  const none = await server.makeUser('no_reader', []), socket = await follower(one.token, collection);
  const row = { title: 't', note: 'n', status: 'published' }, seen = async () => { await post(collection, row); return (await socket.drain()).map((frame) => frame.payload); };
  assert.deepEqual(await seen(), [{ title: 't' }]);
  await server.ask('PATCH', `/users/${one.user.id}`, { role: other.role.id });
  assert.deepEqual(await seen(), [{ note: 'n' }]);
  await server.ask('PATCH', `/users/${one.user.id}`, { role: none.role.id });
  assert.deepEqual(await seen(), []);
  await server.ask('PATCH', `/users/${one.user.id}`, { role: one.role.id });
  assert.deepEqual(await seen(), [{ title: 't' }]);
});

test('A.2 a user who is deleted, suspended or archived is closed with 1008; others stay', async () => {
  const collection = await makeTable(), witness = await follower(undefined, collection);
  for (const [method, body] of [['DELETE'], ['PATCH', { status: 'suspended' }], ['PATCH', { status: 'archived' }]]) {
    const { token, user } = await makeReader(collection, {}), socket = await follower(token, collection), idle = await server.socket(token);
    await server.ask(method, `/users/${user.id}`, body);
    assert.equal((await closing(socket)).code, 1008);
    assert.equal((await closing(idle)).code, 1008);
    assert.equal(await server.refusal(token), 401);
  }
  await post(collection, { title: 'x' });
  assert.equal((await witness.drain()).length, 1);
});

test('A.2 a static token that is replaced or removed closes those who came by it', async () => {
  const collection = await makeTable(), { token, user } = await makeReader(collection, {}), socket = await follower(token, collection);
  await server.ask('PATCH', `/users/${user.id}`, { token: `new-${token}` });
  assert.equal((await closing(socket)).code, 1008);
  assert.equal(await server.refusal(token), 401);
  await follower(`new-${token}`, collection);
});

test('A.2 who came by an access token stays when the static token is replaced, and goes when suspended', async () => {
  const collection = await makeTable(), { token, user } = await makeReader(collection, {});
  const { access_token: access } = await server.ask('POST', '/auth/login', { email: user.email, password: `password of ${user.email.split('@')[0]}` }, null);
  const socket = await follower(access, collection);
  await server.ask('PATCH', `/users/${user.id}`, { token: `new-${token}` });
  await post(collection, { title: 'x' });
  assert.equal((await socket.drain()).length, 1);
  await server.ask('PATCH', `/users/${user.id}`, { status: 'suspended' });
  assert.equal((await closing(socket)).code, 1008);
});

test('A.2 deleting a role suspends its users, and that closes them', async () => {
  const collection = await makeTable(), { token, role } = await makeReader(collection, {}), socket = await follower(token, collection);
  await server.ask('DELETE', `/roles/${role.id}`);
  assert.equal((await closing(socket)).code, 1008);
});

test('F.3 who loses the role is told what the public may read', async () => {
  const collection = await makeTable(), { token, user } = await makeReader(collection, {}), socket = await follower(token, collection);
  await server.ask('POST', '/permissions', { policy: PUBLIC_POLICY, collection, action: 'read', permissions: {}, fields: ['id', 'note'] });
  await server.ask('PATCH', `/users/${user.id}`, { role: null });
  await post(collection, { title: 't', note: 'n' });
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload), [{ note: 'n' }]);
});

test('A.2 nothing that happens behind a suspension is told, not even of writes that wait in one batch', async () => {
  const collection = await makeTable(), { token, user } = await makeReader(collection, {}), socket = await follower(token, collection), admin = await server.socket();
  admin.send({ type: 'post', collection, data: { title: 'before' } });
  admin.send({ type: 'patch', collection: 'directus_users', id: user.id, data: { status: 'suspended' } });
  admin.send({ type: 'post', collection, data: { title: 'behind' } });
  assert.equal((await admin.drain()).filter((frame) => frame.type === 'RESPONSE').length, 3);
  assert.equal((await closing(socket)).code, 1008);
  assert.deepEqual(socket.frames.map((frame) => frame.payload.title), ['before']);
});

test('F.1 a role below another has the rights of both; moving it changes them at once', async () => {
  const collection = await makeTable(), parent = await makeReader(collection, { rows: PUBLISHED, fields: ['id', 'title'] });
  const child = await server.makeUser('child_reader', [{ collection, action: 'read', permissions: { status: { _eq: 'draft' } }, fields: ['id', 'title'] }]);
  const socket = await follower(child.token, collection), rows = [{ title: 'p', status: 'published' }, { title: 'd', status: 'draft' }];
  const seen = async () => { await post(collection, rows); return (await socket.drain()).map((frame) => frame.payload.title); };
  assert.deepEqual(await seen(), ['d']);
  await server.ask('PATCH', `/roles/${child.role.id}`, { parent: parent.role.id });
  assert.deepEqual(await seen(), ['p', 'd']);
  await server.ask('PATCH', `/roles/${child.role.id}`, { parent: null });
  assert.deepEqual(await seen(), ['d']);
});

test('F.4 a rule without fields permits none: the collection may not be subscribed to, or nothing of it is told', async () => {
  const collection = await makeTable(), { token } = await makeReader(collection, { fields: [] }), socket = await server.socket(token);
  socket.send({ type: 'subscribe', collection });
  await post(collection, { title: 'x', note: 'n' });
  for (const frame of await socket.drain()) assert.ok(!JSON.stringify(frame).includes('"x"') && !JSON.stringify(frame).includes('"n"'), JSON.stringify(frame));
});

test('A.8 what a client that applies events holds is what it may read, at every step', async () => {
  const collection = await makeTable(), { token } = await makeReader(collection, { rows: PUBLISHED, fields: ['id', 'title', 'status'] });
  const socket = await follower(token, collection), held = new Map();
  let seed = 12345;
  const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n; /* the same steps in every run */
  const status = () => ['published', 'draft'][random(2)];
  let count = 0;
  for (let step = 0; step < 120; step++) {
    const keys = Array.from({ length: 1 + random(4) }, () => 1 + random(Math.max(count, 1)));
    const change = random(4);
    if (change === 0 || count === 0) count += (await post(collection, [{ title: `c${step}`, status: status() }, { title: `d${step}`, status: status() }])).length;
    else if (change === 3) await server.rest('DELETE', `/items/${collection}`, [...new Set(keys)]);
    else await server.rest('PATCH', `/items/${collection}`, { keys: [...new Set(keys)], data: change === 1 ? { status: status() } : { title: `u${step}`, note: 'n' } });
    for (const { action, payload, key, keys: changed } of await socket.drain()) {
      if (action === 'create') held.set(Number(key), { id: Number(key), ...payload });
      else if (action === 'update') for (const one of changed) Object.assign(held.get(Number(one)), payload);
      else for (const one of payload) assert.ok(held.delete(Number(one)), `row ${one} left, but was never there`);
    }
    if (step % 10 === 9) {
      const { data } = await socket.ask({ type: 'get', collection, query: { limit: -1, sort: ['id'] } });
      assert.deepEqual([...held.values()].sort((a, b) => a.id - b.id), data, `after step ${step}`);
    }
  }
});
