/* Items over REST: every row of D.4, reading back, keys of every kind, fields, order, pages and counters (E.1, E.2, E.6, E.11). */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Server, postgresOnly } from './harness.js';
import { STRING_KEY, UUID, UUID_KEY, assertError, bracketed, jsonQuery } from './rest.js';

let server, writer;

before(async () => {
  server = await Server.start();
  await server.makeCollection('articles', {
    title: { type: 'string', schema: { is_nullable: false } }, status: { type: 'string', schema: { default_value: 'draft' } }, views: 'integer',
  });
  await server.makeCollection('papers', { title: 'string' }, { key: UUID_KEY });
  await server.makeCollection('words', { meaning: 'string' }, { key: STRING_KEY });
  await server.makeCollection('stars', { name: 'string' }, { key: { type: 'bigInteger', schema: { is_primary_key: true, is_nullable: false } } });
  await server.makeCollection('ranked', { rank: 'integer' }, { meta: { sort_field: 'rank' } });
  writer = await server.makeUser('writer', [
    { collection: 'articles', action: 'create', fields: ['*'] }, { collection: 'articles', action: 'update', fields: ['*'] },
    { collection: 'articles', action: 'delete' }, { collection: 'papers', action: 'read', fields: ['*'] }, { collection: 'papers', action: 'delete' },
  ]);
});
after(() => server.stop());
beforeEach(async () => { await server.ask('DELETE', '/items/articles', { query: { limit: -1 } }); });

const titles = async (query = '') => (await server.ask('GET', `/items/articles${query}`)).map((item) => item.title);
const make = (...list) => server.ask('POST', '/items/articles', list.map((one) => (typeof one === 'string' ? { title: one } : one)));
const nothingWritten = async () => assert.deepEqual(await titles(), []);

/* ---- creating ---- */

test('an object creates an item and answers it whole, with status 200', async () => {
  const answer = await server.rest('POST', '/items/articles', { title: 'Harvest', views: 3 });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
  const { id } = answer.body.data;
  assert.ok(Number.isInteger(id));
  assert.deepEqual(answer.body, { data: { id, title: 'Harvest', status: 'draft', views: 3 } });
});

test('a list creates items in its order and answers a list', async () => {
  const { status, body } = await server.rest('POST', '/items/articles', [{ title: 'b' }, { title: 'a' }]);
  assert.equal(status, 200);
  assert.deepEqual(body.data.map((item) => item.title), ['b', 'a']);
  assert.deepEqual((await server.rest('POST', '/items/articles', [{ title: 'only' }])).body.data.length, 1);
});

test('one bad element of a list undoes them all', async () => {
  const answer = await server.rest('POST', '/items/articles', [{ title: 'good' }, { title: 'also good' }, { views: 1 }]);
  assert.equal(answer.status, 400);
  await nothingWritten();
});

for (const [body, what] of [['text', 'a text'], [7, 'a number'], [null, 'null'], [true, 'true'], [['a'], 'a list of texts'], [[[{ title: 'a' }]], 'a list of lists'], [undefined, 'nothing']])
  test(`creating from ${what} is an invalid payload`, async () => {
    assertError(await server.rest('POST', '/items/articles', body), 400, 'INVALID_PAYLOAD');
    await nothingWritten();
  });

test('a key that its type cannot hold is not counted up to', async () => {
  await server.makeCollection('last', { name: 'string' });
  await server.ask('POST', '/items/last', { id: 2147483646 });
  assert.deepEqual(await server.ask('POST', '/items/last', { name: 'last' }), { id: 2147483647, name: 'last' });
  for (const body of [{ name: 'over' }, [{ name: 'over' }, { id: 5 }]]) assertError(await server.rest('POST', '/items/last', body), 400, 'VALUE_OUT_OF_RANGE');
  assert.deepEqual((await server.ask('GET', '/items/last')).map((item) => item.id), [2147483646, 2147483647]);
});

/* Bytes that no compression makes fit an index of PostgreSQL. */
const incompressible = Array.from({ length: 9000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7919 + i * i * 31) % 20000))).join('');

