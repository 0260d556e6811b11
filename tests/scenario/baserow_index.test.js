/*
 * The index of messages (baserow.md 5.1), of those that the document names which the project began from: 19 of
 * workspaces and people, 14 of tables. Each is brought about by the real request, and held against one row of a
 * table: exact keys and types, who is told, and whether the socket that asked is told as well.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { MOMENT, PASSWORD, Person } from './baserow.js';
import { connect, heard, hideNumber } from './baserow_channel.js';
import { Server, makeFolder } from './harness.js';

/* ---- shapes: a function judges, an array of one stands for any number, an object for exactly its keys ---- */
const integer = (value) => Number.isInteger(value);
const text = (value) => typeof value === 'string';
const boolean = (value) => typeof value === 'boolean';
const moment = (value) => MOMENT.test(value);
const digest = (value) => /^[0-9a-f]{64}$/.test(value);
const is = (wanted) => (value) => Object.is(value, wanted);
const nullOr = (shape) => (value) => value === null || shape(value);

function assertShape(value, shape, where) {
  if (typeof shape === 'function') {
    assert.ok(shape(value), `${where}: ${JSON.stringify(value)}`);
  } else if (Array.isArray(shape)) {
    assert.ok(Array.isArray(value), where);
    value.forEach((one, i) => assertShape(one, shape[0], `${where}[${i}]`));
  } else {
    assert.deepEqual(Object.keys(value ?? {}).sort(), Object.keys(shape).sort(), where);
    for (const key of Object.keys(shape)) assertShape(value[key], shape[key], `${where}.${key}`);
  }
}

const USER = { id: integer, username: text, first_name: text };
const WORKSPACE = { id: integer, name: text, generative_ai_models_enabled: {} };
const MEMBER = { id: integer, name: text, email: text, workspace: integer, permissions: text, created_on: moment, user_id: integer, to_be_deleted: boolean };
const WORKSPACE_OF_MEMBER = { id: integer, name: text, users: [MEMBER], order: integer, permissions: text, unread_notifications_count: integer, generative_ai_models_enabled: {} };
const TABLE = { id: integer, name: text, order: integer, database_id: integer, data_sync: is(null) };
const APPLICATION = { id: integer, name: text, order: integer, type: is('database'), created_on: moment, workspace: WORKSPACE, tables: [TABLE] };
const FIELD = {
  id: integer, table_id: integer, name: text, order: integer, type: is('text'), primary: boolean, read_only: boolean, immutable_type: is(false),
  immutable_properties: is(false), description: nullOr(text), database_id: integer, workspace_id: integer, db_index: boolean, field_constraints: [{ type_name: text }], text_default: text,
};
const row = (value) => integer(value.id) && /^\d+\.\d{20}$/.test(value.order) && Object.keys(value).every((key) => /^(id|order|field_\d+)$/.test(key));
const rowOf = (fields) => (value) => row(value) && fields().every((id) => `field_${id}` in value) && Object.keys(value).length === fields().length + 2;

/* ---- the people, and where they sit ---- */
let folder, server, ann, bob, carol, workspace, database, table, primary, asking, sockets;
const other = () => ({ WebSocketId: asking.id });
const ask = (method, target, body) => ann.ask(method, target, body, other());
const rows = () => `database/rows/table/${table.id}/`;
const fieldIds = async () => (await ann.ask('GET', `database/fields/table/${table.id}/`)).map(({ id }) => id);
let ids = [];
const wholeRow = rowOf(() => ids);

async function invite(person, permissions = 'MEMBER') {
  const { id } = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: person.email, permissions, message: '', base_url: server.url });
  await person.ask('POST', `workspaces/invitations/${id}/accept/`);
}
const membership = async (person) => (await ann.ask('GET', `workspaces/users/workspace/${workspace.id}/`)).find(({ user_id: id }) => id === person.id).id;

before(async () => {
  folder = makeFolder();
  server = await Server.start({ folder, environment: { CHORES_INTERVAL: '200ms' } });
  ann = await Person.register(server, 'Ann');
  bob = await Person.register(server, 'Bob');
  carol = await Person.register(server, 'Carol');
  workspace = await ann.ask('POST', 'workspaces/', { name: 'Acme' });
  await invite(bob);
  database = await ann.ask('POST', `applications/workspace/${workspace.id}/`, { name: 'CRM', type: 'database' });
  table = await ann.ask('POST', `database/tables/database/${database.id}/`, { name: 'Customers' });
  [{ id: primary }] = await ann.ask('GET', `database/fields/table/${table.id}/`);
  ids = await fieldIds();
  /* asking: where Ann's requests come from; mine: her other tab; theirs: Bob, looking; idle: Bob, not looking. */
  asking = await connect(server, ann.token);
  sockets = { asking, mine: await connect(server, ann.token), theirs: await connect(server, bob.token), idle: await connect(server, bob.token), strangers: await connect(server, carol.token) };
  for (const name of ['asking', 'mine', 'theirs']) {
    sockets[name].send({ page: 'table', table_id: table.id });
    await sockets[name].next('page_add');
    sockets[name].send({ page: 'row', table_id: table.id, row_id: 1 });
    await sockets[name].next('page_add');
  }
});
after(async () => {
  await server?.stop();
  folder?.remove();
});

