/* Collections, fields, relations, singletons, types and special flags over REST (D.8 to D.10, G.4, G.5). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from './harness.js';
import { INTEGER_KEY, STRING_KEY, UUID, UUID_KEY, assertError, assertViolations } from './rest.js';

let server, viewer, made = 0;

before(async () => {
  server = await Server.start();
  await server.makeCollection('seen', { a: 'string', b: 'string' });
  await server.makeCollection('unseen', { a: 'string' });
  viewer = await server.makeUser('viewer', [{ collection: 'seen', action: 'read', fields: ['id', 'a'] }, { collection: 'seen', action: 'create', fields: ['*'] }, { collection: 'seen', action: 'update', fields: ['*'] }], { policy: { app_access: true } });
});
after(() => server.stop());

/* A collection of its own for a test. */
async function fresh(fields, options) {
  const name = `fresh_${++made}`;
  await server.makeCollection(name, fields, options);
  return name;
}
const invalid = async (method, target, body, text) => assertError(await server.rest(method, target, body), 400, 'INVALID_PAYLOAD', { text });

/* ---- collections ---- */

const COLLECTION_META = { icon: null, note: null, display_template: null, hidden: false, singleton: false, translations: null, archive_field: null, archive_app_filter: true, archive_value: null, unarchive_value: null, sort_field: null,
  accountability: 'all', color: null, item_duplication_fields: null, sort: null, group: null, collapse: 'open', preview_url: null, versioning: false };

test('a collection is created, and answered in its shape', async () => {
  const { status, body } = await server.rest('POST', '/collections', { collection: 'shaped', meta: { icon: 'box', note: 'A note', sort: 3 }, schema: {}, fields: [{ field: 'id', ...INTEGER_KEY }, { field: 'name', type: 'string' }] });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(Object.keys(body), ['data']);
  const { collection, meta, schema } = body.data;
  assert.equal(collection, 'shaped');
  assert.equal(meta.collection, 'shaped');
  for (const [name, value] of Object.entries({ ...COLLECTION_META, icon: 'box', note: 'A note', sort: 3 })) assert.deepEqual(meta[name], value, name);
  assert.equal(schema.name, 'shaped');
  assert.deepEqual(await server.ask('GET', '/collections/shaped'), body.data);
  assert.deepEqual((await server.ask('GET', '/collections')).find((one) => one.collection === 'shaped'), body.data);
  assert.deepEqual(await server.ask('SEARCH', '/collections', { keys: ['shaped'] }), [body.data]);
});

test('without a primary key among the fields an automatic integer id comes first', async () => {
  for (const [collection, fields] of [['keyless', undefined], ['keyless_too', [{ field: 'name', type: 'string' }]], ['keyless_three', []]]) {
    await server.ask('POST', '/collections', { collection, schema: {}, ...(fields && { fields }) });
    const [first] = await server.ask('GET', `/fields/${collection}`);
    assert.deepEqual([first.field, first.type, first.schema.is_primary_key, first.schema.has_auto_increment], ['id', 'integer', true, true]);
    assert.equal((await server.ask('POST', `/items/${collection}`, {})).id, 1);
  }
});

test('schema null makes a folder without a table', async () => {
  const folder = await server.ask('POST', '/collections', { collection: 'folder', schema: null, meta: { icon: 'folder' } });
  assert.equal(folder.schema, null);
  assert.equal(folder.meta.icon, 'folder');
  assertError(await server.rest('GET', '/items/folder'), 403, 'FORBIDDEN');
  assert.equal((await server.ask('PATCH', '/collections/seen', { meta: { group: 'folder' } })).meta.group, 'folder');
  await server.ask('PATCH', '/collections/seen', { meta: { group: null } });
  assert.equal((await server.rest('DELETE', '/collections/folder')).status, 204);
});

test('a list creates several collections, or none', async () => {
  const list = await server.ask('POST', '/collections', [{ collection: 'list_a', schema: {} }, { collection: 'list_b', schema: {} }]);
  assert.deepEqual(list.map((one) => one.collection), ['list_a', 'list_b']);
  await invalid('POST', '/collections', [{ collection: 'list_c', schema: {} }, { collection: 'list_a', schema: {} }]);
  assertError(await server.rest('GET', '/collections/list_c'), 403, 'FORBIDDEN');
});

for (const body of [{}, { collection: '' }, { collection: '   ' }, { collection: ' padded' }, { collection: 'padded ' }, { collection: 'directus_mine' }, { collection: 'rowcast_mine' }, { collection: 'sqlite_mine' }, { collection: 'pg_class' }, { collection: 'a/b' }, { collection: 'seen' },
  { collection: 5 }, { collection: null }, { collection: 'x'.repeat(256) }, { collection: 'typed', fields: [{ field: 'a', type: 'nonsense' }] }, { collection: 'typed', fields: 'a' }, { collection: 'typed', fields: [5] }, { collection: 'typed', fields: [{ type: 'string' }] },
  { collection: 'typed', fields: [{ field: 'a', type: 'string' }, { field: 'a', type: 'string' }] }, { collection: 'typed', schema: {}, meta: 5 }, { collection: 'typed', schema: 5 }, 'text', null, 5, [5]])
  test(`a collection from ${JSON.stringify(body)?.slice(0, 90)} is an invalid payload`, async () => {
    await invalid('POST', '/collections', body && typeof body === 'object' && !Array.isArray(body) ? { schema: {}, ...body } : body);
    assertError(await server.rest('GET', '/collections/typed'), 403, 'FORBIDDEN');
  });

