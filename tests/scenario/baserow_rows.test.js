/* Rows of Baserow's dialect: lists, single rows, batches, names, neighbours (baserow.md 7.2, 7.4, 7.5, 8.4, 9.7, 10.4, 11). */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Person, assertCode, assertInvalid } from './baserow.js';
import { Server } from './harness.js';

let server, ann, eve, database, people, projects, at;
const order = (n) => `${n}.00000000000000000000`;
const NOWHERE = 999_999_999;

async function makeTable(name, rows = [['Name']]) {
  const table = await ann.ask('POST', `database/tables/database/${database}/`, { name, data: rows, first_row_header: true });
  return table.id;
}
const addField = (table, field) => ann.ask('POST', `database/fields/table/${table}/`, field);
const fieldsOf = async (table) => Object.fromEntries((await ann.ask('GET', `database/fields/table/${table}/`)).map((one) => [one.name, one]));

before(async () => {
  server = await Server.start({ environment: { BASEROW_ROW_PAGE_SIZE_LIMIT: '50', BATCH_ROWS_SIZE_LIMIT: '20' } });
  ann = await Person.register(server, 'Ann');
  eve = await Person.register(server, 'Eve');
  const workspace = await ann.ask('POST', 'workspaces/', { name: 'Acme' });
  ({ id: database } = await ann.ask('POST', `applications/workspace/${workspace.id}/`, { name: 'CRM', type: 'database' }));
  at = { workspace: workspace.id };
});
after(() => server.stop());

/* People, who work on projects: each test has tables of its own. */
beforeEach(async () => {
  projects = await makeTable('Projects', [['Title'], ['Alpha'], ['Beta']]);
  people = await makeTable('People', [['Name']]);
  const select = { type: 'single_select', select_options: [{ value: 'Red', color: 'red' }, { value: 'green', color: 'green' }, { value: 'Amber', color: 'orange' }] };
  for (const field of [
    { name: 'Age', type: 'number' }, { name: 'Pay', type: 'number', number_decimal_places: 2 }, { name: 'Stars', type: 'rating' },
    { name: 'Active', type: 'boolean' }, { name: 'Born', type: 'date' }, { name: 'Color', ...select },
    { name: 'Works on', type: 'link_row', link_row_table_id: projects }, { name: 'Secret', type: 'password' }, { name: 'No', type: 'autonumber' },
  ]) await addField(people, field);
  at.fields = await fieldsOf(people);
});

const rowsOf = (table = people) => `database/rows/table/${table}/`;
const named = (query = '') => `${rowsOf()}?user_field_names=true${query && `&${query}`}`;
const create = (row) => ann.ask('POST', named(), row);
const read = (id, table = people) => ann.ask('GET', `${rowsOf(table)}${id}/?user_field_names`);
const list = async (query) => (await ann.ask('GET', named(query))).results;
const names = async (query) => (await list(query)).map(({ Name }) => Name);
const key = (name) => `field_${at.fields[name].id}`;
const option = (value) => at.fields.Color.select_options.find((one) => one.value === value);
const escaped = encodeURIComponent;
const filters = (tree) => `filters=${escaped(JSON.stringify(tree))}`;

async function fill() {
  for (const row of [
    { Name: 'Ann', Age: 30, Pay: '1234.5', Stars: 5, Active: true, Born: '1995-03-01', Color: 'Red', 'Works on': ['Alpha'] },
    { Name: 'bob', Age: 4, Pay: 2, Color: 'green', 'Works on': ['Alpha', 'Beta'] },
    { Name: 'Cat', Age: 12, Born: '2013-01-31', Color: 'Amber' },
    {},
  ]) await create(row);
}

/* ---- every route: credentials, table, membership, row, body, in this order ---- */

