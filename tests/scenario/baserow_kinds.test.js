/*
 * Values of each type of field as REST takes and tells them (baserow.md 10.3 to 10.5, 8.4): for a new row, for a
 * change, and for both in a batch, where a mistake is told with its place.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Person, assertCode, assertInvalid } from './baserow.js';
import { Grid, key } from './baserow_grid.js';
import { Server, makeFolder } from './harness.js';

let server, grid, ann, bob, carol, table;
before(async () => {
  server = await Server.start();
  grid = await Grid.make(server);
  ({ ann, bob, carol } = grid);
  table = await grid.table('Kinds', ['row 1']);
});
after(() => server?.stop());

const long = (length) => 'é'.repeat(length);
const OPTIONS = { select_options: [{ value: 'A', color: 'red' }, { value: 'B', color: 'blue' }, { value: '7', color: 'pink' }] };
const NUMBER = (places, more = {}) => ['number', { number_decimal_places: places, ...more }];
const DATE = (format, more = {}) => ['date', { date_format: format, ...more }];
const TIME = { date_include_time: true };
const DURATION = (format) => ['duration', { duration_format: format }];
const MINUTE = 60, HOUR = 3600, DAY = 86400;

/* type and settings, values that are taken with what they are told as, values that are refused with their code */
const TEXT = [['a', 'a'], ['', ''], [null, ''], [12, '12'], [1.5, '1.5'], [true, 'true'], [' a ', ' a '], ['日本\n"\\', '日本\n"\\'], [long(300), long(300)], ['<b>\u0001', '<b>\u0001']];
const KINDS = [
  ['text', {}, TEXT, [[['a'], 'invalid'], [{ a: 1 }, 'invalid']]],
  ['long_text', {}, [...TEXT, [long(20000), long(20000)]], [[[], 'invalid']]],
  ['long_text', { long_text_enable_rich_text: true }, [['**a**', '**a**']], []],
  ['url', {}, [['https://example.com', 'https://example.com'], ['a.b', 'a.b'], ['a//b', 'a//b'], ['', ''], [null, '']], [['a', 'invalid'], ['a b.c', 'invalid'], ['a.', 'invalid'], [`${'x'.repeat(256)}.b`, 'invalid'], [5, 'invalid']]],
  ['email', {}, [['a@b', 'a@b'], ['a.b+c{d}@e-f.g', 'a.b+c{d}@e-f.g'], ['é@ü', 'é@ü'], ['', ''], [null, ''], [`${'a'.repeat(252)}@b`, `${'a'.repeat(252)}@b`]],
    [['a', 'invalid'], ['a@', 'invalid'], ['@b', 'invalid'], ['a@b@c', 'invalid'], ['a b@c', 'invalid'], [`${'a'.repeat(253)}@b`, 'max_length']]],
  ['phone_number', {}, [['+31 (0)20-123', '+31 (0)20-123'], ['1Nx,;#=*_./', '1Nx,;#=*_./'], ['', ''], [null, ''], ['1'.repeat(100), '1'.repeat(100)], [112, '112']], [['a', 'invalid'], ['1'.repeat(101), 'max_length'], ['12?', 'invalid']]],
  [...NUMBER(0), [[5, '5'], ['5', '5'], [' 5 ', '5'], [0, '0'], [null, null], ['9007199254740993', '9007199254740993']], [[-1, 'min_value'], ['-1', 'min_value'], ['x', 'invalid'], ['', 'invalid'], [1.5, 'max_decimal_places'], [true, 'invalid'], [[], 'invalid'], [{}, 'invalid'], ['9'.repeat(60), 'max_digits'], ['NaN', 'invalid'], ['Infinity', 'invalid']]],
  [...NUMBER(2, { number_negative: true }), [[12.3, '12.30'], ['12.30', '12.30'], [-0.05, '-0.05'], ['-3', '-3.00'], [0, '0.00'], [null, null]], [['1.234', 'max_decimal_places'], ['1e999', 'max_digits']]],
  [...NUMBER(10), [['1.0123456789', '1.0123456789']], [['0.01234567891', 'max_decimal_places']]],
  [...NUMBER(1, { number_separator: 'PERIOD_COMMA', number_prefix: '€', number_negative: true }), [['1,5', '1.5'], ['1.234,5', '1234.5'], ['€7', '7.0'], [1.5, '1.5']], [['1,55', 'max_decimal_places'], ['a', 'invalid']]],
  ['rating', {}, [[0, 0], [5, 5], ['3', 3]], [[6, 'max_value'], [-1, 'min_value'], ['x', 'invalid'], [1.5, 'invalid'], [true, 'invalid']]],
  ['rating', { max_value: 10 }, [[10, 10]], [[11, 'max_value']]],
  ['boolean', {}, ['t', 'y', 'yes', 'on', '1', 'checked', 'TRUE', 'Yes', 1, true].map((v) => [v, true]).concat(['f', 'n', 'no', 'off', '0', 'unchecked', 'FALSE', 0, false].map((v) => [v, false])), [[null, 'null'], ['maybe', 'invalid'], [2, 'invalid'], [[], 'invalid']]],
  [...DATE('EU'), [['2024-02-29', '2024-02-29'], ['29/02/2024', '2024-02-29'], ['01/02/2024', '2024-02-01'], ['2024-02-29T23:59:00Z', '2024-02-29'], [null, null], ['', null]], [['2023-02-29', 'invalid'], ['x', 'invalid'], [[], 'invalid'], ['99/99/2024', 'invalid']]],
  [...DATE('US'), [['01/02/2024', '2024-01-02'], ['2024-02-29', '2024-02-29']], [['x', 'invalid']]],
  [...DATE('ISO'), [['2024-02-29', '2024-02-29'], ['2024-2-9', '2024-02-09']], [['x', 'invalid']]],
  [...DATE('EU', TIME), [['2024-02-29T10:20:30Z', '2024-02-29T10:20:30Z'], ['2024-02-29T10:20:30.5Z', '2024-02-29T10:20:30.500000Z'], ['2024-02-29T10:20:00+02:00', '2024-02-29T08:20:00Z'], ['2024-02-29', '2024-02-29T00:00:00Z'], ['29/02/2024 10:20', '2024-02-29T10:20:00Z'], [null, null]], [['2024-02-29T25:00', 'invalid'], ['noon', 'invalid']]],
  [...DATE('ISO', { ...TIME, date_force_timezone: 'Europe/Amsterdam' }), [['2024-07-01T10:00:00Z', '2024-07-01T10:00:00Z'], ['2024-07-01 10:00', '2024-07-01T08:00:00Z']], []],
  [...DURATION('h:mm'), [[3600, 3600], ['1:30', 1.5 * HOUR], ['2h', 2 * HOUR], [89, MINUTE], ['90', 90 * MINUTE], ['1d', DAY], [null, null], [0, 0]], [['x', 'invalid'], [[], 'invalid'], [true, 'invalid']]],
  [...DURATION('h:mm:ss'), [['1:02:03', 3723], ['2:03', 123], ['1d 2h 3m 4s', DAY + 2 * HOUR + 3 * MINUTE + 4], ['90', 90], [1.4, 1]], [['1:2:3:4', 'invalid']]],
  [...DURATION('h:mm:ss.s'), [['1:02:03.5', 3723.5], [1.24, 1.2], [1.26, 1.3]], []],
  [...DURATION('h:mm:ss.ss'), [[1.234, 1.23]], []],
  [...DURATION('h:mm:ss.sss'), [[1.234, 1.234], ['0:00:01.234', 1.234]], []],
  [...DURATION('d h'), [[DAY + 2 * HOUR, DAY + 2 * HOUR], ['3', 3 * HOUR], ['1d 2h', DAY + 2 * HOUR], ['1d 2:03', DAY + 2 * HOUR]], []],
  [...DURATION('d h:mm'), [['1d 2:03', DAY + 2 * HOUR + 3 * MINUTE], [61, MINUTE]], []],
  [...DURATION('d h:mm:ss'), [['1d 2:03:04', DAY + 2 * HOUR + 3 * MINUTE + 4], ['1d 2:03', DAY + 2 * MINUTE + 3]], []],
  [...DURATION('d h mm'), [['1d 2h 3m', DAY + 2 * HOUR + 3 * MINUTE]], []],
  [...DURATION('d h mm ss'), [['1d 2h 3m 4s', DAY + 2 * HOUR + 3 * MINUTE + 4]], []],
  ['multiple_collaborators', {}, [[[], []], [() => [{ id: bob.id }, { id: ann.id }], () => [{ id: bob.id, name: bob.name }, { id: ann.id, name: ann.name }]], [() => [{ id: ann.id, name: 'x' }], () => [{ id: ann.id, name: ann.name }]]], [['x', 'not_a_list'], [[{ id: 'x' }], 'invalid'], [[{}], 'invalid'], [() => [{ id: carol.id }], 'invalid']]],
  ['password', {}, [['secret', true], [null, null], ['', null], [true, null]], [[5, 'invalid'], [false, 'invalid'], [[], 'invalid']]],
  ['uuid', {}, [[null, /^[0-9a-f-]{36}$/]], [['x', 'read_only'], ['7b0ed2e6-3a0b-4f6e-9b5c-0e6f3c9d6a10', 'read_only']]],
  ['autonumber', {}, [[null, (v) => Number.isInteger(v)]], [[5, 'read_only'], ['x', 'read_only']]],
  ['created_on', {}, [['2020-01-01', /^\d{4}/], [null, /^\d{4}/]], []],
  ['last_modified', TIME, [['2020-01-01', /^\d{4}-.*Z$/]], []],
  ['created_by', {}, [[{ id: 99 }, () => ({ id: ann.id, name: ann.name })]], []],
  ['last_modified_by', {}, [[{ id: 99 }, () => ({ id: ann.id, name: ann.name })]], []],
];
const valueOf = (value) => (typeof value === 'function' ? value() : value);
function assertCell(cell, wanted, what) {
  const value = typeof wanted === 'function' && wanted.length === 0 ? wanted() : wanted;
  if (value instanceof RegExp) assert.match(cell, value, what);
  else if (typeof value === 'function') assert.ok(value(cell), what);
  else assert.deepEqual(cell, value, what);
}