test('a field has no name of a column that PostgreSQL has itself, on either store', async () => {
  const name = await fresh({ XMIN: 'integer' });
  for (const field of ['ctid', 'tableoid', 'xmin', 'xmax', 'cmin', 'cmax']) {
    await invalid('POST', `/fields/${name}`, { field, type: 'integer' }, new RegExp(`"field" can't be "${field}"`));
    await invalid('POST', '/collections', { collection: 'typed', schema: {}, fields: [{ field, type: 'integer' }] }, new RegExp(`"field" can't be "${field}"`));
  }
});

test('names with quotes, blanks and letters of any script are names', async () => {
  for (const name of ["o'clock", 'has "quotes"', 'two words', 'größe', '表', 'select', 'x; DROP TABLE seen', 'a[b]', '-', 'UPPER']) {
    const answer = await server.rest('POST', '/collections', { collection: name, schema: {}, fields: [{ field: 'id', ...INTEGER_KEY }, { field: name, type: 'string' }] });
    if (answer.status !== 200) { /* a name may be refused, but clearly */
      assertError(answer, 400, 'INVALID_PAYLOAD');
      continue;
    }
    const target = `/items/${encodeURIComponent(name)}`;
    assert.deepEqual(await server.ask('POST', target, { [name]: 'v' }), { id: 1, [name]: 'v' });
    assert.equal((await server.ask('SEARCH', target, { query: { filter: { [name]: { _eq: 'v' } }, sort: [`-${name}`] } })).length, 1);
    assert.equal((await server.rest('DELETE', `/collections/${encodeURIComponent(name)}`)).status, 204);
  }
});

test('only meta of a collection changes, alone or in a list', async () => {
  const name = await fresh({ rank: 'integer' });
  const changed = await server.ask('PATCH', `/collections/${name}`, { meta: { note: 'changed', hidden: true, sort_field: 'rank', accountability: null } });
  assert.deepEqual([changed.meta.note, changed.meta.hidden, changed.meta.sort_field, changed.meta.accountability], ['changed', true, 'rank', null]);
  const list = await server.ask('PATCH', '/collections', [{ collection: name, meta: { sort: 1 } }, { collection: 'seen', meta: { sort: 2 } }]);
  assert.deepEqual(list.map((one) => [one.collection, one.meta.sort]), [[name, 1], ['seen', 2]]);
  assertError(await server.rest('PATCH', '/collections/nope', { meta: {} }), 403, 'FORBIDDEN');
});

test('dropping a collection takes its fields, permissions and relations with it, and its name is free again', async () => {
  const one = await fresh({ name: 'string' }), many = await fresh({ one: 'integer' });
  await server.ask('POST', '/relations', { collection: many, field: 'one', related_collection: one });
  const permission = await server.ask('POST', '/permissions', { policy: viewer.policy.id, collection: one, action: 'read', fields: ['*'] });
  const answer = await server.rest('DELETE', `/collections/${one}`);
  assert.deepEqual([answer.status, answer.body], [204, '']);
  for (const target of [`/collections/${one}`, `/fields/${one}`, `/fields/${one}/name`, `/items/${one}`, `/permissions/${permission.id}`, `/relations/${many}/one`]) assertError(await server.rest('GET', target), 403, 'FORBIDDEN');
  assert.equal((await server.rest('GET', `/items/${many}`)).status, 200);
  assertError(await server.rest('DELETE', `/collections/${one}`), 403, 'FORBIDDEN');
  await server.makeCollection(one, { other: 'integer' });
  assert.deepEqual(await server.ask('POST', `/items/${one}`, { other: 5 }), { id: 1, other: 5 });
});

test('system collections are shown to administrators and cannot be dropped', async () => {
  const names = (await server.ask('GET', '/collections')).map((one) => one.collection);
  for (const name of ['directus_users', 'directus_roles', 'directus_policies', 'directus_access', 'directus_permissions', 'directus_collections', 'directus_fields', 'directus_relations']) {
    assert.ok(names.includes(name), name);
    const answer = await server.rest('DELETE', `/collections/${name}`);
    assert.ok([400, 403].includes(answer.status), `${name}: ${answer.status}`);
  }
  assert.ok(!names.some((name) => name.startsWith('rowcast_') || name.startsWith('sqlite_')), names.join());
  assert.ok(names.includes('seen'));
});

test('others see the collections they may read, and change none', async () => {
  const names = (await server.ask('GET', '/collections', undefined, viewer.token)).map((one) => one.collection);
  assert.ok(names.includes('seen'));
  assert.ok(!names.includes('unseen'));
  assert.equal((await server.ask('GET', '/collections/seen', undefined, viewer.token)).collection, 'seen');
  assertError(await server.rest('GET', '/collections/unseen', undefined, viewer.token), 403, 'FORBIDDEN');
  for (const [method, target, body] of [['POST', '/collections', { collection: 'mine', schema: {} }], ['PATCH', '/collections/seen', { meta: { note: 'x' } }], ['DELETE', '/collections/seen', undefined], ['POST', '/fields/seen', { field: 'c', type: 'string' }],
    ['PATCH', '/fields/seen/a', { meta: { note: 'x' } }], ['DELETE', '/fields/seen/a', undefined], ['POST', '/relations', { collection: 'seen', field: 'a', related_collection: 'unseen' }]])
    for (const token of [viewer.token, null]) assertError(await server.rest(method, target, body, token), 403, 'FORBIDDEN');
  assertError(await server.rest('GET', '/collections', undefined, null), 403, 'FORBIDDEN');
});

