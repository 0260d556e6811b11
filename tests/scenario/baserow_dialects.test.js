/*
 * One commit, both dialects: rows that Directus' clients write are told on pages, rows that Baserow's clients write
 * reach Directus' subscriptions, in one order; tables and fields of either are there for the other.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD, Person } from './baserow.js';
import { connect, heard } from './baserow_channel.js';
import { Grid, key } from './baserow_grid.js';
import { Server } from './harness.js';

let server, admin, database, grid, people, name, age, collection;
before(async () => {
  server = await Server.start({ environment: { BASEROW_DOCUMENTED_MESSAGES: 'false' } });
  admin = await Person.login(server);
  [database] = await admin.ask('GET', 'applications/');
  grid = await Grid.make(server);
  people = await grid.table('Best people');
  name = key(await people.primary());
  age = key(await people.field('Age', 'number'));
  collection = (await server.ask('GET', '/collections')).map((one) => one.collection).find((one) => /people$/i.test(one));
});
after(() => server?.stop());

/* A collection of Directus', and the table that it is: fields by name, a socket of the admin's that looks at it. */
let made = 0;
async function makeTable(fields = { title: 'string', views: 'integer' }, options) {
  const label = `articles_${++made}`;
  await server.makeCollection(label, fields, options);
  const { id } = (await admin.ask('GET', `database/tables/database/${database.id}/`)).find((table) => table.name === label);
  const list = await admin.ask('GET', `database/fields/table/${id}/`);
  const socket = await connect(server, admin.token);
  assert.equal((await socket.ask({ page: 'table', table_id: id })).type, 'page_add');
  return { id, label, socket, path: `database/rows/table/${id}/`, field: (of) => key(list.find((one) => one.name === of)) };
}
const rowsOf = (message) => message.rows.map(({ id }) => id);
const summary = (messages) => messages.map((message) => [message.type, rowsOf(message)]);

/* ---- from Directus to pages ---- */

test('what Directus\' REST writes is one message for each request, to all who look', async () => {
  const { label, socket, field } = await makeTable();
  const items = `/items/${label}`;
  await server.ask('POST', items, { title: 'a', views: 1 });
  await server.ask('POST', items, [{ title: 'b' }, { title: 'c' }, { title: 'd' }]);
  await server.ask('PATCH', `${items}/1`, { title: 'A' });
  await server.ask('PATCH', items, { keys: [2, 3], data: { views: 5 } });
  await server.ask('PATCH', items, { query: { filter: { views: { _eq: 5 } } }, data: { title: 'five' } });
  await server.ask('PATCH', items, [{ id: 1, views: 7 }, { id: 4, title: 'D' }]);
  await server.ask('PATCH', items, { query: { filter: { views: { _eq: 404 } } }, data: { title: 'nobody' } });
  await server.ask('DELETE', `${items}/1`);
  await server.ask('DELETE', items, [4, 2]);
  const messages = await heard(socket);
  assert.deepEqual(summary(messages), [
    ['rows_created', [1]], ['rows_created', [2, 3, 4]], ['rows_updated', [1]], ['rows_updated', [2, 3]], ['rows_updated', [2, 3]], ['rows_updated', [1, 4]], ['rows_deleted', [1]], ['rows_deleted', [4, 2]],
  ]);
  const [first, , update, , byQuery] = messages;
  assert.equal(first.rows[0][field('title')], 'a');
  assert.deepEqual([update.rows_before_update[0][field('title')], update.rows[0][field('title')]], ['a', 'A']);
  assert.ok(update.updated_field_ids.includes(Number(field('title').slice(6))) && !update.updated_field_ids.includes(Number(field('views').slice(6))));
  assert.deepEqual(byQuery.rows.map((row) => row[field('title')]), ['five', 'five']);
  assert.deepEqual(byQuery.rows_before_update.map((row) => row[field('title')]), ['b', 'c']);
});

