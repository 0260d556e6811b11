/* Subscriptions and events of directus-websocket-subscribe: A.8, A.11, lines A40 and A41 of the checklist. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, assertRefused } from './harness.js';

const FORBIDDEN = { status: 403 };
let server;

before(async () => { server = await Server.start(); });
after(() => server?.stop());

/* A collection of one test alone. */
let made = 0;
async function makeTable(fields = {}, options) {
  const name = `events_${++made}`;
  await server.makeCollection(name, { title: 'string', status: { type: 'string', schema: { default_value: 'draft' } }, count: 'integer', ...fields }, options);
  return name;
}

const post = (collection, data) => server.ask('POST', `/items/${collection}`, data);
const patch = (collection, id, data) => server.ask('PATCH', `/items/${collection}/${id}`, data);
const remove = (collection, id) => server.ask('DELETE', `/items/${collection}/${id}`);
const follower = async (collection, more) => (await server.socket()).follow(collection, more);

test('A40, A.10 #6 subscribe success is silent', async () => {
  const collection = await makeTable();
  const socket = await server.socket();
  socket.send({ type: 'subscribe', collection });
  socket.send({ type: 'SUBSCRIBE', collection: collection.toUpperCase(), uid: 'u' });
  assert.deepEqual(await socket.drain(), []);
});

test('A40 subscribing to what may not be read gives FORBIDDEN, and no subscription is made', async () => {
  const collection = await makeTable();
  const { token } = await server.makeUser(`blind_${collection}`, [{ collection, action: 'create', fields: ['*'] }]);
  const socket = await server.socket(token);
  assertRefused(await socket.ask({ type: 'subscribe', collection }), 'FORBIDDEN', FORBIDDEN);
  assertRefused(await socket.ask({ type: 'subscribe', collection: 'nowhere' }), 'FORBIDDEN', FORBIDDEN);
  await post(collection, { title: 'a' });
  assert.deepEqual(await socket.drain(), []);
});

test('A.8 create: the item as submitted, without defaults and key; the key beside it is the real one', async () => {
  const collection = await makeTable(), socket = await follower(collection);
  const { id } = await post(collection, { title: 'Harvest', count: null });
  assert.deepEqual(await socket.next(), { action: 'create', payload: { title: 'Harvest', count: null }, key: id, collection });
  assert.equal(typeof id, 'number');
  await post(collection, {});
  assert.deepEqual(await socket.next(), { action: 'create', payload: {}, key: id + 1, collection });
});

test('A.8 create: a key that was submitted is in the payload as well', async () => {
  const collection = await makeTable(), socket = await follower(collection);
  await post(collection, { id: 41, title: 'x' });
  assert.deepEqual(await socket.next(), { action: 'create', payload: { id: 41, title: 'x' }, key: 41, collection });
});

test('A.8 create: a text key and a uuid key are strings', async () => {
  const uuid = await makeTable({}, { key: { type: 'uuid', schema: { is_primary_key: true }, meta: { special: ['uuid'] } } });
  const text = await makeTable({}, { key: { type: 'string', schema: { is_primary_key: true } } });
  const socket = await follower(uuid);
  await socket.follow(text);
  const { id } = await post(uuid, { title: 'u' });
  assert.deepEqual(await socket.next(), { action: 'create', payload: { title: 'u' }, key: id, collection: uuid });
  await post(text, { id: 'k/1', title: 't' });
  assert.deepEqual(await socket.next(), { action: 'create', payload: { id: 'k/1', title: 't' }, key: 'k/1', collection: text });
});

test('A.8 update: only the submitted changes, even where the value stays the same', async () => {
  const collection = await makeTable(), { id } = await post(collection, { title: 'a', status: 's' });
  const socket = await follower(collection);
  await patch(collection, id, { title: 'Harvest 2' });
  assert.deepEqual(await socket.next(), { action: 'update', payload: { title: 'Harvest 2' }, keys: [String(id)], collection });
  await patch(collection, id, { title: 'Harvest 2', count: 3 });
  assert.deepEqual((await socket.next()).payload, { title: 'Harvest 2', count: 3 });
});