/* ---- fields ---- */

const FIELD_META = { special: null, interface: null, options: null, display: null, display_options: null, readonly: false, hidden: false, width: 'full', translations: null, note: null, conditions: null, required: false, group: null, validation: null,
  validation_message: null, searchable: true };
const FIELD_SCHEMA = { default_value: null, max_length: 255, numeric_precision: null, numeric_scale: null, is_generated: false, generation_expression: null, is_nullable: true, is_unique: false, is_indexed: false, is_primary_key: false,
  has_auto_increment: false, foreign_key_column: null, foreign_key_table: null };

test('a field is created, and answered in its shape', async () => {
  const name = await fresh({});
  const { status, body } = await server.rest('POST', `/fields/${name}`, { field: 'title', type: 'string', meta: { note: 'n', width: 'half' }, schema: { is_nullable: true } });
  assert.equal(status, 200, JSON.stringify(body));
  const { data } = body;
  assert.deepEqual([data.collection, data.field, data.type], [name, 'title', 'string']);
  assert.ok(Number.isInteger(data.meta.id));
  for (const [key, value] of Object.entries({ collection: name, field: 'title', ...FIELD_META, note: 'n', width: 'half' })) assert.deepEqual(data.meta[key], value, `meta.${key}`);
  for (const [key, value] of Object.entries({ name: 'title', table: name, ...FIELD_SCHEMA })) assert.deepEqual(data.schema[key], value, `schema.${key}`);
  assert.deepEqual(await server.ask('GET', `/fields/${name}/title`), data);
  assert.deepEqual((await server.ask('GET', `/fields/${name}`)).map((one) => one.field), ['id', 'title']);
  assert.deepEqual((await server.ask('GET', '/fields')).find((one) => one.collection === name && one.field === 'title'), data);
});

test('a field added to rows that exist reads its default, or null', async () => {
  const name = await fresh({ a: 'string' });
  await server.ask('POST', `/items/${name}`, { a: 'x' });
  await server.ask('POST', `/fields/${name}`, { field: 'b', type: 'integer', schema: { default_value: 7 } });
  await server.ask('POST', `/fields/${name}`, { field: 'c', type: 'integer' });
  assert.deepEqual(await server.ask('GET', `/items/${name}`), [{ id: 1, a: 'x', b: 7, c: null }]);
  assert.deepEqual(await server.ask('POST', `/items/${name}`, {}), { id: 2, a: null, b: 7, c: null });
});

test('a field without null cannot come to rows that would have null in it', async () => {
  const name = await fresh({ a: 'string' });
  await server.ask('POST', `/items/${name}`, [{ a: 'x' }, { a: null }]);
  const added = await server.rest('POST', `/fields/${name}`, { field: 'b', type: 'integer', schema: { is_nullable: false } });
  assert.equal(added.status, 400);
  assertError(await server.rest('PATCH', `/fields/${name}/a`, { schema: { is_nullable: false } }), 400, 'CONTAINS_NULL_VALUES', { collection: name, field: 'a' });
  await server.ask('PATCH', `/items/${name}/2`, { a: 'y' });
  assert.equal((await server.ask('PATCH', `/fields/${name}/a`, { schema: { is_nullable: false } })).schema.is_nullable, false);
  assertError(await server.rest('PATCH', `/items/${name}/2`, { a: null }), 400, 'FAILED_VALIDATION');
});

test('meta and schema of a field change, alone or in a list; the data stay', async () => {
  const name = await fresh({ a: 'string', b: 'string' });
  await server.ask('POST', `/items/${name}`, { a: 'kept', b: '5' });
  const changed = await server.ask('PATCH', `/fields/${name}/a`, { meta: { note: 'new', hidden: true, required: true }, schema: { max_length: 500, is_unique: true, default_value: 'z' } });
  assert.deepEqual([changed.meta.note, changed.meta.hidden, changed.meta.required, changed.schema.max_length, changed.schema.is_unique, changed.schema.default_value], ['new', true, true, 500, true, 'z']);
  const list = await server.ask('PATCH', `/fields/${name}`, [{ field: 'a', meta: { sort: 2 } }, { field: 'b', meta: { sort: 1, note: 'b' } }]);
  assert.deepEqual(list.map((one) => [one.field, one.meta.sort]), [['a', 2], ['b', 1]]);
  assert.deepEqual(await server.ask('GET', `/items/${name}`), [{ id: 1, a: 'kept', b: '5' }]);
  assertError(await server.rest('POST', `/items/${name}`, { a: 'kept' }), 400, 'RECORD_NOT_UNIQUE', { collection: name, field: 'a', value: 'kept' });
});