/* Everything that each socket heard, by its name. */
async function allHeard() {
  const lists = await Promise.all(Object.values(sockets).map((socket) => heard(socket)));
  return Object.fromEntries(Object.keys(sockets).map((name, i) => [name, lists[i]]));
}

/* who is told, apart from the socket that asked */
const MEMBERS = ['mine', 'theirs', 'idle'];
const LOOKERS = ['mine', 'theirs'];
const OWN = ['mine'];

/* type, what brings it about, to whom, whether the asking socket hears it too, its other keys */
const INDEX = [
  ['user_updated', () => ask('PATCH', 'user/account/', { first_name: 'Anna' }), MEMBERS, false, { user: USER }],
  ['user_deleted', () => bob.ask('POST', 'user/schedule-account-deletion/'), MEMBERS, true, { user: USER }],
  ['user_restored', () => Person.login(server, bob.email, PASSWORD), MEMBERS, true, { user: USER }],
  ['group_created', () => ask('POST', 'workspaces/', { name: 'Second' }), OWN, false, { workspace: WORKSPACE }],
  ['group_updated', () => ask('PATCH', `workspaces/${workspace.id}/`, { name: 'Acme Ltd' }), MEMBERS, false, { workspace_id: integer, workspace: WORKSPACE }],
  ['group_user_added', () => invite(carol), [...MEMBERS, 'strangers'], true, { id: integer, workspace_id: integer, workspace_user: MEMBER }],
  ['group_user_updated', async () => ask('PATCH', `workspaces/users/${await membership(carol)}/`, { permissions: 'ADMIN' }), [...MEMBERS, 'strangers'], false, { id: integer, workspace_id: integer, workspace_user: MEMBER }],
  ['group_user_deleted', async () => ask('DELETE', `workspaces/users/${await membership(carol)}/`), [...MEMBERS, 'strangers'], false, { id: integer, workspace_id: integer, workspace_user: MEMBER }],
  ['application_created', () => ask('POST', `applications/workspace/${workspace.id}/`, { name: 'Wiki', type: 'database' }), MEMBERS, false, { application: APPLICATION }],
  ['application_updated', () => ask('PATCH', `applications/${database.id}/`, { name: 'CRM 2' }), MEMBERS, false, { application_id: integer, application: APPLICATION }],
  ['applications_reordered', async () => ask('POST', `applications/workspace/${workspace.id}/order/`, { application_ids: (await applications()).map(({ id }) => id).reverse() }), MEMBERS, false, { workspace_id: integer, order: [digest] }],
  ['application_deleted', async () => ask('DELETE', `applications/${(await applications()).find(({ name }) => name === 'Wiki').id}/`), MEMBERS, false, { application_id: integer }],

  ['table_created', () => ask('POST', `database/tables/database/${database.id}/`, { name: 'Orders' }), MEMBERS, false, { table: TABLE }],
  ['table_updated', () => ask('PATCH', `database/tables/${table.id}/`, { name: 'Clients' }), MEMBERS, false, { table_id: integer, table: TABLE, force_table_refresh: is(false) }],
  ['tables_re_ordered', reorderTables, MEMBERS, false, { database_id: (value) => value === sha256(database.id), order: [digest] }],
  ['tables_reordered', reorderTables, MEMBERS, false, { database_id: (value) => value === sha256(database.id), order: [digest] }],
  ['table_deleted', async () => ask('DELETE', `database/tables/${(await tables()).find(({ name }) => name === 'Orders').id}/`), MEMBERS, false, { database_id: integer, table_id: integer }],

  ['field_created', () => ask('POST', `database/fields/table/${table.id}/`, { name: 'City', type: 'text' }), LOOKERS, false, { field: FIELD, related_fields: [FIELD] }],
  ['field_updated', async () => ask('PATCH', `database/fields/${await fieldNamed('City')}/`, { name: 'Town' }), LOOKERS, false, { field_id: integer, field: FIELD, related_fields: [FIELD] }],
  ['field_deleted', async () => ask('DELETE', `database/fields/${town = await fieldNamed('Town')}/`), LOOKERS, false, { table_id: integer, field_id: integer, related_fields: [FIELD] }],
  ['field_restored', () => ask('PATCH', 'trash/restore/', { trash_item_type: 'field', trash_item_id: town }), LOOKERS, true, { field: { ...FIELD, filters: [], sortings: [], group_bys: [] }, related_fields: [] }],

  ['rows_created', () => ask('POST', rows(), { [`field_${primary}`]: 'Ann' }), LOOKERS, false, { table_id: integer, rows: [wholeRow], metadata: {}, before_row_id: is(null) }],
  ['before_rows_update', () => ask('PATCH', `${rows()}1/`, { [`field_${primary}`]: 'Bob' }), LOOKERS, false, { table_id: integer, rows: [wholeRow], updated_field_ids: [integer] }],
  ['rows_updated', () => ask('PATCH', `${rows()}1/`, { [`field_${primary}`]: 'Cleo' }), LOOKERS, false, { table_id: integer, rows_before_update: [wholeRow], rows: [wholeRow], metadata: {}, updated_field_ids: [integer] }],
  ['row_history_updated', () => ask('PATCH', `${rows()}1/`, { [`field_${primary}`]: 'Dora' }), LOOKERS, true, {
    table_id: integer, row_id: is(1), row_history_entry: (e) => {
      assertShape(e, { id: integer, action_type: is('update_rows'), action_command_type: is('DO'), user: { id: is(ann.id), name: is('Anna') }, timestamp: moment, before: (v) => v[`field_${primary}`] === 'Cleo', after: (v) => v[`field_${primary}`] === 'Dora', fields_metadata: (v) => v[`field_${primary}`].id === primary && v[`field_${primary}`].type === 'text' }, 'entry');
      return true;
    },
  }],
  ['before_rows_delete', () => ask('DELETE', `${rows()}2/`), LOOKERS, false, { table_id: integer, row_ids: [is(2)], rows: [wholeRow] }],
  ['rows_deleted', async () => ask('DELETE', `${rows()}3/`), LOOKERS, false, { table_id: integer, row_ids: [is(3)], rows: [wholeRow] }],

  ['before_group_deleted', () => ask('DELETE', `workspaces/${workspace.id}/`), MEMBERS, false, { workspace_id: integer }],
  ['group_restored', () => ask('PATCH', 'trash/restore/', { trash_item_type: 'workspace', trash_item_id: workspace.id }), MEMBERS, true, { workspace_id: integer, workspace: WORKSPACE_OF_MEMBER, applications: [APPLICATION] }],
  ['group_deleted', () => ask('DELETE', `workspaces/${workspace.id}/`), MEMBERS, false, { workspace_id: integer }],
];