postgresOnly.test('a text that an index cannot take is too long, and costs no other request', async () => {
  await server.makeCollection('indexed', { name: 'string', unique: { type: 'text', schema: { is_unique: true } }, indexed: { type: 'text', schema: { is_indexed: true } } });
  for (const field of ['unique', 'indexed']) {
    for (const length of [1000, 9000]) {
      const long = { name: 'bad', [field]: incompressible.slice(0, length) };
      const answers = await Promise.all([{ name: 'good' }, long, { name: 'good' }, [{ name: 'bad' }, long], { name: 'good' }].map((body) => server.rest('POST', '/items/indexed', body)));
      for (const at of [1, 3]) assertError(answers[at], 400, 'VALUE_TOO_LONG');
      for (const at of [0, 2, 4]) assert.equal(answers[at].status, 200, JSON.stringify(answers[at].body));
      assertError(await server.rest('PATCH', '/items/indexed', { query: { limit: 1 }, data: { [field]: long[field] } }), 400, 'VALUE_TOO_LONG');
    }
  }
  const rows = await server.ask('GET', '/items/indexed?limit=-1');
  assert.deepEqual(rows.map(({ name, unique, indexed }) => [name, unique, indexed]), Array(12).fill(['good', null, null]));
});

postgresOnly.test('a field whose texts an index cannot take is not indexed', async () => {
  await server.makeCollection('unindexed', { text: 'text' });
  await server.ask('POST', '/items/unindexed', { text: incompressible });
  for (const schema of [{ is_indexed: true }, { is_unique: true }]) assertError(await server.rest('PATCH', '/fields/unindexed/text', { schema }), 400, 'VALUE_TOO_LONG', { field: 'text' });
  assert.deepEqual(await server.ask('GET', '/items/unindexed'), [{ id: 1, text: incompressible }]);
});

test('keys that no column has are ignored for an administrator', async () => {
  const item = await server.ask('POST', '/items/articles', { title: 'a', nonsense: 1, 'title; DROP TABLE articles': 2 });
  assert.deepEqual(Object.keys(item).sort(), ['id', 'status', 'title', 'views']);
});

test('an explicit key moves the sequence beyond it', async () => {
  const [{ id }] = await make('first');
  const explicit = await server.ask('POST', '/items/articles', { id: id + 500, title: 'explicit' });
  assert.equal(explicit.id, id + 500);
  assert.equal((await make('next'))[0].id, id + 501);
});

test('a key that is taken is not unique', async () => {
  const [{ id }] = await make('first');
  assertError(await server.rest('POST', '/items/articles', { id, title: 'again' }), 400, 'RECORD_NOT_UNIQUE', { collection: 'articles', field: 'id', value: String(id) });
  assert.deepEqual(await titles(), ['first']);
});

/* ---- reading ---- */

test('a list answers data alone, without meta', async () => {
  await make('a', 'b');
  const { status, body } = await server.rest('GET', '/items/articles?fields=title');
  assert.equal(status, 200);
  assert.deepEqual(body, { data: [{ title: 'a' }, { title: 'b' }] });
});

test('an item by its key', async () => {
  const [{ id }] = await make('a');
  assert.deepEqual((await server.rest('GET', `/items/articles/${id}`)).body, { data: { id, title: 'a', status: 'draft', views: null } });
  assert.deepEqual((await server.rest('GET', `/items/articles/${id}?fields=title`)).body, { data: { title: 'a' } });
});

for (const key of ['0', '-1', '999999999', 'abc', '1.5', '1e3', '99999999999999999999', '%20', 'null', '1;', "1'--", '%00'])
  test(`the key ${key} of no item is forbidden for every method`, async () => {
    assertError(await server.rest('GET', `/items/articles/${key}`), 403, 'FORBIDDEN');
    assertError(await server.rest('PATCH', `/items/articles/${key}`, { title: 'x' }), 403, 'FORBIDDEN');
  });

test('a collection that is unknown is forbidden, in the words of the specification', async () => {
  const reason = 'You don\'t have permission to access collection "nope" or it does not exist. Queried in root.';
  for (const [method, target, body] of [
    ['GET', '', undefined], ['GET', '/1', undefined], ['SEARCH', '', { query: {} }], ['POST', '', { a: 1 }], ['PATCH', '', { keys: [1], data: {} }],
    ['PATCH', '/1', { a: 1 }], ['DELETE', '', [1]], ['DELETE', '/1', undefined]]) {
    const answer = await server.rest(method, `/items/nope${target}`, body);
    assertError(answer, 403, 'FORBIDDEN', { reason });
    assert.equal(answer.body.errors[0].message, reason);
  }
});

