/* Jobs (baserow.md 9.15): imports (9.5) and duplicates (9.4 to 9.6), as their owner and others see them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MOMENT, assertCode, assertInvalid } from './baserow.js';
import { connect, heard } from './baserow_channel.js';
import { Grid, Table, key } from './baserow_grid.js';
import { Server, makeFolder, pause } from './harness.js';

const PATIENCE_MS = 20_000;
let server, grid, ann, bob, carol, database;
before(async () => {
  server = await Server.start({ environment: { INITIAL_TABLE_DATA_LIMIT: '20000', BASEROW_DOCUMENTED_MESSAGES: 'false', MAX_PAYLOAD_SIZE: '8mb' } });
  grid = await Grid.make(server);
  ({ ann, bob, carol, database } = grid);
});
after(() => server?.stop());

/* The job when it has ended. */
async function ended(job, person = ann) {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    const now = await person.ask('GET', `jobs/${job.id}/`);
    assert.ok(now.progress_percentage >= 0 && now.progress_percentage <= 100);
    if (!['pending', 'started'].includes(now.state)) return now;
    assert.ok(Date.now() < end, `the job goes on: ${JSON.stringify(now)}`);
    await pause(20);
  }
}
const succeeded = async (job, person) => {
  const now = await ended(job, person);
  assert.deepEqual([now.state, now.progress_percentage, now.human_readable_error, now.error_code], ['finished', 100, '', ''], JSON.stringify(now));
  return now;
};
const failed = async (job, error, code) => {
  const now = await ended(job);
  assert.deepEqual([now.state, now.error_code], ['failed', code], JSON.stringify(now));
  assert.match(now.human_readable_error, error);
  return now;
};

/* Asks for a job; the status that 9.4 to 9.6 say. */
async function ask(path, body, { status = 202, headers = {}, person = ann } = {}) {
  const answer = await person.rest('POST', path, body, headers);
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.ok(['pending', 'started', 'finished'].includes(answer.body.state));
  return answer.body;
}
const duplicate = (what, body, more) => ask(`${what}/duplicate/async/`, body, more);
const importRows = (table, data, configuration, more = {}) =>
  ask(`database/tables/${table.id}/import/async/`, { data, ...(configuration ? { configuration } : {}) }, { status: 200, ...more });
const contents = async (table, person = ann) => {
  const fields = await person.ask('GET', `database/fields/table/${table.id}/`);
  const { results } = await person.ask('GET', `database/rows/table/${table.id}/?size=200`);
  return results.map((row) => fields.map(({ id }) => row[`field_${id}`]));
};
const count = async (table) => (await ann.ask('GET', `database/rows/table/${table.id}/?size=1`)).count;
const tables = (application) => ann.ask('GET', `database/tables/database/${application.id}/`);

/* A job that takes long enough to be met while it runs. */
const longData = Array.from({ length: 15000 }, (_, i) => [`row ${i}`, 'x'.repeat(40), String(i)]);

/* ---- imports into new tables ---- */

test('a file import makes a table with its rows', async () => {
  const job = await ask(`database/tables/database/${database.id}/async/`, { name: 'Imported', data: [['City', 'Land'], ['Rome', 'Italy'], ['Oslo', 'Norway']], first_row_header: true }, { status: 200 });
  assert.deepEqual(job, { id: job.id, type: 'file_import', progress_percentage: job.progress_percentage, state: job.state, human_readable_error: '', error_code: '', created_on: job.created_on, updated_on: job.updated_on, database_id: database.id, name: 'Imported', table_id: null, first_row_header: true, report: { failing_rows: {} } });
  assert.ok(Number.isSafeInteger(job.id));
  assert.match(job.created_on, MOMENT);
  assert.match(job.updated_on, MOMENT);
  const { table_id: id } = await succeeded(job);
  const table = new Table(grid, await ann.ask('GET', `database/tables/${id}/`));
  assert.deepEqual((await table.fields()).map(({ name, type }) => [name, type]), [['City', 'text'], ['Land', 'text']]);
  assert.deepEqual(await contents(table), [['Rome', 'Italy'], ['Oslo', 'Norway']]);
});

