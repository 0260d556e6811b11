/* The trash (baserow.md 9.13), what is told of it (5.3 to 5.7), and the history of rows (5.8). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MOMENT, Person, assertCode, assertInvalid } from './baserow.js';
import { connect, heard } from './baserow_channel.js';
import { Grid, Table, key } from './baserow_grid.js';
import { Server, makeFolder, pause } from './harness.js';

const PATIENCE_MS = 20_000;
let server, grid, ann, bob, carol, workspace, database;
before(async () => {
  server = await Server.start({ environment: { BASEROW_DOCUMENTED_MESSAGES: 'false' } });
  grid = await Grid.make(server);
  ({ ann, bob, carol, workspace, database } = grid);
});
after(() => server?.stop());

const restore = (type, id, parent, person = ann, headers = {}) => person.rest('PATCH', 'trash/restore/', { trash_item_type: type, trash_item_id: id, ...(parent === undefined ? {} : { parent_trash_item_id: parent }) }, headers);
async function bringBack(...of) {
  const { status, body } = await restore(...of);
  assert.equal(status, 204, JSON.stringify(body));
}
const entries = async (where = workspace, query = '', person = ann) => (await person.ask('GET', `trash/workspace/${where.id}/${query}`)).results;
const remove = (path, headers = {}) => ann.ask('DELETE', path, undefined, headers);
const texts = async (table) => table.cells(await table.primary());

/* Two of Ann's tabs, one of which acts, and Bob's. */
async function watchers(...tables) {
  const [tab, other, member] = [await Table.look(ann, ...tables), await Table.look(ann, ...tables), await Table.look(bob, ...tables)];
  return { tab, other, member, told: async () => [await heard(tab), await heard(other), await heard(member)] };
}
/* All three are told the same; the tab that acts is excluded from nothing that comes back (5.3). */
async function assertAllTold(who, messages) {
  for (const told of await who.told()) assert.deepEqual(told, messages);
}

/* ---- what is in it ---- */

test('the trash lists what was deleted, newest first, by workspace and by application', async () => {
  const own = await Grid.make(server);
  const list = (query, person = own.ann) => entries(own.workspace, query, person);
  const table = await own.table('Customers', ['Ann', 'Bob', 'Cid']);
  const field = await table.field('Age', 'number');
  const second = await own.ann.ask('POST', `applications/workspace/${own.workspace.id}/`, { name: 'Second', type: 'database' });
  assert.deepEqual(await list(), []);
  await own.ann.ask('DELETE', `${table.rows}3/`);
  await own.ann.ask('POST', `${table.rows}batch-delete/`, { items: [1, 2] });
  await own.ann.ask('DELETE', `database/fields/${field.id}/`);
  await own.bob.ask('DELETE', table.path);
  await own.ann.ask('DELETE', `applications/${second.id}/`);
  const all = await list();
  const common = (e) => ({ id: e.id, trashed_at: e.trashed_at, workspace: own.workspace.id, user_who_trashed: own.ann.name, names: null });
  const [anApplication, aTable, aField, rows, row] = all;
  for (const { trashed_at: at } of all) assert.match(at, MOMENT);
  assert.deepEqual(anApplication, { ...common(anApplication), trash_item_type: 'application', trash_item_id: second.id, parent_trash_item_id: null, application: second.id, name: 'Second', parent_name: 'Acme' });
  assert.deepEqual(aTable, { ...common(aTable), user_who_trashed: own.bob.name, trash_item_type: 'table', trash_item_id: table.id, parent_trash_item_id: null, application: own.database.id, name: 'Customers', parent_name: 'CRM' });
  assert.deepEqual(aField, { ...common(aField), trash_item_type: 'field', trash_item_id: field.id, parent_trash_item_id: null, application: own.database.id, name: 'Age', parent_name: 'Customers' });
  assert.deepEqual(rows, { ...common(rows), trash_item_type: 'rows', trash_item_id: rows.trash_item_id, parent_trash_item_id: table.id, application: own.database.id, name: '1, 2', names: ['Ann', 'Bob'], parent_name: 'Customers' });
  assert.deepEqual(row, { ...common(row), trash_item_type: 'row', trash_item_id: 3, parent_trash_item_id: table.id, application: own.database.id, name: '3', names: ['Cid'], parent_name: 'Customers' });
  assert.equal(all.length, 5);
  assert.deepEqual(await list(`?application_id=${own.database.id}`), [aTable, aField, rows, row]);
  assert.deepEqual(await list(`?application_id=${second.id}`), [anApplication]);
  assert.deepEqual(await list('', own.bob), all);
  const { count, next, previous } = await own.ann.ask('GET', `trash/workspace/${own.workspace.id}/?page=1`);
  assert.deepEqual([count, next, previous], [5, null, null]);
  const places = (await own.ann.ask('GET', 'trash/')).workspaces.find(({ id }) => id === own.workspace.id);
  assert.deepEqual(places, { id: own.workspace.id, trashed: false, name: 'Acme', applications: [{ id: own.database.id, name: 'CRM', trashed: false, type: 'database' }, { id: second.id, name: 'Second', trashed: true, type: 'database' }] });
  assert.deepEqual((await own.carol.ask('GET', 'trash/')).workspaces.filter(({ id }) => id === own.workspace.id), []);

  /* Emptied: an application's part, and then all. */
  await own.ann.ask('DELETE', `trash/workspace/${own.workspace.id}/?application_id=${second.id}`);
  assert.deepEqual(await list(), [aTable, aField, rows, row]);
  assertCode(await restore('application', second.id, undefined, own.ann), 404, 'ERROR_TRASH_ITEM_DOES_NOT_EXIST');
  await own.bob.ask('DELETE', `trash/workspace/${own.workspace.id}/`);
  assert.deepEqual(await list(), []);
});

