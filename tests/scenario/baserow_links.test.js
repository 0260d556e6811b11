/*
 * Links between tables (baserow.md 10.7, 5.6, 14.4): both their sides, what is told of them on which page and in
 * which order, what comes along when rows and fields go and come back; and tables that Directus's dialect made.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Person, assertCode, assertInvalid } from './baserow.js';
import { Grid, Table, key, withoutRelated } from './baserow_grid.js';
import { Server } from './harness.js';

let server, grid, ann, bob;
before(async () => {
  server = await Server.start({ environment: { BASEROW_DOCUMENTED_MESSAGES: 'false' } });
  grid = await Grid.make(server);
  ({ ann, bob } = grid);
});
after(() => server?.stop());

const linked = (cell) => cell.map(({ id, value }) => [id, value]);
/* People who are linked to firms: Ann, Bob, Cleo; Acme, Bolt. */
async function makeLink(more = {}) {
  const [people, firms] = [await grid.table('People', ['Ann', 'Bob', 'Cleo']), await grid.table('Firms', ['Acme', 'Bolt'])];
  const link = await people.field('Firm', 'link_row', { link_row_table_id: firms.id, ...more });
  return { people, firms, link, back: await firms.fieldNamed('People') };
}

/* ---- fields ---- */

test('a link has its keys, and a field on the other side that has its own', async () => {
  const { people, firms, link, back } = await makeLink();
  const common = { read_only: false, immutable_type: false, immutable_properties: false, description: null, database_id: grid.database.id, workspace_id: grid.workspace.id, db_index: false, field_constraints: [], type: 'link_row', primary: false, link_row_limit_selection_view_id: null, link_row_multiple_relationships: true };
  assert.deepEqual(link, { ...common, id: link.id, table_id: people.id, name: 'Firm', order: link.order, link_row_table_id: firms.id, link_row_table: firms.id, link_row_related_field_id: back.id, link_row_related_field: back.id, link_row_table_primary_field: await firms.primary(), related_fields: [] });
  assert.deepEqual(back, { ...common, id: back.id, table_id: firms.id, name: 'People', order: back.order, link_row_table_id: people.id, link_row_table: people.id, link_row_related_field_id: link.id, link_row_related_field: link.id, link_row_table_primary_field: await people.primary() });
  assert.deepEqual((await people.add())[key(link)], []);
});

test('a name that is taken on the other side gets a number; the deprecated key names the table as well', async () => {
  const { people, firms, link } = await makeLink();
  await people.field('Second', 'link_row', { link_row_table: firms.id });
  assert.deepEqual((await firms.fields()).map(({ name }) => name), ['Name', 'People', 'People 2']);
  assert.equal((await people.fields()).length, 3);
  const lone = await people.field('Lone', 'link_row', { link_row_table_id: firms.id, has_related_field: false });
  assert.deepEqual(['has_related_field' in lone, lone.link_row_related_field_id], [false, null]);
  assert.equal((await firms.fields()).length, 3);
  assert.equal(link.link_row_table_id, firms.id);
});

