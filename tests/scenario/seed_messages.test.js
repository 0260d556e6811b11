/* Messages and answers of directus-websocket-subscribe: A.3 to A.7, A.9, A.10, lines A20 to A24 of the checklist. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, assertRefused } from './harness.js';

const FORBIDDEN = { status: 403 };
let server, socket;

before(async () => {
  server = await Server.start();
  await server.makeCollection('events', {
    title: 'string', status: { type: 'string', schema: { default_value: 'draft' } }, count: 'integer',
  });
  await server.makeCollection('Mixed', { name: 'string' });
  await server.makeCollection('about', { text: 'string' }, { meta: { singleton: true } });
  await server.makeCollection('strict', {
    name: { type: 'string', schema: { is_nullable: false } },
    code: { type: 'string', schema: { is_unique: true } },
    short: { type: 'string', schema: { max_length: 5 } },
    level: { type: 'integer', meta: { validation: { level: { _lte: 5 } } } },
    event: 'integer', day: 'date',
  });
  await server.ask('POST', '/relations', { collection: 'strict', field: 'event', related_collection: 'events' });
});
after(() => server?.stop());

test('open the socket that most tests share', async () => { socket = await server.socket(); });

/* A collection of this test alone, with rows 1 to N titled t1 to tN. */
let made = 0;
async function makeRows(count) {
  const name = `rows_${++made}`;
  await server.makeCollection(name, { title: 'string', status: 'string', count: 'integer' });
  const rows = Array.from({ length: count }, (_, i) => ({ title: `t${i + 1}`, status: i % 2 ? 'even' : 'odd', count: i + 1 }));
  if (count) await server.ask('POST', `/items/${name}`, rows);
  return name;
}

const ids = (frame) => frame.data.map((row) => row.id);

test('A.3 type is trimmed and compared without case', async () => {
  const collection = await makeRows(1);
  for (const type of ['get', 'Get', 'GET', ' get ', '\tgEt\n', '  GET'])
    assert.deepEqual(ids(await socket.ask({ type, collection })), [1], JSON.stringify(type));
  assertRefused(await socket.ask({ type: 'g et', collection }), 'INVALID_PAYLOAD');
});

test('A20 every type is accepted in any case with blanks around it', async () => {
  const collection = await makeRows(0);
  assert.equal((await socket.ask({ type: ' pOsT ', collection, data: { title: 'a' } })).type, 'RESPONSE');
  assert.equal((await socket.ask({ type: ' Patch', collection, id: 1, data: { title: 'b' } })).type, 'RESPONSE');
  assert.equal((await socket.ask({ type: 'DELETE ', collection, id: 1 })).data, 1);
  const other = await server.socket();
  other.send({ type: ' SubScribe ', collection });
  assert.deepEqual(await other.drain(), []);
  await server.ask('POST', `/items/${collection}`, { title: 'c' });
  assert.equal((await other.next()).action, 'create');
});

test('A.3 collection: the exact name first, then trimmed and in lower case', async () => {
  const collection = await makeRows(2);
  assert.deepEqual(ids(await socket.ask({ type: 'get', collection: ` ${collection.toUpperCase()} ` })), [1, 2]);
  assert.deepEqual(await socket.ask({ type: 'post', collection: 'Mixed', data: { name: 'm' } }), { type: 'RESPONSE', data: { id: 1, name: 'm' } });
  assert.deepEqual(ids(await socket.ask({ type: 'get', collection: 'Mixed' })), [1]);
});

test('A.3 query: what is no object is treated as empty', async () => {
  const collection = await makeRows(3);
  for (const query of [null, false, 7, 'limit', [{ limit: 1 }]])
    assert.deepEqual(ids(await socket.ask({ type: 'get', collection, query })), [1, 2, 3], JSON.stringify(query));
});

test('A.3 query: fields, sort, filter, limit, offset, page and search are honoured', async () => {
  const collection = await makeRows(6);
  const get = (query) => socket.ask({ type: 'get', collection, query });
  assert.deepEqual((await get({ fields: ['title', 'id'], limit: 1 })).data, [{ title: 't1', id: 1 }]);
  assert.deepEqual(ids(await get({ sort: ['-status', '-id'] })), [5, 3, 1, 6, 4, 2]);
  assert.deepEqual(ids(await get({ filter: { _or: [{ count: { _gt: 5 } }, { title: { _eq: 't1' } }] } })), [1, 6]);
  assert.deepEqual(ids(await get({ limit: 2, offset: 3 })), [4, 5]);
  assert.deepEqual(ids(await get({ limit: 2, page: 3 })), [5, 6]);
  assert.deepEqual(ids(await get({ search: 'T4' })), [4]);
});