test('without data a default table is made; more rows than at once are fine', async () => {
  const plain = await succeeded(await ask(`database/tables/database/${database.id}/async/`, { name: 'Plain' }, { status: 200 }));
  assert.deepEqual(await contents({ id: plain.table_id }), [['', '', false], ['', '', false]]);
  const large = await succeeded(await ask(`database/tables/database/${database.id}/async/`, { name: 'Large', data: Array.from({ length: 5001 }, (_, i) => [String(i)]) }, { status: 200 }));
  assert.equal(await count({ id: large.table_id }), 5001);
});

test('what is wrong with an import is told at once, and is no job', async () => {
  const path = `database/tables/database/${database.id}/async/`;
  const before = (await ann.ask('GET', 'jobs/')).jobs.length;
  assertInvalid(await ann.rest('POST', path, {}), { name: ['required'] });
  assertCode(await ann.rest('POST', path, { name: 'x', data: [] }), 400, 'ERROR_INVALID_INITIAL_TABLE_DATA');
  assertCode(await ann.rest('POST', path, { name: 'x', data: [['a', 'a']], first_row_header: true }), 400, 'ERROR_INITIAL_TABLE_DATA_HAS_DUPLICATE_NAMES');
  assertCode(await ann.rest('POST', path, { name: 'x', data: Array.from({ length: 20001 }, () => ['1']) }), 400, 'ERROR_INITIAL_TABLE_DATA_LIMIT_EXCEEDED');
  assertCode(await ann.rest('POST', 'database/tables/database/999999/async/', { name: 'x' }), 404, 'ERROR_APPLICATION_DOES_NOT_EXIST');
  assertCode(await carol.rest('POST', path, { name: 'x' }), 400, 'ERROR_USER_NOT_IN_GROUP');
  assert.equal((await ann.ask('GET', 'jobs/')).jobs.length, before);
});

/* ---- imports into tables that are there ---- */

/* Name, Amount (number), Born (date), Active (boolean), Kind (single select). */
async function makePeople(name) {
  const table = await grid.table(name, ['Ann', 'Bob']);
  table.amount = await table.field('Amount', 'number', { number_decimal_places: 1 });
  table.born = await table.field('Born', 'date');
  table.active = await table.field('Active', 'boolean');
  table.choice = await table.field('Kind', 'single_select', { select_options: [{ value: 'old', color: 'red' }, { value: 'new', color: 'blue' }] });
  table.named = await table.primary();
  return table;
}
const readable = async (table) => (await contents(table)).map((row) => row.map((cell) => cell?.value ?? cell));

test('rows are imported in the order of the fields; what does not fit stays empty and is reported', async () => {
  const table = await makePeople('People');
  const job = await succeeded(await importRows(table, [
    ['Carl', '1.5', '2024-02-29', 'yes', 'new'],
    ['Dora', 'many', '2024-02-30', 'perhaps', 'none'],
    ['Emil'],
    ['Fred', '', '', '', ''],
    ['Gina', 2, null, true, null],
  ]));
  assert.deepEqual(await readable(table), [
    ['Ann', null, null, false, null], ['Bob', null, null, false, null],
    ['Carl', '1.5', '2024-02-29', true, 'new'], ['Dora', null, null, false, null],
    ['Emil', null, null, false, null], ['Fred', null, null, false, null], ['Gina', '2.0', null, true, null],
  ]);
  const { failing_rows: failing } = job.report;
  assert.deepEqual(Object.keys(failing), ['1']);
  assert.deepEqual(Object.keys(failing[1]).sort(), [table.amount, table.born, table.active, table.choice].map(key).sort());
  for (const mistakes of Object.values(failing[1])) {
    assert.equal(mistakes.length, 1);
    assert.deepEqual(Object.keys(mistakes[0]).sort(), ['code', 'error']);
    assert.equal(mistakes[0].code, 'invalid');
  }
  assert.deepEqual([job.table_id, job.database_id, job.name], [table.id, database.id, 'People']);
});