test('a field is dropped with its data; the primary key is not', async () => {
  const name = await fresh({ a: 'string', b: 'string' });
  await server.ask('POST', `/items/${name}`, { a: '1', b: '2' });
  const answer = await server.rest('DELETE', `/fields/${name}/a`);
  assert.deepEqual([answer.status, answer.body], [204, '']);
  assert.deepEqual(await server.ask('GET', `/items/${name}`), [{ id: 1, b: '2' }]);
  assertError(await server.rest('GET', `/fields/${name}/a`), 403, 'FORBIDDEN');
  assertError(await server.rest('GET', `/items/${name}?fields=a`), 403, 'FORBIDDEN');
  assert.ok([400, 403].includes((await server.rest('DELETE', `/fields/${name}/id`)).status));
  assertError(await server.rest('DELETE', `/fields/${name}/a`), 403, 'FORBIDDEN');
});

for (const body of [{}, { type: 'string' }, { field: 'x', type: 'nonsense' }, { field: '', type: 'string' }, { field: 5, type: 'string' }, { field: 'a', type: 'string' }, { field: 'id', type: 'string' }, { field: 'x', type: 'string', more: 1 },
  { field: 'x', type: 'string', schema: 5 }, { field: 'x', type: 'string', meta: 5 }, { field: 'x', type: 'string', schema: { max_length: -1 } }, { field: 'x', type: 'string', schema: { is_unique: 'yes' } }, { field: 'x', type: 'integer', schema: { default_value: 'abc' } },
  { field: 'x', type: 'string', schema: { is_primary_key: true } }, { field: 'x', type: 'alias' }, { field: 'x', type: 'alias', meta: { special: ['o2m'] } }, { field: 'x', type: null }, { field: 'x', type: 'string', meta: { special: ['encrypt'] } }, 'text', 5, null,
  { field: 'rowcast_x', type: 'string' }])
  test(`a field from ${JSON.stringify(body)} is an invalid payload`, async () => {
    await invalid('POST', '/fields/unseen', body);
    assert.deepEqual((await server.ask('GET', '/fields/unseen')).map((one) => one.field), ['id', 'a']);
  });

test('fields of what does not exist are forbidden; those of system collections stay as they are', async () => {
  for (const [method, target, body] of [['GET', '/fields/nope', undefined], ['GET', '/fields/seen/nope', undefined], ['PATCH', '/fields/seen/nope', { meta: {} }], ['POST', '/fields/nope', { field: 'a', type: 'string' }]])
    assertError(await server.rest(method, target, body), 403, 'FORBIDDEN');
  assertError(await server.rest('DELETE', '/fields/directus_users/email'), 403, 'FORBIDDEN');
  assert.ok([400, 403].includes((await server.rest('POST', '/fields/directus_users', { field: 'mine', type: 'string' })).status));
  assert.ok([400, 403].includes((await server.rest('PATCH', '/fields/directus_users/email', { schema: { is_unique: false } })).status));
});

test('others see the fields they may read', async () => {
  assert.deepEqual((await server.ask('GET', '/fields/seen', undefined, viewer.token)).map((one) => one.field), ['id', 'a']);
  assert.equal((await server.ask('GET', '/fields/seen/a', undefined, viewer.token)).field, 'a');
  for (const target of ['/fields/seen/b', '/fields/unseen/a']) assertError(await server.rest('GET', target, undefined, viewer.token), 403, 'FORBIDDEN');
  assertError(await server.rest('GET', '/fields', undefined, null), 403, 'FORBIDDEN');
});

/* ---- relations ---- */

test('a many-to-one relation is created, read, changed and removed, in its shape', async () => {
  const one = await fresh({ name: 'string' }), many = await fresh({ title: 'string', author: 'integer' });
  const { status, body } = await server.rest('POST', '/relations', { collection: many, field: 'author', related_collection: one, schema: { on_delete: 'SET NULL' }, meta: { sort_field: null } });
  assert.equal(status, 200, JSON.stringify(body));
  const { data } = body;
  assert.deepEqual([data.collection, data.field, data.related_collection], [many, 'author', one]);
  for (const [key, value] of Object.entries({ table: many, column: 'author', foreign_key_table: one, foreign_key_column: 'id', on_update: 'NO ACTION', on_delete: 'SET NULL' })) assert.deepEqual(data.schema[key], value, key);
  assert.ok(Number.isInteger(data.meta.id));
  for (const [key, value] of Object.entries({ many_collection: many, many_field: 'author', one_collection: one, one_field: null, one_collection_field: null, one_allowed_collections: null, junction_field: null, sort_field: null, one_deselect_action: 'nullify' }))
    assert.deepEqual(data.meta[key], value, key);
  assert.deepEqual(await server.ask('GET', `/relations/${many}/author`), data);
  assert.deepEqual(await server.ask('GET', `/relations/${many}`), [data]);
  assert.deepEqual((await server.ask('GET', '/relations')).find((relation) => relation.collection === many), data);
  const field = await server.ask('GET', `/fields/${many}/author`);
  assert.deepEqual([field.schema.foreign_key_table, field.schema.foreign_key_column], [one, 'id']);
  assert.equal((await server.ask('PATCH', `/relations/${many}/author`, { schema: { on_delete: 'CASCADE' } })).schema.on_delete, 'CASCADE');
  assert.equal((await server.rest('DELETE', `/relations/${many}/author`)).status, 204);
  assertError(await server.rest('GET', `/relations/${many}/author`), 403, 'FORBIDDEN');
  assert.equal((await server.ask('POST', `/items/${many}`, { author: 999 })).author, 999);
});