test('A.3 query: what section E accepts is accepted: comma text, short filters, numbers as text', async () => {
  const collection = await makeRows(4);
  const get = (query) => socket.ask({ type: 'get', collection, query });
  assert.deepEqual((await get({ fields: 'id,status', limit: '1' })).data, [{ id: 1, status: 'odd' }]);
  assert.deepEqual(ids(await get({ sort: 'status,-id', filter: { status: 'odd' } })), [3, 1]);
});

test('A.3 query: a key with a falsy value is dropped, so limit 0 is no limit', async () => {
  const collection = await makeRows(3);
  for (const query of [{ limit: 0 }, { limit: null, offset: 0, page: false }, { filter: null, fields: '', sort: '', search: '' }])
    assert.deepEqual(ids(await socket.ask({ type: 'get', collection, query })), [1, 2, 3], JSON.stringify(query));
});

test('A.3 query: other keys are ignored, meta among them', async () => {
  const collection = await makeRows(1);
  const frame = await socket.ask({ type: 'get', collection, query: { meta: '*', export: 'csv', nonsense: { a: 1 } } });
  assert.deepEqual(frame, { type: 'RESPONSE', data: [{ id: 1, title: 't1', status: 'odd', count: 1 }] });
});

test('A.3 id: falsy values count as absent; ids likewise', async () => {
  const collection = await makeRows(1);
  for (const address of [{ id: 0 }, { id: '' }, { id: null }, { id: false }, { id: 0, ids: null }, { ids: false }]) {
    assertRefused(await socket.ask({ type: 'patch', collection, ...address, data: { title: 'x' } }), 'INVALID_PAYLOAD');
    assertRefused(await socket.ask({ type: 'delete', collection, ...address }), 'INVALID_PAYLOAD');
  }
  assert.deepEqual((await socket.ask({ type: 'get', collection })).data[0].title, 't1');
});

test('A22 uid is echoed on GET, POST, PATCH, DELETE with its JSON type, and dropped when falsy', async () => {
  const collection = await makeRows(1);
  for (const uid of ['u1', 7, 1.5, true, 'ü "quoted" \n']) {
    assert.equal((await socket.ask({ type: 'get', collection, uid })).uid, uid);
    const { data: { id }, uid: came } = await socket.ask({ type: 'post', collection, data: {}, uid });
    assert.equal(came, uid);
    assert.equal((await socket.ask({ type: 'patch', collection, id, data: { title: 'p' }, uid })).uid, uid);
    assert.equal((await socket.ask({ type: 'delete', collection, id, uid })).uid, uid);
    assertRefused(await socket.ask({ type: 'get', collection: 'nowhere', uid }), 'FORBIDDEN', { ...FORBIDDEN, uid });
  }
  for (const uid of [0, '', null, false, {}, { a: 1 }, ['u']]) /* and a uid that is no scalar is none */
    assert.deepEqual(Object.keys(await socket.ask({ type: 'get', collection, uid })).sort(), ['data', 'type']);
});

test('A.3 answers: RESPONSE and ERROR are upper-case whatever the request was', async () => {
  const collection = await makeRows(1);
  assert.equal((await socket.ask({ type: 'get', collection })).type, 'RESPONSE');
  assert.equal((await socket.ask({ type: 'get', collection: 'nowhere' })).type, 'ERROR');
});

test('A.3 the key order of a message does not matter, and a later key of the same name wins', async () => {
  const collection = await makeRows(2);
  const frame = await socket.ask(`{"query":{"limit":1},"uid":"a","collection":"${collection}","uid":"b","type":"get"}`);
  assert.deepEqual(frame, { type: 'RESPONSE', data: [{ id: 1, title: 't1', status: 'odd', count: 1 }], uid: 'b' });
});