test('what a link cannot be has its code', async () => {
  const table = await grid.table('Codes');
  const stranger = await Grid.make(server);
  const foreign = await stranger.table('Foreign');
  const other = await ann.ask('POST', `applications/workspace/${grid.workspace.id}/`, { name: 'Other', type: 'database', init_with_data: true });
  assertCode(await table.tryField({ name: 'L', type: 'link_row' }), 400, 'ERROR_LINK_ROW_TABLE_NOT_PROVIDED');
  assertCode(await table.tryField({ name: 'L', type: 'link_row', link_row_table_id: null }), 400, 'ERROR_LINK_ROW_TABLE_NOT_PROVIDED');
  assertCode(await table.tryField({ name: 'L', type: 'link_row', link_row_table_id: 99999 }), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
  assertCode(await table.tryField({ name: 'L', type: 'link_row', link_row_table_id: foreign.id }), 400, 'ERROR_USER_NOT_IN_GROUP');
  assertCode(await table.tryField({ name: 'L', type: 'link_row', link_row_table_id: other.tables[0].id }), 400, 'ERROR_LINK_ROW_TABLE_NOT_IN_SAME_DATABASE');
  assert.equal((await table.fields()).length, 1);
});

test('each side is told on its own page, in order, and not to who asked', async () => {
  const [people, firms] = [await grid.table('People', ['Ann']), await grid.table('Firms', ['Acme'])];
  const elsewhere = await grid.table('Elsewhere');
  const [asking, theirs, idle] = [await Table.look(ann, people, firms), await Table.look(bob, people, firms), await Table.look(bob, elsewhere)];
  const link = withoutRelated(await people.field('Firm', 'link_row', { link_row_table_id: firms.id }, asking.exclude));
  const back = await firms.fieldNamed('People');
  assert.deepEqual(await theirs.news(), [{ type: 'field_created', field: link, related_fields: [] }, { type: 'field_created', field: back, related_fields: [] }]);

  const lone = withoutRelated(await people.change(link, { has_related_field: false }, asking.exclude));
  assert.equal(lone.link_row_related_field_id, null);
  const left = await theirs.news();
  assert.deepEqual(left.map(({ type, field_id: id }) => [type, id]).sort(), [['field_deleted', back.id], ['field_updated', link.id]]);
  assert.deepEqual(left.find(({ type }) => type === 'field_updated').field, lone);
  const paired = withoutRelated(await people.change(link, { has_related_field: true }, asking.exclude));
  const again = await firms.fieldNamed('People');
  assert.deepEqual(await theirs.news(), [{ type: 'field_updated', field_id: link.id, field: paired, related_fields: [] }, { type: 'field_created', field: again, related_fields: [] }]);

  await ann.ask('DELETE', `database/fields/${link.id}/`, undefined, asking.exclude);
  assert.deepEqual(await theirs.news(), [
    { type: 'field_deleted', table_id: firms.id, field_id: again.id, related_fields: [] },
    { type: 'field_deleted', table_id: people.id, field_id: link.id, related_fields: [] },
  ]);
  assert.deepEqual(await asking.news(), []);
  await ann.ask('PATCH', 'trash/restore/', { trash_item_type: 'field', trash_item_id: link.id }, asking.exclude);
  for (const socket of [asking, theirs]) {
    const came = await socket.news();
    assert.deepEqual(came.map(({ type, field }) => [type, field.id]).sort(), [['field_restored', link.id], ['field_restored', again.id]].sort());
    for (const { field } of came) assert.deepEqual([field.filters, field.sortings, field.group_bys], [[], [], []]);
  }
  assert.deepEqual(await idle.news(), []);
});

test('a link to its own table: with another side only if that is asked for', async () => {
  const table = await grid.table('People', ['Ann', 'Bob']);
  const theirs = await Table.look(bob, table);
  const plain = await table.field('Knows', 'link_row', { link_row_table_id: table.id });
  assert.deepEqual([plain.link_row_related_field_id, plain.related_fields], [null, []]);
  assert.deepEqual((await theirs.news()).map(({ type, field }) => [type, field.id]), [['field_created', plain.id]]);
  const boss = await table.field('Boss', 'link_row', { link_row_table_id: table.id, has_related_field: true });
  const [staff] = boss.related_fields;
  assert.deepEqual([staff.id, staff.link_row_related_field_id, staff.table_id], [boss.link_row_related_field_id, boss.id, table.id]);
  const came = await theirs.news();
  assert.deepEqual([came[0].type, came[0].field.id, came[0].related_fields.map(({ id }) => id)], ['field_created', boss.id, [staff.id]]);
  const row = await table.edit(1, { [key(boss)]: [2], [key(plain)]: [1, 2] });
  assert.deepEqual([linked(row[key(boss)]), linked(row[key(plain)]), linked(row[key(staff)])], [[[2, 'Bob']], [[1, 'Ann'], [2, 'Bob']], []]);
  assert.deepEqual(linked((await table.read(2))[key(staff)]), [[1, 'Ann']]);
  assert.deepEqual(linked((await table.read(2))[key(plain)]), []);
  await theirs.news();
  const { related_fields: gone } = await ann.ask('DELETE', `database/fields/${boss.id}/`);
  assert.deepEqual(gone, []);
  assert.ok((await theirs.news()).every(({ type }) => type === 'field_deleted'));
  assert.deepEqual((await table.fields()).map(({ name }) => name), ['Name', 'Knows']);
});

test('a link shows the primary field of its table, and is told of with it', async () => {
  const { people, firms, link } = await makeLink();
  const second = await people.field('Second', 'link_row', { link_row_table_id: firms.id, has_related_field: false });
  const own = await firms.field('Mother', 'link_row', { link_row_table_id: firms.id });
  const [asking, theirs] = [await Table.look(ann, people, firms), await Table.look(bob, people, firms)];
  const links = async () => [await people.fieldNamed('Firm'), await people.fieldNamed('Second')];
  const follows = async (primary, related) => {
    const [first, rest] = await links();
    const mother = await firms.fieldNamed('Mother');
    for (const { link_row_table_primary_field: shown } of [first, rest, mother]) assert.deepEqual(shown, primary);
    const message = { type: 'field_updated', field_id: link.id, field: first, related_fields: [rest] };
    assert.deepEqual(await theirs.news(), [{ type: 'field_updated', field_id: primary.id, field: primary, related_fields: [...related, mother] }, message]);
    assert.deepEqual(await asking.news(), [message]);
    return [...related, mother];
  };
  const renamed = await firms.change(await firms.primary(), { name: 'Company' }, asking.exclude);
  assert.deepEqual(renamed.related_fields, await follows(withoutRelated(renamed), []));
  const number = await firms.field('Number', 'number', {}, asking.exclude);
  await theirs.news();
  const now = await ann.ask('POST', `database/fields/table/${firms.id}/change-primary-field/`, { new_primary_field_id: number.id }, asking.exclude);
  assert.deepEqual(now.related_fields, await follows(withoutRelated(now), [await firms.fieldNamed('Company')]));
  assert.deepEqual([second.link_row_related_field_id, own.link_row_related_field_id], [null, null]);
});

/* ---- values ---- */

test('links are given by ids, names, one id, a text; and what is no row is refused', async () => {
  const { people, firms, link, back } = await makeLink();
  const name = key(link);
  const TAKEN = [
    [[1, 2], [[1, 'Acme'], [2, 'Bolt']]], [['Bolt', 'Acme'], [[2, 'Bolt'], [1, 'Acme']]], [['Acme', 2], [[1, 'Acme'], [2, 'Bolt']]], [[2], [[2, 'Bolt']]], [1, [[1, 'Acme']]],
    ['Acme,Bolt', [[1, 'Acme'], [2, 'Bolt']]], ['2', [[2, 'Bolt']]], [['1'], [[1, 'Acme']]], [[1, 1], [[1, 'Acme']]], [[], []], [[2], [[2, 'Bolt']]], [null, []],
  ];
  const inOrder = (cell) => [...linked(cell)].sort();
  for (const [value, wanted] of TAKEN) {
    const row = await people.add({ [name]: value });
    assert.deepEqual(inOrder(row[name]), [...wanted].sort(), JSON.stringify(value));
    for (const one of row[name]) assert.deepEqual(Object.keys(one), ['id', 'value', 'order']);
    assert.deepEqual(inOrder((await people.edit(1, { [name]: value }))[name]), [...wanted].sort(), JSON.stringify(value));
    assert.deepEqual((await people.read(row.id))[name], row[name]);
  }
  for (const [value, code] of [[[99], 'does_not_exist'], [['Nobody'], 'does_not_exist'], [[{}], 'invalid'], [true, 'invalid'], [{ a: 1 }, 'invalid'], [[1.5], 'invalid']]) {
    const answer = await people.tryAdd({ [name]: value });
    assert.equal(answer.body.error, 'ERROR_REQUEST_BODY_VALIDATION', JSON.stringify([value, answer.body]));
    const batch = await ann.rest('POST', `${people.rows}batch/`, { items: [{}, { [name]: value }] });
    assert.equal(batch.body.error, 'ERROR_REQUEST_BODY_VALIDATION', JSON.stringify([value, batch.body]));
    if (code === 'invalid') assertInvalid(answer, { [name]: ['invalid'] });
  }
  /* From the other side. */
  await firms.edit(1, { [key(back)]: ['Ann', 'Cleo'] });
  assert.deepEqual(linked((await people.read(3))[name]), [[1, 'Acme']]);
  await firms.edit(1, { [key(back)]: [] });
  assert.deepEqual((await people.cells(link)).flat().filter(({ id }) => id === 1), []);
});

test('a link of one row takes no more', async () => {
  const { people, link } = await makeLink({ link_row_multiple_relationships: false });
  assert.equal(link.link_row_multiple_relationships, false);
  assert.deepEqual(linked((await people.edit(1, { [key(link)]: [2] }))[key(link)]), [[2, 'Bolt']]);
  const answer = await people.tryEdit(1, { [key(link)]: [1, 2] });
  assert.deepEqual([answer.status, answer.body.error], [400, 'ERROR_REQUEST_BODY_VALIDATION']);
  assert.deepEqual(linked((await people.read(1))[key(link)]), [[2, 'Bolt']]);
});

test('names of linked rows follow their primary field, and another one that takes its place', async () => {
  const { people, firms, link } = await makeLink();
  await people.edit(1, { [key(link)]: [1] });
  await firms.edit(1, { [key(await firms.primary())]: 'Acme Ltd' });
  assert.deepEqual(linked((await people.read(1))[key(link)]), [[1, 'Acme Ltd']]);
  const number = await firms.field('Number', 'number', { number_decimal_places: 1 });
  await firms.edit(1, { [key(number)]: '4' });
  await ann.ask('POST', `database/fields/table/${firms.id}/change-primary-field/`, { new_primary_field_id: number.id });
  assert.deepEqual(linked((await people.read(1))[key(link)]), [[1, '4.0']]);
  assert.equal((await people.fieldNamed('Firm')).link_row_table_primary_field.id, number.id);
});

/* ---- messages of rows (14.4) ---- */

test('rows of the other table are told to everybody, whole, after those that were changed', async () => {
  const { people, firms, link, back } = await makeLink();
  const [asking, theirs] = [await Table.look(ann, people, firms), await Table.look(bob, people, firms)];
  const row = await people.edit(1, { [key(link)]: [1, 2] }, asking.exclude);
  const firmRows = [await firms.read(1), await firms.read(2)];
  const [own, other, ...rest] = await theirs.news();
  assert.deepEqual(rest, []);
  assert.deepEqual([own.type, own.table_id, own.rows, own.updated_field_ids], ['rows_updated', people.id, [row], [link.id]]);
  assert.deepEqual(own.rows_before_update, [{ ...row, [key(link)]: [] }]);
  assert.deepEqual([other.type, other.table_id, other.metadata, other.updated_field_ids], ['rows_updated', firms.id, {}, [back.id]]);
  assert.deepEqual([...other.rows].sort((a, b) => a.id - b.id), firmRows);
  assert.deepEqual(other.rows_before_update.map(({ id }) => id), other.rows.map(({ id }) => id));
  assert.deepEqual((await asking.news()).map(({ table_id: id }) => id), [firms.id]);
  assert.deepEqual(linked(firmRows[0][key(back)]), [[1, 'Ann']]);

  /* A new name shows in the rows that are linked. */
  await firms.edit(1, { [key(await firms.primary())]: 'Acme Ltd' }, asking.exclude);
  const renamed = await theirs.news();
  assert.deepEqual(renamed.map(({ type, table_id: id, updated_field_ids: fields }) => [type, id, fields]), [['rows_updated', firms.id, [(await firms.primary()).id]], ['rows_updated', people.id, [link.id]]]);
  assert.deepEqual(renamed[1].rows, [await people.read(1)]);
  assert.deepEqual((await asking.news()).map(({ table_id: id }) => id), [people.id]);

  /* What does not show there is told on its own page only. */
  const note = await firms.field('Note', 'text');
  await Promise.all([asking.news(), theirs.news()]);
  await firms.edit(1, { [key(note)]: 'x' });
  assert.deepEqual((await theirs.news()).map(({ table_id: id }) => id), [firms.id]);
  await asking.news();

  const made = await people.add({ [key(link)]: [2] }, asking.exclude);
  const creation = await theirs.news();
  assert.deepEqual(creation.map(({ type, table_id: id }) => [type, id]), [['rows_created', people.id], ['rows_updated', firms.id]]);
  assert.deepEqual(creation[0].rows, [made]);
  assert.deepEqual((await asking.news()).map(({ type }) => type), ['rows_updated']);

  await ann.ask('DELETE', `${people.rows}1/`, undefined, asking.exclude);
  const deletion = await theirs.news();
  assert.deepEqual(deletion.map(({ type, table_id: id }) => [type, id]), [['rows_deleted', people.id], ['rows_updated', firms.id]]);
  assert.deepEqual(linked(deletion[0].rows[0][key(link)]).sort(), [[1, 'Acme Ltd'], [2, 'Bolt']]);
  assert.deepEqual([...deletion[1].rows].sort((a, b) => a.id - b.id), [await firms.read(1), await firms.read(2)]);
  assert.deepEqual((await asking.news()).map(({ table_id: id }) => id), [firms.id]);

  await ann.ask('PATCH', 'trash/restore/', { trash_item_type: 'row', trash_item_id: 1, parent_trash_item_id: people.id }, asking.exclude);
  for (const socket of [theirs, asking]) {
    const back_ = await socket.news();
    assert.deepEqual(back_.map(({ type, table_id: id }) => [type, id]), [['rows_created', people.id], ['rows_updated', firms.id]]);
    assert.deepEqual(back_[0].rows, [await people.read(1)]);
  }
  assert.deepEqual(linked((await people.read(1))[key(link)]).sort(), [[1, 'Acme Ltd'], [2, 'Bolt']]);
});

test('rows of the same table are told of as those of another one are', async () => {
  const table = await grid.table('People', ['Ann', 'Bob', 'Cleo']);
  const boss = await table.field('Boss', 'link_row', { link_row_table_id: table.id, has_related_field: true });
  const [staff] = boss.related_fields;
  const [asking, theirs] = [await Table.look(ann, table), await Table.look(bob, table)];
  const name = await table.primary();
  const DEEDS = [
    [() => table.edit(1, { [key(boss)]: [2] }, asking.exclude), [['rows_updated', [1], [boss.id]], ['rows_updated', [2], [staff.id]]]],
    [() => table.edit(2, { [key(name)]: 'Bob 2' }, asking.exclude), [['rows_updated', [2], [name.id]], ['rows_updated', [1], [boss.id]]]],
    [() => ann.ask('PATCH', `${table.rows}3/move/?before_id=1`, undefined, asking.exclude), [['rows_updated', [3], []]]],
    [() => ann.ask('DELETE', `${table.rows}2/`, undefined, asking.exclude), [['rows_deleted', [2], undefined], ['rows_updated', [1], [boss.id]]]],
  ];
  for (const [act, wanted] of DEEDS) {
    await act();
    const shown = (await theirs.news()).map(({ type, rows, updated_field_ids: fields }) => [type, rows.map(({ id }) => id), fields]);
    assert.deepEqual(shown, wanted);
    assert.deepEqual((await asking.news()).map(({ rows: [{ id }] }) => id), wanted.slice(1).map(([, [id]]) => id));
  }
});

test('a link without another side tells nothing of the rows that it leads to', async () => {
  const { people, firms, link } = await makeLink({ has_related_field: false });
  const theirs = await Table.look(bob, people, firms);
  await people.edit(1, { [key(link)]: [1] });
  assert.deepEqual((await theirs.news()).map(({ table_id: id }) => id), [people.id]);
});

test('more rows than a message may hold: the linked table is read anew', async () => {
  const [people, firms] = [await grid.table('People', ['Ann']), await grid.table('Firms', Array.from({ length: 201 }, (_, i) => `f${i}`))];
  const link = await people.field('Firm', 'link_row', { link_row_table_id: firms.id });
  const [asking, theirs] = [await Table.look(ann, people, firms), await Table.look(bob, people, firms)];
  await people.edit(1, { [key(link)]: Array.from({ length: 200 }, (_, i) => i + 1) }, asking.exclude);
  const [, many] = await theirs.news();
  assert.deepEqual([many.type, many.table_id, many.rows.length], ['rows_updated', firms.id, 200]);
  await asking.news();
  await people.edit(1, { [key(link)]: [] });
  await Promise.all([asking.news(), theirs.news()]);
  await people.edit(1, { [key(link)]: Array.from({ length: 201 }, (_, i) => i + 1) }, asking.exclude);
  const refresh = { type: 'table_updated', table_id: firms.id, table: firms.shape, force_table_refresh: true };
  assert.deepEqual((await theirs.news())[1], refresh);
  assert.deepEqual(await asking.news(), [refresh]);
});

test('a deleted row leaves its links, and brings them back', async () => {
  const { people, firms, link, back } = await makeLink();
  await people.edit(1, { [key(link)]: [1, 2] });
  await people.edit(2, { [key(link)]: [1] });
  await ann.ask('DELETE', `${firms.rows}1/`);
  assert.deepEqual((await people.cells(link)).map(linked), [[[2, 'Bolt']], [], []]);
  await ann.ask('PATCH', 'trash/restore/', { trash_item_type: 'row', trash_item_id: 1, parent_trash_item_id: firms.id });
  assert.deepEqual(linked((await firms.read(1))[key(back)]).sort(), [[1, 'Ann'], [2, 'Bob']]);
  assert.deepEqual(linked((await people.read(2))[key(link)]), [[1, 'Acme']]);
});

/* ---- conversions ---- */

test('names become links, links become names; another table takes no links over', async () => {
  const [people, firms] = [await grid.table('People', ['Ann', 'Bob', 'Cleo']), await grid.table('Firms', ['Acme', 'Bolt, Inc'])];
  const field = await people.field('Firm', 'text');
  for (const [id, text] of [[1, 'Acme'], [2, 'Acme,"Bolt, Inc"'], [3, 'Nobody']]) await people.edit(id, { [key(field)]: text });
  const socket = await Table.look(bob, people, firms);
  const link = await people.change(field, { type: 'link_row', link_row_table_id: firms.id });
  const back = await firms.fieldNamed('People');
  assert.deepEqual((await socket.news()).map(({ type, field: { id } }) => [type, id]), [['field_updated', link.id], ['field_created', back.id]]);
  assert.deepEqual((await people.cells(link)).map((cell) => linked(cell).sort()), [[[1, 'Acme']], [[1, 'Acme'], [2, 'Bolt, Inc']], []]);
  const text = withoutRelated(await people.change(link, { type: 'text' }));
  const [first, second, ...rest] = await socket.news();
  assert.deepEqual(rest, []);
  assert.deepEqual([first, second].map(({ type, field_id: id }) => [type, id]).sort(), [['field_deleted', back.id], ['field_updated', link.id]]);
  assert.equal(text.type, 'text');
  assert.deepEqual((await people.cells(text)).map((cell) => cell.split(/, ?/).length), [1, 3, 1]);
  const third = await grid.table('Third', ['Acme']);
  const again = await people.change(text, { type: 'link_row', link_row_table_id: firms.id, has_related_field: false });
  assert.deepEqual(linked((await people.read(1))[key(again)]), [[1, 'Acme']]);
  const moved = await people.change(again, { link_row_table_id: third.id });
  assert.equal(moved.link_row_table_id, third.id);
});

/* ---- the other dialect ---- */

test("a table that Directus made: its columns' kinds, its rows, its messages in both dialects", async () => {
  await server.makeCollection('d_firms', { name: 'string' }, { key: { type: 'uuid', schema: { is_primary_key: true }, meta: { special: ['uuid'] } } });
  await server.makeCollection('d_codes', { label: 'string' }, { key: { type: 'string', schema: { is_primary_key: true } } });
  const columns = { string: 'string', text: 'text', integer: 'integer', big: 'bigInteger', float: 'float', decimal: 'decimal', boolean: 'boolean', date: 'date', stamp: 'timestamp', moment: 'dateTime', time: 'time', json: 'json', csv: 'csv', uuid: 'uuid', hash: 'hash' };
  await server.makeCollection('d_people', { ...columns, firm: 'uuid' });
  await server.ask('POST', '/relations', { collection: 'd_people', field: 'firm', related_collection: 'd_firms', schema: { on_delete: 'SET NULL' } });

  /* Tables without a place are where all of them are: whoever is a member of that workspace sees them. */
  const staff = await Person.login(server);
  const applications = await staff.ask('GET', 'applications/');
  const tables = applications.flatMap(({ tables: list }) => list);
  const of = (name) => new Table({ ann: staff, server }, tables.find((table) => table.name === name) ?? assert.fail(`${name} is not among ${JSON.stringify(tables)}`));
  const [people, firms, codes] = [of('d_people'), of('d_firms'), of('d_codes')];
  const fields = Object.fromEntries((await people.fields()).map((field) => [field.name, field]));
  const KINDS_OF = { string: 'text', text: 'long_text', integer: 'number', big: 'number', float: 'number', decimal: 'number', boolean: 'boolean', date: 'date', stamp: 'date', moment: 'date', uuid: 'text', hash: 'password', firm: 'link_row' };
  for (const [name, type] of Object.entries(KINDS_OF)) assert.equal(fields[name]?.type, type, name);
  assert.deepEqual([fields.firm.link_row_table_id, fields.firm.link_row_multiple_relationships, fields.firm.link_row_related_field_id], [firms.id, false, null]);

  /* The key stands for a row, until another field does. */
  const firmName = await firms.fieldNamed('name');
  assert.equal((await firms.primary()).name, 'id 2', 'a field is not called id');
  await staff.ask('POST', `database/fields/table/${firms.id}/change-primary-field/`, { new_primary_field_id: firmName.id });

  const seed = await server.socket();
  await seed.follow('d_people');
  await seed.follow('d_firms');
  const socket = await Table.look(staff, people, firms, codes);

  const firm = await firms.add({ [key(firmName)]: 'Acme' });
  const [stored] = await server.ask('GET', '/items/d_firms');
  assert.equal(stored.name, 'Acme');
  assert.match(stored.id, /^[0-9a-f-]{36}$/);
  assert.equal(firm.id, 1);
  const told = await seed.drain();
  assert.deepEqual(told.map(({ action, collection, payload, key: id }) => [action, collection, payload.name, id]), [['create', 'd_firms', 'Acme', stored.id]]);
  assert.deepEqual((await socket.news()).map(({ type, table_id: id }) => [type, id]), [['rows_created', firms.id]]);

  const item = await server.ask('POST', '/items/d_people', { string: 'Ann', integer: 5, decimal: 1.5, boolean: true, date: '2024-02-29', json: { a: 1 }, csv: ['a', 'b'], time: '10:20:00', hash: 'secret', firm: stored.id });
  const [created] = await socket.news();
  assert.deepEqual([created.type, created.table_id], ['rows_created', people.id]);
  const row = await people.read(item.id);
  assert.deepEqual(created.rows, [row]);
  assert.deepEqual([row[key(fields.string)], row[key(fields.integer)], row[key(fields.boolean)], row[key(fields.date)], row[key(fields.hash)]], ['Ann', '5', true, '2024-02-29', true]);
  assert.deepEqual(linked(row[key(fields.firm)]), [[1, 'Acme']]);
  await seed.drain();

  const second = await firms.add({ [key(firmName)]: 'Bolt' });
  await people.edit(row.id, { [key(fields.firm)]: ['Bolt'], [key(fields.integer)]: 6 });
  const changed = await server.ask('GET', `/items/d_people/${item.id}`);
  assert.deepEqual([changed.integer, changed.firm !== stored.id], [6, true]);
  assert.deepEqual((await seed.drain()).map(({ action, collection }) => [action, collection]), [['create', 'd_firms'], ['update', 'd_people']]);
  await socket.news();
  await people.edit(row.id, { [key(fields.firm)]: null });
  assert.equal((await server.ask('GET', `/items/d_people/${item.id}`)).firm, null);
  await people.edit(row.id, { [key(fields.firm)]: [second.id] });
  await server.ask('DELETE', `/items/d_firms/${changed.firm}`);
  assert.deepEqual((await people.read(row.id))[key(fields.firm)], []);
  await Promise.all([seed.drain(), socket.news()]);

  /* A key that people give. */
  const [label, code] = [await codes.fieldNamed('label'), await codes.fieldNamed('id 2')];
  const given = await codes.add({ [key(code)]: 'NL', [key(label)]: 'Netherlands' });
  assert.equal(given[key(code)], 'NL');
  assert.equal((await server.ask('GET', '/items/d_codes/NL')).label, 'Netherlands');
  await codes.edit(given.id, { [key(label)]: 'Holland' });
  assert.equal((await server.ask('GET', '/items/d_codes/NL')).label, 'Holland');
  await staff.ask('DELETE', `${codes.rows}${given.id}/`);
  assert.equal((await server.rest('GET', '/items/d_codes/NL')).status, 403);
  await socket.news();

  /* A column that is unique in the store takes any number of rows that say nothing of it. */
  await server.ask('POST', '/fields/d_people', { field: 'passport', type: 'string', schema: { is_unique: true } });
  const passport = await people.fieldNamed('passport');
  const twice = { items: [{}, {}, { [key(passport)]: '' }, { [key(passport)]: 'X1' }] };
  const { items: papers } = await staff.ask('POST', `${people.rows}batch/`, twice);
  assert.deepEqual(papers.map((one) => one[key(passport)]), ['', '', '', 'X1']);
  assertCode(await staff.rest('POST', people.rows, { [key(passport)]: 'X1' }), 400, 'ERROR_FIELD_DATA_CONSTRAINT');
  await socket.news();

  /* Fields that either dialect makes are the other's as well. */
  const made = await people.field('City', 'text');
  const name = (await server.ask('GET', '/fields/d_people')).map(({ field }) => field).find((field) => field === 'city');
  assert.equal(name, 'city');
  assert.deepEqual((await socket.news()).map(({ type, field }) => [type, field.id]), [['field_created', made.id]]);
  await server.ask('POST', '/fields/d_people', { field: 'street', type: 'string' });
  const [added] = await socket.news();
  assert.deepEqual([added.type, added.field.name, added.field.type], ['field_created', 'street', 'text']);
  await server.ask('PATCH', '/fields/d_people/street', { meta: { note: 'where' } });
  const [noted] = await socket.news();
  assert.deepEqual([noted.type, noted.field.description], ['field_updated', 'where']);
  await server.ask('DELETE', '/fields/d_people/street');
  assert.deepEqual((await socket.news()).map(({ type, field_id: id }) => [type, id]), [['field_deleted', added.field.id]]);
});

test('a table that this dialect made is a collection of the other', async () => {
  const { people, firms, link } = await makeLink();
  const names = (await server.ask('GET', '/collections')).map(({ collection }) => collection).filter((name) => /^people/.test(name));
  assert.ok(names.length > 0);
  const primary = await people.primary();
  let collection;
  for (const name of names) {
    const fields = await server.ask('GET', `/fields/${name}`);
    if (fields.some(({ meta }) => meta?.id === primary.id)) collection = name;
  }
  assert.ok(collection, 'the fields have the same numbers in both');
  const seed = await server.socket();
  await seed.follow(collection);
  const row = await people.add({ [key(primary)]: 'Dora', [key(link)]: [1] });
  const [event] = await seed.drain();
  assert.deepEqual([event.action, event.collection, event.key], ['create', collection, row.id]);
  const socket = await Table.look(bob, people, firms);
  await server.ask('PATCH', `/items/${collection}/${row.id}`, { name: 'Dora 2' });
  const came = await socket.news();
  assert.deepEqual(came.map(({ type, table_id: id }) => [type, id]), [['rows_updated', people.id], ['rows_updated', firms.id]]);
  assert.deepEqual(came[0].rows, [await people.read(row.id)]);
  await server.ask('DELETE', `/items/${collection}/${row.id}`);
  assert.deepEqual((await socket.news()).map(({ type, table_id: id }) => [type, id]), [['rows_deleted', people.id], ['rows_updated', firms.id]]);
  await server.ask('DELETE', `/collections/${collection}`);
  assertCode(await ann.rest('GET', people.path), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
  assert.ok((await socket.news()).some(({ type, table_id: id }) => type === 'table_deleted' && id === people.id));
  assert.equal((await firms.fields()).length, 1);
});
