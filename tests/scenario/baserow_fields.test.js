/* Fields of tables: made, changed, converted, deleted, restored (baserow.md 9.6, 10.1, 10.2, 10.8, 5.6). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertCode, assertInvalid } from './baserow.js';
import { Grid, Table, key, withoutRelated } from './baserow_grid.js';
import { Server } from './harness.js';

let server, grid, ann, bob;
before(async () => {
  server = await Server.start({ environment: { BASEROW_DOCUMENTED_MESSAGES: 'false' } });
  grid = await Grid.make(server);
  ({ ann, bob } = grid);
});
after(() => server?.stop());

const long = (length) => 'é'.repeat(length);
const optionNames = (field) => field.select_options.map(({ value }) => value);
const names = (cell) => (Array.isArray(cell) ? cell.map(({ value }) => value) : cell?.value ?? null);

/* ---- what is refused ---- */

test('what is wrong with a new field has its code', async () => {
  const table = await grid.table('Codes');
  await table.field('Taken', 'text');
  const CODES = [
    [{ name: 'Taken', type: 'text' }, 'ERROR_FIELD_WITH_SAME_NAME_ALREADY_EXISTS'],
    [{ name: ' Taken ', type: 'text' }, 'ERROR_FIELD_WITH_SAME_NAME_ALREADY_EXISTS'],
    [{ name: 'id', type: 'text' }, 'ERROR_RESERVED_BASEROW_FIELD_NAME'],
    [{ name: 'order', type: 'number' }, 'ERROR_RESERVED_BASEROW_FIELD_NAME'],
    [{ name: '', type: 'text' }, 'ERROR_INVALID_BASEROW_FIELD_NAME'],
    [{ name: ' \t', type: 'text' }, 'ERROR_INVALID_BASEROW_FIELD_NAME'],
    [{ name: long(256), type: 'text' }, 'ERROR_MAX_FIELD_NAME_LENGTH_EXCEEDED'],
    [{ name: 'a', type: 'formula', formula: '1' }, 'ERROR_CANNOT_CREATE_FIELD_TYPE'],
    [{ name: 'a', type: 'count' }, 'ERROR_CANNOT_CREATE_FIELD_TYPE'],
    [{ name: 'a', type: 'boolean', db_index: true }, 'ERROR_DB_INDEX_NOT_SUPPORTED'],
    [{ name: 'a', type: 'boolean', field_constraints: [{ type_name: 'unique_with_empty' }] }, 'ERROR_INVALID_FIELD_CONSTRAINT'],
    [{ name: 'a', type: 'text', field_constraints: [{ type_name: 'else' }] }, 'ERROR_INVALID_FIELD_CONSTRAINT'],
    [{ name: 'a', type: 'text', text_default: 'x', field_constraints: [{ type_name: 'unique_with_empty' }] }, 'ERROR_FIELD_CONSTRAINT_DOES_NOT_SUPPORT_DEFAULT_VALUE'],
    [{ name: 'a', type: 'single_select', select_options: [{ id: -1, value: 'x', color: 'red' }], single_select_default: -2 }, 'ERROR_SELECT_OPTION_DOES_NOT_BELONG_TO_FIELD'],
    [{ name: 'a', type: 'multiple_select', select_options: [{ id: -1, value: 'x', color: 'red' }], multiple_select_default: [-1, -2] }, 'ERROR_SELECT_OPTION_DOES_NOT_BELONG_TO_FIELD'],
    [{ name: 'a', type: 'date', date_include_time: true, date_force_timezone_offset: 60 }, 'ERROR_DATE_FORCE_TIMEZONE_OFFSET_ERROR'],
    [{ name: 'a', type: 'link_row' }, 'ERROR_LINK_ROW_TABLE_NOT_PROVIDED'],
  ];
  for (const [body, code] of CODES) assertCode(await table.tryField(body), 400, code);
  const SETTINGS = [
    [{ type: 'text' }, { name: ['required'] }],
    [{ name: 'a' }, { type: ['required'] }],
    [{}, { name: ['required'], type: ['required'] }],
    [{ name: null, type: 'text' }, { name: ['null'] }],
    [{ name: 'a', type: 'nonsense' }, { type: ['invalid_choice'] }],
    [{ name: 'a', type: 'text', text_default: long(256) }, { text_default: ['max_length'] }],
    [{ name: 'a', type: 'number', number_decimal_places: 11 }, { number_decimal_places: ['max_value'] }],
    [{ name: 'a', type: 'number', number_decimal_places: -1 }, { number_decimal_places: ['min_value'] }],
    [{ name: 'a', type: 'number', number_prefix: long(11) }, { number_prefix: ['max_length'] }],
    [{ name: 'a', type: 'number', number_suffix: long(101) }, { number_suffix: ['max_length'] }],
    [{ name: 'a', type: 'number', number_separator: 'DOT' }, { number_separator: ['invalid_choice'] }],
    [{ name: 'a', type: 'number', number_default: 'x' }, { number_default: ['invalid'] }],
    [{ name: 'a', type: 'text', db_index: 'perhaps' }, { db_index: ['invalid'] }],
    [{ name: 'a', type: 'link_row', has_related_field: 'perhaps' }, { has_related_field: ['invalid'] }],
    [{ name: 'a', type: 'rating', max_value: 11 }, { max_value: ['max_value'] }],
    [{ name: 'a', type: 'rating', max_value: 0 }, { max_value: ['min_value'] }],
    [{ name: 'a', type: 'rating', style: 'moon' }, { style: ['invalid_choice'] }],
    [{ name: 'a', type: 'date', date_format: 'UK' }, { date_format: ['invalid_choice'] }],
    [{ name: 'a', type: 'date', date_time_format: '13' }, { date_time_format: ['invalid_choice'] }],
    [{ name: 'a', type: 'date', date_force_timezone: 'Europe/Nowhere' }, { date_force_timezone: ['invalid_choice'] }],
    [{ name: 'a', type: 'duration', duration_format: 'h' }, { duration_format: ['invalid_choice'] }],
    [{ name: 'a', type: 'boolean', boolean_default: 'maybe' }, { boolean_default: ['invalid'] }],
    [{ name: 'a', type: 'single_select', select_options: 'x' }, { select_options: ['not_a_list'] }],
    [{ name: 'a', type: 'single_select', select_options: [{ value: long(256), color: 'red' }] }, { select_options: ['max_length'] }],
  ];
  for (const [body, detail] of SETTINGS) assertInvalid(await table.tryField(body), detail);
  assert.deepEqual((await table.fields()).map(({ name }) => name), ['Name', 'Taken']);
});