test('A.3 500 requests without waiting are answered in their order, and each read sees the writes before it', async () => {
  const name = 'piped';
  await server.makeCollection(name, { title: 'string' }, { key: { type: 'integer', schema: { is_primary_key: true } } });
  const client = await server.socket(), rows = new Map(), expected = [];
  const steps = [
    (i) => { rows.set(i + 1, `t${i}`); return [{ type: 'post', data: { id: i + 1, title: `t${i}` } }, { id: i + 1, title: `t${i}` }]; },
    (i) => [{ type: 'get', query: { filter: { id: { _eq: i } } } }, [{ id: i, title: rows.get(i) }]],
    (i) => { rows.set(i - 1, `p${i}`); return [{ type: 'patch', id: i - 1, data: { title: `p${i}` } }, { id: i - 1, title: `p${i}` }]; },
    () => { const last = Math.max(...rows.keys()); return [{ type: 'get', query: { sort: ['-id'], limit: 1 } }, [{ id: last, title: rows.get(last) }]]; },
    (i) => { if (i % 2) rows.delete(i - 3); return i % 2 ? [{ type: 'delete', id: i - 3 }, i - 3] : [{ type: 'get', query: { fields: ['id'], limit: -1 } }, [...rows.keys()].map((id) => ({ id }))]; },
  ];
  for (let i = 0; i < 500; i++) {
    const [request, data] = steps[i % steps.length](i);
    client.send({ ...request, collection: name, uid: `r${i}` });
    expected.push({ type: 'RESPONSE', data, uid: `r${i}` });
  }
  for (const answer of expected) assert.deepEqual(await client.next(answer.uid), answer);
});

test('A.4 GET answers an array, with the id and the ids of the message not looked at', async () => {
  const collection = await makeRows(3);
  assert.deepEqual(ids(await socket.ask({ type: 'get', collection, id: 2, ids: [3] })), [1, 2, 3]);
  assert.deepEqual((await socket.ask({ type: 'get', collection, query: { filter: { id: 99 } } })).data, []);
});

test('A.4 the limit is 100 by default, and -1 means all', async () => {
  const collection = await makeRows(101);
  assert.equal((await socket.ask({ type: 'get', collection })).data.length, 100);
  assert.equal((await socket.ask({ type: 'get', collection, query: { limit: 101 } })).data.length, 101);
  assert.equal((await socket.ask({ type: 'get', collection, query: { limit: -1 } })).data.length, 101);
});

test('A.4 grouping and nested queries are answered or refused, never passed over', async () => {
  const collection = await makeRows(2);
  for (const query of [{ aggregate: { count: '*' } }, { aggregate: { count: '*' }, group: ['status'] }, { groupBy: ['status'] }, { alias: { a: 'title' }, fields: ['a'] }]) {
    const frame = await socket.ask({ type: 'get', collection, query });
    if (frame.type === 'ERROR') assert.ok(['INVALID_QUERY', 'FORBIDDEN'].includes(frame.data.code), JSON.stringify(frame));
    else assert.ok(frame.data.every((row) => !('count' in row) || row.count === 2 || query.group), JSON.stringify(frame));
  }
});

test('A.5 POST of an object answers the created item as an object, defaults and key included', async () => {
  const frame = await socket.ask({ type: 'post', collection: 'events', data: { title: 'Harvest' }, uid: 'p' });
  assert.deepEqual(frame, { type: 'RESPONSE', data: { id: frame.data.id, title: 'Harvest', status: 'draft', count: null }, uid: 'p' });
  assert.equal(typeof frame.data.id, 'number');
});

test('A.5 POST of a list answers an array, in the order of the list', async () => {
  const collection = await makeRows(0);
  const { data } = await socket.ask({ type: 'post', collection, data: [{ title: 'Harvest' }, { title: 'Market' }] });
  assert.deepEqual(data.map(({ id, title }) => [id, title]), [[1, 'Harvest'], [2, 'Market']]);
  assert.deepEqual((await socket.ask({ type: 'post', collection, data: [] })).data, []);
});

test('A.5 the created items are read back with the query', async () => {
  const collection = await makeRows(0);
  const query = { fields: ['title'] };
  assert.deepEqual((await socket.ask({ type: 'post', collection, data: { title: 'a' }, query })).data, { title: 'a' });
  assert.deepEqual((await socket.ask({ type: 'post', collection, data: [{ title: 'b' }], query })).data, [{ title: 'b' }]);
});