test('rows that are there are found by some of their values, each once, and changed', async () => {
  const table = await makePeople('Upsert');
  await table.add({ [key(table.named)]: 'Ann', [key(table.amount)]: 7 });
  const data = [['Ann', '1', '', '', 'old'], ['Zoe', '2'], ['Ann', '3', '2000-01-01'], ['Ann', '4'], ['', '5']];
  const configuration = { upsert_fields: [table.named.id], upsert_values: data.map(([name]) => [name]), skipped_fields: [table.active.id] };
  await succeeded(await importRows(table, data, configuration));
  assert.deepEqual(await readable(table), [
    ['Ann', '1.0', null, false, 'old'], ['Bob', null, null, false, null], ['Ann', '3.0', '2000-01-01', false, null],
    ['Zoe', '2.0', null, false, null], ['Ann', '4.0', null, false, null], ['', '5.0', null, false, null],
  ]);
  /* By two of them, one a number, in another spelling. */
  await succeeded(await importRows(table, [['Ann', '', '1999-09-09']], { upsert_fields: [table.amount.id, table.named.id], upsert_values: [['3.00', 'Ann']], skipped_fields: [table.amount.id] }));
  assert.deepEqual((await readable(table))[2], ['Ann', '3.0', '1999-09-09', false, null]);
  assert.equal(await count(table), 6);
});