test('who may not look into the trash is told so', async () => {
  const foreign = await Grid.make(server);
  for (const method of ['GET', 'DELETE']) {
    assertCode(await ann.rest(method, 'trash/workspace/999999/'), 404, 'ERROR_GROUP_DOES_NOT_EXIST');
    assertCode(await carol.rest(method, `trash/workspace/${workspace.id}/`), 400, 'ERROR_USER_NOT_IN_GROUP');
    assertCode(await ann.rest(method, `trash/workspace/${workspace.id}/?application_id=999999`), 404, 'ERROR_APPLICATION_DOES_NOT_EXIST');
    assertCode(await ann.rest(method, `trash/workspace/${workspace.id}/?application_id=${foreign.database.id}`), 400, 'ERROR_APPLICATION_NOT_IN_GROUP');
  }
});

/* ---- coming back ---- */

test('a row comes back where it was, with its number and its links', async () => {
  const cities = await grid.table('Cities', ['Rome', 'Oslo']);
  const table = await grid.table('Row', ['a', 'b', 'c']);
  const link = await table.field('City', 'link_row', { link_row_table_id: cities.id });
  const before = await table.edit(2, { [key(link)]: ['Oslo'] });
  const who = await watchers(table);
  await remove(`${table.rows}2/`, who.tab.exclude);
  const gone = { type: 'rows_deleted', table_id: table.id, row_ids: [2], rows: [before] };
  assert.deepEqual(await who.told(), [[], [gone], [gone]]);
  assert.deepEqual((await cities.cells(await cities.fieldNamed('Row'))).map((cell) => cell.length), [0, 0]);
  await bringBack('row', 2, table.id, ann, who.tab.exclude);
  assert.deepEqual(await table.read(2), before);
  assert.deepEqual(await texts(table), ['a', 'b', 'c']);
  assert.deepEqual((await cities.cells(await cities.fieldNamed('Row'))).map((cell) => cell.length), [0, 1]);
  await assertAllTold(who, [{ type: 'rows_created', table_id: table.id, rows: [before], metadata: {}, before_row_id: null }]);
  assertCode(await restore('row', 2, table.id), 404, 'ERROR_TRASH_ITEM_DOES_NOT_EXIST');
});

test('rows come back together; links to rows that are gone do not, nor do cells of fields that are', async () => {
  const cities = await grid.table('Towns', ['Rome', 'Oslo']);
  const table = await grid.table('Rows', ['a', 'b', 'c', 'd']);
  const link = await table.field('Town', 'link_row', { link_row_table_id: cities.id });
  const age = await table.field('Age', 'number');
  await table.edit(2, { [key(link)]: ['Oslo', 'Rome'], [key(age)]: 7 });
  await ann.ask('POST', `${table.rows}batch-delete/`, { items: [2, 3] });
  await remove(`${cities.rows}1/`);
  await remove(`database/fields/${age.id}/`);
  const who = await watchers(table);
  const [entry] = (await entries()).filter((e) => e.trash_item_type === 'rows' && e.parent_trash_item_id === table.id);
  await bringBack('rows', entry.trash_item_id, table.id, bob);
  assert.deepEqual(await texts(table), ['a', 'b', 'c', 'd']);
  const row = await table.read(2);
  assert.deepEqual(row[key(link)].map(({ value }) => value), ['Oslo']);
  await assertAllTold(who, [{ type: 'rows_created', table_id: table.id, rows: [row, await table.read(3)], metadata: {}, before_row_id: null }]);
});