test('names are told apart by case, and may have 255 characters', async () => {
  const table = await grid.table('Names');
  for (const name of ['name', 'NAME', long(255), 'Straße 1', 'ORDER', 'Id', '"; DROP TABLE x', '日本']) assert.equal((await table.field(name, 'text')).name, name);
  assert.equal((await table.field('  wide  ', 'text')).name, 'wide');
  const row = await table.add(Object.fromEntries((await table.fields()).map((field) => [key(field), field.name])));
  for (const field of await table.fields()) assert.equal(row[key(field)], field.name);
  const byName = await ann.ask('GET', `${table.rows}${row.id}/?user_field_names=true`);
  assert.equal(byName['日本'], '日本');
  assert.equal(byName.name, 'name');
});

/* type, what is asked for, what its settings are then (10.3), and what a new row has */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;
const DATES = { date_format: 'EU', date_include_time: false, date_time_format: '24', date_show_tzinfo: false, date_force_timezone: null };
const people = () => [{ id: ann.id, name: ann.name }, { id: bob.id, name: bob.name }];
const KINDS = [
  ['text', {}, { text_default: '' }, ''],
  ['text', { text_default: 'new' }, { text_default: 'new' }, 'new'],
  ['long_text', {}, { long_text_enable_rich_text: false }, ''],
  ['long_text', { long_text_enable_rich_text: true }, { long_text_enable_rich_text: true }, ''],
  ['url', {}, {}, ''],
  ['email', {}, {}, ''],
  ['phone_number', {}, {}, ''],
  ['number', {}, { number_decimal_places: 0, number_negative: false, number_prefix: '', number_suffix: '', number_separator: '', number_default: null }, null],
  ['number', { number_decimal_places: 2, number_negative: true, number_prefix: '$', number_suffix: ' net', number_separator: 'COMMA_PERIOD', number_default: '-1.5' },
    { number_decimal_places: 2, number_negative: true, number_prefix: '$', number_suffix: ' net', number_separator: 'COMMA_PERIOD', number_default: '-1.50' }, '-1.50'],
  ['rating', {}, { max_value: 5, color: 'dark-orange', style: 'star' }, 0],
  ['rating', { max_value: 10, color: 'red', style: 'thumbs-up' }, { max_value: 10, color: 'red', style: 'thumbs-up' }, 0],
  ['boolean', {}, { boolean_default: false }, false],
  ['boolean', { boolean_default: true }, { boolean_default: true }, true],
  ['date', {}, DATES, null],
  ['date', { date_format: 'ISO', date_include_time: true, date_time_format: '12', date_show_tzinfo: true, date_force_timezone: 'Europe/Amsterdam' },
    { date_format: 'ISO', date_include_time: true, date_time_format: '12', date_show_tzinfo: true, date_force_timezone: 'Europe/Amsterdam' }, null],
  ['created_on', {}, DATES, (v) => /^\d{4}-\d\d-\d\d/.test(v)],
  ['last_modified', { date_include_time: true }, { ...DATES, date_include_time: true }, (v) => MOMENT.test(v)],
  ['created_by', {}, () => ({ available_collaborators: people() }), () => ({ id: ann.id, name: ann.name })],
  ['last_modified_by', {}, () => ({ available_collaborators: people() }), () => ({ id: ann.id, name: ann.name })],
  ['duration', {}, { duration_format: 'h:mm' }, null],
  ['duration', { duration_format: 'd h mm ss' }, { duration_format: 'd h mm ss' }, null],
  ['single_select', {}, { select_options: [], single_select_default: null }, null],
  ['multiple_select', {}, { select_options: [], multiple_select_default: null }, []],
  ['multiple_collaborators', {}, () => ({ notify_user_when_added: false, available_collaborators: people() }), []],
  ['multiple_collaborators', { notify_user_when_added: true }, () => ({ notify_user_when_added: true, available_collaborators: people() }), []],
  ['uuid', {}, {}, (v) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(v)],
  ['autonumber', {}, {}, 1],
  ['password', {}, { allow_endpoint_authentication: false }, null],
  ['password', { allow_endpoint_authentication: true }, { allow_endpoint_authentication: true }, null],
];
const READ_ONLY = ['created_on', 'last_modified', 'created_by', 'last_modified_by', 'uuid', 'autonumber'];
const INDEXABLE = ['text', 'long_text', 'url', 'email', 'number', 'rating', 'date', 'duration', 'single_select'];