test('an import that cannot be is refused; one that proves wrong fails, and leaves nothing behind', async () => {
  const table = await makePeople('Wrong');
  const other = await (await grid.table('Other')).primary();
  const path = `database/tables/${table.id}/import/async/`;
  assertInvalid(await ann.rest('POST', path, {}), { data: ['required'] });
  assertCode(await ann.rest('POST', path, { data: [] }), 400, 'ERROR_INVALID_INITIAL_TABLE_DATA');
  assertCode(await ann.rest('POST', path, { data: [1] }), 400, 'ERROR_INVALID_INITIAL_TABLE_DATA');
  assertCode(await ann.rest('POST', 'database/tables/999999/import/async/', { data: [['x']] }), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
  assertCode(await carol.rest('POST', path, { data: [['x']] }), 400, 'ERROR_USER_NOT_IN_GROUP');
  for (const configuration of [{ upsert_fields: [other.id], upsert_values: [['x']] }, { skipped_fields: [other.id] }])
    assertCode(await ann.rest('POST', path, { data: [['x']], configuration }), 400, 'ERROR_FIELD_NOT_IN_TABLE');
  for (const configuration of [{ upsert_fields: [table.named.id] }, { upsert_fields: [table.named.id], upsert_values: [['x'], ['y']] }, { upsert_fields: [table.named.id], upsert_values: [[]] }])
    assertCode(await ann.rest('POST', path, { data: [['x']], configuration }), 400, 'ERROR_REQUEST_BODY_VALIDATION');
  assertCode(await ann.rest('POST', path, { data: [['x']], configuration: { upsert_fields: 'name' } }), 400, 'ERROR_REQUEST_BODY_VALIDATION');
  await failed(await importRows(table, [['Carl'], ['Dora', 1, null, null, null, 'too much']]), /^Row 1 has more values/, 'ERROR_REQUEST_BODY_VALIDATION');
  assert.equal(await count(table), 2);
});

test('links are made by names; unknown ones and values that must be unique are reported', async () => {
  const cities = await grid.table('Cities', ['Rome', 'Oslo']);
  const table = await grid.table('Travels', ['one']);
  const link = await table.field('City', 'link_row', { link_row_table_id: cities.id });
  const code = await table.field('Code', 'text', { field_constraints: [{ type_name: 'unique_with_empty' }] });
  await table.edit(1, { [key(code)]: 'A' });
  const job = await succeeded(await importRows(table, [['two', 'Rome', 'B'], ['three', ['Oslo', 'Rome'], 'A'], ['four', 'Atlantis', 'B'], ['five', null, '']]));
  const rows = (await ann.ask('GET', table.rows)).results;
  assert.deepEqual(rows.map((row) => [row[key(link)].map(({ value }) => value), row[key(code)]]), [[[], 'A'], [['Rome'], 'B'], [['Rome', 'Oslo'], ''], [[], ''], [[], '']]);
  assert.deepEqual(Object.keys(job.report.failing_rows), ['1', '2']);
  assert.deepEqual(Object.keys(job.report.failing_rows[1]), [key(code)]);
  assert.deepEqual(Object.keys(job.report.failing_rows[2]).sort(), [key(code), key(link)].sort());
});

test('members are told of an import by one message; the owner\'s other tabs hear of the job first', async () => {
  const table = await makePeople('Told');
  const [tab, other, member] = [await Table.look(ann, table), await Table.look(ann, table), await Table.look(bob, table)];
  const job = await succeeded(await importRows(table, [['Carl', 1], ['Dora', 'x']], undefined, { headers: tab.exclude }));
  const shape = { id: table.id, name: 'Told', order: table.order, database_id: database.id, data_sync: null };
  const updated = { type: 'table_updated', table_id: table.id, table: shape, force_table_refresh: true };
  assert.deepEqual(await heard(tab), []);
  const [started, news, ...more] = await heard(other);
  assert.equal(started.type, 'job_started');
  assert.deepEqual([started.job.id, started.job.type, started.job.table_id], [job.id, 'file_import', table.id]);
  assert.deepEqual(started.job, { ...job, state: started.job.state, progress_percentage: started.job.progress_percentage, updated_on: started.job.updated_on, report: started.job.report });
  assert.deepEqual([news, more], [updated, []]);
  assert.deepEqual(await heard(member), [updated]);
});

/* ---- duplicates ---- */

test('a table is duplicated with fields, rows and links, under a name of its own', async () => {
  const cities = await grid.table('Places', ['Rome', 'Oslo']);
  const table = await makePeople('Original');
  const link = await table.field('Places', 'link_row', { link_row_table_id: cities.id });
  await table.edit(1, { [key(table.choice)]: 'old', [key(table.amount)]: 3, [key(link)]: ['Oslo', 'Rome'] });
  const [tab, member] = [await Table.look(ann, table), await Table.look(bob, table)];
  const job = await duplicate(`database/tables/${table.id}`, undefined, { headers: tab.exclude });
  assert.deepEqual([job.type, job.original_table, job.duplicated_table], ['duplicate_table', table.shape, job.state === 'finished' ? job.duplicated_table : null]);
  const { duplicated_table: made } = await succeeded(job);
  assert.deepEqual(made, { id: made.id, name: 'Original 2', order: made.order, database_id: database.id, data_sync: null });
  assert.deepEqual(await heard(tab), []);
  assert.deepEqual(await heard(member), [{ type: 'table_created', table: made }]);
  const copy = new Table(grid, made);
  assert.deepEqual((await copy.fields()).map(({ name, type, primary }) => [name, type, primary]), (await table.fields()).map(({ name, type, primary }) => [name, type, primary]));
  assert.deepEqual(await readable(copy), await readable(table));
  const options = async (of) => (await of.fieldNamed('Kind')).select_options.map(({ id }) => id);
  for (const id of await options(copy)) assert.ok(!(await options(table)).includes(id));
  const copied = await copy.fieldNamed('Places');
  assert.deepEqual([copied.link_row_table_id, copied.link_row_related_field_id], [cities.id, null]);
  /* They are two tables now. */
  await copy.edit(1, { [key(copied)]: [] });
  assert.equal((await table.read(1))[key(link)].length, 2);
  assert.equal((await succeeded(await duplicate(`database/tables/${table.id}`))).duplicated_table.name, 'Original 3');
});

test('a job that has finished is told with what it made, to whoever asks at that moment', async () => {
  const table = await grid.table('Asked for', Array.from({ length: 20 }, (_, i) => `row ${i}`));
  for (let round = 0; round < 8; round++) {
    const { id } = await duplicate(`database/tables/${table.id}`);
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (;;) {
        const job = await ann.ask('GET', `jobs/${id}/`);
        if (job.state !== 'finished') continue;
        assert.ok(job.duplicated_table, JSON.stringify(job));
        return;
      }
    }));
  }
});