for (const [type, settings, taken, refused] of KINDS)
  test(`${type} ${JSON.stringify(settings)}`, async () => {
    const field = await table.field(`F${Math.random()}`, type, settings);
    const name = key(field);
    for (const [told, wanted] of taken) {
      const value = valueOf(told), what = `${JSON.stringify(value)?.slice(0, 80)}`;
      const row = await table.add({ [name]: value });
      assertCell(row[name], wanted, `new row: ${what}`);
      assert.deepEqual(await table.read(row.id), row);
      const { id } = await table.add();
      assertCell((await table.edit(id, { [name]: value }))[name], wanted, `change: ${what}`);
      const { items: [made] } = await ann.ask('POST', `${table.rows}batch/`, { items: [{ [name]: value }] });
      assertCell(made[name], wanted, `batch: ${what}`);
      const { items: [changed] } = await ann.ask('PATCH', `${table.rows}batch/`, { items: [{ id, [name]: value }] });
      assertCell(changed[name], wanted, `batch of changes: ${what}`);
      assertCell((await ann.ask('PATCH', `${table.rows}${id}/?user_field_names=true`, { [field.name]: value }))[field.name], wanted, `by name: ${what}`);
    }
    const { count } = await ann.ask('GET', `${table.rows}?size=1`);
    for (const [told, code] of refused) {
      const value = valueOf(told);
      assertInvalid(await table.tryAdd({ [name]: value }), { [name]: [code] });
      assertInvalid(await table.tryEdit(1, { [name]: value }), { [name]: [code] });
      assertInvalid(await ann.rest('PATCH', `${table.rows}1/?user_field_names=true`, { [field.name]: value }), { [field.name]: [code] });
      assertInvalid(await ann.rest('POST', `${table.rows}batch/`, { items: [{}, { [name]: value }] }), { items: { 1: { [name]: [code] } } });
      assertInvalid(await ann.rest('PATCH', `${table.rows}batch/`, { items: [{ id: 1, [name]: value }] }), { items: { 0: { [name]: [code] } } });
    }
    assert.equal((await ann.ask('GET', `${table.rows}?size=1`)).count, count);
  });