test('system collections are out of reach under /items, whatever the case', async () => {
  for (const name of ['directus_users', 'directus_permissions', 'directus_collections', 'directus_sessions', 'rowcast_journal', 'rowcast_users', 'sqlite_master', 'sqlite_schema', 'ARTICLES', 'Directus_Users'])
    for (const [method, target, body] of [['GET', '', undefined], ['POST', '', {}], ['DELETE', '/1', undefined]])
      assertError(await server.rest(method, `/items/${name}${target}`, body), 403, 'FORBIDDEN');
});

/* ---- SEARCH ---- */

test('SEARCH takes the query of GET in its body, and it replaces the URL\'s', async () => {
  const list = await make('a', 'b', 'c');
  const search = async (body, url = '') => (await server.ask('SEARCH', `/items/articles${url}`, body)).map((item) => item.title);
  assert.deepEqual(await search(undefined), ['a', 'b', 'c']);
  assert.deepEqual(await search({}), ['a', 'b', 'c']);
  assert.deepEqual(await search({ query: {} }), ['a', 'b', 'c']);
  assert.deepEqual(await search({ query: { filter: { title: { _in: ['a', 'c'] } }, sort: ['-title'] } }), ['c', 'a']);
  assert.deepEqual(await search({ query: { sort: '-title', limit: '1', fields: 'title' } }), ['c']);
  assert.deepEqual(await search({ keys: [list[1].id] }), ['b']);
  assert.deepEqual(await search({ keys: [String(list[2].id), list[0].id], query: { sort: ['-id'] } }), ['c', 'a']);
  assert.deepEqual(await search({ keys: [] }), []);
  assert.deepEqual(await search({ query: { limit: 2 } }, '?limit=1'), ['a', 'b']);
});

test('SEARCH and GET answer the same, meta included', async () => {
  await make({ title: 'a', views: 1 }, { title: 'b', views: 2 }, { title: 'c', views: 3 });
  for (const query of [{ filter: { views: { _gt: 1 } }, meta: '*', sort: ['-views'] }, { search: 'B', fields: ['id', 'title'] }, { limit: 1, page: 2, meta: 'filter_count' }, { offset: 1, limit: 1 }]) {
    const searched = await server.rest('SEARCH', '/items/articles', { query });
    assert.equal(searched.status, 200, JSON.stringify(searched.body));
    assert.deepEqual((await server.rest('GET', `/items/articles${bracketed(query)}`)).body, searched.body);
    assert.deepEqual((await server.rest('GET', `/items/articles${jsonQuery({ ...query, ...(query.sort && { sort: query.sort.join() }), ...(query.fields && { fields: query.fields.join() }) })}`)).body, searched.body);
  }
});

for (const body of [{ filter: {} }, { query: {}, more: 1 }, { keys: 'a' }, { keys: { a: 1 } }, { query: 'a' }, { query: [] }, [], 'text', 5])
  test(`SEARCH with ${JSON.stringify(body)} is an invalid payload`, async () => {
    assertError(await server.rest('SEARCH', '/items/articles', body), 400, 'INVALID_PAYLOAD');
  });

/* ---- updating ---- */

test('one item is updated by its key and answered whole', async () => {
  const [{ id }] = await make('a');
  assert.deepEqual((await server.rest('PATCH', `/items/articles/${id}`, { title: 'b' })).body, { data: { id, title: 'b', status: 'draft', views: null } });
  assert.deepEqual((await server.rest('PATCH', `/items/articles/${id}?fields=views`, { views: 9 })).body, { data: { views: 9 } });
  assert.deepEqual((await server.rest('PATCH', `/items/articles/${id}`, {})).body.data.title, 'b');
});

test('a list of objects with keys updates each with its own', async () => {
  const [a, b] = await make('a', 'b');
  const { body } = await server.rest('PATCH', '/items/articles', [{ id: b.id, title: 'B', views: 2 }, { id: String(a.id), title: 'A' }]);
  assert.deepEqual(body.data.map(({ id, title, views }) => [id, title, views]), [[a.id, 'A', null], [b.id, 'B', 2]]);
});

