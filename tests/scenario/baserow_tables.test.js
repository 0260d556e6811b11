/* Tables of a database (baserow.md 9.5, 7.9, 5.5), and applications with examples (9.4). */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { assertCode, assertInvalid } from './baserow.js';
import { connect } from './baserow_channel.js';
import { Grid, Table } from './baserow_grid.js';
import { Server } from './harness.js';

let server, grid, ann, bob, carol, database;
before(async () => {
  server = await Server.start({ environment: { BASEROW_DOCUMENTED_MESSAGES: 'false', INITIAL_TABLE_DATA_LIMIT: '5500' } });
  grid = await Grid.make(server);
  ({ ann, bob, carol, database } = grid);
});
after(() => server?.stop());

const make = (body, person = ann) => person.rest('POST', `database/tables/database/${database.id}/`, body);
const made = async (body) => new Table(grid, await ann.ask('POST', `database/tables/database/${database.id}/`, body));
const namesAndTypes = async (table) => (await table.fields()).map(({ name, type, primary }) => [name, type, primary]);
const contents = async (table) => {
  const fields = await table.fields();
  return (await ann.ask('GET', `${table.rows}?size=200`)).results.map((row) => fields.map(({ id }) => row[`field_${id}`]));
};
const sha256 = (id) => createHash('sha256').update(String(id)).digest('hex');

test('a table without data has three fields and two empty rows', async () => {
  const { status, body } = await make({ name: 'Customers' });
  assert.equal(status, 200);
  assert.deepEqual(body, { id: body.id, name: 'Customers', order: body.order, database_id: database.id, data_sync: null });
  const table = new Table(grid, body);
  assert.deepEqual(await namesAndTypes(table), [['Name', 'text', true], ['Notes', 'long_text', false], ['Active', 'boolean', false]]);
  assert.deepEqual(await contents(table), [['', '', false], ['', '', false]]);
  const { results } = await ann.ask('GET', table.rows);
  assert.deepEqual(results.map(({ id, order }) => [id, order]), [[1, '1.00000000000000000000'], [2, '2.00000000000000000000']]);
});

test('a field has all its keys', async () => {
  const table = await made({ name: 'Keys' });
  const [name, notes, active] = await table.fields();
  const common = { table_id: table.id, read_only: false, immutable_type: false, immutable_properties: false, description: null, database_id: database.id, workspace_id: grid.workspace.id, db_index: false, field_constraints: [] };
  assert.deepEqual(name, { ...common, id: name.id, name: 'Name', order: name.order, type: 'text', primary: true, text_default: '' });
  assert.deepEqual(notes, { ...common, id: notes.id, name: 'Notes', order: notes.order, type: 'long_text', primary: false, long_text_enable_rich_text: false });
  assert.deepEqual(active, { ...common, id: active.id, name: 'Active', order: active.order, type: 'boolean', primary: false, boolean_default: false });
});

const DATA = [
  ['a header names the fields', { data: [['City', 'Land'], ['Rome', 'Italy'], ['Oslo', 'Norway']], first_row_header: true }, ['City', 'Land'], [['Rome', 'Italy'], ['Oslo', 'Norway']]],
  ['without a header fields are numbered', { data: [['Rome', 'Italy']] }, ['Field 1', 'Field 2'], [['Rome', 'Italy']]],
  ['short rows are padded', { data: [['a', 'b', 'c'], ['1'], []], first_row_header: true }, ['a', 'b', 'c'], [['1', '', ''], ['', '', '']]],
  ['a short header is padded', { data: [['a'], ['1', '2']], first_row_header: true }, ['a', 'Field 2'], [['1', '2']]],
  ['empty names become numbers', { data: [['', 'b', ' '], ['1', '2', '3']], first_row_header: true }, ['Field 1', 'b', 'Field 3'], [['1', '2', '3']]],
  ['values that are no texts become texts', { data: [[1, true, null, 1.5]] }, ['Field 1', 'Field 2', 'Field 3', 'Field 4'], [['1', 'true', '', '1.5']]],
  ['a header alone makes no rows', { data: [['a', 'b']], first_row_header: true }, ['a', 'b'], []],
  ['null is no data', { data: null }, ['Name', 'Notes', 'Active'], [['', '', false], ['', '', false]]],
];
for (const [what, body, names, rows] of DATA)
  test(`with data: ${what}`, async () => {
    const table = await made({ name: what, ...body });
    const fields = await table.fields();
    assert.deepEqual(fields.map(({ name }) => name), names);
    if (body.data) assert.ok(fields.every(({ type, primary }, i) => type === 'text' && primary === (i === 0)));
    assert.deepEqual(await contents(table), rows);
  });