for (const [type, empty] of [['single_select', null], ['multiple_select', []]])
  test(`${type}: options by id and by name, and what is none`, async () => {
    const field = await table.field(`F${Math.random()}`, type, OPTIONS), name = key(field);
    const [a, b, seven] = field.select_options;
    const several = type === 'multiple_select';
    const TAKEN = several
      ? [[[a.id, b.id], [a, b]], [['B', 'A'], [b, a]], ['A,B', [a, b]], ['A', [a]], [[], []], [null, []], ['', []], [[a.id, a.id], [a]], [['7'], [seven]]]
      : [[a.id, a], ['B', b], ['7', seven], [String(a.id), a], [null, null], ['', null]];
    for (const [value, wanted] of TAKEN) {
      assert.deepEqual((await table.add({ [name]: value }))[name], wanted, JSON.stringify(value));
      assert.deepEqual((await table.edit(1, { [name]: value }))[name], wanted, JSON.stringify(value));
    }
    assert.deepEqual((await table.add())[name], empty);
    const REFUSED = several ? [[[787], '787'], [['C'], 'C'], [[a.id, 787], '787']] : [[787, '787'], ['C', 'C']];
    for (const [value, shown] of REFUSED)
      for (const answer of [await table.tryAdd({ [name]: value }), await table.tryEdit(1, { [name]: value }), await ann.rest('POST', `${table.rows}batch/`, { items: [{ [name]: value }] })])
        assert.equal(assertCode(answer, 400, 'ERROR_REQUEST_BODY_VALIDATION'), `The provided select option value '${shown}' is not a valid select option.`);
    if (several) assertInvalid(await table.tryAdd({ [name]: 5 }), { [name]: ['not_a_list'] });
  });