test('A.8 delete: the keys are the payload, and there is no keys member', async () => {
  const collection = await makeTable(), [a, b] = await post(collection, [{}, {}]);
  const socket = await follower(collection);
  await server.ask('DELETE', `/items/${collection}`, [String(a.id), String(b.id)]);
  assert.deepEqual(await socket.next(), { action: 'delete', payload: [String(a.id), String(b.id)], collection });
});

test('A41 an event has no type; A.10 #4 answers have one, and #9 a delete has its keys in the payload', async () => {
  const collection = await makeTable(), socket = await follower(collection);
  const { id } = await post(collection, {});
  await patch(collection, id, { title: 'x' });
  await remove(collection, id);
  const frames = await socket.drain();
  assert.deepEqual(frames.map((frame) => Object.keys(frame).sort().join()), ['action,collection,key,payload', 'action,collection,keys,payload', 'action,collection,payload']);
});

test('A.8 keys keep the type in which the caller gave them: text from a URL, what the body said from a body', async () => {
  const collection = await makeTable(), socket = await follower(collection);
  await post(collection, [{}, {}, {}]);
  await patch(collection, 1, { title: 'url' });
  await server.ask('PATCH', `/items/${collection}`, { keys: [1, '2'], data: { title: 'body' } });
  await remove(collection, 1);
  await server.ask('DELETE', `/items/${collection}`, { keys: [2, '3'] });
  const told = (await socket.drain()).slice(3);
  assert.deepEqual(told.map((frame) => frame.keys ?? frame.payload), [['1'], [1, '2'], ['1'], [2, '3']]);
});

test('A.8 keys of a write over the socket are as the message said', async () => {
  const collection = await makeTable(), socket = await follower(collection), writer = await server.socket();
  await post(collection, [{}, {}, {}]);
  await writer.ask({ type: 'patch', collection, id: '2', data: { title: 'a' } });
  await writer.ask({ type: 'patch', collection, ids: [1, '3'], data: { title: 'b' } });
  await writer.ask({ type: 'delete', collection, id: 2 });
  await writer.ask({ type: 'delete', collection, ids: ['1', 3] });
  assert.deepEqual((await socket.drain()).slice(3).map((frame) => frame.keys ?? frame.payload), [['2'], [1, '3'], [2], ['1', 3]]);
});

test('A.8 N created items are N events in list order; N updated or deleted keys are one event', async () => {
  const collection = await makeTable(), socket = await follower(collection);
  await post(collection, ['a', 'b', 'c'].map((title) => ({ title })));
  assert.deepEqual((await socket.drain()).map(({ action, key, payload }) => [action, key, payload.title]), [['create', 1, 'a'], ['create', 2, 'b'], ['create', 3, 'c']]);
  await server.ask('PATCH', `/items/${collection}`, { keys: [3, 1], data: { title: 'x' } });
  assert.deepEqual(await socket.drain(), [{ action: 'update', payload: { title: 'x' }, keys: [3, 1], collection }]);
  await server.ask('DELETE', `/items/${collection}`, [2, 3, 1]);
  assert.deepEqual(await socket.drain(), [{ action: 'delete', payload: [2, 3, 1], collection }]);
});

test('A.8 a batch of different updates is one event for each; a query addresses all that match', async () => {
  const collection = await makeTable(), socket = await server.socket();
  await post(collection, [{ title: 'a' }, { title: 'b' }, { title: 'c' }]);
  await socket.follow(collection);
  await server.ask('PATCH', `/items/${collection}`, [{ id: 1, title: 'A' }, { id: 2, count: 2 }]);
  assert.deepEqual((await socket.drain()).map(({ payload, keys }) => [payload, keys]), [[{ title: 'A' }, [1]], [{ count: 2 }, [2]]]);
  await server.ask('PATCH', `/items/${collection}`, { query: { filter: { id: { _gt: 1 } } }, data: { status: 's' } });
  const [frame, ...more] = await socket.drain();
  assert.deepEqual([frame.payload, frame.keys.map(Number), more], [{ status: 's' }, [2, 3], []]);
  await server.ask('DELETE', `/items/${collection}`, { query: { filter: { title: { _eq: 'c' } } } });
  const gone = await socket.drain();
  assert.deepEqual(gone.map(({ action, payload }) => [action, payload.map(Number)]), [['delete', [3]]]);
});