test('what Directus\' socket writes is told the same way; a failing one is not', async () => {
  const { label, socket, field } = await makeTable({ title: { type: 'string', schema: { is_unique: true } }, views: 'integer' });
  const writer = await server.socket();
  assert.equal((await writer.ask({ type: 'post', collection: label, data: { title: 'a' } })).type, 'RESPONSE');
  assert.equal((await writer.ask({ type: 'post', collection: label, data: [{ title: 'b' }, { title: 'c' }] })).type, 'RESPONSE');
  assert.equal((await writer.ask({ type: 'post', collection: label, data: [{ title: 'x' }, { title: 'a' }] })).type, 'ERROR');
  assert.equal((await writer.ask({ type: 'patch', collection: label, id: 2, data: { views: 3 } })).type, 'RESPONSE');
  assert.equal((await writer.ask({ type: 'delete', collection: label, id: 1 })).type, 'RESPONSE');
  const messages = await heard(socket);
  assert.deepEqual(messages.map(({ type }) => type), ['rows_created', 'rows_created', 'rows_updated', 'rows_deleted']);
  assert.equal(messages[2].rows[0][field('views')], '3');
});

test('a singleton is a row that is made, and then changed', async () => {
  const { label, socket, field } = await makeTable({ title: 'string' }, { meta: { singleton: true } });
  await server.ask('PATCH', `/items/${label}`, { title: 'one' });
  await server.ask('PATCH', `/items/${label}`, { title: 'two' });
  const [created, updated, ...more] = await heard(socket);
  assert.deepEqual(more, []);
  assert.deepEqual([created.type, created.rows[0][field('title')], updated.type, updated.rows[0][field('title')]], ['rows_created', 'one', 'rows_updated', 'two']);
  assert.deepEqual(updated.rows_before_update, created.rows);
});

test('items that point at others are told on each table', async () => {
  const author = await makeTable({ title: 'string' }), book = await makeTable({ title: 'string', author: 'integer' });
  await server.ask('POST', '/relations', { collection: book.label, field: 'author', related_collection: author.label });
  await Promise.all([heard(author.socket), heard(book.socket)]);
  const [{ id }, other] = await server.ask('POST', `/items/${author.label}`, [{ title: 'A' }, { title: 'Other' }]);
  await server.ask('POST', `/items/${book.label}`, { title: 'B', author: id });
  await server.ask('PATCH', `/items/${author.label}/${id}`, { title: 'A2' });
  await server.ask('PATCH', `/items/${book.label}/1`, { author: other.id });
  assert.deepEqual(summary(await heard(author.socket)), [['rows_created', [1, 2]], ['rows_updated', [1]]]);
  const told = await heard(book.socket), names = (row) => row[book.field('author')].map(({ value }) => value);
  assert.deepEqual(told.map((message) => [message.type, names(message.rows[0])]), [['rows_created', ['A']], ['rows_updated', ['A2']], ['rows_updated', ['Other']]]);
  assert.deepEqual(names(told[2].rows_before_update[0]), ['A2']);
});

test('more rows than a message holds are told by several, in order', async () => {
  const { label, socket } = await makeTable();
  await server.ask('POST', `/items/${label}`, Array.from({ length: 450 }, (_, i) => ({ title: String(i) })));
  const messages = await heard(socket);
  assert.deepEqual(messages.map(({ rows }) => rows.length), [200, 200, 50]);
  assert.deepEqual(messages.flatMap(rowsOf), Array.from({ length: 450 }, (_, i) => i + 1));
});

test('what is cleared because of a delete is told on its table, all of it', async () => {
  const author = await makeTable({ title: 'string' }), book = await makeTable({ title: 'string', author: 'integer' }), unseen = await makeTable({ author: 'integer' });
  for (const { label } of [unseen, book])
    await server.ask('POST', '/relations', { collection: label, field: 'author', related_collection: author.label, schema: { on_delete: 'SET NULL' } });
  unseen.socket.terminate();
  const ids = Array.from({ length: 250 }, (_, i) => i + 1);
  await server.ask('POST', `/items/${author.label}`, ids.map((id) => ({ title: `A${id}` })));
  for (const { label } of [unseen, book]) await server.ask('POST', `/items/${label}`, ids.map((id) => ({ author: id })));
  await Promise.all([heard(author.socket), heard(book.socket)]);
  await server.ask('DELETE', `/items/${author.label}`, ids);
  const gone = await heard(author.socket), cleared = await heard(book.socket);
  assert.deepEqual(gone.map(({ type, rows }) => [type, rows.length]), [['rows_deleted', 200], ['rows_deleted', 50]]);
  assert.deepEqual(cleared.map(({ type, rows }) => [type, rows.length]), [['rows_updated', 200], ['rows_updated', 50]]);
  assert.deepEqual([...gone.flatMap(rowsOf)], ids);
  assert.deepEqual([...cleared.flatMap(rowsOf)].sort((a, b) => a - b), ids);
  assert.ok(cleared.every(({ rows }) => rows.every((row) => row[book.field('author')].length === 0)));
});