test('A.5 who may create but not read gets FORBIDDEN, and the item exists', async () => {
  const collection = await makeRows(0);
  const { token } = await server.makeUser('poster', [{ collection, action: 'create', fields: ['*'] }]);
  const client = await server.socket(token);
  assertRefused(await client.ask({ type: 'post', collection, data: { title: 'blind' }, uid: 1 }), 'FORBIDDEN', { ...FORBIDDEN, uid: 1 });
  assert.deepEqual((await socket.ask({ type: 'get', collection, query: { fields: ['title'] } })).data, [{ title: 'blind' }]);
});

test('A.5 the read-back honours the read permission: hidden fields are left out, a hidden item is FORBIDDEN', async () => {
  const collection = await makeRows(0);
  const { token } = await server.makeUser('maker', [
    { collection, action: 'create', fields: ['*'] },
    { collection, action: 'read', fields: ['id', 'title'], permissions: { status: { _eq: 'on' } } },
  ]);
  const client = await server.socket(token);
  assert.deepEqual((await client.ask({ type: 'post', collection, data: { title: 'seen', status: 'on' } })).data, { id: 1, title: 'seen' });
  assertRefused(await client.ask({ type: 'post', collection, data: { title: 'unseen', status: 'off' } }), 'FORBIDDEN', FORBIDDEN);
  assert.deepEqual((await client.ask({ type: 'post', collection, data: [{ status: 'on' }, { status: 'off' }] })).data, [{ id: 3, title: null }]);
  assert.equal((await socket.ask({ type: 'get', collection })).data.length, 4);
});

test('A.5 one bad element of a list undoes all', async () => {
  const before = (await socket.ask({ type: 'get', collection: 'strict', query: { limit: -1 } })).data;
  const bad = await socket.ask({ type: 'post', collection: 'strict', data: [{ name: 'a', code: 'c1' }, { name: 'b', code: 'c1' }] });
  assertRefused(bad, 'RECORD_NOT_UNIQUE');
  assertRefused(await socket.ask({ type: 'post', collection: 'strict', data: [{ name: 'a' }, 7] }), 'INVALID_PAYLOAD');
  assert.deepEqual((await socket.ask({ type: 'get', collection: 'strict', query: { limit: -1 } })).data, before);
});

test('A.5 data that is neither an object nor a list is refused', async () => {
  const collection = await makeRows(0);
  for (const data of [undefined, null, 7, 'text', true])
    assertRefused(await socket.ask({ type: 'post', collection, data }), 'INVALID_PAYLOAD');
});

test('A.6 PATCH with id answers the item as an object; the query is not honoured', async () => {
  const collection = await makeRows(2);
  assert.deepEqual(await socket.ask({ type: 'PATCH', collection, id: 2, data: { title: 'Fair' }, query: { fields: ['id'] } }),
    { type: 'RESPONSE', data: { id: 2, title: 'Fair', status: 'even', count: 2 } });
});

test('A.6 PATCH with ids answers an array, read back with the query', async () => {
  const collection = await makeRows(3);
  const frame = await socket.ask({ type: 'PATCH', collection, ids: [1, 3], data: { title: 'Closed' }, query: { fields: ['id', 'title'], sort: ['-id'] } });
  assert.deepEqual(frame.data, [{ id: 3, title: 'Closed' }, { id: 1, title: 'Closed' }]);
  assert.deepEqual((await socket.ask({ type: 'PATCH', collection, ids: ['2'], data: { title: 'x' } })).data, [{ id: 2, title: 'x', status: 'even', count: 2 }]);
});

test('A.6 ids wins when both are present, and the same data goes to every key', async () => {
  const collection = await makeRows(3);
  assert.deepEqual(ids(await socket.ask({ type: 'patch', collection, id: 3, ids: [1, 2], data: { title: 'same' } })), [1, 2]);
  assert.deepEqual((await socket.ask({ type: 'get', collection })).data.map((row) => row.title), ['same', 'same', 't3']);
});

test('A.6 the string form of a numeric key is a key', async () => {
  const collection = await makeRows(1);
  assert.deepEqual((await socket.ask({ type: 'patch', collection, id: '1', data: { title: 's' } })).data.title, 's');
});