for (const [i, [type, asked, settings, empty]] of KINDS.entries())
  test(`a field of type ${type} ${JSON.stringify(asked)}: its keys, its cell in a new row, and back from the list`, async () => {
    const table = await grid.table(`Kind ${i}`);
    const made = await table.field('F', type, asked);
    const wanted = {
      id: made.id, table_id: table.id, name: 'F', order: made.order, type, primary: false, read_only: READ_ONLY.includes(type), immutable_type: false, immutable_properties: false,
      description: null, database_id: grid.database.id, workspace_id: grid.workspace.id, db_index: false, field_constraints: [], ...(typeof settings === 'function' ? settings() : settings),
    };
    assert.deepEqual(made, { ...wanted, related_fields: [] });
    assert.deepEqual(await ann.ask('GET', `database/fields/${made.id}/`), wanted);
    assert.deepEqual(await table.fieldNamed('F'), wanted);
    const cell = (await table.add())[key(made)];
    if (typeof empty !== 'function') assert.deepEqual(cell, empty);
    else if (typeof empty(cell) === 'boolean') assert.ok(empty(cell), JSON.stringify(cell));
    else assert.deepEqual(cell, empty());
    assert.deepEqual((await table.read(1))[key(made)], cell);
  });

test('description, index and constraint are told, changed and taken back', async () => {
  const table = await grid.table('Words', ['a', 'b']);
  const field = await table.field('F', 'text', { description: 'What it is', db_index: true, field_constraints: [{ type_name: 'unique_with_empty' }] });
  assert.deepEqual([field.description, field.db_index, field.field_constraints], ['What it is', true, [{ type_name: 'unique_with_empty' }]]);
  const plain = await table.change(field, { description: null, db_index: false, field_constraints: [] });
  assert.deepEqual([plain.description, plain.db_index, plain.field_constraints], [null, false, []]);
  assert.equal((await table.change(field, { db_index: 'true' })).db_index, true);
  for (const type of INDEXABLE) {
    const made = await table.field(type, type, { db_index: true, field_constraints: [{ type_name: 'unique_with_empty' }] });
    assert.deepEqual([made.db_index, made.field_constraints], [true, [{ type_name: 'unique_with_empty' }]], type);
  }
});