const long = (length) => 'é'.repeat(length);
const column = (count) => Array.from({ length: count }, (_, i) => [`${i}`]);
const REFUSED_DATA = [
  ['no row', { data: [] }, 'ERROR_INVALID_INITIAL_TABLE_DATA'],
  ['no column', { data: [[]] }, 'ERROR_INVALID_INITIAL_TABLE_DATA'],
  ['no column in any row', { data: [[], []] }, 'ERROR_INVALID_INITIAL_TABLE_DATA'],
  ['5001 rows', { data: column(5001) }, 'ERROR_INITIAL_SYNC_TABLE_DATA_LIMIT_EXCEEDED'],
  ['names twice', { data: [['a', 'a'], ['1', '2']], first_row_header: true }, 'ERROR_INITIAL_TABLE_DATA_HAS_DUPLICATE_NAMES'],
  ['601 columns', { data: [Array(601).fill('x')] }, 'ERROR_MAX_FIELD_COUNT_EXCEEDED'],
  ['a name of 256 characters', { data: [[long(256)], ['1']], first_row_header: true }, 'ERROR_MAX_FIELD_NAME_LENGTH_EXCEEDED'],
  ['large cells in place of names', { data: [[...Array(300).fill(''), ...Array(100).fill(['x'.repeat(7000)]), ...Array.from({ length: 150 }, (_, i) => `Field ${i + 1}`)]], first_row_header: true }, 'ERROR_MAX_FIELD_NAME_LENGTH_EXCEEDED'],
  ['the name id', { data: [['id'], ['1']], first_row_header: true }, 'ERROR_RESERVED_BASEROW_FIELD_NAME'],
  ['the name order', { data: [['a', 'order'], ['1']], first_row_header: true }, 'ERROR_RESERVED_BASEROW_FIELD_NAME'],
];
for (const [what, body, code] of REFUSED_DATA)
  test(`refuses data with ${what}, and makes nothing`, async () => {
    const tables = await ann.ask('GET', `database/tables/database/${database.id}/`);
    assertCode(await make({ name: 'Refused', ...body }), 400, code);
    assert.deepEqual(await ann.ask('GET', `database/tables/database/${database.id}/`), tables);
  });

test('as much as may be: 5000 rows, 600 columns, names of 255 characters', async () => {
  const tall = await made({ name: long(255), data: column(5000) });
  assert.equal((await ann.ask('GET', `${tall.rows}?size=1`)).count, 5000);
  const wide = await made({ name: 'Wide', data: [Array.from({ length: 600 }, (_, i) => (i === 599 ? long(255) : `f${i}`)), ['first']], first_row_header: true });
  const fields = await wide.fields();
  assert.equal(fields.length, 600);
  assert.equal(fields[599].name, long(255));
  const row = await wide.read(1);
  assert.equal(row[`field_${fields[0].id}`], 'first');
  assertCode(await wide.tryField({ name: 'One more', type: 'text' }), 400, 'ERROR_MAX_FIELD_COUNT_EXCEEDED');
});

test('INITIAL_TABLE_DATA_LIMIT says how many rows a table is made with', async () => {
  const other = await Server.start({ environment: { INITIAL_TABLE_DATA_LIMIT: '2' } });
  try {
    const { ann: person, database: place } = await Grid.make(other);
    const send = (data, more = {}) => person.rest('POST', `database/tables/database/${place.id}/`, { name: 'T', data, ...more });
    assert.equal((await send(column(2))).status, 200);
    assertCode(await send(column(3)), 400, 'ERROR_INITIAL_TABLE_DATA_LIMIT_EXCEEDED');
  } finally {
    await other.stop();
  }
});

const INVALID = [
  [{}, { name: ['required'] }],
  [{ name: '' }, { name: ['blank'] }],
  [{ name: '  ' }, { name: ['blank'] }],
  [{ name: null }, { name: ['null'] }],
  [{ name: long(256) }, { name: ['max_length'] }],
  [{ name: [] }, { name: ['invalid'] }],
];
test('what is wrong with a body is told by code', async () => {
  for (const [body, detail] of INVALID) assertInvalid(await make(body), detail);
  const table = await made({ name: 'Right' });
  for (const [body, detail] of INVALID.slice(1)) assertInvalid(await ann.rest('PATCH', table.path, body), detail);
  assert.deepEqual(await ann.ask('PATCH', table.path, {}), table.shape);
  assertInvalid(await ann.rest('POST', `database/tables/database/${database.id}/order/`, {}), { table_ids: ['required'] });
});