test('keys and data update all alike; a query and data update what it finds', async () => {
  const [a, b, c] = await make('a', 'b', 'c');
  assert.deepEqual((await server.ask('PATCH', '/items/articles', { keys: [c.id, String(a.id)], data: { views: 1 } })).map(({ id, views }) => [id, views]), [[a.id, 1], [c.id, 1]]);
  const found = await server.ask('PATCH', '/items/articles', { query: { filter: { views: { _null: true } } }, data: { status: 'found' } });
  assert.deepEqual(found.map(({ id, status }) => [id, status]), [[b.id, 'found']]);
  assert.deepEqual(await server.ask('PATCH', '/items/articles', { query: { filter: { title: { _eq: 'no such' } } }, data: { status: 'x' } }), []);
});

test('an update by query reaches 100 rows unless it says otherwise', async () => {
  await make(...Array.from({ length: 103 }, (_, i) => `t${i}`));
  assert.equal((await server.ask('PATCH', '/items/articles', { query: {}, data: { views: 1 } })).length, 100);
  assert.equal((await server.ask('PATCH', '/items/articles', { query: { limit: -1 }, data: { views: 2 } })).length, 103);
});

test('a batch with one bad element changes nothing', async () => {
  const [a, b] = await make('a', 'b');
  for (const batch of [
    [{ id: a.id, title: 'changed' }, { title: 'no key' }], [{ id: a.id, title: 'changed' }, { id: null, title: 'no key' }], [{ id: a.id, title: 'changed' }, 'text'],
    [{ id: a.id, title: 'changed' }, { id: b.id, views: 'many' }], [{ id: a.id, title: 'changed' }, { id: b.id, title: null }]])
    assert.equal((await server.rest('PATCH', '/items/articles', batch)).status, 400);
  assertError(await server.rest('PATCH', '/items/articles', [{ title: 'x' }]), 400, 'INVALID_PAYLOAD', { text: /Item in update misses primary key/ });
  assertError(await server.rest('PATCH', '/items/articles', [{ id: a.id, title: 'changed' }, { id: 999999, title: 'x' }]), 403, 'FORBIDDEN');
  assert.deepEqual(await titles(), ['a', 'b']);
});

for (const body of [{ data: { title: 'x' } }, { keys: [1] }, { query: {} }, { keys: [1], query: {}, data: {} }, { keys: 1, data: {} }, { keys: [1], data: [] }, { keys: [1], data: 'x' },
  { query: [], data: {} }, { query: 'x', data: {} }, {}, 'text', 4, null, undefined, { title: 'x' }])
  test(`PATCH of ${JSON.stringify(body)} is an invalid payload`, async () => {
    await make('a');
    assertError(await server.rest('PATCH', '/items/articles', body), 400, 'INVALID_PAYLOAD');
    assert.deepEqual(await titles(), ['a']);
  });

for (const body of ['text', 4, null, [{ title: 'x' }]])
  test(`PATCH of one item with ${JSON.stringify(body)} is an invalid payload`, async () => {
    const [{ id }] = await make('a');
    assertError(await server.rest('PATCH', `/items/articles/${id}`, body), 400, 'INVALID_PAYLOAD');
  });

/* ---- deleting ---- */

test('deleting answers 204 without a body, for every form', async () => {
  const [a, b, c, d] = await make('a', 'b', 'c', 'd', 'e');
  for (const [target, body] of [[`/${a.id}`, undefined], ['', [b.id]], ['', { keys: [String(c.id)] }], ['', { query: { filter: { id: { _eq: d.id } } } }], ['', []]]) {
    const answer = await server.rest('DELETE', `/items/articles${target}`, body);
    assert.deepEqual([answer.status, answer.body, answer.headers.get('content-type')], [204, '', null]);
  }
  assert.deepEqual(await titles(), ['e']);
});

for (const body of [{}, { keys: [1], query: {} }, { keys: 1 }, { query: [] }, { more: 1 }, 'text', 3, null, undefined])
  test(`DELETE with ${JSON.stringify(body)} is an invalid payload`, async () => {
    await make('a');
    assertError(await server.rest('DELETE', '/items/articles', body), 400, 'INVALID_PAYLOAD');
    assert.deepEqual(await titles(), ['a']);
  });