test('a field that is unique takes each value once, and any number of empty ones', async () => {
  const table = await grid.table('Unique', ['a', 'b', 'c']);
  const field = await table.field('F', 'text', { field_constraints: [{ type_name: 'unique_with_empty' }] });
  assert.deepEqual(await table.cells(field), ['', '', '']);
  await table.edit(1, { [key(field)]: 'x' });
  await table.edit(1, { [key(field)]: 'x' });
  assertCode(await table.tryEdit(2, { [key(field)]: 'x' }), 400, 'ERROR_FIELD_DATA_CONSTRAINT');
  assertCode(await table.tryAdd({ [key(field)]: 'x' }), 400, 'ERROR_FIELD_DATA_CONSTRAINT');
  assertCode(await ann.rest('POST', `${table.rows}batch/`, { items: [{ [key(field)]: 'y' }, { [key(field)]: 'y' }] }), 400, 'ERROR_FIELD_DATA_CONSTRAINT');
  await table.edit(1, { [key(field)]: '' });
  await table.edit(2, { [key(field)]: 'x' });
  const other = await table.field('G', 'text');
  for (const id of [1, 2]) await table.edit(id, { [key(other)]: 'same' });
  assertCode(await table.tryChange(other, { field_constraints: [{ type_name: 'unique_with_empty' }] }), 400, 'ERROR_FIELD_CONSTRAINT');
  assert.deepEqual(await table.cells(other), ['same', 'same', '']);
  await table.edit(2, { [key(other)]: '' });
  await table.change(other, { field_constraints: [{ type_name: 'unique_with_empty' }] });
  assert.deepEqual(await table.cells(other), ['same', '', '']);
});

test('what is wrong with a change has its code, and changes nothing', async () => {
  const table = await grid.table('Changes', ['1']);
  const [a] = [await table.field('A', 'number'), await table.field('B', 'text')];
  const primary = await table.primary();
  const CODES = [
    [a, { name: 'B' }, 'ERROR_FIELD_WITH_SAME_NAME_ALREADY_EXISTS'],
    [a, { name: 'id' }, 'ERROR_RESERVED_BASEROW_FIELD_NAME'],
    [a, { name: '' }, 'ERROR_INVALID_BASEROW_FIELD_NAME'],
    [a, { name: long(256) }, 'ERROR_MAX_FIELD_NAME_LENGTH_EXCEEDED'],
    [a, { type: 'formula' }, 'ERROR_CANNOT_CHANGE_FIELD_TYPE'],
    [primary, { type: 'password' }, 'ERROR_INCOMPATIBLE_PRIMARY_FIELD_TYPE'],
    [primary, { type: 'link_row', link_row_table_id: table.id }, 'ERROR_INCOMPATIBLE_PRIMARY_FIELD_TYPE'],
    [primary, { type: 'long_text', long_text_enable_rich_text: true }, 'ERROR_INCOMPATIBLE_PRIMARY_FIELD_TYPE'],
  ];
  const fields = await table.fields();
  for (const [field, body, code] of CODES) assertCode(await table.tryChange(field, body), 400, code);
  assertInvalid(await table.tryChange(a, { type: 'x' }), { type: ['invalid_choice'] });
  assertInvalid(await table.tryChange(a, { name: null }), { name: ['null'] });
  assertInvalid(await table.tryChange(a, { number_decimal_places: 99 }), { number_decimal_places: ['max_value'] });
  assert.deepEqual(await table.fields(), fields);
  assert.deepEqual(await table.change(a, { name: 'A' }), { ...withoutRelated(a), related_fields: [] });
  assert.deepEqual(await table.change(a, {}), { ...withoutRelated(a), related_fields: [] });
  const renamed = await table.change(primary, { type: 'long_text' });
  assert.deepEqual([renamed.type, renamed.primary, renamed.long_text_enable_rich_text], ['long_text', true, false]);
});