/* ---- from Baserow to subscriptions ---- */

test('rows written here are creates, updates and deletes there, from the same commits and in the same order', async () => {
  const follower = await (await server.socket()).follow(collection), looker = await connect(server, grid.bob.token);
  await looker.ask({ page: 'table', table_id: people.id });
  const { id } = await people.add({ [name]: 'Ann', [age]: 30 });
  const { items: [one, two] } = await grid.ann.ask('POST', `${people.rows}batch/`, { items: [{ [name]: 'Bob' }, { [name]: 'Cat' }] });
  await people.edit(id, { [age]: 31 });
  await server.ask('PATCH', `/items/${collection}/${one.id}`, await fieldsNamed({ Name: 'Bobby' }));
  await grid.ann.ask('PATCH', `${people.rows}batch/`, { items: [{ id: one.id, [age]: 1 }, { id: two.id, [age]: 2 }] });
  await grid.ann.ask('DELETE', `${people.rows}${id}/`);
  await grid.ann.ask('POST', `${people.rows}batch-delete/`, { items: [two.id, one.id] });
  await grid.ann.ask('PATCH', 'trash/restore/', { trash_item_type: 'row', trash_item_id: id, parent_trash_item_id: people.id });

  const events = await follower.drain(), messages = await heard(looker);
  assert.deepEqual(summary(messages), [['rows_created', [id]], ['rows_created', [one.id, two.id]], ['rows_updated', [id]], ['rows_updated', [one.id]], ['rows_updated', [one.id, two.id]], ['rows_deleted', [id]], ['rows_deleted', [two.id, one.id]], ['rows_created', [id]]]);
  const touched = events.map(({ action, key: created, keys, payload }) => [action, action === 'create' ? [created] : (keys ?? payload).map(Number)]);
  assert.deepEqual(touched, [['create', [id]], ['create', [one.id]], ['create', [two.id]], ['update', [id]], ['update', [one.id]], ['update', [one.id]], ['update', [two.id]], ['delete', [id]], ['delete', [two.id, one.id]], ['create', [id]]]);
  assert.deepEqual(events.slice(5, 7).map(({ payload }) => Object.values(payload)), [[1], [2]]);
  assert.deepEqual(Object.values(events.at(-1).payload).filter((value) => value === 'Ann' || value === 31), ['Ann', 31]);
  for (const event of events) assert.ok(!JSON.stringify(event).includes('rowcast'), JSON.stringify(event));
});

/* The columns' names of these fields. */
async function fieldsNamed(values) {
  const fields = await server.ask('GET', `/fields/${collection}`);
  return Object.fromEntries(Object.entries(values).map(([label, value]) => [fields.find(({ field }) => field.toLowerCase() === label.toLowerCase()).field, value]));
}

test('many who write in both dialects at once are heard by both in one order', async () => {
  const table = await makeTable(), follower = await (await server.socket()).follow(table.label);
  const { id } = await server.ask('POST', `/items/${table.label}`, { views: 0 });
  await Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2
    ? server.ask('PATCH', `/items/${table.label}/${id}`, { views: i + 1 })
    : admin.ask('PATCH', `${table.path}${id}/`, { [table.field('views')]: String(i + 1) }))));
  const here = (await heard(table.socket)).map(({ rows: [row] }) => Number(row[table.field('views')]));
  const there = (await follower.drain()).map(({ payload }) => Number(payload.views));
  assert.equal(here.length, 61);
  assert.deepEqual(there, here);
});

test('subscribers of Directus see of rows written here what they may read, and no more', async () => {
  const table = await makeTable({ title: 'string', secret: 'string', views: 'integer' });
  const { token } = await server.makeUser('narrow', [{ collection: table.label, action: 'read', fields: ['id', 'title'], permissions: { views: { _gt: 10 } } }]);
  const follower = await (await server.socket(token)).follow(table.label);
  const [title, secret, views] = ['title', 'secret', 'views'].map(table.field);
  await admin.ask('POST', table.path, { [title]: 'low', [secret]: 's', [views]: 1 });
  const { id } = await admin.ask('POST', table.path, { [title]: 'high', [secret]: 's', [views]: 11 });
  await admin.ask('PATCH', `${table.path}${id}/`, { [title]: 'higher', [secret]: 't' });
  await admin.ask('PATCH', `${table.path}1/`, { [title]: 'lower' });
  assert.deepEqual(await follower.drain(), [
    { action: 'create', payload: { title: 'high' }, key: id, collection: table.label },
    { action: 'update', payload: { title: 'higher' }, keys: [id], collection: table.label },
  ]);
});