test('a key that does not exist deletes well for an administrator, and is forbidden for others', async () => {
  assert.equal((await server.rest('DELETE', '/items/papers/f8d2b5c8-0000-4000-8000-000000000000')).status, 204);
  assert.equal((await server.rest('DELETE', '/items/articles', [987654])).status, 204);
  assertError(await server.rest('DELETE', '/items/papers/f8d2b5c8-0000-4000-8000-000000000000', undefined, writer.token), 403, 'FORBIDDEN');
});

/* ---- reading back ---- */

test('what was written is read back with the query of the URL, in its order', async () => {
  const made = await server.ask('POST', '/items/articles?fields=title&sort=-title', [{ title: 'a' }, { title: 'c' }, { title: 'b' }]);
  assert.deepEqual(made, [{ title: 'c' }, { title: 'b' }, { title: 'a' }]);
  const many = await server.ask('POST', '/items/articles?fields=id', Array.from({ length: 130 }, (_, i) => ({ title: `t${i}` })));
  assert.equal(many.length, 130);
});

for (const query of ['limit=-2', 'limit=abc', 'offset=-1', 'meta=nonsense', 'filter={', 'filter[title][_nonsense]=a', 'page=-1'])
  test(`with the bad query ${query} nothing is executed`, async () => {
    const [{ id }] = await make('a');
    for (const [method, target, body] of [['GET', '', undefined], ['POST', '', { title: 'new' }], ['PATCH', `/${id}`, { title: 'changed' }], ['DELETE', `/${id}`, undefined], ['DELETE', '', [id]]])
      assertError(await server.rest(method, `/items/articles${target}?${query}`, body), 400, 'INVALID_QUERY');
    if (!query.startsWith('filter[')) assertError(await server.rest('POST', `/items/articles?${query}`, { title: 'new' }, writer.token), 400, 'INVALID_QUERY');
    assert.deepEqual(await titles(), ['a']);
  });

test('a write whose result the caller may not read answers 204', async () => {
  const created = await server.rest('POST', '/items/articles', { title: 'unseen' }, writer.token);
  assert.deepEqual([created.status, created.body], [204, '']);
  const [{ id }] = await server.ask('GET', '/items/articles');
  const updated = await server.rest('PATCH', `/items/articles/${id}`, { title: 'unseen still' }, writer.token);
  assert.deepEqual([updated.status, updated.body], [204, '']);
  assert.equal((await server.rest('PATCH', '/items/articles', { keys: [id], data: { views: 4 } }, writer.token)).status, 204);
  assert.deepEqual(await server.ask('GET', '/items/articles?fields=title,views'), [{ title: 'unseen still', views: 4 }]);
});

/* ---- keys ---- */

test('a uuid key is generated, or taken as given, and anything else is forbidden', async () => {
  const { id } = await server.ask('POST', '/items/papers', { title: 'a' });
  assert.match(id, UUID);
  const given = 'F8D2B5C8-1111-4000-8000-000000000001';
  const made = await server.ask('POST', '/items/papers', { id: given, title: 'b' });
  assert.equal(made.id.toLowerCase(), given.toLowerCase());
  assert.equal((await server.ask('GET', `/items/papers/${made.id}`)).title, 'b');
  for (const key of ['1', 'abc', `${id}0`, id.slice(1), `{${id}}`, id.replaceAll('-', ''), '*'])
    for (const method of ['GET', 'DELETE'])
      assertError(await server.rest(method, `/items/papers/${encodeURIComponent(key)}`), 403, 'FORBIDDEN');
  assertError(await server.rest('PATCH', '/items/papers', { keys: ['abc'], data: { title: 'x' } }), 403, 'FORBIDDEN');
  assertError(await server.rest('DELETE', '/items/papers', [7]), 403, 'FORBIDDEN');
});