test('the primary field stays, unless another one takes its place', async () => {
  const [table, other] = [await grid.table('Primary', ['x']), await grid.table('Other')];
  const socket = await Table.look(bob, table);
  const asking = await Table.look(ann, table);
  const primary = await table.primary();
  const [text, secret, rich, link] = [await table.field('T', 'number'), await table.field('P', 'password'), await table.field('R', 'long_text', { long_text_enable_rich_text: true }), await table.field('L', 'link_row', { link_row_table_id: other.id })];
  const path = `database/fields/table/${table.id}/change-primary-field/`;
  assertCode(await ann.rest('DELETE', `database/fields/${primary.id}/`), 400, 'ERROR_CANNOT_DELETE_PRIMARY_FIELD');
  assertCode(await ann.rest('POST', path, { new_primary_field_id: primary.id }), 400, 'ERROR_FIELD_IS_ALREADY_PRIMARY');
  assertCode(await ann.rest('POST', path, { new_primary_field_id: (await other.primary()).id }), 400, 'ERROR_FIELD_NOT_IN_TABLE');
  for (const field of [secret, rich, link]) assertCode(await ann.rest('POST', path, { new_primary_field_id: field.id }), 400, 'ERROR_INCOMPATIBLE_PRIMARY_FIELD_TYPE');
  assertInvalid(await ann.rest('POST', path, {}), { new_primary_field_id: ['required'] });
  await Promise.all([socket.news(), asking.news()]);

  const answer = await ann.ask('POST', path, { new_primary_field_id: text.id }, asking.exclude);
  const [now, was] = [{ ...withoutRelated(text), primary: true }, { ...primary, primary: false }];
  assert.deepEqual(answer, { ...now, related_fields: [was] });
  assert.deepEqual(await socket.news(), [{ type: 'field_updated', field_id: text.id, field: now, related_fields: [was] }]);
  assert.deepEqual(await asking.news(), []);
  assert.deepEqual((await table.fields()).map(({ id }) => id), [text.id, primary.id, secret.id, rich.id, link.id]);
  await ann.ask('DELETE', `database/fields/${primary.id}/`);
  assert.equal((await table.fields()).length, 4);
});

test('messages of fields go to the page, and not to the socket that asked', async () => {
  const table = await grid.table('Messages', ['1', 'x']);
  const [asking, other, theirs, idle] = [await Table.look(ann, table), await Table.look(ann, table), await Table.look(bob, table), await Table.look(bob)];
  const each = async (wanted, told = false) => {
    for (const socket of [other, theirs]) assert.deepEqual(await socket.news(), wanted);
    assert.deepEqual(await asking.news(), told ? wanted : []);
    assert.deepEqual(await idle.news(), []);
  };
  const made = await table.field('F', 'text', {}, asking.exclude);
  const field = withoutRelated(made);
  assert.deepEqual(made.related_fields, []);
  await each([{ type: 'field_created', field, related_fields: [] }]);
  const renamed = withoutRelated(await table.change(field, { name: 'G' }, asking.exclude));
  await each([{ type: 'field_updated', field_id: field.id, field: renamed, related_fields: [] }]);
  const number = withoutRelated(await table.change(field, { type: 'number', description: 'n' }, asking.exclude));
  await each([{ type: 'field_updated', field_id: field.id, field: number, related_fields: [] }]);
  await table.edit(1, { [key(field)]: 5 }, asking.exclude);
  await Promise.all([other, theirs, asking].map((socket) => socket.news()));
  const answer = await ann.rest('DELETE', `database/fields/${field.id}/`, undefined, asking.exclude);
  assert.deepEqual([answer.status, answer.body], [200, { related_fields: [] }]);
  await each([{ type: 'field_deleted', table_id: table.id, field_id: field.id, related_fields: [] }]);
  assert.ok(!(key(field) in await table.read(1)));
  await ann.ask('PATCH', 'trash/restore/', { trash_item_type: 'field', trash_item_id: field.id }, asking.exclude);
  await each([{ type: 'field_restored', field: { ...number, filters: [], sortings: [], group_bys: [] }, related_fields: [] }], true);
  assert.equal((await table.read(1))[key(field)], '5');
  await table.tryField({ name: 'Name', type: 'text' });
  await table.tryChange(field, { name: 'Name' });
  await each([]);
});

test('a restored field whose name was taken meanwhile gets a number', async () => {
  const table = await grid.table('Restored');
  const first = await table.field('F', 'text');
  await ann.ask('DELETE', `database/fields/${first.id}/`);
  await table.field('F', 'number');
  await ann.ask('PATCH', 'trash/restore/', { trash_item_type: 'field', trash_item_id: first.id });
  assert.deepEqual((await table.fields()).map(({ name }) => name).sort(), ['F', 'F 2', 'Name']);
});