test('fifty rows and more come back as a table to be read anew', async () => {
  for (const [count, types] of [[49, ['rows_created']], [50, ['table_updated']]]) {
    const table = await grid.table(`Many ${count}`, Array.from({ length: count }, (_, i) => `row ${i}`));
    await ann.ask('POST', `${table.rows}batch-delete/`, { items: Array.from({ length: count }, (_, i) => i + 1) });
    const who = await watchers(table);
    const [entry] = (await entries()).filter((e) => e.parent_trash_item_id === table.id);
    await bringBack('rows', entry.trash_item_id, table.id, ann, who.tab.exclude);
    assert.equal((await texts(table)).length, count);
    for (const told of await who.told()) {
      assert.deepEqual(told.map(({ type }) => type), types);
      if (count === 50) assert.equal(told[0].force_table_refresh, true);
    }
  }
});

test('a field comes back with its cells, under another name when its own is taken', async () => {
  const table = await grid.table('Field', ['a', 'b']);
  const age = await table.field('Age', 'number');
  await table.edit(1, { [key(age)]: 7 });
  const who = await watchers(table);
  await remove(`database/fields/${age.id}/`, who.tab.exclude);
  const gone = { type: 'field_deleted', table_id: table.id, field_id: age.id, related_fields: [] };
  assert.deepEqual(await who.told(), [[], [gone], [gone]]);
  assert.equal((await table.read(1))[key(age)], undefined);
  const other = await table.field('Age', 'text');
  await who.told();
  await bringBack('field', age.id, undefined, ann, who.tab.exclude);
  assert.deepEqual(await table.cells(age), ['7', null]);
  const { related_fields: _, ...shape } = { ...age, name: 'Age 2' };
  await assertAllTold(who, [{ type: 'field_restored', field: { ...shape, filters: [], sortings: [], group_bys: [] }, related_fields: [] }]);
  assert.deepEqual((await table.fields()).map(({ id, name }) => [id, name]), [[(await table.primary()).id, 'Name'], [age.id, 'Age 2'], [other.id, 'Age']]);
});

test('a link comes back with its other side and its rows', async () => {
  const goods = await grid.table('Goods', ['pen', 'ink']);
  const orders = await grid.table('Orders', ['first']);
  const link = await orders.field('Goods', 'link_row', { link_row_table_id: goods.id });
  await orders.edit(1, { [key(link)]: ['ink'] });
  const back = await goods.fieldNamed('Orders');
  const who = await watchers(goods, orders);
  await remove(`database/fields/${link.id}/`, who.tab.exclude);
  assert.deepEqual((await heard(who.member)).map(({ type, field_id: id }) => [type, id]), [['field_deleted', back.id], ['field_deleted', link.id]]);
  await who.told();
  assert.equal(await goods.fieldNamed('Orders'), undefined);
  await bringBack('field', link.id);
  assert.deepEqual((await orders.cells(link)).map((cell) => cell.map(({ value }) => value)), [['ink']]);
  assert.deepEqual((await goods.cells(back)).map((cell) => cell.map(({ value }) => value)), [[], ['first']]);
  for (const told of await who.told()) assert.deepEqual(told.map(({ type, field }) => [type, field.id]).sort(), [['field_restored', link.id], ['field_restored', back.id]].sort());
});