for (const key of ['plain', 'a b', 'ä ö', '日本', 'a+b', 'a%b', 'a?b', 'a#b', 'a&b=c', "o'clock", '"quoted"', '..', '😀', '1', '-', 'NULL'])
  test(`the text key ${JSON.stringify(key)} finds its item`, async () => {
    await server.ask('POST', '/items/words', { id: key, meaning: `of ${key}` });
    const target = `/items/words/${encodeURIComponent(key).replaceAll('.', '%2E')}`;
    if (key !== '..') { /* clients resolve it away */
      assert.equal((await server.ask('GET', target)).meaning, `of ${key}`);
      assert.equal((await server.ask('PATCH', target, { meaning: 'new' })).id, key);
      assert.equal((await server.rest('DELETE', target)).status, 204);
    }
    assert.deepEqual(await server.ask('SEARCH', '/items/words', { keys: [key] }), key === '..' ? [{ id: '..', meaning: 'of ..' }] : []);
  });

test('a text key is not made up', async () => {
  const answer = await server.rest('POST', '/items/words', { meaning: 'of nothing' });
  assert.equal(answer.status, 400);
});

test('big integers keep every digit as keys', async () => {
  const big = '9007199254740993';
  const made = await server.ask('POST', '/items/stars', { id: big, name: 'far' });
  assert.equal(String(made.id), big);
  assert.equal((await server.ask('GET', `/items/stars/${big}`)).name, 'far');
  assertError(await server.rest('GET', '/items/stars/9007199254740992'), 403, 'FORBIDDEN');
  assert.equal((await server.ask('SEARCH', '/items/stars', { keys: [big] })).length, 1);
});

test('the text form of a numeric key is the key, in every place', async () => {
  const [{ id }] = await make('a');
  const text = String(id);
  assert.equal((await server.ask('SEARCH', '/items/articles', { keys: [text] })).length, 1);
  assert.equal((await server.ask('PATCH', '/items/articles', { keys: [text], data: { views: 1 } }))[0].id, id);
  assert.equal((await server.ask('PATCH', '/items/articles', [{ id: text, views: 2 }]))[0].views, 2);
  assert.deepEqual((await server.ask('GET', `/items/articles?filter[id][_eq]=${text}`)).length, 1);
  await server.rest('DELETE', '/items/articles', [text]);
  await nothingWritten();
});

/* ---- fields ---- */