/* ---- options (10.8) ---- */

test('options: temporary ids, defaults, changes, and those that are gone', async () => {
  const table = await grid.table('Options', ['r']);
  const made = await table.field('S', 'single_select', { select_options: [{ id: -1, value: 'A', color: 'red' }, { id: -2, value: 'B', color: 'blue' }, { value: 'C', color: 'x'.repeat(255) }], single_select_default: -2 });
  const [a, b, c] = made.select_options;
  assert.ok(a.id > 0 && b.id > a.id && c.id > b.id);
  assert.deepEqual(made.select_options, [{ id: a.id, value: 'A', color: 'red' }, { id: b.id, value: 'B', color: 'blue' }, { id: c.id, value: 'C', color: 'x'.repeat(255) }]);
  assert.equal(made.single_select_default, b.id);
  assert.deepEqual(await table.cells(made), [b]);
  assert.deepEqual((await table.add())[key(made)], b);

  await table.edit(1, { [key(made)]: a.id });
  const changed = await table.change(made, { select_options: [{ id: c.id, value: 'C', color: 'green' }, { id: a.id, value: 'A!', color: 'red' }, { upsert_id: -7, value: 'D', color: 'pink' }], single_select_default: -7 });
  const d = changed.select_options[2];
  assert.ok(d.id > c.id);
  assert.deepEqual(changed.select_options, [{ id: c.id, value: 'C', color: 'green' }, { id: a.id, value: 'A!', color: 'red' }, { id: d.id, value: 'D', color: 'pink' }]);
  assert.equal(changed.single_select_default, d.id);
  assert.deepEqual(await table.cells(made), [{ id: a.id, value: 'A!', color: 'red' }, null]);
  assert.deepEqual((await table.add())[key(made)], d);

  assertCode(await table.tryChange(made, { single_select_default: b.id }), 400, 'ERROR_SELECT_OPTION_DOES_NOT_BELONG_TO_FIELD');
  const gone = await table.change(made, { select_options: [{ id: a.id, value: 'A', color: 'red' }] });
  assert.equal(gone.single_select_default, null);
  assert.deepEqual((await table.cells(made)).map(names), ['A', null, null]);

  const several = await table.field('M', 'multiple_select', { select_options: [{ id: -1, value: 'x', color: 'red' }, { id: -2, value: 'y', color: 'red' }], multiple_select_default: [-2, -1] });
  const [x, y] = several.select_options;
  assert.deepEqual(several.multiple_select_default, [y.id, x.id]);
  assert.deepEqual(await table.cells(several), [[y, x], [y, x], [y, x]], 'rows that there are get the default as well');
  assert.deepEqual((await table.add())[key(several)], [y, x]);
  await table.change(several, { select_options: [x] });
  assert.deepEqual((await table.cells(several)).map(names), [['x'], ['x'], ['x'], ['x']]);
  /* Another field's options are none of this one's: it gets options of its own. */
  const copied = await table.change(made, { select_options: [{ ...x, value: 'copied' }] });
  assert.notEqual(copied.select_options[0].id, x.id);
});

/* ---- conversions (10.2) ---- */