test('A.6 PATCH without id and ids, or without data, is INVALID_PAYLOAD', async () => {
  const collection = await makeRows(1);
  assertRefused(await socket.ask({ type: 'patch', collection, data: { title: 'x' }, uid: 'q' }), 'INVALID_PAYLOAD', { uid: 'q' });
  for (const data of [undefined, null, 'x', [{ title: 'x' }]])
    assertRefused(await socket.ask({ type: 'patch', collection, id: 1, data }), 'INVALID_PAYLOAD');
  assertRefused(await socket.ask({ type: 'patch', collection, ids: { 0: 1 }, data: { title: 'x' } }), 'INVALID_PAYLOAD');
});

test('A.6 one key that is missing or not permitted refuses the whole request', async () => {
  const collection = await makeRows(2);
  const { token } = await server.makeUser('patcher', [
    { collection, action: 'read', fields: ['*'], permissions: {} },
    { collection, action: 'update', fields: ['title'], permissions: { status: { _eq: 'odd' } } },
  ]);
  const client = await server.socket(token);
  assertRefused(await client.ask({ type: 'patch', collection, ids: [1, 2], data: { title: 'no' } }), 'FORBIDDEN', FORBIDDEN);
  assertRefused(await client.ask({ type: 'patch', collection, ids: [1, 77], data: { title: 'no' } }), 'FORBIDDEN', FORBIDDEN);
  assertRefused(await client.ask({ type: 'patch', collection, id: 1, data: { count: 9 } }), 'FORBIDDEN', FORBIDDEN);
  assert.equal((await client.ask({ type: 'patch', collection, ids: [1], data: { title: 'yes' } })).data[0].title, 'yes');
  assert.deepEqual((await socket.ask({ type: 'get', collection })).data.map((row) => row.title), ['yes', 't2']);
});

test('A.6 a key that does not fit its type is FORBIDDEN', async () => {
  const collection = await makeRows(1);
  for (const id of ['x', 1.5, '1.5', '1x'])
    assertRefused(await socket.ask({ type: 'patch', collection, id, data: { title: 'x' } }), 'FORBIDDEN', FORBIDDEN);
});

test('A.7 DELETE answers the id or the ids exactly as sent', async () => {
  const collection = await makeRows(6);
  assert.deepEqual(await socket.ask({ type: 'DELETE', collection, id: 3 }), { type: 'RESPONSE', data: 3 });
  assert.deepEqual(await socket.ask({ type: 'DELETE', collection, id: '4' }), { type: 'RESPONSE', data: '4' });
  assert.deepEqual(await socket.ask({ type: 'DELETE', collection, ids: [6, '5'] }), { type: 'RESPONSE', data: [6, '5'] });
  assert.deepEqual((await socket.ask({ type: 'DELETE', collection, id: 1, ids: [2] })).data, [2]);
  assert.deepEqual(ids(await socket.ask({ type: 'get', collection })), [1]);
});

test('A.7 uid is echoed on DELETE, as the documentation says', async () => {
  const collection = await makeRows(1);
  assert.deepEqual(await socket.ask({ type: 'DELETE', collection, id: 1, uid: 'd' }), { type: 'RESPONSE', data: 1, uid: 'd' });
});

test('A.7 the example of the documentation whose type says PATCH deletes nothing', async () => {
  const collection = await makeRows(2);
  assertRefused(await socket.ask({ type: 'PATCH', collection, ids: [2, 1] }), 'INVALID_PAYLOAD');
  assert.deepEqual(ids(await socket.ask({ type: 'get', collection })), [1, 2]);
});

test('A.7 one key that may not be deleted refuses the whole request', async () => {
  const collection = await makeRows(2);
  const { token } = await server.makeUser('deleter', [{ collection, action: 'delete', permissions: { status: { _eq: 'odd' } } }]);
  const client = await server.socket(token);
  assertRefused(await client.ask({ type: 'delete', collection, ids: [1, 2] }), 'FORBIDDEN', FORBIDDEN);
  assert.equal((await client.ask({ type: 'delete', collection, id: 1 })).data, 1);
  assert.deepEqual(ids(await socket.ask({ type: 'get', collection })), [2]);
});