/* ---- tables and fields ---- */

test('tables and fields that Directus makes, changes and drops are told here', async () => {
  const { label, id, socket } = await makeTable();
  await server.ask('POST', `/fields/${label}`, { field: 'city', type: 'string' });
  await server.ask('PATCH', `/fields/${label}/city`, { meta: { note: 'where' } });
  await server.ask('DELETE', `/fields/${label}/city`);
  await server.ask('DELETE', `/collections/${label}`);
  await server.makeCollection(`${label}_next`, { title: 'string' });
  const messages = await heard(socket);
  assert.deepEqual(messages.map(({ type }) => type), ['field_created', 'field_updated', 'field_deleted', 'table_deleted', 'table_created']);
  const [created, updated, deleted, gone, next] = messages;
  assert.deepEqual([created.field.name, created.field.type, created.field.table_id], ['city', 'text', id]);
  assert.deepEqual([updated.field_id, updated.field.description], [created.field.id, 'where']);
  assert.deepEqual([deleted.table_id, deleted.field_id], [id, created.field.id]);
  assert.deepEqual([gone.table_id, next.table.name], [id, `${label}_next`]);
});

test('tables and fields made here are collections and fields there, with their rows', async () => {
  const before = (await server.ask('GET', '/collections')).map((one) => one.collection);
  const table = await grid.table('Towns of ours', ['Rome']);
  const [label, ...more] = (await server.ask('GET', '/collections')).map((one) => one.collection).filter((one) => !before.includes(one));
  assert.deepEqual(more, []);
  assert.equal((await server.ask('GET', `/items/${label}`)).length, 1);
  const follower = await (await server.socket()).follow(label);
  const { id } = await table.field('Mayor', 'text');
  const { field } = (await server.ask('GET', `/fields/${label}`)).at(-1);
  await table.edit(1, { [`field_${id}`]: 'Romulus' });
  assert.deepEqual(await follower.drain(), [{ action: 'update', payload: { [field]: 'Romulus' }, keys: [1], collection: label }]);
  await grid.ann.ask('DELETE', `database/fields/${id}/`);
  assert.ok(!(await server.ask('GET', `/fields/${label}`)).some((one) => one.field === field));
  await grid.ann.ask('DELETE', table.path);
  assert.equal((await server.rest('GET', `/items/${label}`)).status, 403);
  assert.deepEqual((await follower.drain()).filter(({ collection: of }) => of !== label), []);
});

test('a workspace\'s members see its tables there as well, and hear of their rows; others do not', async () => {
  const { id: role } = await server.ask('POST', '/roles', { name: 'may connect' });
  const open = async ({ email }) => {
    const [{ id }] = await server.ask('GET', `/users?filter[email][_eq]=${email}&fields[]=id`);
    await server.ask('PATCH', `/users/${id}`, { role });
    const { access_token: token } = await server.ask('POST', '/auth/login', { email, password: PASSWORD }, null);
    return server.socket(token);
  };
  const bob = await (await open(grid.bob)).follow(collection), carol = await open(grid.carol);
  assert.equal((await carol.ask({ type: 'subscribe', collection })).type, 'ERROR');
  await people.add({ [name]: 'Zoe' });
  assert.deepEqual((await bob.drain()).map(({ action }) => action), ['create']);
  assert.deepEqual(await carol.drain(), []);
  await grid.bob.ask('POST', `workspaces/${grid.workspace.id}/leave/`);
  await people.add({ [name]: 'Yan' });
  assert.deepEqual(await bob.drain(), []);
});

test('of a collection of Directus\' own the history is kept that members make, of each row of a batch', async () => {
  const { label, path, field } = await makeTable();
  await server.ask('POST', `/items/${label}`, [{ title: 'a' }, { title: 'b' }, { title: 'c' }]);
  await server.ask('PATCH', `/items/${label}/3`, { title: 'by Directus' });
  await admin.ask('PATCH', `${path}batch/`, { items: [{ id: 1, [field('views')]: '1' }, { id: 2, [field('views')]: '2' }] });
  const entries = [];
  for (const id of [1, 2, 3]) entries.push((await admin.ask('GET', `${path}${id}/history/`)).results.map(({ after: now }) => now[field('views')]));
  assert.deepEqual(entries, [['1'], ['2'], []]);
});