const fieldForms = [
  ['fields=id,title', ['id', 'title']], ['fields=title,id', ['title', 'id']], ['fields[]=title&fields[]=views', ['title', 'views']], ['fields=title&fields=id', ['title', 'id']],
  ['fields=%20title%20,%20id', ['title', 'id']], ['fields=title,title,id,title', ['title', 'id']], ['fields=*', ['id', 'title', 'status', 'views']], ['fields[0]=id&fields[1]=views', ['id', 'views']],
  ['limit=1', ['id', 'title', 'status', 'views']], ['unrelated=1', ['id', 'title', 'status', 'views']],
];
for (const [query, keys] of fieldForms)
  test(`?${query} answers the fields ${keys}, in this order`, async () => {
    await make('a');
    const { status, body } = await server.rest('GET', `/items/articles?${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(Object.keys(body.data[0]), keys);
  });

test('a field that is unknown is forbidden, in the words of the specification', async () => {
  for (const query of ['fields=nope', 'fields=id,nope', 'sort=nope', 'sort=-nope', 'filter[nope][_eq]=1'])
    assertError(await server.rest('GET', `/items/articles?${query}`), 403, 'FORBIDDEN',
      { text: /^You don't have permission to access field "nope" in collection "articles" or it does not exist\. Queried in root\.$/ });
});

/* ---- order and pages ---- */

const ordered = [['sort=title', 'abcd'], ['sort=-title', 'dcba'], ['sort=views,title', 'dacb'], ['sort=-views,-title', 'bcad'], ['sort[]=-views&sort[]=title', 'bcad'], ['sort=%20-title%20', 'dcba'],
  ['sort=-id', 'dcba'], ['', 'abcd'], ['sort=status,-title', 'dcba']];
for (const [query, wanted] of ordered)
  test(`?${query} sorts to ${wanted}: nulls come first, ties by key`, async () => {
    await make({ title: 'a', views: 1 }, { title: 'b', views: 3 }, { title: 'c', views: 2 }, { title: 'd' });
    assert.equal((await titles(`?${query}`)).join(''), wanted);
  });

test('a collection with a sort field is sorted by it', async () => {
  await server.ask('POST', '/items/ranked', [{ rank: 3 }, { rank: 1 }, { rank: 2 }]);
  assert.deepEqual((await server.ask('GET', '/items/ranked')).map((item) => item.rank), [1, 2, 3]);
  assert.deepEqual((await server.ask('GET', '/items/ranked?sort=id')).map((item) => item.rank), [3, 1, 2]);
});

const pages = [['limit=2', 'ab'], ['limit=0', ''], ['limit=-1', 'abcde'], ['limit=2&offset=1', 'bc'], ['offset=3', 'de'], ['offset=9', ''], ['limit=2&page=2', 'cd'], ['limit=2&page=3', 'e'],
  ['limit=2&page=0', 'ab'], ['limit=2&page=9', ''], ['limit=-1&page=2', 'abcde'], ['limit=2&page=2&offset=1', 'cd'], ['limit=2&page=1', 'ab'], ['offset=0', 'abcde'], ['limit=-1&offset=2', 'cde'],
  ['limit=9007199254740991', 'abcde'], ['offset=9007199254740991', ''], ['page=9007199254740991', '']];
for (const [query, wanted] of pages)
  test(`?${query} is the page "${wanted}"`, async () => {
    await make(...'abcde');
    assert.equal((await titles(`?${query}`)).join(''), wanted);
    const inBody = Object.fromEntries(query.split('&').map((pair) => pair.split('=').map((part, i) => (i ? Number(part) : part))));
    assert.equal((await server.ask('SEARCH', '/items/articles', { query: inBody })).map((item) => item.title).join(''), wanted);
  });

for (const query of ['limit=-2', 'limit=1.5', 'limit=abc', 'limit=1e400', 'offset=-1', 'offset=1.5', 'offset=x', 'page=-1', 'page=0.5', 'page=x', 'limit[]=1', 'limit=99999999999999999999'])
  test(`?${query} is an invalid query`, async () => {
    assertError(await server.rest('GET', `/items/articles?${query}`), 400, 'INVALID_QUERY', { text: /^Invalid query\. .+\.$/ });
  });

for (const query of [{ limit: -5 }, { limit: 1.5 }, { limit: 'x' }, { limit: {} }, { offset: -1 }, { page: -1 }, { fields: 5 }, { fields: [5] }, { sort: 5 }, { sort: [{}] }, { filter: 5 }, { filter: 'x' },
  { filter: [] }, { filter: '{' }, { search: {} }, { meta: 5 }, { meta: ['nope'] }])
  test(`SEARCH with the query ${JSON.stringify(query)} is an invalid query`, async () => {
    assertError(await server.rest('SEARCH', '/items/articles', { query }), 400, 'INVALID_QUERY');
  });

test('a list has 100 rows unless it says otherwise', async () => {
  await make(...Array.from({ length: 101 }, (_, i) => `t${i}`));
  assert.equal((await titles()).length, 100);
  assert.equal((await titles('?limit=101')).length, 101);
  assert.equal((await titles('?limit=-1')).length, 101);
});

/* ---- counters ---- */

const counters = [['meta=total_count', { total_count: 4 }], ['meta=filter_count', { filter_count: 2 }], ['meta=*', { total_count: 4, filter_count: 2 }], ['meta=total_count,filter_count', { total_count: 4, filter_count: 2 }],
  ['meta[]=filter_count', { filter_count: 2 }], ['meta=*&limit=1&page=2', { total_count: 4, filter_count: 2 }], ['meta=*&limit=0', { total_count: 4, filter_count: 2 }], ['meta=*&search=b', { total_count: 4, filter_count: 1 }]];
for (const [query, meta] of counters)
  test(`?${query} counts ${JSON.stringify(meta)}`, async () => {
    await make({ title: 'a', views: 1 }, { title: 'b', views: 2 }, { title: 'c', views: 3 }, { title: 'd' });
    const { status, body } = await server.rest('GET', `/items/articles?filter[views][_gt]=1&${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body.meta, meta);
    assert.deepEqual(Object.keys(body).sort(), ['data', 'meta']);
  });

test('a counter that is unknown is an invalid query', async () => {
  for (const meta of ['count', 'total_count,nope', 'TOTAL_COUNT'])
    assertError(await server.rest('GET', `/items/articles?meta=${meta}`), 400, 'INVALID_QUERY');
});

/* ---- what is not there yet says so ---- */

for (const query of ['aggregate[count]=*', 'aggregate={"count":"*"}', 'groupBy=status', 'groupBy[]=status', 'deep[a][_limit]=1', 'deep={"a":{"_limit":1}}', 'alias[a]=title', 'fields=title.name', 'fields=*.*', 'fields=year(title)',
  'fields=count(title)', 'sort=title.name', 'sort=year(title)', 'filter={"year(title)":{"_eq":2024}}'])
  test(`?${query} says that it is not supported yet`, async () => {
    assertError(await server.rest('GET', `/items/articles?${query}`), 400, 'INVALID_QUERY', { text: /is not supported yet/ });
  });

for (const target of ['/files', '/assets/x', '/activity', '/activity/1', '/revisions', '/presets', '/notifications', '/comments', '/dashboards', '/panels', '/flows', '/operations', '/folders', '/shares', '/translations',
  '/versions', '/webhooks', '/settings', '/graphql', '/schema/snapshot', '/extensions', '/metrics', '/server/specs/oas', '/users/me/tfa/generate', '/utils/sort/articles', '/items', '/items/',
  '/items/articles/1/2', '/nope', '/nope/../items/articles', '/auth/login', '/USERS'])
  test(`GET ${target} is a route that there is not`, async () => {
    const answer = await server.rest('GET', target);
    const { pathname } = new URL(target, server.url);
    if (pathname === '/items/articles') assert.equal(answer.status, 200); /* the client resolved it */
    else assertError(answer, 404, 'ROUTE_NOT_FOUND', { path: pathname, text: /^Route .* doesn't exist\.$/ });
  });

test('a method that a path does not know is a route that there is not', async () => {
  for (const [method, target] of [['PUT', '/items/articles'], ['PUT', '/items/articles/1'], ['POST', '/items/articles/1'], ['SEARCH', '/items/articles/1'], ['LOCK', '/items/articles'], ['POST', '/server/ping'], ['DELETE', '/users/me/track/page'], ['POST', '/users/invite'], ['POST', '/users/register'], ['POST', '/users/me/tfa/generate']])
    assertError(await server.rest(method, target, method === 'PUT' ? {} : undefined), 404, 'ROUTE_NOT_FOUND', { path: target });
});

/* ---- configured limits ---- */

test('QUERY_LIMIT_MAX, QUERY_LIMIT_DEFAULT and MAX_BATCH_MUTATION bound lists and batches', async () => {
  const small = await Server.start({ environment: { QUERY_LIMIT_MAX: '3', QUERY_LIMIT_DEFAULT: '5', MAX_BATCH_MUTATION: '2' } });
  try {
    await small.makeCollection('things', { name: 'string' });
    for (const two of ['ab', 'cd']) await small.ask('POST', '/items/things', [...two].map((name) => ({ name })));
    for (const [query, count] of [['', 3], ['?limit=-1', 3], ['?limit=3', 3], ['?limit=2', 2]]) assert.equal((await small.ask('GET', `/items/things${query}`)).length, count, query);
    assertError(await small.rest('GET', '/items/things?limit=4'), 400, 'INVALID_QUERY', { text: /"limit" must be less than or equal to 3/ });
    const over = { text: /Exceeded max batch mutation limit of 2/ };
    assertError(await small.rest('POST', '/items/things', [{}, {}, {}]), 400, 'INVALID_PAYLOAD', over);
    assertError(await small.rest('PATCH', '/items/things', { keys: [1, 2, 3], data: { name: 'x' } }), 400, 'INVALID_PAYLOAD', over);
    assertError(await small.rest('PATCH', '/items/things', [{ id: 1 }, { id: 2 }, { id: 3 }]), 400, 'INVALID_PAYLOAD', over);
    assertError(await small.rest('PATCH', '/items/things', { query: {}, data: { name: 'x' } }), 400, 'INVALID_PAYLOAD', over);
    assertError(await small.rest('DELETE', '/items/things', [1, 2, 3]), 400, 'INVALID_PAYLOAD', over);
    assert.deepEqual((await small.ask('GET', '/items/things?limit=3')).map((item) => item.name), ['a', 'b', 'c']);
    assert.equal((await small.rest('DELETE', '/items/things', [1, 2])).status, 204);
  } finally {
    await small.stop();
  }
});