let town, reversed;
const sha256 = (id) => createHash('sha256').update(String(id)).digest('hex');
const applications = () => ann.ask('GET', `applications/workspace/${workspace.id}/`);
const tables = () => ann.ask('GET', `database/tables/database/${database.id}/`);
const fieldNamed = async (name) => (await ann.ask('GET', `database/fields/table/${table.id}/`)).find((field) => field.name === name).id;
async function reorderTables() {
  reversed = (await tables()).map(({ id }) => id).reverse();
  await ask('POST', `database/tables/database/${database.id}/order/`, { table_ids: reversed });
}

for (const [type, act, audience, told, keys] of INDEX) {
  test(`${type} has its keys and reaches those whom it concerns`, async () => {
    await act();
    ids = type.startsWith('group') || type.startsWith('before_group') ? ids : await fieldIds();
    const came = await allHeard();
    const wanted = told ? ['asking', ...audience] : audience;
    for (const [name, messages] of Object.entries(came)) {
      const found = messages.filter((message) => message.type === type);
      assert.equal(found.length, wanted.includes(name) ? 1 : 0, `${name} heard ${JSON.stringify(messages)}`);
      for (const message of found) assertShape(message, { type: is(type), ...keys }, type);
    }
  });
}

test('authentication, page_add and page_discard answer the socket alone', async () => {
  const socket = await connect(server, ann.token, { raw: true });
  const space = await ann.ask('POST', 'workspaces/', { name: 'Third' });
  const place = await ann.ask('POST', `applications/workspace/${space.id}/`, { name: 'Lists', type: 'database', init_with_data: true });
  const [{ id }] = place.tables;
  await heard(socket);
  socket.send({ page: 'table', table_id: id });
  assert.deepEqual(await socket.next('page_add'), { type: 'page_add', page: 'table', parameters: { table_id: id } });
  socket.send({ remove_page: 'table', table_id: id });
  assert.deepEqual(await socket.next('page_discard'), { type: 'page_discard', page: 'table', parameters: { table_id: id } });
});

test('user_permanently_deleted comes when the time of a deletion is over', async () => {
  const space = await ann.ask('POST', 'workspaces/', { name: 'Fourth' });
  const dora = await Person.register(server, 'Dora');
  const { id } = await ann.ask('POST', `workspaces/invitations/workspace/${space.id}/`, { email: dora.email, permissions: 'MEMBER', message: '', base_url: server.url });
  await dora.ask('POST', `workspaces/invitations/${id}/accept/`);
  const staff = await Person.login(server);
  await staff.ask('PATCH', 'settings/update/', { account_deletion_grace_delay: 0 });
  await allHeard();
  await dora.ask('POST', 'user/schedule-account-deletion/');
  for (;;) {
    const message = hideNumber(await sockets.mine.next('user_permanently_deleted'));
    if (message.type !== 'user_permanently_deleted') continue;
    assert.deepEqual(message, { type: 'user_permanently_deleted', user_id: dora.id });
    break;
  }
});