test('A21, A.10 #5 GET array; POST object or array; PATCH object or array; DELETE as sent', async () => {
  const collection = await makeRows(0);
  assert.ok(!Array.isArray((await socket.ask({ type: 'post', collection, data: {} })).data));
  assert.ok(Array.isArray((await socket.ask({ type: 'post', collection, data: [{}] })).data));
  assert.ok(Array.isArray((await socket.ask({ type: 'get', collection })).data));
  assert.ok(!Array.isArray((await socket.ask({ type: 'patch', collection, id: 1, data: { title: 'x' } })).data));
  assert.ok(Array.isArray((await socket.ask({ type: 'patch', collection, ids: [1], data: { title: 'x' } })).data));
  assert.equal((await socket.ask({ type: 'delete', collection, id: 1 })).data, 1);
  assert.deepEqual((await socket.ask({ type: 'delete', collection, ids: [2] })).data, [2]);
});

test('A.9 an error is an object with status, code and extensions', async () => {
  const frame = await socket.ask({ type: 'get', collection: 'nowhere', uid: 'q1' });
  assertRefused(frame, 'FORBIDDEN', { ...FORBIDDEN, uid: 'q1' });
});

test('A.9 FORBIDDEN: no permission, no such item, no such field', async () => {
  const { token } = await server.makeUser('nobody', []);
  const client = await server.socket(token);
  assertRefused(await client.ask({ type: 'get', collection: 'events' }), 'FORBIDDEN', FORBIDDEN);
  assertRefused(await client.ask({ type: 'subscribe', collection: 'events' }), 'FORBIDDEN', FORBIDDEN);
  assertRefused(await socket.ask({ type: 'patch', collection: 'events', id: 4711, data: { title: 'x' } }), 'FORBIDDEN', FORBIDDEN);
  assertRefused(await socket.ask({ type: 'get', collection: 'events', query: { fields: ['nope'] } }), 'FORBIDDEN', FORBIDDEN);
  assertRefused(await socket.ask({ type: 'get', collection: 'events', query: { filter: { nope: { _eq: 1 } } } }), 'FORBIDDEN', FORBIDDEN);
});

test('A.9 no permission and no such collection are told with the same words but for the name', async () => {
  const { token } = await server.makeUser('prober', []);
  const client = await server.socket(token);
  const [there, nowhere] = [await client.ask({ type: 'get', collection: 'events' }), await client.ask({ type: 'get', collection: 'stneve' })];
  assert.equal(JSON.stringify(there).replaceAll('events', '?'), JSON.stringify(nowhere).replaceAll('stneve', '?'));
});

test('A.9 INVALID_QUERY: an operator, a limit or a value that means nothing', async () => {
  for (const query of [{ filter: { title: { _nope: 1 } } }, { limit: -2 }, { filter: { count: { _eq: 'many' } } }, { filter: [1] }, { sort: 7 }])
    assertRefused(await socket.ask({ type: 'get', collection: 'events', query }), 'INVALID_QUERY', {});
});

test('A23 FAILED_VALIDATION: data is a list with one entry for each violation', async () => {
  const frame = await socket.ask({ type: 'post', collection: 'strict', data: { level: 9 }, uid: 'v' });
  assert.equal(frame.type, 'ERROR');
  assert.equal(frame.uid, 'v');
  assert.ok(Array.isArray(frame.data), JSON.stringify(frame));
  const told = frame.data.map(({ status, code, extensions: { field, type } }) => ({ status, code, field, type }));
  assert.deepEqual(told.sort((a, b) => (a.field < b.field ? -1 : 1)), [
    { status: 400, code: 'FAILED_VALIDATION', field: 'level', type: 'lte' },
    { status: 400, code: 'FAILED_VALIDATION', field: 'name', type: 'required' },
  ]);
  assert.equal((await socket.ask({ type: 'post', collection: 'strict', data: { name: null } })).data[0].extensions.type, 'nnull');
});