test('A.8 writes over REST and over the socket produce the same events', async () => {
  const collection = await makeTable(), socket = await follower(collection), writer = await server.socket();
  const { data: { id } } = await writer.ask({ type: 'post', collection, data: { title: 'w' } });
  await writer.ask({ type: 'patch', collection, id, data: { title: 'p' } });
  await writer.ask({ type: 'delete', collection, id });
  assert.deepEqual(await socket.drain(), [
    { action: 'create', payload: { title: 'w' }, key: id, collection }, { action: 'update', payload: { title: 'p' }, keys: [id], collection },
    { action: 'delete', payload: [id], collection },
  ]);
});

test('A.8 who caused it is told as well: the own reply first, then the own event, always', async () => {
  const collection = await makeTable(), socket = await follower(collection), other = await follower(collection);
  for (let i = 1; i <= 100; i++) {
    socket.send({ type: 'post', collection, data: { count: i }, uid: `post ${i}` });
    socket.send({ type: 'patch', collection, id: i, data: { title: 'p' }, uid: `patch ${i}` });
    if (i % 3 === 0) socket.send({ type: 'delete', collection, ids: [i], uid: `delete ${i}` });
  }
  const frames = await socket.drain(), told = frames.filter((frame) => frame.action), answers = frames.filter((frame) => frame.uid);
  assert.equal(told.length, answers.length);
  const nameOf = { create: (f) => `post ${f.key}`, update: (f) => `patch ${f.keys[0]}`, delete: (f) => `delete ${f.payload[0]}` };
  assert.deepEqual(told.map((frame) => nameOf[frame.action](frame)), answers.map((frame) => frame.uid));
  const places = new Map(frames.map((frame, place) => [frame.uid ?? `event of ${nameOf[frame.action](frame)}`, place]));
  for (const { uid } of answers) assert.ok(places.get(uid) < places.get(`event of ${uid}`), uid);
  assert.deepEqual(await other.drain(), told);
});

test('A.8 several writers: everyone is told the same in the same order, each event once', async () => {
  const collection = await makeTable(), followers = [await follower(collection), await follower(collection)];
  const writers = await Promise.all([1, 2, 3, 4].map(() => server.socket()));
  for (let i = 0; i < 40; i++) for (const writer of writers) writer.send({ type: 'post', collection, data: { count: i } });
  for (const writer of writers) assert.equal((await writer.drain()).length, 40);
  const [one, other] = [await followers[0].drain(), await followers[1].drain()];
  assert.deepEqual(one, other);
  assert.deepEqual(one.map((frame) => frame.key), Array.from({ length: 160 }, (_, i) => i + 1));
});

test('A.8 a list create that is rolled back sends nothing; so does a batch that is refused half-way', async () => {
  const collection = await makeTable({ code: { type: 'string', schema: { is_unique: true } } }), socket = await follower(collection);
  assertRefused(await socket.ask({ type: 'post', collection, data: [{ code: 'a' }, { code: 'b' }, { code: 'a' }] }), 'RECORD_NOT_UNIQUE');
  assert.equal((await server.rest('POST', `/items/${collection}`, [{ code: 'a' }, { code: 'a' }])).status, 400);
  assert.deepEqual(await socket.drain(), []);
  const [a, b] = await post(collection, [{ code: 'a' }, { code: 'b' }]);
  assert.equal((await socket.drain()).length, 2);
  assert.equal((await server.rest('PATCH', `/items/${collection}`, [{ id: a.id, title: 'x' }, { id: b.id, code: 'a' }])).status, 400);
  assertRefused(await socket.ask({ type: 'patch', collection, ids: [a.id, 99], data: { title: 'x' } }), 'FORBIDDEN', FORBIDDEN);
  assert.deepEqual(await socket.drain(), []);
});