/* from type and settings, cells as written, to type and settings, cells as read */
const CONVERSIONS = [
  ['text', {}, ['12', '1.5', '-3', 'abc', ''], 'number', { number_decimal_places: 1, number_negative: true }, ['12.0', '1.5', '-3.0', null, null]],
  ['text', {}, ['12', '-3'], 'number', {}, ['12', null]],
  ['text', {}, ['true', 'yes', '0', 'x', ''], 'boolean', {}, [true, true, false, false, false]],
  ['text', {}, ['2024-02-29', '31/12/2023', 'x', ''], 'date', { date_format: 'EU' }, ['2024-02-29', '2023-12-31', null, null]],
  ['text', {}, ['02/01/2024'], 'date', { date_format: 'US' }, ['2024-02-01']],
  ['text', {}, ['3', '99', 'x', ''], 'rating', { max_value: 4 }, [3, 4, 0, 0]],
  ['text', {}, ['1:30', '2h', 'x'], 'duration', { duration_format: 'h:mm' }, [5400, 7200, null]],
  ['text', {}, ['ann@example.com', 'no'], 'email', {}, ['ann@example.com', '']],
  ['text', {}, ['https://example.com', 'no'], 'url', {}, ['https://example.com', '']],
  ['text', {}, ['+31 20', 'no'], 'phone_number', {}, ['+31 20', '']],
  ['text', {}, ['A', 'B', 'A', ''], 'single_select', {}, ['A', 'B', 'A', null]],
  ['text', {}, ['A,B', 'B', ''], 'multiple_select', {}, [['A', 'B'], ['B'], []]],
  ['text', {}, ['a', ''], 'long_text', {}, ['a', '']],
  ['long_text', {}, ['a\nb'], 'text', {}, ['a\nb']],
  ['number', { number_decimal_places: 2 }, ['1.5', null], 'text', {}, ['1.50', '']],
  ['number', { number_decimal_places: 2 }, ['1.55', '2'], 'number', { number_decimal_places: 1 }, ['1.6', '2.0']],
  ['number', { number_negative: true }, ['-4', '4'], 'number', { number_negative: false }, [null, '4']],
  ['number', {}, ['3', '77', null], 'rating', {}, [3, 5, 0]],
  ['number', {}, ['1', '0', null], 'boolean', {}, [true, false, false]],
  ['number', {}, ['1', '2', null], 'single_select', {}, ['1', '2', null]],
  ['boolean', {}, [true, false], 'text', {}, ['true', 'false']],
  ['boolean', {}, [true, false], 'number', {}, ['1', '0']],
  ['rating', {}, [0, 4], 'number', {}, ['0', '4']],
  ['rating', { max_value: 10 }, [9, 2], 'rating', { max_value: 5 }, [5, 2]],
  ['date', { date_format: 'EU' }, ['2024-02-29', null], 'text', {}, ['29/02/2024', '']],
  ['date', { date_include_time: true, date_format: 'ISO' }, ['2024-02-29T10:20:00Z'], 'text', {}, ['2024-02-29 10:20']],
  ['date', {}, ['2024-02-29'], 'date', { date_include_time: true }, ['2024-02-29T00:00:00Z']],
  ['date', { date_include_time: true }, ['2024-02-29T23:00:00Z'], 'date', { date_include_time: false }, ['2024-02-29']],
  ['duration', { duration_format: 'h:mm:ss' }, [3661, null], 'text', {}, ['1:01:01', '']],
  ['duration', { duration_format: 'h:mm:ss' }, [3661, 3600], 'duration', { duration_format: 'h:mm' }, [3660, 3600]],
  ['url', {}, ['https://a.b'], 'text', {}, ['https://a.b']],
  ['uuid', {}, [undefined], 'text', {}, [/^[0-9a-f-]{36}$/]],
  ['autonumber', {}, [undefined, undefined], 'number', {}, ['1', '2']],
  ['autonumber', {}, [undefined, undefined], 'text', {}, ['1', '2']],
  ['created_on', { date_format: 'ISO' }, [undefined], 'text', {}, [/^\d{4}-\d\d-\d\d$/]],
  ['created_on', {}, [undefined], 'date', {}, [/^\d{4}-\d\d-\d\d$/]],
  ['password', {}, ['secret'], 'text', {}, ['']],
  ['text', {}, ['secret', ''], 'password', {}, [null, null]],
  ['text', {}, ['a', 'b'], 'autonumber', {}, [1, 2]],
  ['text', {}, ['a'], 'uuid', {}, [/^[0-9a-f-]{36}$/]],
];
for (const [from, settings, written, to, wished, wanted] of CONVERSIONS)
  test(`${from} ${JSON.stringify(settings)} becomes ${to} ${JSON.stringify(wished)}: cells keep what they can`, async () => {
    const table = await grid.table(`From ${from} to ${to}`);
    const field = await table.field('F', from, settings);
    await ann.ask('POST', `${table.rows}batch/`, { items: written.map((value) => (value === undefined ? {} : { [key(field)]: value })) });
    const changed = await table.change(field, { type: to, ...wished });
    assert.deepEqual([changed.type, changed.id, changed.order, changed.related_fields], [to, field.id, field.order, []]);
    const cells = (await table.cells(field)).map((cell) => (typeof cell === 'object' ? names(cell) : cell));
    assert.equal(cells.length, wanted.length);
    cells.forEach((cell, i) => (wanted[i] instanceof RegExp ? assert.match(cell, wanted[i]) : assert.deepEqual(cell, wanted[i], `${JSON.stringify(written[i])}`)));
    const row = await table.add();
    assert.ok(key(field) in row);
  });