for (const [on_delete, wanted] of [['SET NULL', [{ id: 1, parent: null }]], ['CASCADE', []], ['RESTRICT', undefined], ['NO ACTION', undefined]])
  test(`when what a row refers to is deleted, ${on_delete} does what it says`, async () => {
    const one = await fresh({}), many = await fresh({ parent: 'integer' });
    await server.ask('POST', '/relations', { collection: many, field: 'parent', related_collection: one, schema: { on_delete } });
    await server.ask('POST', `/items/${one}`, {});
    await server.ask('POST', `/items/${many}`, { parent: 1 });
    const answer = await server.rest('DELETE', `/items/${one}/1`);
    if (wanted) assert.equal(answer.status, 204, JSON.stringify(answer.body));
    else assertError(answer, 400, 'INVALID_FOREIGN_KEY');
    assert.deepEqual(await server.ask('GET', `/items/${many}`), wanted ?? [{ id: 1, parent: 1 }]);
    assert.equal((await server.ask('GET', `/items/${one}`)).length, wanted ? 0 : 1);
  });

test('a reference to nothing is refused, on create and on update', async () => {
  const one = await fresh({}), many = await fresh({ parent: 'integer' });
  await server.ask('POST', '/relations', { collection: many, field: 'parent', related_collection: one });
  await server.ask('POST', `/items/${one}`, {});
  assertError(await server.rest('POST', `/items/${many}`, { parent: 5 }), 400, 'INVALID_FOREIGN_KEY');
  const { id, parent } = await server.ask('POST', `/items/${many}`, { parent: 1 });
  assert.equal(parent, 1);
  assertError(await server.rest('PATCH', `/items/${many}/${id}`, { parent: 6 }), 400, 'INVALID_FOREIGN_KEY');
  assert.equal((await server.ask('PATCH', `/items/${many}/${id}`, { parent: null })).parent, null);
  const nested = await server.rest('POST', `/items/${many}`, { parent: { id: 1 } });
  assert.equal(nested.status, 400);
  assert.match(nested.body.errors[0].message, /is not supported yet/);
});

test('relations that make no sense are invalid payloads', async () => {
  const one = await fresh({}), many = await fresh({ parent: 'integer', free: 'integer' });
  await server.ask('POST', '/relations', { collection: many, field: 'parent', related_collection: one });
  for (const body of [{}, { collection: many }, { collection: many, field: 'nope', related_collection: one }, { collection: 'nope', field: 'parent', related_collection: one }, { collection: many, field: 'free', related_collection: 'nope' },
    { collection: many, field: 'parent', related_collection: one }, { collection: many, field: 'id', related_collection: one }, { collection: many, field: 'free', related_collection: one, schema: { on_delete: 'EXPLODE' } },
    { collection: many, field: 'free', related_collection: null, meta: { one_collection_field: 'x', one_allowed_collections: [one] } }, 'text', 5, null])
    await invalid('POST', '/relations', body);
  assertError(await server.rest('GET', `/relations/${many}/free`), 403, 'FORBIDDEN');
  assertError(await server.rest('GET', '/relations/nope'), 403, 'FORBIDDEN');
  assertError(await server.rest('DELETE', `/relations/${many}/free`), 403, 'FORBIDDEN');
});

/* ---- singletons ---- */

test('a singleton is one object: its defaults, an upsert, the row', async () => {
  const name = await fresh({ text: { type: 'string', schema: { default_value: 'hello' } }, other: 'integer' }, { meta: { singleton: true } });
  assert.deepEqual((await server.rest('GET', `/items/${name}`)).body, { data: { id: null, text: 'hello', other: null } });
  assert.deepEqual((await server.rest('PATCH', `/items/${name}`, { other: 5 })).body, { data: { id: 1, text: 'hello', other: 5 } });
  assert.deepEqual((await server.rest('PATCH', `/items/${name}?fields=text`, { text: 'bye' })).body, { data: { text: 'bye' } });
  assert.deepEqual((await server.rest('GET', `/items/${name}`)).body, { data: { id: 1, text: 'bye', other: 5 } });
  assert.deepEqual((await server.rest('SEARCH', `/items/${name}`, { query: { fields: ['other'] } })).body, { data: { other: 5 } });
  assertError(await server.rest('POST', `/items/${name}`, { text: 'x' }), 404, 'ROUTE_NOT_FOUND');
  assertError(await server.rest('PATCH', `/items/${name}/1`, { text: 'x' }), 404, 'ROUTE_NOT_FOUND');
});

/* ---- types (G.4) ---- */