test('a table comes back with its rows and with the links of other tables to it', async () => {
  const goods = await grid.table('Wares', ['pen', 'ink']);
  const orders = await grid.table('Sales', ['first']);
  const link = await orders.field('Wares', 'link_row', { link_row_table_id: goods.id });
  await orders.edit(1, { [key(link)]: ['ink'] });
  const who = await watchers(orders);
  await remove(goods.path, who.tab.exclude);
  const gone = { type: 'table_deleted', database_id: database.id, table_id: goods.id };
  const dropped = { type: 'field_deleted', table_id: orders.id, field_id: link.id, related_fields: [] };
  assert.deepEqual(await who.told(), [[], [dropped, gone], [dropped, gone]]);
  assertCode(await ann.rest('GET', goods.path), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
  assertCode(await ann.rest('DELETE', goods.path), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
  assert.equal(await orders.fieldNamed('Wares'), undefined);
  await bringBack('table', goods.id, undefined, ann, who.tab.exclude);
  assert.deepEqual(await ann.ask('GET', goods.path), goods.shape);
  assert.deepEqual(await texts(goods), ['pen', 'ink']);
  assert.deepEqual((await orders.cells(link)).map((cell) => cell.map(({ value }) => value)), [['ink']]);
  for (const told of await who.told()) {
    assert.deepEqual(told.map(({ type }) => type).sort(), ['field_restored', 'table_created']);
    assert.deepEqual(told.find(({ type }) => type === 'table_created'), { type: 'table_created', table: goods.shape });
  }
});

test('an application and a workspace come back with what was not deleted by itself', async () => {
  const own = await Grid.make(server);
  const [kept, gone] = [await own.table('Kept', ['a']), await own.table('Gone', ['b'])];
  const [tab, member] = [await connect(server, own.ann.token), await connect(server, own.bob.token)];
  const exclude = { WebSocketId: tab.id };
  await own.ann.ask('DELETE', gone.path, undefined, exclude);
  await own.ann.ask('DELETE', `applications/${own.database.id}/`, undefined, exclude);
  await own.ann.ask('DELETE', `workspaces/${own.workspace.id}/`, undefined, exclude);
  assert.deepEqual(await heard(tab), []);
  assert.deepEqual((await heard(member)).map(({ type }) => type), ['table_deleted', 'application_deleted', 'group_deleted']);
  assertCode(await own.ann.rest('GET', `workspaces/${own.workspace.id}/permissions/`), 404, 'ERROR_GROUP_DOES_NOT_EXIST');
  const [place] = (await own.ann.ask('GET', 'trash/')).workspaces.filter(({ id }) => id === own.workspace.id);
  assert.deepEqual([place.trashed, place.applications.map(({ trashed }) => trashed)], [true, [true]]);

  /* From the top down. */
  assertCode(await restore('application', own.database.id, undefined, own.ann), 400, 'ERROR_CANNOT_RESTORE_PARENT_BEFORE_CHILD');
  assertCode(await restore('table', gone.id, undefined, own.ann), 400, 'ERROR_CANNOT_RESTORE_PARENT_BEFORE_CHILD');
  assertCode(await restore('workspace', own.workspace.id, undefined, own.bob), 400, 'ERROR_USER_INVALID_GROUP_PERMISSIONS');
  await bringBack('workspace', own.workspace.id, undefined, own.ann, exclude);
  for (const socket of [tab, member]) assert.deepEqual((await heard(socket)).map(({ type }) => type), ['group_restored']);
  assert.deepEqual(await own.ann.ask('GET', `applications/workspace/${own.workspace.id}/`), []);
  assertCode(await restore('table', gone.id, undefined, own.ann), 400, 'ERROR_CANNOT_RESTORE_PARENT_BEFORE_CHILD');
  await bringBack('application', own.database.id, undefined, own.bob);
  for (const socket of [tab, member]) {
    const [message, ...more] = await heard(socket);
    assert.deepEqual([message.type, message.application.tables, more], ['application_created', [kept.shape], []]);
  }
  await bringBack('table', gone.id, undefined, own.ann);
  for (const socket of [tab, member]) assert.deepEqual(await heard(socket), [{ type: 'table_created', table: gone.shape }]);
  assert.deepEqual([await texts(kept), await texts(gone)], [['a'], ['b']]);
});

test('what cannot be restored is refused in words of its own', async () => {
  const table = await grid.table('Errors', ['a', 'b']);
  const field = await table.field('Age', 'number');
  assertInvalid(await restore('view', 1), { trash_item_type: ['invalid_choice'] });
  assertInvalid(await ann.rest('PATCH', 'trash/restore/', {}), { trash_item_type: ['required'], trash_item_id: ['required'] });
  assertCode(await restore('table', 999999), 404, 'ERROR_TRASH_ITEM_DOES_NOT_EXIST');
  assertCode(await restore('table', table.id), 404, 'ERROR_TRASH_ITEM_DOES_NOT_EXIST');
  await remove(`${table.rows}1/`);
  await remove(`database/fields/${field.id}/`);
  assertCode(await restore('row', 1), 400, 'ERROR_PARENT_ID_MUST_BE_PROVIDED');
  assertCode(await restore('field', field.id, table.id), 400, 'ERROR_PARENT_ID_MUST_NOT_BE_PROVIDED');
  assertCode(await restore('row', 1, 999999), 404, 'ERROR_TRASH_ITEM_DOES_NOT_EXIST');
  assertCode(await restore('field', field.id, undefined, carol), 400, 'ERROR_USER_NOT_IN_GROUP');
  await remove(table.path);
  assertCode(await restore('row', 1, table.id), 400, 'ERROR_CANNOT_RESTORE_PARENT_BEFORE_CHILD');
  assertCode(await restore('field', field.id), 400, 'ERROR_CANNOT_RESTORE_PARENT_BEFORE_CHILD');
  await bringBack('table', table.id);
  await bringBack('row', 1, table.id);
  await bringBack('field', field.id);

  const [near, far] = [await grid.table('Near'), await grid.table('Far')];
  const link = await near.field('Far', 'link_row', { link_row_table_id: far.id });
  await remove(`database/fields/${link.id}/`);
  await remove(far.path);
  assertCode(await restore('field', link.id), 400, 'ERROR_CANT_RESTORE_AS_RELATED_TABLE_TRASHED');
  await bringBack('table', far.id);
  await bringBack('field', link.id);
  assert.ok(await near.fieldNamed('Far'));
});

/* ---- going for good ---- */

test('what lay there for long enough is deleted for good, and what is above or beside it is not', async () => {
  const own = await Server.start({ environment: { HOURS_UNTIL_TRASH_PERMANENTLY_DELETED: '0', CHORES_INTERVAL: '100', BASEROW_DOCUMENTED_MESSAGES: 'false' } });
  try {
    const scene = await Grid.make(own);
    const list = async (person = scene.ann) => (await person.ask('GET', `trash/workspace/${scene.workspace.id}/`)).results;
    const emptied = async () => {
      for (const end = Date.now() + PATIENCE_MS; (await list()).length > 0; await pause(50)) assert.ok(Date.now() < end, JSON.stringify(await list()));
    };
    const collections = async () => (await own.ask('GET', '/collections')).map(({ collection }) => collection).filter((name) => !name.startsWith('directus_'));
    const columns = async () => (await own.ask('GET', '/fields')).map(({ collection, field }) => `${collection}.${field}`).filter((name) => !name.startsWith('directus_'));
    const member = await connect(own, scene.bob.token);
    const [goods, orders] = [await scene.table('Goods', ['pen']), await scene.table('Orders', ['first', 'second'])];
    const link = await orders.field('Goods', 'link_row', { link_row_table_id: goods.id });
    await orders.edit(1, { [key(link)]: ['pen'] });
    const plain = (await columns()).length;
    const age = await orders.field('Age', 'number');
    assert.equal((await columns()).length, plain + 1);
    await heard(member);

    await scene.ann.ask('DELETE', `database/fields/${age.id}/`);
    await scene.ann.ask('DELETE', `${orders.rows}2/`);
    await emptied();
    assert.equal((await columns()).length, plain);
    assertCode(await restore('field', age.id, undefined, scene.ann), 404, 'ERROR_TRASH_ITEM_DOES_NOT_EXIST');
    assert.equal((await orders.read(1))[key(link)].length, 1);
    /* A link goes with its junction, from both sides. */
    const before = (await collections()).length;
    await scene.ann.ask('DELETE', `database/fields/${link.id}/`);
    await emptied();
    assert.equal((await collections()).length, before - 1);
    assert.deepEqual((await goods.fields()).map(({ name }) => name), ['Name']);
    /* So do links to a table that goes. */
    const again = await orders.field('Goods', 'link_row', { link_row_table_id: goods.id });
    await orders.edit(1, { [key(again)]: ['pen'] });
    await scene.ann.ask('DELETE', goods.path);
    await emptied();
    assert.equal((await collections()).length, before - 2);
    assert.deepEqual((await orders.fields()).map(({ name }) => name), ['Name']);
    assert.deepEqual(await texts(orders), ['first']);
    /* Nothing is told of it. */
    assert.deepEqual((await heard(member)).map(({ type }) => type), ['table_deleted']);

    await scene.ann.ask('DELETE', `applications/${scene.database.id}/`);
    await emptied();
    assert.equal((await collections()).length, before - 3);
    await scene.ann.ask('DELETE', `workspaces/${scene.workspace.id}/`);
    for (const end = Date.now() + PATIENCE_MS; (await scene.ann.ask('GET', 'trash/')).workspaces.some(({ id }) => id === scene.workspace.id); await pause(50)) assert.ok(Date.now() < end);
    assertCode(await restore('workspace', scene.workspace.id, undefined, scene.ann), 404, 'ERROR_TRASH_ITEM_DOES_NOT_EXIST');
    assert.deepEqual((await heard(member)).map(({ type }) => type), ['application_deleted', 'group_deleted']);
  } finally {
    await own.stop();
  }
});

test('a table whose database is in the trash goes by itself, and does not come back with it', async () => {
  const folder = makeFolder();
  const first = await Server.start({ folder });
  let second;
  try {
    const scene = await Grid.make(first);
    const [kept, gone] = [await scene.table('Kept', ['a']), await scene.table('Gone', ['b'])];
    await scene.ann.ask('DELETE', gone.path);
    await scene.ann.ask('DELETE', `trash/workspace/${scene.workspace.id}/?application_id=${scene.database.id}`);
    await scene.ann.ask('DELETE', `applications/${scene.database.id}/`);
    await first.stop();
    second = await Server.start({ folder, environment: { CHORES_INTERVAL: '100' } });
    scene.ann.server = second;
    for (const end = Date.now() + PATIENCE_MS; (await second.ask('GET', '/collections')).some(({ collection }) => collection === 'gone'); await pause(50)) assert.ok(Date.now() < end);
    await bringBack('application', scene.database.id, undefined, scene.ann);
    assert.deepEqual(await scene.ann.ask('GET', `database/tables/database/${scene.database.id}/`), [kept.shape]);
    assert.deepEqual(await texts(kept), ['a']);
  } finally {
    await (second ?? first).stop();
    folder.remove();
  }
});

test('tables that others made outlive the application in which they were shown', async () => {
  const own = await Server.start({ environment: { HOURS_UNTIL_TRASH_PERMANENTLY_DELETED: '0', CHORES_INTERVAL: '100' } });
  try {
    const admin = await Person.login(own);
    await own.makeCollection('loose', { title: 'string' });
    await own.ask('POST', '/items/loose', { title: 'here' });
    const [home] = await admin.ask('GET', 'applications/');
    const placed = await admin.ask('POST', `database/tables/database/${home.id}/`, { name: 'Placed' });
    assert.ok((await admin.ask('GET', `database/tables/database/${home.id}/`)).some(({ name }) => name === 'loose'));
    await admin.ask('DELETE', `applications/${home.id}/`);
    assert.deepEqual((await own.ask('GET', '/items/loose')).map(({ title }) => title), ['here'], 'while it is in the trash');
    for (const end = Date.now() + PATIENCE_MS; (await admin.ask('GET', `trash/workspace/${home.workspace.id}/`)).count > 0; await pause(50)) assert.ok(Date.now() < end);
    assert.ok(!(await own.ask('GET', '/collections')).some(({ collection }) => collection === 'placed'));
    assert.deepEqual((await own.ask('GET', '/items/loose')).map(({ title }) => title), ['here']);
    assertCode(await admin.rest('GET', `database/tables/${placed.id}/`), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
    assert.deepEqual(await admin.ask('GET', 'applications/'), []);
  } finally {
    await own.stop();
  }
});

/* ---- history ---- */

const history = (table, id, query = '', person = ann) => person.ask('GET', `${table.rows}${id}/history/${query}`);

test('the history of a row says who changed what, and is told on its page', async () => {
  const table = await grid.table('History', []);
  const [named, age] = [await table.primary(), await table.field('Age', 'number')];
  const made = await table.add({ [key(named)]: 'Ann' });
  const [tab, member] = [await connect(server, ann.token), await connect(server, bob.token)];
  for (const socket of [tab, member]) {
    socket.send({ page: 'row', table_id: table.id, row_id: made.id });
    assert.equal((await socket.next('page_add')).type, 'page_add');
  }
  const exclude = { WebSocketId: tab.id };
  await table.edit(made.id, { [key(named)]: 'Bea', [key(age)]: 7 }, exclude);
  await bob.ask('PATCH', `${table.rows}${made.id}/`, { [key(age)]: 8 });
  await table.edit(made.id, { [key(age)]: 8 }, exclude); /* nothing changes */
  await ann.ask('PATCH', `${table.rows}${made.id}/move/`);
  await remove(`${table.rows}${made.id}/`, exclude);
  await bringBack('row', made.id, table.id);
  const { count, next, previous, results } = await history(table, made.id);
  const user = ({ id, name }) => ({ id, name });
  const metadata = { [key(named)]: { id: named.id, type: 'text' } };
  const numbers = results[2].fields_metadata[key(age)];
  const entry = (e, type, person, before, after, fields) => ({ id: e.id, action_type: type, action_command_type: 'DO', user: user(person), timestamp: e.timestamp, before, after, fields_metadata: fields });
  const expected = [
    entry(results[0], 'restore_from_trash', ann, { [key(named)]: '', [key(age)]: null }, { [key(named)]: 'Bea', [key(age)]: '8' }, { ...metadata, [key(age)]: numbers }),
    entry(results[1], 'delete_row', ann, {}, {}, {}),
    entry(results[2], 'update_rows', bob, { [key(age)]: '7' }, { [key(age)]: '8' }, { [key(age)]: numbers }),
    entry(results[3], 'update_rows', ann, { [key(named)]: 'Ann', [key(age)]: null }, { [key(named)]: 'Bea', [key(age)]: '7' }, { ...metadata, [key(age)]: numbers }),
    entry(results[4], 'create_row', ann, { [key(named)]: '' }, { [key(named)]: 'Ann' }, metadata),
  ];
  assert.deepEqual([count, next, previous], [5, null, null]);
  assert.deepEqual(results, expected);
  assert.deepEqual([numbers.id, numbers.type, numbers.number_decimal_places], [age.id, 'number', 0]);
  for (const { timestamp } of results) assert.ok(!Number.isNaN(Date.parse(timestamp)));
  /* The sender's socket hears of it, too. */
  for (const socket of [tab, member]) {
    const told = (await heard(socket)).filter(({ type }) => type === 'row_history_updated');
    assert.deepEqual(told, expected.slice(0, 4).reverse().map((e) => ({ type: 'row_history_updated', table_id: table.id, row_id: made.id, row_history_entry: e })));
  }
  const part = await history(table, made.id, '?limit=2&offset=1');
  assert.deepEqual([part.count, part.results], [5, results.slice(1, 3)]);
  assert.match(part.next, /limit=2&offset=3/);
  assertCode(await carol.rest('GET', `${table.rows}${made.id}/history/`), 400, 'ERROR_USER_NOT_IN_GROUP');
  assertCode(await ann.rest('GET', `database/rows/table/999999/1/history/`), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
});

test('a link is in the history of the rows at both its ends', async () => {
  const goods = await grid.table('Things', ['pen', 'ink']);
  const orders = await grid.table('Lists', ['first']);
  const link = await orders.field('Things', 'link_row', { link_row_table_id: goods.id });
  const back = await goods.fieldNamed('Lists');
  await orders.edit(1, { [key(link)]: [2, 1] });
  const [entry] = (await history(orders, 1)).results;
  assert.deepEqual([entry.action_type, entry.before, entry.after], ['update_rows', { [key(link)]: [] }, { [key(link)]: [1, 2] }]);
  assert.deepEqual(entry.fields_metadata, { [key(link)]: { id: link.id, type: 'link_row', linked_rows: { 1: { value: 'pen' }, 2: { value: 'ink' } }, primary_value: 'first', linked_table_id: goods.id, linked_field_id: back.id } });
  const [other] = (await history(goods, 2)).results;
  assert.deepEqual([other.action_type, other.before, other.after], ['update_rows', { [key(back)]: [] }, { [key(back)]: [1] }]);
});

test('without retention no history is kept, and none is told', async () => {
  const own = await Server.start({ environment: { BASEROW_ROW_HISTORY_RETENTION_DAYS: '0' } });
  try {
    const scene = await Grid.make(own);
    const table = await scene.table('Bare', ['a']);
    const socket = await connect(own, scene.ann.token);
    socket.send({ page: 'row', table_id: table.id, row_id: 1 });
    assert.equal((await socket.next('page_add')).type, 'page_add');
    await table.edit(1, { [key(await table.primary())]: 'b' });
    assert.deepEqual(await heard(socket), []);
    assert.deepEqual((await history(table, 1, '', scene.ann)).results, []);
  } finally {
    await own.stop();
  }
});