test('A.8 a refused write between others undoes only itself', async () => {
  const collection = await makeTable({ code: { type: 'string', schema: { is_unique: true } } }), socket = await follower(collection);
  for (const code of ['a', 'b', 'a', 'c', 'b', 'd']) socket.send({ type: 'post', collection, data: { code } });
  const frames = await socket.drain();
  assert.deepEqual(frames.filter((frame) => frame.action).map((frame) => frame.payload.code), ['a', 'b', 'c', 'd']);
  assert.equal(frames.filter((frame) => frame.type === 'ERROR').length, 2);
});

test('A.8 deleting what is not there, and writing nothing, tell nothing', async () => {
  const collection = await makeTable(), socket = await follower(collection);
  await post(collection, {});
  await socket.drain();
  await server.rest('DELETE', `/items/${collection}/99`);
  await server.rest('DELETE', `/items/${collection}`, []);
  await server.rest('PATCH', `/items/${collection}`, { keys: [], data: { title: 'x' } });
  await server.rest('PATCH', `/items/${collection}/1`, {});
  assert.deepEqual(await socket.drain(), []);
  await server.ask('DELETE', `/items/${collection}`, [98, 1, 99]);
  assert.deepEqual(await socket.drain(), [{ action: 'delete', payload: [1], collection }]);
});

test('A.8 id and ids of a subscribe do not filter', async () => {
  const collection = await makeTable(), socket = await follower(collection, { id: 1, ids: [1] });
  await post(collection, [{ title: 'a' }, { title: 'b' }]);
  assert.deepEqual((await socket.drain()).map((frame) => frame.key), [1, 2]);
});

test('A.8 subscribing twice to the same collection tells every event once', async () => {
  const collection = await makeTable(), socket = await follower(collection);
  await socket.follow(collection);
  await socket.follow(collection.toUpperCase());
  await post(collection, { title: 'once' });
  assert.equal((await socket.drain()).length, 1);
});

test('A.8 closing the socket removes its subscriptions and leaves those of others', async () => {
  const collection = await makeTable(), stays = await follower(collection);
  for (let i = 0; i < 20; i++) {
    const goes = await follower(collection);
    await (i % 2 ? goes.close() : goes.terminate());
  }
  await post(collection, { title: 'x' });
  assert.equal((await stays.drain()).length, 1);
});

test('A.8 only what was subscribed to is told', async () => {
  const [mine, other] = [await makeTable(), await makeTable()], socket = await follower(mine);
  await post(other, { title: 'x' });
  assert.deepEqual(await socket.drain(), []);
});

test('A.8 system collections produce no events', async () => {
  const socket = await server.socket();
  for (const collection of ['directus_users', 'directus_roles', 'directus_permissions']) await socket.follow(collection, { uid: collection });
  await server.makeUser('unheard', [{ collection: 'events_1', action: 'read', fields: ['*'] }]);
  assert.deepEqual(await socket.drain(), []);
});

test('A.8 a subscription is in force from its place on: nothing of before, all of behind', async () => {
  const collection = await makeTable(), socket = await server.socket();
  for (let i = 1; i <= 30; i++) {
    if (i === 11) socket.send({ type: 'subscribe', collection });
    socket.send({ type: 'post', collection, data: { count: i } });
  }
  const told = (await socket.drain()).filter((frame) => frame.action);
  assert.deepEqual(told.map((frame) => frame.payload.count), Array.from({ length: 20 }, (_, i) => i + 11));
});