const BIG = '9007199254740993';
const TYPES = [ /* type, extra of the field, [accepted input, its answer] …, refused inputs */
  ['string', {}, [['a', 'a'], ['', ''], [5, '5'], [null, null], ['ü😀', 'ü😀'], ["it's \"x\"\n\t\\", "it's \"x\"\n\t\\"], ['x'.repeat(255), 'x'.repeat(255)], ['é'.repeat(255), 'é'.repeat(255)]], []],
  ['string', { schema: { max_length: 5 } }, [['12345', '12345'], ['äöüßé', 'äöüßé']], [['123456', 'VALUE_TOO_LONG'], ['äöüßéx', 'VALUE_TOO_LONG']]],
  ['text', {}, [['', ''], ['x'.repeat(5000), 'x'.repeat(5000)], [null, null]], []],
  ['integer', {}, [[0, 0], [-1, -1], ['7', 7], [2147483647, 2147483647], [-2147483648, -2147483648], [null, null]], [['abc'], [1.5], ['1.5'], [{}], [[1]], ['0x10'], [' ']]],
  ['bigInteger', {}, [[5, 5], [BIG, BIG], ['-9223372036854775808', '-9223372036854775808'], ['9223372036854775807', '9223372036854775807'], [null, null]], [['9223372036854775808'], ['x'], [1.5], [[]]]],
  ['float', {}, [[1.5, 1.5], [-0.1, -0.1], [3, 3], ['2.5', 2.5], [1e300, 1e300], [null, null]], [['x'], [{}], ['1,5'], ['NaN'], ['Infinity'], [[1]]]],
  ['decimal', {}, [[1.25, 1.25], ['2.5', 2.5], [7, 7], [null, null], [99999.99999, 99999.99999]], [['x'], [{}], ['NaN']]],
  ['boolean', {}, [[true, true], [false, false], [1, true], [0, false], ['true', true], ['false', false], ['1', true], ['0', false], [null, null]], [['maybe'], [2], [{}], [[]]]],
  ['json', { meta: { special: ['cast-json'] } }, [[{ a: { b: [1, null] } }, { a: { b: [1, null] } }], [[], []], [[1, 'a'], [1, 'a']], ['{"a":1}', { a: 1 }], [null, null], [5, 5], [true, true]], []],
  ['csv', { meta: { special: ['cast-csv'] } }, [[['a', 'b'], ['a', 'b']], ['a,b', ['a', 'b']], [[], []], ['', []], [['one'], ['one']], [null, null]], [[{}], [[{}]]]],
  ['uuid', {}, [['f8d2b5c8-1111-4000-8000-00000000000a', 'f8d2b5c8-1111-4000-8000-00000000000a'], [null, null]], [['abc'], ['f8d2b5c8-1111-4000-8000-00000000000'], [5], [{}]]],
  ['date', {}, [['2024-02-29', '2024-02-29'], ['1969-12-31', '1969-12-31'], [null, null]], [['2023-02-29'], ['2024-13-01'], ['yesterday'], [{}], ['2024-1-1x'], ['']]],
  ['time', {}, [['10:11:12', '10:11:12'], ['00:00:00', '00:00:00'], ['23:59:59', '23:59:59'], [null, null]], [['24:00:00'], ['10:60:00'], ['noon'], [{}]]],
  ['dateTime', {}, [['2024-01-02T10:11:12', '2024-01-02T10:11:12'], ['2024-01-02 10:11:12', '2024-01-02T10:11:12'], [null, null]], [['2024-01-32T00:00:00'], ['2024-01-02T25:00:00'], ['x'], [{}]]],
  ['timestamp', {}, [['2024-01-02T10:11:12.000Z', '2024-01-02T10:11:12.000Z'], ['2024-01-02T10:11:12Z', '2024-01-02T10:11:12.000Z'], ['2024-01-02T12:11:12+02:00', '2024-01-02T10:11:12.000Z'], ['2024-01-02T10:11:12.345Z', '2024-01-02T10:11:12.345Z'],
    [null, null]], [['2024-02-30T00:00:00Z'], ['x'], [{}], ['2024-01-02T10:61:12Z']]],
];
for (const [type, extra, accepted, refused] of TYPES)
  test(`a ${type} ${extra.schema ? JSON.stringify(extra.schema) : ''} accepts what it should, stores it, and refuses the rest`, async () => {
    const name = await fresh({ v: { type, ...extra } });
    assert.equal((await server.ask('GET', `/fields/${name}/v`)).type, type);
    for (const [input, wanted] of accepted) {
      const created = await server.rest('POST', `/items/${name}`, { v: input });
      assert.equal(created.status, 200, `${JSON.stringify(input)}: ${JSON.stringify(created.body)}`);
      assert.deepEqual(created.body.data.v, wanted);
      assert.deepEqual((await server.ask('GET', `/items/${name}/${created.body.data.id}`)).v, wanted);
      assert.deepEqual((await server.ask('PATCH', `/items/${name}/1`, { v: input })).v, wanted);
    }
    const before = await server.ask('GET', `/items/${name}`);
    for (const [input, code] of refused)
      for (const [method, target] of [['POST', `/items/${name}`], ['PATCH', `/items/${name}/1`]]) {
        const answer = await server.rest(method, target, { v: input });
        assert.equal(answer.status, 400, `${JSON.stringify(input)}: ${answer.status} ${JSON.stringify(answer.body)}`);
        assert.ok((code ? [code] : ['INVALID_PAYLOAD', 'VALUE_OUT_OF_RANGE', 'FAILED_VALIDATION']).includes(answer.body.errors[0].extensions.code), `${JSON.stringify(input)}: ${JSON.stringify(answer.body)}`);
      }
    assert.deepEqual(await server.ask('GET', `/items/${name}`), before);
  });