test('options follow from a select field to the other, and from their names', async () => {
  const table = await grid.table('Selects');
  const field = await table.field('F', 'single_select', { select_options: [{ value: 'A', color: 'red' }, { value: 'B', color: 'blue' }] });
  const [a, b] = field.select_options;
  await ann.ask('POST', `${table.rows}batch/`, { items: [{ [key(field)]: a.id }, { [key(field)]: b.id }, {}] });
  const several = await table.change(field, { type: 'multiple_select' });
  assert.deepEqual(optionNames(several), ['A', 'B']);
  assert.deepEqual((await table.cells(field)).map(names), [['A'], ['B'], []]);
  await table.edit(2, { [key(field)]: ['A', 'B'] });
  await table.change(field, { type: 'text' });
  assert.deepEqual(await table.cells(field), ['A', 'A,B', ''].map((text) => text.replace(',', ', ')));
  const given = await table.change(field, { type: 'multiple_select', select_options: [{ value: 'B', color: 'green' }] });
  assert.deepEqual(optionNames(given).slice(0, 1), ['B']);
  assert.equal(given.select_options[0].color, 'green');
  const single = await table.change(field, { type: 'single_select' });
  assert.equal(single.type, 'single_select');
});

/* ---- one field's cells (9.6) ---- */

test('unique_row_values: each once, most frequent first', async () => {
  const table = await grid.table('Values', ['a', 'b', 'b', 'a,b', 'b', 'c', 'a', '']);
  const field = await table.primary();
  const path = (f, query = '') => `database/fields/${f.id}/unique_row_values/${query}`;
  assert.deepEqual(await ann.ask('GET', path(field)), { values: ['b', 'a', 'a,b', 'c'] });
  assert.deepEqual(await ann.ask('GET', path(field, '?limit=1')), { values: ['b'] });
  assert.deepEqual(await ann.ask('GET', path(field, '?split_comma_separated=true')), { values: ['b', 'a', 'c'] });
  const number = await table.field('N', 'number', { number_decimal_places: 1 });
  for (const [id, value] of [[1, 2], [2, 3], [3, 3]]) await table.edit(id, { [key(number)]: value });
  assert.deepEqual(await ann.ask('GET', path(number)), { values: ['3.0', '2.0'] });
  for (const type of ['password', 'multiple_collaborators', 'single_select', 'multiple_select'])
    assertCode(await ann.rest('GET', path(await table.field(type, type))), 400, 'ERROR_INCOMPATIBLE_FIELD_TYPE_FOR_UNIQUE_VALUES');
  assertInvalid(await ann.rest('GET', path(field, '?limit=x')), { limit: ['invalid'] }, 'ERROR_QUERY_PARAMETER_VALIDATION');
});

test('password-authentication says whether a password is right, to anybody, if the field allows it', async () => {
  const table = await grid.table('Passwords');
  const [open, closed] = [await table.field('O', 'password', { allow_endpoint_authentication: true }), await table.field('C', 'password')];
  const row = await table.add({ [key(open)]: 'sesame', [key(closed)]: 'sesame' });
  assert.deepEqual([row[key(open)], row[key(closed)]], [true, true]);
  const ask = (body) => server.rest('POST', '/api/database/fields/password-authentication/', body, null);
  const right = await ask({ field_id: open.id, row_id: row.id, password: 'sesame' });
  assert.deepEqual([right.status, right.body], [200, { is_correct: true }]);
  assertCode(await ask({ field_id: open.id, row_id: row.id, password: 'Sesame' }), 401, 'ERROR_INVALID_PASSWORD_FIELD_PASSWORD');
  assertCode(await ask({ field_id: closed.id, row_id: row.id, password: 'sesame' }), 404, 'ERROR_FIELD_DOES_NOT_EXIST');
  assertCode(await ask({ field_id: 99999, row_id: row.id, password: 'sesame' }), 404, 'ERROR_FIELD_DOES_NOT_EXIST');
  assertCode(await ask({ field_id: open.id, row_id: 99, password: 'sesame' }), 404, 'ERROR_ROW_DOES_NOT_EXIST');
  assertInvalid(await ask({}), { field_id: ['required'], row_id: ['required'], password: ['required'] });
  await table.edit(row.id, { [key(open)]: null });
  assertCode(await ask({ field_id: open.id, row_id: row.id, password: 'sesame' }), 401, 'ERROR_INVALID_PASSWORD_FIELD_PASSWORD');
});