test('all mistakes of a request are told at once, of a batch each with its place', async () => {
  const other = await grid.table('Mistakes', ['x']);
  const [n, e] = [await other.field('N', 'number'), await other.field('E', 'email')];
  assertInvalid(await other.tryAdd({ [key(n)]: 'x', [key(e)]: 'x' }), { [key(n)]: ['invalid'], [key(e)]: ['invalid'] });
  assertInvalid(await ann.rest('POST', `${other.rows}batch/`, { items: [{ [key(n)]: 'x' }, {}, { [key(n)]: -1, [key(e)]: 'x' }] }), { items: { 0: { [key(n)]: ['invalid'] }, 2: { [key(n)]: ['min_value'], [key(e)]: ['invalid'] } } });
  assert.equal((await ann.ask('GET', other.rows)).count, 1);
});

test('keys that are no field are ignored; what is not given stays, or gets its default', async () => {
  const other = await grid.table('Defaults');
  const [t, n, b] = [await other.field('T', 'text', { text_default: 'new' }), await other.field('N', 'number', { number_default: 3 }), await other.field('B', 'boolean', { boolean_default: true })];
  const row = await other.add({ nonsense: 1, field_99999: 'x', id: 77, order: '9', [key(t)]: '' });
  assert.deepEqual([row.id, row.order, row[key(t)], row[key(n)], row[key(b)]], [1, '1.00000000000000000000', '', '3', true]);
  const changed = await other.edit(1, { [key(n)]: null, id: 5, order: '8' });
  assert.deepEqual([changed.id, changed.order, changed[key(n)], changed[key(b)]], [1, row.order, null, true]);
  await other.change(t, { text_default: 'later' });
  assert.deepEqual((await other.add())[key(t)], 'later');
  assert.deepEqual((await other.read(1))[key(t)], '');
});

test('existing rows: numbers and UUIDs are made for them, defaults are theirs, and the counter goes on', async () => {
  const other = await grid.table('Existing', ['a', 'b', 'c']);
  await ann.ask('PATCH', `${other.rows}3/move/?before_id=1`);
  const [number, uuid, text] = [await other.field('N', 'autonumber'), await other.field('U', 'uuid'), await other.field('T', 'text', { text_default: 'x' })];
  assert.deepEqual(await other.cells(number), [1, 2, 3]);
  assert.equal(new Set(await other.cells(uuid)).size, 3);
  assert.deepEqual(await other.cells(text), ['x', 'x', 'x']);
  await ann.ask('DELETE', `${other.rows}2/`);
  assert.equal((await other.add())[key(number)], 4);
  const { items } = await ann.ask('POST', `${other.rows}batch/`, { items: [{}, {}] });
  assert.deepEqual(items.map((row) => row[key(number)]), [5, 6]);
  assert.equal(new Set(items.map((row) => row[key(uuid)])).size, 2);
});