const ROUTES = [
  { call: 'GET :table', row: false },
  { call: 'POST :table', body: [], row: false },
  { call: 'GET :table:row/' },
  { call: 'PATCH :table:row/', body: {} },
  { call: 'DELETE :table:row/' },
  { call: 'PATCH :table:row/move/' },
  { call: 'POST :tablebatch/', body: {}, row: false },
  { call: 'PATCH :tablebatch/', body: {}, row: false },
  { call: 'POST :tablebatch-delete/', body: {}, row: false },
  { call: 'GET :table:row/adjacent/' },
];
for (const { call, body, row = true } of ROUTES) {
  const [method, pattern] = call.split(' ');
  const target = (table, id = 1) => pattern.replace(':table', rowsOf(table)).replace(':row', id);

  test(`${call} asks who it is, which table, whose, which row, in this order`, async () => {
    const answer = await server.rest(method, `/api/${target(NOWHERE)}`, body, null);
    assert.equal(answer.status, 401);
    assert.deepEqual(answer.body, { detail: 'Authentication credentials were not provided.' });
    assertCode(await ann.rest(method, target(NOWHERE), body), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
    assert.equal(assertCode(await eve.rest(method, target(people), body), 400, 'ERROR_USER_NOT_IN_GROUP'), '');
    if (row) assert.equal(assertCode(await ann.rest(method, target(people, 77), body), 404, 'ERROR_ROW_DOES_NOT_EXIST'), 'The rows [77] do not exist.');
  });
}

/* ---- single rows ---- */

test('a new row gets defaults, the next place, and keys by number or by name', async () => {
  const first = await ann.ask('POST', rowsOf(), { [key('Name')]: 'Ann', [key('Pay')]: 1.5, unknown: 1, field_1: 'x' });
  assert.deepEqual(Object.keys(first).slice(0, 2), ['id', 'order']);
  assert.deepEqual(first, {
    id: 1, order: order(1), [key('Name')]: 'Ann', [key('Age')]: null, [key('Pay')]: '1.50', [key('Stars')]: 0, [key('Active')]: false,
    [key('Born')]: null, [key('Color')]: null, [key('Works on')]: [], [key('Secret')]: null, [key('No')]: 1,
  });
  assert.deepEqual(await create({ Name: 'Bob', Color: 'green', 'Works on': [1] }), {
    id: 2, order: order(2), Name: 'Bob', Age: null, Pay: null, Stars: 0, Active: false, Born: null, Color: option('green'),
    'Works on': [{ id: 1, value: 'Alpha', order: order(1) }], Secret: null, No: 2,
  });
  assert.deepEqual(await ann.ask('POST', rowsOf(), undefined), { ...first, id: 3, order: order(3), [key('Name')]: '', [key('Pay')]: null, [key('No')]: 3 });
  assert.deepEqual(await ann.ask('GET', `${rowsOf()}1/`), first);
  assert.deepEqual(await ann.ask('GET', `${rowsOf()}1/?include=metadata`), { ...first, metadata: {} });
});

test('a row is made before another one, and moved', async () => {
  await fill();
  const made = await ann.ask('POST', named('before=2'), { Name: 'Between' });
  assert.equal(made.order, '1.50000000000000000000');
  assert.deepEqual(await names(), ['Ann', 'Between', 'bob', 'Cat', '']);
  const moved = await ann.ask('PATCH', `${rowsOf()}4/move/?before_id=1&user_field_names`);
  assert.equal(moved.id, 4);
  assert.equal(moved.order, '0.50000000000000000000');
  assert.deepEqual(await names(), ['', 'Ann', 'Between', 'bob', 'Cat']);
  assert.equal((await ann.ask('PATCH', `${rowsOf()}1/move/`)).order, order(5));
  assert.deepEqual(await names(), ['', 'Between', 'bob', 'Cat', 'Ann']);
  assertCode(await ann.rest('POST', named('before=77'), {}), 404, 'ERROR_ROW_DOES_NOT_EXIST');
  assertCode(await ann.rest('PATCH', `${rowsOf()}1/move/?before_id=77`), 404, 'ERROR_ROW_DOES_NOT_EXIST');
  assertInvalid(await ann.rest('POST', named('before=first'), {}), { before: ['invalid'] }, 'ERROR_QUERY_PARAMETER_VALIDATION');
  assertInvalid(await ann.rest('PATCH', `${rowsOf()}1/move/?before_id=x`), { before_id: ['invalid'] }, 'ERROR_QUERY_PARAMETER_VALIDATION');
  assert.equal((await list()).length, 5);
});

test('an update changes what it names, and answers the whole row', async () => {
  await fill();
  const before = await read(1);
  assert.deepEqual(await ann.ask('PATCH', `${rowsOf()}1/?user_field_names`, { Age: '31', 'Works on': [], id: 9, order: '7' }),
    { ...before, Age: '31', 'Works on': [] });
  assert.deepEqual(await ann.ask('PATCH', `${rowsOf()}1/`, { [key('Age')]: null }).then((row) => row[key('Age')]), null);
  assert.deepEqual(await read(1), { ...before, Age: null, 'Works on': [] });
});

test('a deleted row is gone', async () => {
  await fill();
  await ann.ask('DELETE', `${rowsOf()}2/`);
  assertCode(await ann.rest('GET', `${rowsOf()}2/`), 404, 'ERROR_ROW_DOES_NOT_EXIST');
  assertCode(await ann.rest('DELETE', `${rowsOf()}2/`), 404, 'ERROR_ROW_DOES_NOT_EXIST');
  assert.deepEqual(await names(), ['Ann', 'Cat', '']);
  assert.equal((await create({})).id, 5);
});

test('values that do not fit are all told, by the keys that the client wrote', async () => {
  const wrong = { Name: [], Age: 'many', Pay: '1.234', Stars: 6, Active: null, Born: 'soon', 'Works on': [77], No: 5 };
  const answer = await ann.rest('POST', named(), wrong);
  const detail = assertCode(answer, 400, 'ERROR_REQUEST_BODY_VALIDATION');
  for (const [name, code] of [['Age', 'invalid'], ['Pay', 'max_decimal_places'], ['Stars', 'max_value'], ['Active', 'null'], ['Born', 'invalid'], ['No', 'read_only']]) {
    assert.equal(detail[name]?.[0]?.code, code, `${name}: ${JSON.stringify(detail)}`);
    assert.equal(typeof detail[name][0].error, 'string');
  }
  await fill();
  assertInvalid(await ann.rest('PATCH', `${rowsOf()}1/`, { [key('Stars')]: -1 }), { [key('Stars')]: ['min_value'] });
  assert.equal(assertCode(await ann.rest('PATCH', `${rowsOf()}1/`, { [key('Color')]: 787 }), 400, 'ERROR_REQUEST_BODY_VALIDATION'),
    "The provided select option value '787' is not a valid select option.");
  for (const body of [[], 'x', 5]) assertInvalid(await ann.rest('PATCH', `${rowsOf()}1/`, body), { non_field_errors: ['invalid'] });
  assert.equal((await list()).length, 4);
});

test('passwords are kept, and never told', async () => {
  const row = await create({ Name: 'Ann', Secret: 'open sesame' });
  assert.equal(row.Secret, true);
  assert.equal((await ann.ask('PATCH', `${rowsOf()}1/?user_field_names`, { Secret: true, Age: 5 })).Secret, true);
  const batch = await ann.ask('PATCH', `${rowsOf()}batch/`, { items: [{ id: 1, [key('Secret')]: null }] });
  assert.equal(batch.items[0][key('Secret')], null);
});

/* ---- batches ---- */

test('batches answer in the order of their items, and are all or nothing', async () => {
  await fill();
  const made = await ann.ask('POST', `${rowsOf()}batch/?user_field_names&before=1`, { items: [{ Name: 'x' }, { Name: 'y', 'Works on': ['Beta'] }] });
  assert.deepEqual(made.items.map((row) => [row.id, row.Name]), [[5, 'x'], [6, 'y']]);
  assert.deepEqual(await names(), ['x', 'y', 'Ann', 'bob', 'Cat', '']);
  const updated = await ann.ask('PATCH', `${rowsOf()}batch/?user_field_names&include_metadata`, { items: [{ id: 6, Age: 1 }, { id: 1, Age: 2, Name: 'Anna' }] });
  assert.deepEqual(updated.items.map((row) => [row.id, row.Name, row.Age]), [[6, 'y', '1'], [1, 'Anna', '2']]);
  assert.deepEqual(updated.metadata, {});
  assert.deepEqual(Object.keys(await ann.ask('PATCH', `${rowsOf()}batch/`, { items: [{ id: 1 }] })), ['items']);

  assertInvalid(await ann.rest('PATCH', `${rowsOf()}batch/?user_field_names`, { items: [{ id: 6, Age: 7 }, { id: 1, Age: 'x', Stars: 9 }, { id: 2, Pay: '-1' }] }),
    { items: { 1: { Age: ['invalid'], Stars: ['max_value'] }, 2: { Pay: ['min_value'] } } });
  assert.equal(assertCode(await ann.rest('PATCH', `${rowsOf()}batch/`, { items: [{ id: 6, [key('Age')]: 7 }, { id: 77 }, { id: 78 }] }), 404, 'ERROR_ROW_DOES_NOT_EXIST'),
    'The rows [77, 78] do not exist.');
  assertCode(await ann.rest('PATCH', `${rowsOf()}batch/`, { items: [{ id: 6 }, { id: 6 }] }), 400, 'ERROR_ROW_IDS_NOT_UNIQUE');
  assert.equal((await read(6)).Age, '1');

  assertCode(await ann.rest('POST', `${rowsOf()}batch-delete/`, { items: [1, 77] }), 404, 'ERROR_ROW_DOES_NOT_EXIST');
  assertCode(await ann.rest('POST', `${rowsOf()}batch-delete/`, { items: [1, 1] }), 400, 'ERROR_ROW_IDS_NOT_UNIQUE');
  assert.equal((await list()).length, 6);
  await ann.ask('POST', `${rowsOf()}batch-delete/`, { items: [1, 5, 6] });
  assert.deepEqual(await names(), ['bob', 'Cat', '']);
});

test('a batch has items, and not too many', async () => {
  const INVALID = [
    [{}, ['required']], [{ items: null }, ['null']], [{ items: {} }, ['not_a_list']], [{ items: [] }, ['min_length']],
    [{ items: Array(21).fill({ id: 1 }) }, ['max_length']],
  ];
  for (const [body, codes] of INVALID)
    for (const [method, path] of [['POST', 'batch/'], ['PATCH', 'batch/'], ['POST', 'batch-delete/']])
      assertInvalid(await ann.rest(method, rowsOf() + path, body), { items: codes });
  assertInvalid(await ann.rest('POST', `${rowsOf()}batch/`, { items: [{}, 5, []] }), { items: { 1: { non_field_errors: ['invalid'] }, 2: { non_field_errors: ['invalid'] } } });
  assertInvalid(await ann.rest('PATCH', `${rowsOf()}batch/`, { items: [{}, { id: 'x' }] }), { items: { 0: { id: ['required'] }, 1: { id: ['invalid'] } } });
  assertInvalid(await ann.rest('POST', `${rowsOf()}batch-delete/`, { items: [1, 'x'] }), { items: { 1: ['invalid'] } });
  assertInvalid(await ann.rest('POST', `${rowsOf()}batch/`, []), { non_field_errors: ['invalid'] });
  assert.equal((await ann.ask('POST', `${rowsOf()}batch/`, { items: Array(20).fill({}) })).items.length, 20);
});

/* ---- lists ---- */

test('a list comes in pages, with addresses of the others', async () => {
  for (let i = 0; i < 3; i++) await ann.ask('POST', `${rowsOf()}batch/`, { items: Array(20).fill({}) });
  const page = (query) => ann.ask('GET', rowsOf() + query);
  const address = (query) => `${server.url}/api/${rowsOf()}?${query}`;
  const first = await page('?size=25');
  assert.deepEqual(Object.keys(first), ['count', 'next', 'previous', 'results']);
  assert.deepEqual([first.count, first.results.length, first.next, first.previous], [60, 25, address('size=25&page=2'), null]);
  const last = await page('?page=3&size=25&order_by=-' + key('No'));
  assert.deepEqual([last.count, last.results.length, last.results[9].id, last.next], [60, 10, 1, null]);
  assert.equal(last.previous, address(`size=25&order_by=-${key('No')}&page=2`));
  assert.deepEqual((await page('?page=9&size=25')).results, []);
  assert.equal((await page('?page=x&size=50')).results[0].id, 1);
  assert.equal((await page('?page=-1&size=1')).results[0].id, 1);
  assert.equal(assertCode(await ann.rest('GET', `${rowsOf()}?size=51`), 400, 'ERROR_PAGE_SIZE_LIMIT'), 'The page size is limited to 50.');
  assert.deepEqual(await ann.ask('GET', rowsOf(await makeTable('Nothing'))), { count: 0, next: null, previous: null, results: [] });
});

test('a list has the fields that are included, but those excluded', async () => {
  await fill();
  const keys = async (query) => Object.keys((await ann.ask('GET', rowsOf() + query)).results[0]).slice(2);
  assert.deepEqual(await keys(`?include=${key('Age')},${key('Name')},field_${NOWHERE}`), [key('Name'), key('Age')]);
  assert.deepEqual(await keys(`?include=${at.fields.Age.id}`), [key('Age')]);
  assert.deepEqual(await keys(`?include=${key('Age')},${key('Name')}&exclude=${key('Age')}`), [key('Name')]);
  assert.equal((await keys(`?exclude=${key('Works on')}`)).length, 9);
  assert.deepEqual(await keys(`?user_field_names&include=${escaped('Works on,"Age"')}`), ['Age', 'Works on']);
});

test('a list stands in the order that is asked for', async () => {
  await fill();
  const by = async (orderBy) => (await names(`order_by=${escaped(orderBy)}`)).join(' ');
  assert.equal(await by('Name'), ' Ann bob Cat');
  assert.equal(await by('-Name'), 'Cat bob Ann ');
  assert.equal(await by('+Age'), ' bob Cat Ann');
  assert.equal(await names('order_by=+Age').then((all) => all.join(' ')), ' bob Cat Ann', 'a plus that is not escaped');
  assert.equal(await by('Color'), ' Cat bob Ann');
  assert.equal(await by('Color[order]'), ' Ann bob Cat');
  assert.equal(await by('-Color[default]'), 'Ann bob Cat ');
  assert.equal(await by('Active,-Age'), 'Cat bob  Ann');
  assert.equal(await by('Works on,-Age'), 'Cat  Ann bob');
  assert.equal((await ann.ask('GET', `${rowsOf()}?order_by=-${key('Age')}`)).results[0].id, 1);
  assert.equal(assertCode(await ann.rest('GET', named('order_by=Height')), 400, 'ERROR_ORDER_BY_FIELD_NOT_FOUND'), 'The field Height was not found in the table.');
  for (const orderBy of ['Secret', '-Secret', 'Age[order]'])
    assertCode(await ann.rest('GET', named(`order_by=${escaped(orderBy)}`)), 400, 'ERROR_ORDER_BY_FIELD_NOT_POSSIBLE');
  assertCode(await ann.rest('GET', `${rowsOf()}?order_by=Name`), 400, 'ERROR_ORDER_BY_FIELD_NOT_FOUND');
});

test('a list is searched', async () => {
  await fill();
  for (const [term, found] of [['ANN', 'Ann'], ['b', 'bob Cat'], ['alpha', 'Ann bob'], ['1234.5', 'Ann'], ['31/01/2013', 'Cat'], ['red', 'Ann'], ['nobody', '']])
    assert.equal((await names(`search=${escaped(term)}`)).join(' '), found, term);
  assert.deepEqual((await list('search=4')).map(({ id }) => id), [1, 2, 4], 'an age, a pay, an id');
  assert.equal((await names('search=ann&search_mode=full-text-with-count')).join(' '), 'Ann');
  assertInvalid(await ann.rest('GET', named('search_mode=odd')), { search_mode: ['invalid_choice'] }, 'ERROR_QUERY_PARAMETER_VALIDATION');
});

test('a list is filtered, by a tree or by parameters', async () => {
  await fill();
  const one = (field, type, value) => ({ field, type, value });
  const CASES = [
    [filters({ filters: [one('Age', 'higher_than', '5')] }), 'Ann Cat'],
    [filters({ filter_type: 'AND', filters: [one('Age', 'higher_than', '5'), one('Name', 'contains', 'A')] }), 'Ann Cat'],
    [filters({ filter_type: 'OR', filters: [one('Name', 'equal', 'bob'), one('Stars', 'equal', 5)] }), 'Ann bob'],
    [filters({ filter_type: 'AND', filters: [one('Name', 'not_empty', '')], groups: [{ filter_type: 'OR', filters: [one('Age', 'equal', '4'), one('Age', 'equal', '12')] }] }), 'bob Cat'],
    [filters({ filters: [one('Color', 'single_select_equal', String(option('Red').id))] }), 'Ann'],
    [filters({ filters: [one('Works on', 'link_row_has', '2')] }), 'bob'],
    [filters({ filters: [one('Works on', 'empty', null)] }), 'Cat '],
    [filters({ filters: [one('Born', 'date_is_before', 'UTC?2000-01-01?exact_date')] }), 'Ann'],
    [filters({}), 'Ann bob Cat '],
    [filters({ filter_type: 'OR', filters: [] }), 'Ann bob Cat '],
    ['filter__Age__higher_than=5', 'Ann Cat'],
    ['filter__Age__higher_than=5&filter__Name__equal=Cat', 'Cat'],
    ['filter__Name__equal=Ann&filter__Name__equal=Cat&filter_type=OR', 'Ann Cat'],
    ['filter__Works on__link_row_contains=ALPHA', 'Ann bob'],
    ['filter__Active__boolean=true', 'Ann'],
    [`filter__Age__higher_than=5&${filters({ filters: [one('Name', 'equal', 'bob')] })}`, 'bob'],
    [`filter__Age__higher_than=5&search=cat`, 'Cat'],
  ];
  for (const [query, found] of CASES) {
    const page = await ann.ask('GET', named(query));
    assert.equal(page.results.map(({ Name }) => Name).join(' '), found, decodeURIComponent(query));
    assert.equal(page.count, page.results.length, query);
  }
  const byNumber = await ann.ask('GET', `${rowsOf()}?filter__${key('Age')}__higher_than=5&${filters({ filters: [one(at.fields.Age.id, 'equal', '4')] })}`);
  assert.deepEqual(byNumber.results.map(({ id }) => id), [2]);
});

test('a filter that means nothing is refused', async () => {
  const one = (field, type, value = '') => ({ filters: [{ field, type, value }] });
  const CASES = [
    [filters(one('Height', 'equal')), 'ERROR_FILTER_FIELD_NOT_FOUND'],
    ['filter__Height__equal=5', 'ERROR_FILTER_FIELD_NOT_FOUND'],
    [filters(one('Age', 'resembles')), 'ERROR_VIEW_FILTER_TYPE_DOES_NOT_EXIST'],
    ['filter__Age__resembles=5', 'ERROR_VIEW_FILTER_TYPE_DOES_NOT_EXIST'],
    [filters(one('Age', 'link_row_has')), 'ERROR_VIEW_FILTER_TYPE_UNSUPPORTED_FIELD'],
    ['filter__Age__boolean=1', 'ERROR_VIEW_FILTER_TYPE_UNSUPPORTED_FIELD'],
    ['view_id=1', 'ERROR_VIEW_DOES_NOT_EXIST', 404],
  ];
  for (const [query, code, status = 400] of CASES) assertCode(await ann.rest('GET', named(query)), status, code);
  const BROKEN = [
    ['filters=no+JSON', { error: ['invalid_json'] }],
    [filters([]), { non_field_errors: ['invalid'] }],
    [filters({ filter_type: 'XOR' }), { filter_type: ['invalid_choice'] }],
    [filters({ filters: {} }), { filters: ['not_a_list'] }],
    [filters({ filters: [{}] }), { filters: { 0: { field: ['required'], type: ['required'] } } }],
    [filters({ groups: [{}, { filters: [{ field: 1, type: [] }] }] }), { groups: { 1: { filters: { 0: { type: ['invalid'] } } } } }],
  ];
  for (const [query, detail] of BROKEN) assertInvalid(await ann.rest('GET', named(query)), detail, 'ERROR_FILTERS_PARAM_VALIDATION_ERROR');
  let deep = one('Works on', 'link_row_contains', 'a'); /* which reaches into two tables */
  for (let i = 0; i < 45; i++) deep = { filter_type: i % 2 ? 'AND' : 'OR', groups: [deep, one('Name', 'equal', String(i))] };
  assertInvalid(await ann.rest('GET', named(filters(deep))), { error: ['invalid'] }, 'ERROR_FILTERS_PARAM_VALIDATION_ERROR');
});

test('fields of linked rows come along', async () => {
  await fill();
  const title = Object.values(await fieldsOf(projects)).find(({ name }) => name === 'Title');
  const joined = await list(`${escaped('Works on')}__join=Title,People&include=${escaped('Works on')}`);
  assert.deepEqual(joined[1]['Works on'].map(({ id, value, Title, People }) => [id, value, Title, People.map((one) => one.value)]),
    [[1, 'Alpha', 'Alpha', ['Ann', 'bob']], [2, 'Beta', 'Beta', ['bob']]]);
  assert.deepEqual(joined[2]['Works on'], []);
  const byNumber = await ann.ask('GET', `${rowsOf()}?${key('Works on')}__join=field_${title.id}`);
  assert.equal(byNumber.results[0][key('Works on')][0][`field_${title.id}`], 'Alpha');
  for (const query of ['Name__join=Title', 'Nothing__join=Title', `${escaped('Works on')}__join=Nothing`])
    assertCode(await ann.rest('GET', named(query)), 400, 'ERROR_INVALID_JOIN_PARAMETER');
});

/* ---- neighbours, names ---- */

test('a row has neighbours', async () => {
  await fill();
  const neighbour = async (id, query = '') => {
    const { status, body } = await ann.rest('GET', `${rowsOf()}${id}/adjacent/?user_field_names${query}`);
    return status === 204 ? null : body.id;
  };
  assert.deepEqual([await neighbour(1), await neighbour(2, '&previous'), await neighbour(1, '&previous=true'), await neighbour(4)], [2, 1, null, null]);
  assert.deepEqual([await neighbour(1, '&search=alpha'), await neighbour(2, '&search=alpha'), await neighbour(3, '&search=alpha')], [2, null, null]);
  assertCode(await ann.rest('GET', `${rowsOf()}1/adjacent/?view_id=5`), 404, 'ERROR_VIEW_DOES_NOT_EXIST');
});

test('names of rows are told for several tables', async () => {
  await fill();
  const ask = (query) => ann.rest('GET', `database/rows/names/?${query}`);
  assert.deepEqual((await ask(`table__${people}=3,1,77,4&table__${projects}=2&other=1`)).body,
    { [people]: { 1: 'Ann', 3: 'Cat', 4: '' }, [projects]: { 2: 'Beta' } });
  assert.deepEqual((await ask('')).body, {});
  assertInvalid(await ask(`table__${people}=x`), { [`table__${people}`]: ['invalid'] }, 'ERROR_QUERY_PARAMETER_VALIDATION');
  assertCode(await ask(`table__${NOWHERE}=1`), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
  assertCode(await eve.rest('GET', `database/rows/names/?table__${people}=1`), 400, 'ERROR_USER_NOT_IN_GROUP');
});

/* ---- database tokens ---- */

test('a database token does what it may', async () => {
  await fill();
  const token = await ann.ask('POST', 'database/tokens/', { name: 'program', workspace: at.workspace });
  const ask = (method, target, body) => server.rest(method, `/api/${target}`, body, null, { Authorization: `Token ${token.key}` });
  const CALLS = [
    ['read', 'GET', rowsOf()], ['read', 'GET', `${rowsOf()}1/`], ['read', 'GET', `database/rows/names/?table__${people}=1`],
    ['create', 'POST', rowsOf(), {}], ['create', 'POST', `${rowsOf()}batch/`, { items: [{}] }],
    ['update', 'PATCH', `${rowsOf()}1/`, {}], ['update', 'PATCH', `${rowsOf()}batch/`, { items: [{ id: 1 }] }], ['update', 'PATCH', `${rowsOf()}1/move/`],
    ['delete', 'DELETE', `${rowsOf()}3/`], ['delete', 'POST', `${rowsOf()}batch-delete/`, { items: [4] }],
  ];
  const may = (permissions) => ann.ask('PATCH', `database/tokens/${token.id}/`, { permissions });
  for (const action of ['read', 'create', 'update', 'delete']) {
    await may({ create: false, read: false, update: false, delete: false, [action]: [['table', people]] });
    for (const [needed, method, target, body] of CALLS) {
      if (needed === action) assert.ok((await ask(method, target, body)).status < 300, `${method} ${target}`);
      else assertCode(await ask(method, target, body), 401, 'ERROR_NO_PERMISSION_TO_TABLE');
    }
  }
  await may({ create: true, read: [['table', people]], update: true, delete: true });
  assertCode(await ask('GET', `${rowsOf()}1/?include=metadata`), 400, 'ERROR_CANNOT_INCLUDE_ROW_METADATA');
  assertCode(await ask('PATCH', `${rowsOf()}batch/?include_metadata`, { items: [{ id: 1 }] }), 400, 'ERROR_CANNOT_INCLUDE_ROW_METADATA');
  assertCode(await ask('GET', named(`${escaped('Works on')}__join=Title`)), 401, 'ERROR_NO_PERMISSION_TO_TABLE');
  assertCode(await ask('GET', rowsOf(NOWHERE)), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
  assert.equal((await ask('GET', `${rowsOf()}1/adjacent/`)).status, 401);
});

/* ---- one table in both dialects ---- */

test('rows written in one dialect are read in the other', async () => {
  const collection = `notes_${people}`;
  await server.makeCollection(collection, { title: 'string', amount: 'integer', price: 'decimal', seen: 'boolean', at: 'timestamp', data: 'json' });
  const admin = await Person.login(server);
  const tables = await admin.ask('GET', 'database/tables/all-tables/').catch(() => null);
  const found = tables?.find(({ name }) => name === collection)
    ?? (await admin.ask('GET', 'database/tables/database/1/')).find(({ name }) => name === collection);
  assert.ok(found, 'the table is in the default database');
  await server.ask('POST', `/items/${collection}`, { title: 'first', amount: 7, price: 1.5, seen: true, at: '2025-03-01T12:00:00Z', data: { a: 1 } });
  const path = `database/rows/table/${found.id}/`;
  const [row] = (await admin.ask('GET', `${path}?user_field_names`)).results;
  assert.equal(row.id, 1);
  assert.equal(row.order, order(1));
  assert.deepEqual([row.title, row.amount, row.price, row.seen, row.at], ['first', '7', '1.50000', true, '2025-03-01T12:00:00Z']);
  const made = await admin.ask('POST', `${path}?user_field_names&before=1`, { title: 'second', amount: '8', seen: 'yes' });
  assert.equal(made.order, '0.50000000000000000000');
  await admin.ask('PATCH', `${path}1/?user_field_names`, { title: 'changed' });
  assert.deepEqual((await server.ask('GET', `/items/${collection}?fields=id,title,amount,seen`)), [
    { id: 1, title: 'changed', amount: 7, seen: true }, { id: 2, title: 'second', amount: 8, seen: true },
  ]);
  assert.deepEqual((await admin.ask('GET', `${path}?user_field_names&search=second`)).results.map(({ id }) => id), [2]);
  await server.ask('DELETE', `/items/${collection}/1`);
  assert.deepEqual((await admin.ask('GET', path)).results.map(({ id }) => id), [2]);
});