test('A.8 presets are in the payload of create and update', async () => {
  const collection = await makeTable({ owner: 'uuid' }), socket = await follower(collection);
  const { token, user } = await server.makeUser(`preset_${collection}`, [
    { collection, action: 'create', fields: ['title'], presets: { status: 'new', owner: '$CURRENT_USER' } },
    { collection, action: 'update', fields: ['title', 'count'], permissions: {}, presets: { status: 'changed', count: 1 } },
    { collection, action: 'read', fields: ['*'], permissions: {} },
  ]);
  const writer = await server.socket(token);
  await writer.ask({ type: 'post', collection, data: { title: 'a' } });
  await writer.ask({ type: 'patch', collection, id: 1, data: { title: 'b', count: 7 } });
  assert.deepEqual((await socket.drain()).map((frame) => frame.payload), [{ title: 'a', status: 'new', owner: user.id }, { title: 'b', status: 'changed', count: 7 }]);
});

test('A.8 secrets are never in a payload: hash fields say that they were set, not to what', async () => {
  const collection = await makeTable({ code: { type: 'hash', meta: { special: ['hash'] } }, pin: { type: 'string', meta: { special: ['conceal'] } } });
  const socket = await follower(collection), whole = await follower(collection, { query: { fields: ['*'] } });
  await post(collection, { title: 'a', code: 'open sesame', pin: '4711' });
  await patch(collection, 1, { code: 'close sesame', pin: '4712' });
  const frames = [...await socket.drain(), ...await whole.drain()];
  assert.equal(frames.length, 4);
  const text = JSON.stringify(frames);
  for (const secret of ['sesame', '4711', '4712', 'argon2']) assert.ok(!text.includes(secret), text);
  assert.equal(frames[0].payload.pin, '**********');
});

test('A.8 values are told in the types of the wire', async () => {
  const collection = await makeTable({ flag: { type: 'boolean', meta: { special: ['cast-boolean'] } }, at: 'timestamp', day: 'date', info: { type: 'json', meta: { special: ['cast-json'] } }, price: 'float' });
  const socket = await follower(collection), payload = { title: 'é "q" \u0001 \u{1f600}', count: -7, flag: true, at: '2024-01-02T10:11:12.000Z', day: '2024-01-02', info: { a: [1, null, 'x'] }, price: 1.5 };
  const { id, status, ...row } = await post(collection, payload);
  assert.deepEqual(row, payload);
  assert.deepEqual((await socket.next()).payload, payload);
  assert.ok(id && status);
});

test('A.8 references that are set to null or deleted with what they refer to are told as well', async () => {
  const parents = await makeTable(), children = await makeTable({ kept: 'integer', owned: 'integer' });
  await server.ask('POST', '/relations', { collection: children, field: 'kept', related_collection: parents, schema: { on_delete: 'SET NULL' } });
  await server.ask('POST', '/relations', { collection: children, field: 'owned', related_collection: parents, schema: { on_delete: 'CASCADE' } });
  await post(parents, [{}, {}]);
  await post(children, [{ kept: 1 }, { owned: 1 }, { kept: 2, owned: 2 }]);
  const socket = await follower(children);
  await socket.follow(parents);
  await remove(parents, 1);
  const frames = await socket.drain();
  assert.deepEqual(frames[0], { action: 'delete', payload: ['1'], collection: parents });
  const told = frames.slice(1).map(({ action, payload, keys, collection }) => [action, action === 'delete' ? payload.map(Number) : payload, keys?.map(Number), collection]);
  assert.deepEqual(told.sort(), [['delete', [2], undefined, children], ['update', { kept: null }, [1], children]]);
});

test('A.8, A.10 #7 singletons produce events like any table', async () => {
  const collection = await makeTable({}, { meta: { singleton: true } }), socket = await follower(collection);
  await server.ask('PATCH', `/items/${collection}`, { title: 'first' });
  assert.deepEqual(await socket.next(), { action: 'create', payload: { title: 'first' }, key: 1, collection });
  await server.ask('PATCH', `/items/${collection}`, { title: 'second' });
  const { keys, ...rest } = await socket.next();
  assert.deepEqual([keys.map(Number), rest], [[1], { action: 'update', payload: { title: 'second' }, collection }]);
});