test('a field is duplicated with its cells, or without', async () => {
  const table = await makePeople('Fields');
  await table.edit(1, { [key(table.amount)]: 3, [key(table.choice)]: 'new' });
  const [tab, member] = [await Table.look(ann, table), await Table.look(bob, table)];
  const job = await duplicate(`database/fields/${table.amount.id}`, { duplicate_data: true }, { headers: tab.exclude });
  const { original_field: original, duplicated_field: made } = await succeeded(job);
  assert.equal(original.id, table.amount.id);
  assert.deepEqual([made.name, made.type, made.number_decimal_places, made.related_fields], ['Amount 2', 'number', 1, []]);
  assert.deepEqual(await heard(tab), []);
  const { related_fields: _, ...field } = made;
  assert.deepEqual(await heard(member), [{ type: 'field_created', field, related_fields: [] }]);
  assert.deepEqual(await table.cells(made), ['3.0', null]);
  const bare = (await succeeded(await duplicate(`database/fields/${table.choice.id}`))).duplicated_field;
  assert.deepEqual(await table.cells(bare), [null, null]);
  const full = (await succeeded(await duplicate(`database/fields/${table.choice.id}`, { duplicate_data: true }))).duplicated_field;
  assert.deepEqual((await table.cells(full)).map((cell) => cell?.value), ['new', undefined]);
});

test('an application is duplicated with all its tables, whose links lead to each other', async () => {
  const made = await ann.ask('POST', `applications/workspace/${grid.workspace.id}/`, { name: 'Shop', type: 'database' });
  const at = Object.assign(new Grid(), { ...grid, database: made });
  const goods = await at.table('Goods', ['pen', 'ink']);
  const orders = await at.table('Orders', ['first']);
  const link = await orders.field('Goods', 'link_row', { link_row_table_id: goods.id });
  const self = await orders.field('After', 'link_row', { link_row_table_id: orders.id, has_related_field: false });
  await orders.edit(1, { [key(link)]: ['ink', 'pen'], [key(self)]: [1] });
  const [tab, member] = [await connect(server, ann.token), await connect(server, bob.token)];
  const job = await duplicate(`applications/${made.id}`, undefined, { headers: { WebSocketId: tab.id } });
  assert.equal(job.original_application.id, made.id);
  const { duplicated_application: copy } = await succeeded(job);
  assert.deepEqual([copy.name, copy.type, copy.tables.map(({ name }) => name)], ['Shop 2', 'database', ['Goods', 'Orders']]);
  assert.deepEqual(await heard(tab), []);
  const messages = await heard(member);
  assert.deepEqual(messages.map(({ type }) => type), ['application_created']);
  assert.deepEqual(messages[0].application.tables, copy.tables);
  const [goodsCopy, ordersCopy] = copy.tables.map((table) => new Table(at, table));
  const linkCopy = await ordersCopy.fieldNamed('Goods'), back = await goodsCopy.fieldNamed('Orders'), selfCopy = await ordersCopy.fieldNamed('After');
  assert.deepEqual([linkCopy.link_row_table_id, linkCopy.link_row_related_field_id], [goodsCopy.id, back.id]);
  assert.deepEqual([back.link_row_table_id, back.link_row_related_field_id], [ordersCopy.id, linkCopy.id]);
  assert.equal(selfCopy.link_row_table_id, ordersCopy.id);
  const row = await ordersCopy.read(1);
  assert.deepEqual(row[key(linkCopy)].map(({ value }) => value), ['pen', 'ink']);
  assert.deepEqual(row[key(selfCopy)].map(({ value }) => value), ['first']);
  /* Neither hears of the other. */
  await ordersCopy.edit(1, { [key(linkCopy)]: ['pen'] });
  assert.deepEqual((await orders.read(1))[key(link)].map(({ value }) => value), ['pen', 'ink']);
  assert.deepEqual((await goodsCopy.cells(back)).map((cell) => cell.length), [1, 0]);
  assert.equal((await tables(made)).length, 2);
});