test('A.9 RECORD_NOT_UNIQUE, INVALID_FOREIGN_KEY, VALUE_TOO_LONG, VALUE_OUT_OF_RANGE', async () => {
  const post = (data) => socket.ask({ type: 'post', collection: 'strict', data: { name: 'n', ...data } });
  assert.equal((await post({ code: 'once' })).type, 'RESPONSE');
  assertRefused(await post({ code: 'once' }), 'RECORD_NOT_UNIQUE');
  assertRefused(await post({ event: 4711 }), 'INVALID_FOREIGN_KEY');
  assert.equal((await post({ short: '12345' })).type, 'RESPONSE');
  assertRefused(await post({ short: '123456' }), 'VALUE_TOO_LONG');
  assert.equal((await post({ event: null, level: -2147483648 })).type, 'RESPONSE');
  assertRefused(await post({ level: -2147483649 }), 'VALUE_OUT_OF_RANGE');
});

test('A.9 INVALID_PAYLOAD: a value that does not fit its field', async () => {
  assertRefused(await socket.ask({ type: 'post', collection: 'strict', data: { name: 'n', day: 'yesterday' } }), 'INVALID_PAYLOAD');
});

test('A24 a frame that is no JSON object: INVALID_PAYLOAD, and the connection stays open', async () => {
  const client = await server.socket();
  for (const text of ['', ' ', 'nonsense', '{', '[]', '[{"type":"get"}]', '7', '"get"', 'null', '{"type":"get"}{}', '{type:"get"}', "{'type':'get'}"])
    assertRefused(await client.ask(text), 'INVALID_PAYLOAD');
  assert.equal((await client.ask({ type: 'get', collection: 'events' })).type, 'RESPONSE');
});

test('A24 what is wrong with a text that is no JSON is told', async () => {
  assert.match((await socket.ask('{"type":')).data.extensions.reason, /JSON/);
  assert.match((await socket.ask('{"type":"get","collection":"events","uid":1e999}')).data.extensions.reason, /number out of range/);
});

test('A24 JSON that nests without end is refused, and costs nobody anything', async () => {
  const client = await server.socket();
  for (const text of ['['.repeat(100_000), '{"a":'.repeat(100_000), `{"type":"get","collection":"events","query":{"filter":${'{"_and":['.repeat(5000)}${']}'.repeat(5000)}}}`]) {
    const frame = await client.ask(text);
    assert.equal(frame.type, 'ERROR');
    assert.equal(frame.data.status, 400);
  }
  assert.equal((await client.ask({ type: 'get', collection: 'events' })).type, 'RESPONSE');
});

test('A.9 collection missing or empty: INVALID_PAYLOAD; unknown: FORBIDDEN; both with the uid', async () => {
  for (const collection of [undefined, null, '', '  ', 7, {}, ['events']])
    for (const type of ['get', 'post', 'patch', 'delete', 'subscribe'])
      assertRefused(await socket.ask({ type, collection, uid: 'u' }), 'INVALID_PAYLOAD', { uid: 'u' });
  for (const type of ['get', 'post', 'patch', 'delete', 'subscribe'])
    assertRefused(await socket.ask({ type, collection: 'unknown', id: 1, data: {}, uid: 'u' }), 'FORBIDDEN', { ...FORBIDDEN, uid: 'u' });
});

test('A.9 type unknown or missing: INVALID_PAYLOAD with the uid, and the connection stays open', async () => {
  for (const type of [undefined, null, '', 'put', 'response', 7, ['get'], { get: 1 }])
    assertRefused(await socket.ask({ type, collection: 'events', uid: 'u' }), 'INVALID_PAYLOAD', { uid: 'u' });
  assert.equal((await socket.ask({ type: 'get', collection: 'events' })).type, 'RESPONSE');
});

test('A.9 PATCH and DELETE without id and ids: INVALID_PAYLOAD', async () => {
  assertRefused(await socket.ask({ type: 'patch', collection: 'events', data: {}, uid: 5 }), 'INVALID_PAYLOAD', { uid: 5 });
  assertRefused(await socket.ask({ type: 'delete', collection: 'events', uid: 5 }), 'INVALID_PAYLOAD', { uid: 5 });
});

test('A.10 #1 type without case and trimmed; #2 collection lower-cased only as a fall-back', async () => {
  const collection = await makeRows(1);
  assert.deepEqual(ids(await socket.ask({ type: ' GeT ', collection: collection.toUpperCase() })), [1]);
  assertRefused(await socket.ask({ type: 'get', collection: 'mixed' }), 'FORBIDDEN', FORBIDDEN);
});