test('A.11 uid on subscribe comes with every event of that subscription, and changes nothing for others', async () => {
  const collection = await makeTable(), tagged = await follower(collection, { uid: 's1' }), plain = await follower(collection);
  await tagged.follow(collection, { uid: 7 });
  await post(collection, { title: 'a' });
  await patch(collection, 1, { title: 'b' });
  await remove(collection, 1);
  const events = [
    { action: 'create', payload: { title: 'a' }, key: 1, collection }, { action: 'update', payload: { title: 'b' }, keys: ['1'], collection },
    { action: 'delete', payload: ['1'], collection },
  ];
  const came = await tagged.drain();
  assert.deepEqual(came.filter((frame) => frame.uid === 's1'), events.map((event) => ({ ...event, uid: 's1' })));
  assert.deepEqual(came.filter((frame) => frame.uid === 7), events.map((event) => ({ ...event, uid: 7 })));
  assert.equal(came.length, 6);
  assert.deepEqual(await plain.drain(), events);
});

test('A.11 query on subscribe: SUBSCRIPTION frames with whole rows read with the query; others get theirs as ever', async () => {
  const collection = await makeTable(), plain = await follower(collection);
  const whole = await follower(collection, { query: { fields: ['id', 'title', 'status'] }, uid: 's1' });
  await post(collection, { title: 'Harvest' });
  await patch(collection, 1, { title: 'Autumn fair' });
  await remove(collection, 1);
  assert.deepEqual(await whole.drain(), [
    { type: 'SUBSCRIPTION', action: 'create', payload: { id: 1, title: 'Harvest', status: 'draft' }, key: 1, collection, uid: 's1' },
    { type: 'SUBSCRIPTION', action: 'update', payload: [{ id: 1, title: 'Autumn fair', status: 'draft' }], keys: ['1'], collection, uid: 's1' },
    { type: 'SUBSCRIPTION', action: 'delete', payload: ['1'], collection, uid: 's1' },
  ]);
  assert.deepEqual((await plain.drain()).map((frame) => frame.payload), [{ title: 'Harvest' }, { title: 'Autumn fair' }, ['1']]);
});

test('A.11 the filter of a query decides who is told; entering is a create, leaving a delete', async () => {
  const collection = await makeTable(), socket = await follower(collection, { query: { fields: ['title'], filter: { count: { _gte: 10 } } } });
  await post(collection, [{ title: 'small', count: 1 }, { title: 'big', count: 10 }]);
  assert.deepEqual(await socket.drain(), [{ type: 'SUBSCRIPTION', action: 'create', payload: { title: 'big' }, key: 2, collection }]);
  await patch(collection, 1, { count: 11 });
  assert.deepEqual(await socket.drain(), [{ type: 'SUBSCRIPTION', action: 'create', payload: { title: 'small' }, key: '1', collection }]);
  await server.ask('PATCH', `/items/${collection}`, { keys: [1, 2], data: { title: 'both' } });
  assert.deepEqual(await socket.drain(), [{ type: 'SUBSCRIPTION', action: 'update', payload: [{ title: 'both' }, { title: 'both' }], keys: [1, 2], collection }]);
  await patch(collection, 2, { count: 9 });
  assert.deepEqual(await socket.drain(), [{ type: 'SUBSCRIPTION', action: 'delete', payload: ['2'], collection }]);
  await remove(collection, 2);
  assert.deepEqual(await socket.drain(), []);
});

test('A.11 an update of fields that a query does not ask for tells nothing', async () => {
  const collection = await makeTable(), socket = await follower(collection, { query: { fields: ['title'] } });
  await post(collection, { title: 'a' });
  await socket.drain();
  await patch(collection, 1, { count: 5 });
  for (const frame of await socket.drain()) assert.deepEqual(frame.payload, [{ title: 'a' }]);
});

test('A.11 a query that means nothing is refused at once, and no subscription is made', async () => {
  const collection = await makeTable(), socket = await server.socket();
  assertRefused(await socket.ask({ type: 'subscribe', collection, query: { filter: { title: { _nope: 1 } } } }), 'INVALID_QUERY');
  assertRefused(await socket.ask({ type: 'subscribe', collection, query: { fields: ['nope'] } }), 'FORBIDDEN', FORBIDDEN);
  await post(collection, { title: 'a' });
  assert.deepEqual(await socket.drain(), []);
});