test('created and modified fields follow who did it and when', async () => {
  const other = await grid.table('Stamps');
  const [on, by, modified, modifier, text] = [await other.field('On', 'created_on', TIME), await other.field('By', 'created_by'), await other.field('Modified', 'last_modified', TIME), await other.field('Modifier', 'last_modified_by'), await other.primary()];
  const row = await other.add();
  assert.deepEqual([row[key(by)].id, row[key(modifier)].id], [ann.id, ann.id]);
  assert.equal(row[key(on)], row[key(modified)]);
  const changed = await bob.ask('PATCH', `${other.rows}${row.id}/`, { [key(text)]: 'x' });
  assert.deepEqual([changed[key(by)].id, changed[key(modifier)]], [ann.id, { id: bob.id, name: bob.name }]);
  assert.equal(changed[key(on)], row[key(on)]);
  assert.ok(changed[key(modified)] >= row[key(modified)]);
});

test('who leaves the workspace is shown no more among collaborators', async () => {
  const own = await Grid.make(server);
  const { ann: admin, bob: member, workspace } = own;
  const other = await own.table('Left', ['x']);
  const field = await other.field('C', 'multiple_collaborators');
  await other.edit(1, { [key(field)]: [{ id: member.id }, { id: admin.id }] });
  const members = await admin.ask('GET', `workspaces/users/workspace/${workspace.id}/`);
  await admin.ask('DELETE', `workspaces/users/${members.find(({ user_id: id }) => id === member.id).id}/`);
  assert.deepEqual((await other.read(1))[key(field)], [{ id: admin.id, name: admin.name }]);
  assert.deepEqual((await other.fieldNamed('C')).available_collaborators, [{ id: admin.id, name: admin.name }]);
  assertInvalid(await other.tryEdit(1, { [key(field)]: [{ id: member.id }] }), { [key(field)]: ['invalid'] });
});

test('a password is never told, and stays when what was told comes back', async () => {
  const other = await grid.table('Secrets');
  const field = await other.field('P', 'password', { allow_endpoint_authentication: true }), text = await other.primary();
  const { id } = await other.add({ [key(field)]: 'sesame' });
  const right = async (password) => (await server.rest('POST', '/api/database/fields/password-authentication/', { field_id: field.id, row_id: id, password }, null)).status === 200;
  const row = await other.edit(id, { [key(field)]: true, [key(text)]: 'x' });
  assert.equal(row[key(field)], true);
  assert.ok(await right('sesame'));
  await ann.ask('PATCH', `${other.rows}batch/`, { items: [{ id, [key(field)]: 'other' }] });
  assert.ok(await right('other'));
  assert.ok(!JSON.stringify(await ann.ask('GET', other.rows)).includes('argon'));
  const found = await server.ask('GET', `/items/${(await server.ask('GET', '/collections')).find(({ collection }) => /^secrets/.test(collection)).collection}`);
  assert.ok(!JSON.stringify(found).includes('argon2'), JSON.stringify(found));
});

test('the number of a row that is gone is nobody else\'s, though another process counts on', async () => {
  const folder = makeFolder();
  let first, second;
  try {
    first = await Server.start({ folder });
    await first.makeCollection('docs', { title: 'string' }, { key: { type: 'uuid', schema: { is_primary_key: true }, meta: { special: ['uuid'] } } });
    let admin = await Person.login(first);
    const { id } = (await admin.ask('GET', 'applications/')).flatMap(({ tables }) => tables).find(({ name }) => name === 'docs');
    const rows = `database/rows/table/${id}/`;
    const number = await admin.ask('POST', `database/fields/table/${id}/`, { name: 'No', type: 'autonumber' });
    const { items } = await admin.ask('POST', `${rows}batch/`, { items: [{}, {}, {}, {}] });
    assert.deepEqual(items.map((row) => [row.id, row[key(number)]]), [[1, 1], [2, 2], [3, 3], [4, 4]]);
    await admin.ask('POST', `${rows}batch-delete/`, { items: [3, 4] });
    assert.equal((await admin.ask('POST', rows, {})).id, 5);
    await admin.ask('DELETE', `${rows}5/`);
    await first.stop();
    second = await Server.start({ folder });
    admin = await Person.login(second);
    const row = await admin.ask('POST', rows, {});
    assert.deepEqual([row.id, row[key(number)]], [6, 6]);
    await admin.ask('PATCH', 'trash/restore/', { trash_item_type: 'row', trash_item_id: 5, parent_trash_item_id: id });
    assert.deepEqual((await admin.ask('GET', rows)).results.map((one) => [one.id, one[key(number)]]).sort(), [[1, 1], [2, 2], [5, 5], [6, 6]]);
  } finally {
    if (first?.process.exitCode === null) await first.stop();
    await second?.stop();
    folder.remove();
  }
});