test('what is to be duplicated must be there, for a member', async () => {
  const table = await grid.table('Mine');
  const field = await table.primary();
  const missing = [['applications', 'ERROR_APPLICATION_DOES_NOT_EXIST', database.id], ['database/tables', 'ERROR_TABLE_DOES_NOT_EXIST', table.id], ['database/fields', 'ERROR_FIELD_DOES_NOT_EXIST', field.id]];
  for (const [path, code, id] of missing) {
    assertCode(await ann.rest('POST', `${path}/999999/duplicate/async/`), 404, code);
    assertCode(await carol.rest('POST', `${path}/${id}/duplicate/async/`), 400, 'ERROR_USER_NOT_IN_GROUP');
  }
});

/* ---- the jobs themselves ---- */

test('jobs are listed to their owner, latest first, by number and by state', async () => {
  const table = await grid.table('Listed', ['a']);
  const first = await succeeded(await duplicate(`database/tables/${table.id}`, undefined, { person: bob }), bob);
  const second = await failed(await importRows(table, [['a', 'b']]), /more values/, 'ERROR_REQUEST_BODY_VALIDATION');
  const third = await succeeded(await importRows(table, [['b']]));
  const list = async (query = '', person = ann) => (await person.ask('GET', `jobs/${query}`)).jobs.map(({ id }) => id);
  const all = await list();
  assert.deepEqual(all.slice(0, 2), [third.id, second.id]);
  assert.ok(all[0] > all[1]);
  assert.deepEqual(await list('', bob), [first.id]);
  assert.deepEqual((await ann.ask('GET', `jobs/?job_ids=${third.id}`)).jobs, [third]);
  assert.deepEqual(await list(`?job_ids=${first.id},${second.id}`), [second.id]);
  assert.deepEqual(await list(`?job_ids=${second.id},${third.id}&states=failed`), [second.id]);
  assert.deepEqual(await list(`?job_ids=${second.id},${third.id}&states=!failed`), [third.id]);
  assert.deepEqual(await list(`?job_ids=${second.id},${third.id}&states=failed,finished`), [third.id, second.id]);
  assert.deepEqual(await list('?states=pending,started'), []);
  assertInvalid(await ann.rest('GET', 'jobs/?states=done'), { states: ['invalid'] }, 'ERROR_QUERY_PARAMETER_VALIDATION');
  assertInvalid(await ann.rest('GET', 'jobs/?job_ids=1,x'), { job_ids: ['invalid'] }, 'ERROR_QUERY_PARAMETER_VALIDATION');
  assertCode(await ann.rest('GET', `jobs/${first.id}/`), 404, 'ERROR_JOB_DOES_NOT_EXIST');
  assertCode(await bob.rest('POST', `jobs/${third.id}/cancel/`), 404, 'ERROR_JOB_DOES_NOT_EXIST');
  assertCode(await ann.rest('POST', `jobs/${third.id}/cancel/`), 400, 'ERROR_JOB_NOT_CANCELLABLE');
});