test('A.11 unsubscribe with a uid removes that one, without removes all of the connection; no answer', async () => {
  const collection = await makeTable(), other = await makeTable();
  const socket = await follower(collection, { uid: 'a' }), witness = await follower(collection);
  await socket.follow(collection, { uid: 'b' });
  await socket.follow(collection);
  await socket.follow(other, { uid: 'a' });
  const heard = async () => {
    await post(collection, { title: 'x' });
    await post(other, { title: 'y' });
    return (await socket.drain()).map((frame) => `${frame.collection === other ? 'other ' : ''}${frame.uid ?? 'plain'}`).sort();
  };
  assert.deepEqual(await heard(), ['a', 'b', 'other a', 'plain']);
  socket.send({ type: 'unsubscribe', uid: 'unknown' });
  socket.send({ type: ' UNsubscribe', uid: 'a' });
  assert.deepEqual(await socket.drain(), []);
  assert.deepEqual(await heard(), ['b', 'plain']);
  socket.send({ type: 'unsubscribe' });
  assert.deepEqual(await socket.drain(), []);
  assert.deepEqual(await heard(), []);
  await socket.follow(collection);
  assert.deepEqual(await heard(), ['plain']);
  assert.equal((await witness.drain()).length, 4);
});

test('A.11 the same uid on the same collection again takes the place of the old', async () => {
  const collection = await makeTable(), socket = await follower(collection, { uid: 'a' });
  await socket.follow(collection, { uid: 'a', query: { fields: ['id'] } });
  await post(collection, { title: 'x' });
  assert.deepEqual(await socket.drain(), [{ type: 'SUBSCRIPTION', action: 'create', payload: { id: 1 }, key: 1, collection, uid: 'a' }]);
});

test('A.8 a collection that is dropped falls silent, and one of its name later is heard again after subscribing', async () => {
  const collection = await makeTable(), other = await makeTable(), socket = await follower(collection);
  await socket.follow(other);
  await server.ask('DELETE', `/collections/${collection}`);
  await post(other, { title: 'still here' });
  assert.deepEqual((await socket.drain()).map((frame) => frame.collection), [other]);
  await server.makeCollection(collection, { name: 'string' });
  await socket.follow(collection);
  await post(collection, { name: 'anew' });
  assert.deepEqual(await socket.drain(), [{ action: 'create', payload: { name: 'anew' }, key: 1, collection }]);
});

test('A.8 a field that is dropped is told no more, a new one is told at once; who asked for it by name hears nothing', async () => {
  const collection = await makeTable(), socket = await follower(collection), named = await follower(collection, { query: { fields: ['id', 'count'] } });
  await post(collection, { title: 'a', count: 1 });
  assert.equal((await named.drain()).length, 1);
  await server.ask('DELETE', `/fields/${collection}/count`);
  await server.ask('POST', `/fields/${collection}`, { field: 'note', type: 'string' });
  await patch(collection, 1, { title: 'b', note: 'n' });
  assert.deepEqual((await socket.drain()).at(-1).payload, { title: 'b', note: 'n' });
  assert.deepEqual(await named.drain(), []);
});

test('A.8 requests of a client that has gone are still done, and told', async () => {
  const collection = await makeTable(), witness = await follower(collection), goes = await server.socket();
  await goes.ask({ type: 'post', collection, data: { title: 'answered' } });
  for (let i = 0; i < 50; i++) goes.send({ type: 'post', collection, data: { count: i } });
  await goes.close();
  await post(collection, { title: 'last' });
  const told = await witness.drain();
  assert.equal(told[0].payload.title, 'answered');
  assert.deepEqual(told.slice(1, -1).map((frame) => frame.payload.count), told.slice(1, -1).map((_, i) => i));
});