test('a value that is too long or out of range says which, and where', async () => {
  const name = await fresh({ short: { type: 'string', schema: { max_length: 3 } }, number: 'integer' });
  assertError(await server.rest('POST', `/items/${name}`, { short: 'abcd' }), 400, 'VALUE_TOO_LONG', { collection: name, field: 'short', value: 'abcd' });
  for (const number of [2147483648, -2147483649, '2147483648']) assertError(await server.rest('POST', `/items/${name}`, { number }), 400, 'VALUE_OUT_OF_RANGE', { collection: name, field: 'number', value: String(number) });
});

test('a wrong date is told by the name of its field', async () => {
  const name = await fresh({ day: 'date' });
  assertError(await server.rest('POST', `/items/${name}`, { day: 'soon' }), 400, 'INVALID_PAYLOAD', { text: /[Dd]ate.*"day"|"day".*[Dd]ate/ });
});

test('defaults come from the schema, by type', async () => {
  const values = { s: ['string', 'x'], i: ['integer', 5], f: ['float', 1.5], b: ['boolean', true], j: ['json', { a: 1 }], d: ['date', '2024-01-01'] };
  const name = await fresh(Object.fromEntries(Object.entries(values).map(([field, [type, default_value]]) => [field, { type, schema: { default_value } }])));
  const { id, ...created } = await server.ask('POST', `/items/${name}`, {});
  assert.deepEqual(created, Object.fromEntries(Object.entries(values).map(([field, [, value]]) => [field, value])));
  assert.equal((await server.ask('POST', `/items/${name}`, { s: null })).s, null);
});

test('required fields are demanded on create, and null never passes', async () => {
  const name = await fresh({ must: { type: 'string', schema: { is_nullable: false } }, has: { type: 'string', schema: { is_nullable: false, default_value: 'd' } }, wished: { type: 'string', meta: { required: true } } });
  assertViolations(await server.rest('POST', `/items/${name}`, { wished: 'w' }), { field: 'must', type: 'required' });
  assertViolations(await server.rest('POST', `/items/${name}`, { must: null, wished: 'w' }), { field: 'must', type: 'nnull' });
  const { id, ...made } = await server.ask('POST', `/items/${name}`, { must: 'm', wished: 'w' });
  assert.deepEqual(made, { must: 'm', has: 'd', wished: 'w' });
  assertViolations(await server.rest('PATCH', `/items/${name}/${id}`, { must: null, has: null }), { field: 'must', type: 'nnull' }, { field: 'has', type: 'nnull' });
  assert.equal((await server.rest('PATCH', `/items/${name}/${id}`, {})).status, 200);
});

test('unique fields are unique, but for null', async () => {
  const name = await fresh({ code: { type: 'string', schema: { is_unique: true } } });
  await server.ask('POST', `/items/${name}`, [{ code: 'a' }, { code: null }, { code: null }]);
  assertError(await server.rest('POST', `/items/${name}`, { code: 'a' }), 400, 'RECORD_NOT_UNIQUE', { collection: name, field: 'code', value: 'a', text: /Value "a" for field "code" in collection ".*" has to be unique\./ });
  assertError(await server.rest('PATCH', `/items/${name}/2`, { code: 'a' }), 400, 'RECORD_NOT_UNIQUE', { field: 'code' });
  assert.equal((await server.ask('PATCH', `/items/${name}/1`, { code: 'a' })).code, 'a');
  assertError(await server.rest('POST', `/items/${name}`, [{ code: 'new' }, { code: 'new' }]), 400, 'RECORD_NOT_UNIQUE', { field: 'code' });
  assert.equal((await server.ask('GET', `/items/${name}`)).length, 3);
});

test('a field\'s own validation holds for everybody', async () => {
  const name = await fresh({ mail: { type: 'string', meta: { validation: { mail: { _contains: '@' } } } }, size: { type: 'integer', meta: { validation: { _and: [{ size: { _gte: 1 } }, { size: { _lt: 10 } }] } } },
    code: { type: 'string', meta: { validation: { code: { _regex: '^[A-Z]{2}$' } } } }, kind: { type: 'string', meta: { validation: { kind: { _in: ['x', 'y'] } } } } });
  assert.equal((await server.ask('POST', `/items/${name}`, { mail: 'a@b', size: 1, code: 'AB', kind: 'x' })).id, 1);
  assert.equal((await server.ask('POST', `/items/${name}`, {})).id, 2);
  assertViolations(await server.rest('POST', `/items/${name}`, { mail: 'ab', size: 10, code: 'ab', kind: 'z' }),
    { field: 'mail', type: 'contains', substring: '@' }, { field: 'size', type: 'lt', valid: 10 }, { field: 'code', type: 'regex', invalid: 'ab' }, { field: 'kind', type: 'in', valid: ['x', 'y'] });
  assertViolations(await server.rest('PATCH', `/items/${name}/1`, { size: 0 }), { field: 'size', type: 'gte', valid: 1 });
});

/* ---- special flags (G.5) ---- */