test('jobs are also asked for by their type', async () => {
  const table = await grid.table('Typed', ['a']);
  const typed = (type, more) => ask('jobs/', { type, ...more }, { status: 200 });
  assert.equal((await succeeded(await typed('duplicate_table', { table_id: table.id }))).duplicated_table.name, 'Typed 2');
  const field = await table.primary();
  assert.deepEqual(await table.cells((await succeeded(await typed('duplicate_field', { field_id: field.id, duplicate_data: true }))).duplicated_field), ['a']);
  await succeeded(await typed('file_import', { table_id: table.id, data: [['b']] }));
  assert.equal(await count(table), 2);
  const empty = await ann.ask('POST', `applications/workspace/${grid.workspace.id}/`, { name: 'Empty', type: 'database' });
  assert.equal((await succeeded(await typed('duplicate_application', { application_id: empty.id }))).duplicated_application.name, 'Empty 2');
  assertInvalid(await ann.rest('POST', 'jobs/', { type: 'audit_log_export' }), { type: ['invalid_choice'] });
  assertInvalid(await ann.rest('POST', 'jobs/', {}), { type: ['required'] });
  assertInvalid(await ann.rest('POST', 'jobs/', { type: 'duplicate_table' }), { table_id: ['required'] });
  assertInvalid(await ann.rest('POST', 'jobs/', { type: 'file_import', name: 'x' }), { database_id: ['required'] });
});

test('of one type one runs at a time for each user; what runs tells how far it is, and can be cancelled', async () => {
  const table = await grid.table('Long', []);
  for (const name of ['b', 'c']) await table.field(name, 'text');
  const member = await Table.look(bob, table);
  const job = await importRows(table, longData);
  assertCode(await ann.rest('POST', `database/tables/${table.id}/import/async/`, { data: [['x']] }), 400, 'ERROR_MAX_JOB_COUNT_EXCEEDED');
  const seen = new Set();
  let last = 0;
  for (;;) {
    const { state, progress_percentage: percent } = await ann.ask('GET', `jobs/${job.id}/`);
    assert.ok(['pending', 'started'].includes(state), state);
    assert.ok(percent >= last);
    last = percent;
    seen.add(percent);
    if (seen.size >= 3) break;
  }
  const cancelled = await ann.ask('POST', `jobs/${job.id}/cancel/`);
  assert.equal(cancelled.state, 'cancelled');
  assertCode(await ann.rest('POST', `jobs/${job.id}/cancel/`), 400, 'ERROR_JOB_NOT_CANCELLABLE');
  await succeeded(await importRows(table, [['only']])); /* behind it on the writer */
  assert.equal(await count(table), 1);
  assert.equal((await ann.ask('GET', `jobs/${job.id}/`)).state, 'cancelled');
  assert.deepEqual((await heard(member)).map(({ type }) => type), ['table_updated']);
});

test('a job under way is done or not done when the server stops, and its number is not given again', async () => {
  const kept = makeFolder();
  const own = await Server.start({ environment: { MAX_PAYLOAD_SIZE: '8mb' }, folder: kept });
  const scene = await Grid.make(own);
  const job = await ask(`database/tables/database/${scene.database.id}/async/`, { name: 'Last', data: longData }, { status: 200, person: scene.ann });
  await own.stop();
  const again = await Server.start({ folder: kept });
  try {
    scene.ann.server = again;
    const list = await scene.ann.ask('GET', `database/tables/database/${scene.database.id}/`);
    for (const { id } of list) assert.equal((await scene.ann.ask('GET', `database/rows/table/${id}/?size=1`)).count, longData.length);
    assertCode(await scene.ann.rest('GET', `jobs/${job.id}/`), 404, 'ERROR_JOB_DOES_NOT_EXIST');
    const next = await ask(`database/tables/database/${scene.database.id}/async/`, { name: 'Next' }, { status: 200, person: scene.ann });
    assert.ok(next.id > job.id);
    await succeeded(next, scene.ann);
  } finally {
    await again.stop();
    kept.remove();
  }
});