test('A.10 #3 an empty list of ids is a list, and wins over id', async () => {
  const collection = await makeRows(2);
  assert.deepEqual((await socket.ask({ type: 'patch', collection, id: 1, ids: [], data: { title: 'x' } })).data, []);
  assert.deepEqual((await socket.ask({ type: 'delete', collection, id: 1, ids: [] })).data, []);
  assert.deepEqual((await socket.ask({ type: 'get', collection })).data.map((row) => row.title), ['t1', 't2']);
});

test('A.10 #7 singletons are ordinary tables: GET an array, PATCH by id, and PATCH without id updates the single row', async () => {
  assert.deepEqual((await socket.ask({ type: 'get', collection: 'about' })).data, []);
  assert.deepEqual((await socket.ask({ type: 'patch', collection: 'about', data: { text: 'one' } })).data, { id: 1, text: 'one' });
  assert.deepEqual((await socket.ask({ type: 'get', collection: 'about' })).data, [{ id: 1, text: 'one' }]);
  assert.deepEqual((await socket.ask({ type: 'patch', collection: 'about', id: 1, data: { text: 'two' } })).data, { id: 1, text: 'two' });
  assert.deepEqual((await socket.ask({ type: 'patch', collection: 'about', data: { text: 'three' } })).data, { id: 1, text: 'three' });
  assert.deepEqual((await server.ask('GET', '/items/about')), { id: 1, text: 'three' });
});

test('A.10 #8 group and groupBy mean the same; there is no meta', async () => {
  const collection = await makeRows(2);
  const [one, other] = [await socket.ask({ type: 'get', collection, query: { group: ['status'] } }), await socket.ask({ type: 'get', collection, query: { groupBy: ['status'] } })];
  assert.deepEqual(one, other);
  assert.ok(!('meta' in await socket.ask({ type: 'get', collection, query: { meta: ['total_count'] } })));
});

test('C.1 system collections are reachable by name, under their permissions', async () => {
  const users = await socket.ask({ type: 'get', collection: 'directus_users', query: { fields: ['email', 'password', 'token'], filter: { email: { _eq: 'admin@example.com' } } } });
  assert.deepEqual(users.data, [{ email: 'admin@example.com', password: '**********', token: '**********' }]);
  const { token } = await server.makeUser('outsider', []);
  assertRefused(await (await server.socket(token)).ask({ type: 'get', collection: 'directus_users' }), 'FORBIDDEN', FORBIDDEN);
});

test('C.1 system collections are written by name, under their rules', async () => {
  const { data: user } = await socket.ask({ type: 'post', collection: 'directus_users', data: { email: 'new@example.com', password: 'a new password', token: 'a-new-token' } });
  assert.equal(user.password, '**********');
  assert.equal((await server.rest('POST', '/auth/login', { email: 'new@example.com', password: 'a new password' }, null)).status, 200);
  assert.equal((await socket.ask({ type: 'patch', collection: 'directus_users', id: user.id, data: { password: 'another' } })).data.password, '**********');
  assert.equal((await server.rest('POST', '/auth/login', { email: 'new@example.com', password: 'a new password' }, null)).status, 401);
  assert.equal((await server.rest('POST', '/auth/login', { email: 'new@example.com', password: 'another' }, null)).status, 200);
  assertRefused(await socket.ask({ type: 'post', collection: 'directus_users', data: { email: 'NEW@example.com' } }), 'RECORD_NOT_UNIQUE');
  assert.equal((await socket.ask({ type: 'delete', collection: 'directus_users', id: user.id })).data, user.id);
  const [admin] = (await socket.ask({ type: 'get', collection: 'directus_users', query: { filter: { email: { _eq: 'admin@example.com' } } } })).data;
  assertRefused(await socket.ask({ type: 'delete', collection: 'directus_users', id: admin.id }), 'UNPROCESSABLE_CONTENT', { status: 422 });
});

test('0. a binary frame whose bytes are JSON is treated like a text frame', async () => {
  const collection = await makeRows(1);
  const client = await server.socket();
  assert.deepEqual(ids(await client.ask(Buffer.from(JSON.stringify({ type: 'get', collection })))), [1]);
  assertRefused(await client.ask(Buffer.from([0xff, 0xfe, 0])), 'INVALID_PAYLOAD');
});