test('tables of a database are listed by order, renamed, read, and deleted', async () => {
  const { ann: person, database: place } = await Grid.make(server);
  const path = `database/tables/database/${place.id}/`;
  const [a, b, c] = [await person.ask('POST', path, { name: 'A' }), await person.ask('POST', path, { name: 'B' }), await person.ask('POST', path, { name: 'A' })];
  assert.deepEqual([a, b, c].map(({ order }) => order), [1, 2, 3]);
  assert.deepEqual(await person.ask('GET', path), [a, b, c]);
  assert.deepEqual((await person.ask('GET', `applications/${place.id}/`)).tables, [a, b, c]);
  assert.deepEqual(await person.ask('GET', `database/tables/${b.id}/`), b);
  assert.deepEqual(await person.ask('PATCH', `database/tables/${b.id}/`, { name: 'B 2' }), { ...b, name: 'B 2' });
  await person.ask('POST', `${path}order/`, { table_ids: [c.id, a.id] });
  assert.deepEqual((await person.ask('GET', path)).map(({ id, order }) => [id, order]), [[c.id, 1], [b.id, 2], [a.id, 3]]);
  await person.ask('DELETE', `database/tables/${b.id}/`);
  assert.deepEqual((await person.ask('GET', path)).map(({ id }) => id), [c.id, a.id]);
  for (const [method, body] of [['GET'], ['PATCH', { name: 'x' }], ['DELETE']]) assertCode(await person.rest(method, `database/tables/${b.id}/`, body), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
});

test('who may not, and what is not there', async () => {
  const table = await made({ name: 'Mine' });
  const field = await table.primary();
  const order = `database/tables/database/${database.id}/order/`;
  const { database: foreign } = await Grid.make(server);
  const CALLS = [
    ['GET', `database/tables/database/${database.id}/`], ['POST', `database/tables/database/${database.id}/`, { name: 'x' }], ['POST', order, { table_ids: [] }],
    ['GET', table.path], ['PATCH', table.path, { name: 'x' }], ['DELETE', table.path],
    ['GET', `database/fields/table/${table.id}/`], ['POST', `database/fields/table/${table.id}/`, { name: 'x', type: 'text' }],
    ['POST', `database/fields/table/${table.id}/change-primary-field/`, { new_primary_field_id: 1 }],
    ['GET', `database/fields/${field.id}/`], ['PATCH', `database/fields/${field.id}/`, { name: 'x' }], ['DELETE', `database/fields/${field.id}/`],
    ['GET', `database/fields/${field.id}/unique_row_values/`],
    ['GET', table.rows], ['POST', table.rows, {}], ['GET', `${table.rows}1/`], ['PATCH', `${table.rows}1/`, {}], ['DELETE', `${table.rows}1/`],
  ];
  for (const [method, path, body] of CALLS) {
    assert.equal(assertCode(await carol.rest(method, path, body), 400, 'ERROR_USER_NOT_IN_GROUP'), '', `${method} ${path}`);
    const anonymous = await server.rest(method, `/api/${path}`, body, null);
    assert.equal(anonymous.status, 401, `${method} ${path}`);
    assert.deepEqual(Object.keys(anonymous.body), ['detail']);
  }
  const NONE = [
    ['database/tables/database/99999/', 'ERROR_APPLICATION_DOES_NOT_EXIST', 'GET'], ['database/tables/database/99999/', 'ERROR_APPLICATION_DOES_NOT_EXIST', 'POST', { name: 'x' }],
    ['database/tables/99999/', 'ERROR_TABLE_DOES_NOT_EXIST', 'GET'], ['database/fields/table/99999/', 'ERROR_TABLE_DOES_NOT_EXIST', 'GET'],
    ['database/fields/table/99999/', 'ERROR_TABLE_DOES_NOT_EXIST', 'POST', { name: 'x', type: 'text' }],
    ['database/fields/99999/', 'ERROR_FIELD_DOES_NOT_EXIST', 'GET'], ['database/fields/99999/', 'ERROR_FIELD_DOES_NOT_EXIST', 'PATCH', {}], ['database/fields/99999/', 'ERROR_FIELD_DOES_NOT_EXIST', 'DELETE'],
    ['database/fields/99999/unique_row_values/', 'ERROR_FIELD_DOES_NOT_EXIST', 'GET'],
  ];
  for (const [path, code, method, body] of NONE) assertCode(await ann.rest(method, path, body), 404, code);
  const elsewhere = await ann.ask('POST', `applications/workspace/${grid.workspace.id}/`, { name: 'Other', type: 'database', init_with_data: true });
  assertCode(await ann.rest('POST', order, { table_ids: [table.id, elsewhere.tables[0].id] }), 400, 'ERROR_TABLE_NOT_IN_DATABASE');
  assertCode(await ann.rest('GET', `database/tables/database/${foreign.id}/`), 400, 'ERROR_USER_NOT_IN_GROUP');
  assert.equal((await bob.rest('PATCH', table.path, { name: 'By Bob' })).status, 200);
});

test('an application with examples has a table like any new one', async () => {
  const socket = await connect(server, bob.token);
  const application = await ann.ask('POST', `applications/workspace/${grid.workspace.id}/`, { name: 'Lists', type: 'database', init_with_data: true });
  const { tables } = application;
  assert.equal(tables.length, 1);
  assert.deepEqual(tables[0], { id: tables[0].id, name: 'Table', order: 1, database_id: application.id, data_sync: null });
  assert.deepEqual(await contents(new Table(grid, tables[0])), [['', '', false], ['', '', false]]);
  const message = await socket.next('application_created');
  assert.equal(message.type, 'application_created');
  assert.deepEqual(message.application.tables, tables);
  await ann.ask('DELETE', `applications/${application.id}/`);
  assert.deepEqual((await Table.look(bob)).frames, []);
  assertCode(await ann.rest('GET', `database/tables/${tables[0].id}/`), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
});

test('messages of tables reach members, but not the socket that asked', async () => {
  const { ann: a, bob: b, carol: c, database: place } = await Grid.make(server);
  const [mine, other, theirs, strangers] = [await Table.look(a), await Table.look(a), await Table.look(b), await Table.look(c)];
  const path = `database/tables/database/${place.id}/`;
  const each = async (wanted) => {
    for (const socket of [other, theirs]) assert.deepEqual(await socket.news(), wanted);
    for (const socket of [mine, strangers]) assert.deepEqual(await socket.news(), []);
  };
  const table = await a.ask('POST', path, { name: 'T', data: [['1']] }, mine.exclude);
  await each([{ type: 'table_created', table }]);
  const second = await a.ask('POST', path, { name: 'U' }, mine.exclude);
  await each([{ type: 'table_created', table: second }]);
  await a.ask('PATCH', `database/tables/${table.id}/`, { name: 'T2' }, mine.exclude);
  await each([{ type: 'table_updated', table_id: table.id, table: { ...table, name: 'T2' }, force_table_refresh: false }]);
  await a.ask('POST', `${path}order/`, { table_ids: [second.id, table.id] }, mine.exclude);
  await each([{ type: 'tables_reordered', database_id: sha256(place.id), order: [sha256(second.id), sha256(table.id)] }]);
  await a.ask('DELETE', `database/tables/${table.id}/`, undefined, mine.exclude);
  await each([{ type: 'table_deleted', database_id: place.id, table_id: table.id }]);
  await a.ask('PATCH', 'trash/restore/', { trash_item_type: 'table', trash_item_id: table.id }, mine.exclude);
  for (const socket of [mine, other, theirs]) assert.deepEqual(await socket.news(), [{ type: 'table_created', table: { ...table, name: 'T2', order: 2 } }]);
  assert.deepEqual(await strangers.news(), []);
});

test('a request that fails tells nobody', async () => {
  const socket = await Table.look(bob);
  await make({ name: 'x', data: [['a', 'a']], first_row_header: true });
  await make({});
  await ann.rest('POST', `database/tables/database/${database.id}/order/`, { table_ids: [99999] });
  assert.deepEqual(await socket.news(), []);
});

test('who leaves a table that is deleted sees no more of it, and the other tables lose their links', async () => {
  const [people, firms] = [await grid.table('People', ['Ann']), await grid.table('Firms', ['Acme'])];
  const link = await people.field('Firm', 'link_row', { link_row_table_id: firms.id });
  await people.add({ [`field_${link.id}`]: [1] });
  const before_ = await firms.fields();
  const socket = await Table.look(bob, people, firms);
  await ann.ask('DELETE', firms.path);
  assert.deepEqual((await socket.news()).map(({ type, table_id: id, field_id: field }) => [type, id, field]), [['field_deleted', people.id, link.id], ['table_deleted', firms.id, undefined]]);
  assert.deepEqual((await people.fields()).map(({ name }) => name), ['Name']);
  await ann.ask('PATCH', 'trash/restore/', { trash_item_type: 'table', trash_item_id: firms.id });
  const back = await socket.news();
  assert.deepEqual(back.map(({ type }) => type).sort(), ['field_restored', 'table_created']);
  assert.deepEqual(await firms.fields(), before_);
  assert.deepEqual((await people.read(2))[`field_${link.id}`].map(({ id, value }) => [id, value]), [[1, 'Acme']]);
});