test('flags fill in who and when, whatever was sent', async () => {
  const name = await fresh({
    text: 'string', token: { type: 'uuid', meta: { special: ['uuid'] } }, created_at: { type: 'timestamp', meta: { special: ['date-created'] } }, updated_at: { type: 'timestamp', meta: { special: ['date-updated'] } },
    created_by: { type: 'uuid', meta: { special: ['user-created'] } }, updated_by: { type: 'uuid', meta: { special: ['user-updated'] } }, created_role: { type: 'uuid', meta: { special: ['role-created'] } }, updated_role: { type: 'uuid', meta: { special: ['role-updated'] } } });
  for (const action of ['create', 'read', 'update']) await server.ask('POST', '/permissions', { policy: viewer.policy.id, collection: name, action, fields: ['*'] });
  const start = Date.now();
  const forged = { created_at: '2000-01-01T00:00:00Z', created_by: '11111111-1111-4111-8111-111111111111', created_role: '11111111-1111-4111-8111-111111111111' };
  const created = await server.ask('POST', `/items/${name}`, { text: 'a', ...forged }, viewer.token);
  assert.match(created.token, UUID);
  assert.ok(Date.parse(created.created_at) >= start - 1000 && Date.parse(created.created_at) <= Date.now() + 1000, created.created_at);
  assert.match(created.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual([created.created_by, created.created_role, created.updated_at, created.updated_by, created.updated_role], [viewer.user.id, viewer.role.id, null, null, null]);
  const updated = await server.ask('PATCH', `/items/${name}/${created.id}`, { text: 'b', updated_by: null }, viewer.token);
  assert.ok(Date.parse(updated.updated_at) >= start - 1000, updated.updated_at);
  assert.deepEqual([updated.updated_by, updated.updated_role, updated.created_at, updated.token], [viewer.user.id, viewer.role.id, created.created_at, created.token]);
  const given = 'f8d2b5c8-1111-4000-8000-00000000000a';
  assert.equal((await server.ask('POST', `/items/${name}`, { token: given })).token, given);
});

test('hashes are argon2id and never the text; conceal shows ten asterisks or null', async () => {
  const name = await fresh({ plain: { type: 'hash', meta: { special: ['hash'] } }, hidden: { type: 'hash', meta: { special: ['hash', 'conceal'] } }, secret: { type: 'string', meta: { special: ['conceal'] } } });
  const made = await server.ask('POST', `/items/${name}`, { plain: 'open', hidden: 'shut', secret: 's3cret' });
  assert.match(made.plain, /^(\$argon2id\$|\*{10}$)/);
  assert.deepEqual([made.hidden, made.secret], ['**********', '**********']);
  assert.deepEqual(await server.ask('POST', `/items/${name}`, {}), { id: 2, plain: null, hidden: null, secret: null });
  const all = JSON.stringify(await server.ask('GET', `/items/${name}`));
  for (const text of ['open', 'shut', 's3cret']) assert.ok(!all.includes(text));
  assert.equal((await server.ask('PATCH', `/items/${name}/1`, { secret: null })).secret, null);
  assertError(await server.rest('GET', `/items/${name}?filter[secret][_eq]=s3cret`), 400, 'INVALID_QUERY');
});

test('json and csv keep what they hold through reads, writes and nulls', async () => {
  const name = await fresh({ j: { type: 'json', meta: { special: ['cast-json'] } }, c: { type: 'csv', meta: { special: ['cast-csv'] } } });
  const deep = JSON.parse('['.repeat(30) + ']'.repeat(30));
  for (const j of [{}, { 'a"b': '\u0000' === 'x' ? 1 : '\u2028' }, deep, [{}, [[]], 'x', 1.5, null, false], { nested: { unicode: 'ü', empty: '' } }])
    assert.deepEqual((await server.ask('POST', `/items/${name}`, { j })).j, j);
  assert.deepEqual((await server.ask('POST', `/items/${name}`, { c: ['ä', 'b c'] })).c, ['ä', 'b c']);
});

test('keys of a collection may be integers, big integers, texts or uuids', async () => {
  for (const [key, sent, wanted] of [[INTEGER_KEY, undefined, 1], [UUID_KEY, undefined, UUID], [STRING_KEY, 'k', 'k'], [{ type: 'bigInteger', schema: { is_primary_key: true, has_auto_increment: true } }, undefined, 1]]) {
    const name = await fresh({ v: 'string' }, { key });
    const { id } = await server.ask('POST', `/items/${name}`, { ...(sent && { id: sent }), v: 'x' });
    if (wanted instanceof RegExp) assert.match(id, wanted);
    else assert.equal(id, wanted);
    assert.deepEqual(await server.ask('GET', `/items/${name}/${id}`), { id, v: 'x' });
  }
});

test('the schema survives a restart', async () => {
  const { makeFolder } = await import('./harness.js');
  const folder = makeFolder();
  try {
    const first = await Server.start({ folder });
    await first.makeCollection('kept', { a: { type: 'decimal', schema: { numeric_precision: 8, numeric_scale: 3 } }, b: { type: 'csv', meta: { special: ['cast-csv'] } }, c: { type: 'timestamp', meta: { special: ['date-created'] } }, d: 'json' });
    const item = await first.ask('POST', '/items/kept', { a: 1.125, b: ['x'], d: { y: 1 } });
    const fields = await first.ask('GET', '/fields/kept');
    await first.stop();
    const second = await Server.start({ folder });
    assert.deepEqual(await second.ask('GET', '/fields/kept'), fields);
    assert.deepEqual(await second.ask('GET', '/items/kept'), [item]);
    await second.stop();
  } finally {
    folder.remove();
  }
});
