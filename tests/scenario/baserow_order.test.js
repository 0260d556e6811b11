/*
 * Which request sends what, in which order (baserow.md 5.14), as one table: what is done, what is told. Nobody
 * hears anything beside it. Settings that change what is told (5.13, 6) are at the end.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Person } from './baserow.js';
import { connect, heard } from './baserow_channel.js';
import { Grid, key } from './baserow_grid.js';
import { Server, pause } from './harness.js';

let server, grid, ann, people, projects, name, title, works, asking, sockets;

before(async () => {
  server = await Server.start();
  grid = await Grid.make(server);
  ({ ann } = grid);
  people = await grid.table('people', ['Ann', 'Bob', 'Cat']);
  projects = await grid.table('projects', ['Alpha', 'Beta']);
  name = key(await people.primary());
  title = key(await projects.primary());
  works = await people.field('Works on', 'link_row', { link_row_table_id: projects.id });
  asking = await connect(server, ann.token);
  /* mine: Ann's other tab; theirs: Bob, looking; idle: Bob, not looking; strangers: Carol. */
  sockets = { asking, mine: await connect(server, ann.token), theirs: await connect(server, grid.bob.token), idle: await connect(server, grid.bob.token), strangers: await connect(server, grid.carol.token) };
  for (const who of ['asking', 'mine', 'theirs']) {
    for (const [table, rows] of [[people, 2], [projects, 2]]) {
      assert.equal((await sockets[who].ask({ page: 'table', table_id: table.id })).type, 'page_add');
      for (let row_id = 1; row_id <= rows; row_id++) assert.equal((await sockets[who].ask({ page: 'row', table_id: table.id, row_id })).type, 'page_add');
    }
  }
});
after(() => server?.stop());

const ask = (method, target, body) => ann.ask(method, target, body, { WebSocketId: asking.id });
const field = async (table, label) => (await table.fields()).find((one) => one.name === label).id;
const related = async () => (await projects.fields()).find(({ type }) => type === 'link_row').id;
const fieldsOf = (table) => `database/fields/table/${table.id}/`;
const tables = () => ann.ask('GET', `database/tables/database/${grid.database.id}/`);
const tableNamed = async (label) => (await tables()).find((one) => one.name === label).id;
const restore = (type, id, parent) => ask('PATCH', 'trash/restore/', { trash_item_type: type, trash_item_id: id, ...(parent ? { parent_trash_item_id: parent } : {}) });
async function job(target, body = {}) {
  const { id } = await ask('POST', target, body);
  for (let i = 0; i < 500; i++, await pause(20)) {
    const { state } = await ann.ask('GET', `jobs/${id}/`);
    if (state === 'finished') return;
    assert.ok(['pending', 'started'].includes(state), state);
  }
  assert.fail('the job goes on');
}
let kept; /* what one row of the table below leaves for another */

/* Where a message belongs: its table, and row. */
function told({ type, table_id: id, row_id: row, field: its }) {
  const table = [people, projects].find((one) => one.id === (id ?? its?.table_id));
  return `${type}${table ? ` ${table.name}${row ? `/${row}` : ''}` : ''}`;
}
const MEMBERS = /^(before_)?(table|tables|application|applications|group)_/;
const OWN = /^job_/;
const PAGES = ['asking', 'mine', 'theirs'];

/*
 * What is done; what is told, in order. `X `: not to the socket that asked, `- `: to it as well (5.1). Where it goes follows
 * from the message: user messages to members, page messages to who looks.
 */
const CALLS = [
  ['table create', () => ask('POST', `database/tables/database/${grid.database.id}/`, { name: 'third', data: [['Name'], ['x']], first_row_header: true }), ['X table_created']],
  ['table update', () => ask('PATCH', people.path, { name: 'people' }), ['X table_updated people']],
  ['table update to what it is', () => ask('PATCH', people.path, { name: 'people' }), ['X table_updated people']],
  ['table order', async () => ask('POST', `database/tables/database/${grid.database.id}/order/`, { table_ids: (await tables()).map(({ id }) => id).reverse() }), ['X tables_reordered', 'X tables_re_ordered']],
  ['table delete', async () => ask('DELETE', `database/tables/${kept = await tableNamed('third')}/`), ['X table_deleted']],
  ['table restore', () => restore('table', kept), ['- table_created']],
  ['table duplicate', () => job(`database/tables/${kept}/duplicate/async/`), ['X job_started', 'X table_created']],
  ['table import', () => job(`${people.path}import/async/`, { data: [['Dan'], ['Eve']] }), ['X job_started', 'X table_updated people']],
  ['table async create', () => job(`database/tables/database/${grid.database.id}/async/`, { name: 'fourth', data: [['x']] }), ['X job_started', 'X table_created']],

  ['field create', () => ask('POST', fieldsOf(people), { name: 'Age', type: 'number' }), ['X field_created people']],
  ['field update', async () => ask('PATCH', `database/fields/${await field(people, 'Age')}/`, { name: 'Years' }), ['X field_updated people']],
  ['field update to what it is', async () => ask('PATCH', `database/fields/${await field(people, 'Years')}/`, { name: 'Years' }), ['X field_updated people']],
  ['field update with nothing', async () => ask('PATCH', `database/fields/${await field(people, 'Years')}/`, {}), ['X field_updated people']],
  ['field conversion', async () => ask('PATCH', `database/fields/${await field(people, 'Years')}/`, { type: 'text' }), ['X field_updated people']],
  ['field duplicate', async () => job(`database/fields/${await field(people, 'Years')}/duplicate/async/`, { duplicate_data: true }), ['X job_started', 'X field_created people']],
  ['field delete', async () => ask('DELETE', `database/fields/${kept = await field(people, 'Years')}/`), ['X field_deleted people']],
  ['field restore', () => restore('field', kept), ['- field_restored people']],
  ['primary field', () => ask('POST', `${fieldsOf(people)}change-primary-field/`, { new_primary_field_id: kept }), ['X field_updated people', '- field_updated projects']],
  ['primary field back', () => ask('POST', `${fieldsOf(people)}change-primary-field/`, { new_primary_field_id: Number(name.slice(6)) }), ['X field_updated people', '- field_updated projects']],
  ['link create', () => ask('POST', fieldsOf(people), { name: 'Leads', type: 'link_row', link_row_table_id: projects.id }), ['X field_created people', 'X field_created projects']],
  ['link without the other side', async () => ask('PATCH', `database/fields/${await field(people, 'Leads')}/`, { has_related_field: false }), ['X field_updated people', 'X field_deleted projects']],
  ['link with the other side', async () => ask('PATCH', `database/fields/${await field(people, 'Leads')}/`, { has_related_field: true }), ['X field_updated people', 'X field_created projects']],
  ['link delete', async () => ask('DELETE', `database/fields/${kept = await field(people, 'Leads')}/`), ['X field_deleted projects', 'X field_deleted people']],
  ['link restore', () => restore('field', kept), ['- field_restored people', '- field_restored projects']],
  ['link to itself', () => ask('POST', fieldsOf(people), { name: 'Boss', type: 'link_row', link_row_table_id: people.id, has_related_field: false }), ['X field_created people']],

  ['row create', async () => { ({ id: kept } = await ask('POST', people.rows, { [name]: 'Fay' })); }, ['X rows_created people']],
  ['row create before another', () => ask('POST', `${people.rows}?before=1`, { [name]: 'Gil' }), ['X rows_created people']],
  ['row create with links', () => ask('POST', people.rows, { [name]: 'Hal', [key(works)]: [1] }), ['X rows_created people', '- rows_updated projects', '- row_history_updated projects/1']],
  ['rows create', () => ask('POST', `${people.rows}batch/`, { items: [{ [name]: 'Ida' }, { [name]: 'Jim' }] }), ['X rows_created people']],
  ['row update', () => ask('PATCH', `${people.rows}1/`, { [name]: 'Anna' }), ['X before_rows_update people', 'X rows_updated people', '- row_history_updated people/1']],
  ['row update to what it is', () => ask('PATCH', `${people.rows}1/`, { [name]: 'Anna' }), ['X before_rows_update people', 'X rows_updated people']],
  ['row update with nothing', () => ask('PATCH', `${people.rows}1/`, {}), ['X before_rows_update people', 'X rows_updated people']],
  ['rows update', () => ask('PATCH', `${people.rows}batch/`, { items: [{ id: 2, [name]: 'Bo' }, { id: 3, [name]: 'Cy' }, { id: 1, [name]: 'An' }] }), ['X before_rows_update people', 'X rows_updated people', '- row_history_updated people/2', '- row_history_updated people/1']],
  ['links change', () => ask('PATCH', `${people.rows}1/`, { [key(works)]: [1, 2] }), ['X before_rows_update people', 'X rows_updated people', '- row_history_updated people/1', '- rows_updated projects', '- row_history_updated projects/1', '- row_history_updated projects/2']],
  ['links change from the other side', async () => ask('PATCH', `${projects.rows}2/`, { [`field_${await related()}`]: [2] }), ['X before_rows_update projects', 'X rows_updated projects', '- row_history_updated projects/2', '- rows_updated people', '- row_history_updated people/1', '- row_history_updated people/2']],
  ['a linked row\'s name', () => ask('PATCH', `${projects.rows}2/`, { [title]: 'Beta 2' }), ['X before_rows_update projects', 'X rows_updated projects', '- row_history_updated projects/2', '- rows_updated people']],
  ['row move', () => ask('PATCH', `${people.rows}3/move/`), ['X before_rows_update people', 'X rows_updated people']],
  ['row move before another', () => ask('PATCH', `${people.rows}3/move/?before_id=1`), ['X before_rows_update people', 'X rows_updated people']],
  ['row delete', () => ask('DELETE', `${people.rows}${kept}/`), ['X before_rows_delete people', 'X rows_deleted people']],
  ['row restore', () => restore('row', kept, people.id), ['- rows_created people']],
  ['row delete with links', () => ask('DELETE', `${people.rows}2/`), ['X before_rows_delete people', 'X rows_deleted people', '- row_history_updated people/2', '- rows_updated projects', '- row_history_updated projects/2']],
  ['row restore with links', () => restore('row', 2, people.id), ['- rows_created people', '- row_history_updated people/2', '- rows_updated projects', '- row_history_updated projects/2']],
  ['rows delete', () => ask('POST', `${people.rows}batch-delete/`, { items: [kept, 3] }), ['X before_rows_delete people', 'X rows_deleted people']],
  ['rows restore', async () => {
    const { results: [{ trash_item_id: id, trash_item_type: type }] } = await ann.ask('GET', `trash/workspace/${grid.workspace.id}/`);
    assert.equal(type, 'rows');
    await restore('rows', id, people.id);
  }, ['- rows_created people']],

  ['a table that is linked is deleted', async () => ask('DELETE', `database/tables/${projects.id}/`), ['X field_deleted people', 'X field_deleted people', 'X table_deleted projects']],
  ['and restored', () => restore('table', projects.id), ['- field_restored people', '- field_restored people', '- table_created']],
  ['application update', () => ask('PATCH', `applications/${grid.database.id}/`, { name: 'CRM 2' }), ['X application_updated']],
  ['application duplicate', () => job(`applications/${grid.database.id}/duplicate/async/`), ['X job_started', 'X application_created']],
  ['application delete', () => ask('DELETE', `applications/${grid.database.id}/`), ['X application_deleted']],
  ['application restore', () => restore('application', grid.database.id), ['- application_created']],
  ['workspace delete', () => ask('DELETE', `workspaces/${grid.workspace.id}/`), ['X before_group_deleted', 'X group_deleted']],
  ['workspace restore', () => restore('workspace', grid.workspace.id), ['- group_restored']],
];

async function allTold() {
  const names = Object.keys(sockets);
  const lists = await Promise.all(names.map((who) => heard(sockets[who])));
  return Object.fromEntries(names.map((who, i) => [who, lists[i].map(told)]));
}

/* What each socket hears of these messages. */
function share(messages) {
  const hears = (who, message) => {
    const excluded = message.startsWith('X '), text = message.slice(2);
    if (who === 'asking' && excluded) return false;
    if (OWN.test(text)) return ['asking', 'mine'].includes(who);
    return who !== 'strangers' && (PAGES.includes(who) || MEMBERS.test(text));
  };
  return Object.fromEntries(Object.keys(sockets).map((who) => [who, messages.filter((message) => hears(who, message)).map((message) => message.slice(2))]));
}

for (const [call, act, messages] of CALLS) {
  test(`5.14 ${call}: ${messages.map((message) => message.slice(2)).join(' -> ')}`, async () => {
    await act();
    assert.deepEqual(await allTold(), share(messages));
  });
}

test('4 a request that fails sends nothing, though part of it would do', async () => {
  for (const [method, target, body] of [
    ['POST', `${people.rows}batch/`, { items: [{ [name]: 'x' }, { [key(works)]: [999_999] }] }],
    ['PATCH', `${people.rows}batch/`, { items: [{ id: 1, [name]: 'x' }, { id: 999_999, [name]: 'x' }] }],
    ['POST', `${people.rows}batch-delete/`, { items: [1, 999_999] }],
    ['POST', fieldsOf(people), { name: 'x', type: 'link_row', link_row_table_id: 999_999 }],
    ['DELETE', `database/fields/${name.slice(6)}/`, undefined],
  ]) assert.ok((await ann.rest(method, target, body)).status >= 400, target);
  for (const [who, messages] of Object.entries(await allTold())) assert.deepEqual(messages, [], who);
});

test('5.7 new orders are told of before the row that made them necessary, to everybody', async () => {
  /* each goes between the two before it, now on the one side and now on the other */
  let upper = (await people.add()).id, found;
  await allTold();
  for (let i = 0; i < 300 && !found; i++) {
    const { id } = await ask('POST', `${people.rows}?before=${upper}`, {});
    if (i % 2) upper = id;
    const { asking: own, mine, idle } = await allTold();
    assert.deepEqual(idle, []);
    found = own.length > 0;
    assert.deepEqual([own, mine], found ? [['row_orders_recalculated people'], ['row_orders_recalculated people', 'rows_created people']] : [[], ['rows_created people']]);
  }
  assert.ok(found, 'fractions never ran out');
});

/* ---- settings ---- */

test('5.13 without the documented messages none of the four is sent', async () => {
  const at = await Server.start({ environment: { BASEROW_DOCUMENTED_MESSAGES: 'false' } });
  try {
    const own = await Grid.make(at), table = await own.table('A', ['a', 'b']), other = await own.table('B');
    const socket = await connect(at, own.bob.token);
    await socket.ask({ page: 'table', table_id: table.id });
    await table.edit(1, {});
    await own.ann.ask('DELETE', `${table.rows}2/`);
    await own.ann.ask('POST', `database/tables/database/${own.database.id}/order/`, { table_ids: [other.id, table.id] });
    await own.ann.ask('DELETE', `workspaces/${own.workspace.id}/`);
    assert.deepEqual((await heard(socket)).map(({ type }) => type), ['rows_updated', 'rows_deleted', 'tables_reordered', 'group_deleted']);
  } finally {
    await at.stop();
  }
});

test('6 with the older keys both stand beside each other, and the older paths lead to the same', async () => {
  const at = await Server.start({ environment: { BASEROW_LEGACY_GROUP_KEYS: 'true' } });
  try {
    const eve = await Person.register(at, 'Eve'), fay = await Person.register(at, 'Fay'), socket = await connect(at, eve.token);
    const group = await eve.ask('POST', 'groups/', { name: 'Acme' });
    const second = await eve.ask('POST', 'workspaces/', { name: 'Second' });
    await eve.ask('PATCH', `groups/${group.id}/`, { name: 'Acme Ltd' });
    await eve.ask('POST', 'groups/order/', { groups: [second.id, group.id] });
    await eve.ask('POST', 'groups/order/', { workspaces: [group.id, second.id] });
    const invitation = await eve.ask('POST', `groups/invitations/group/${group.id}/`, { email: fay.email, permissions: 'MEMBER', message: '', base_url: at.url });
    await fay.ask('POST', `groups/invitations/${invitation.id}/accept/`);
    const { id: member } = (await eve.ask('GET', `groups/users/group/${group.id}/`)).find(({ user_id: id }) => id === fay.id);
    await eve.ask('PATCH', `groups/users/${member}/`, { permissions: 'ADMIN' });
    await eve.ask('DELETE', `groups/users/${member}/`);
    const application = await eve.ask('POST', `applications/group/${group.id}/`, { name: 'CRM', type: 'database' });
    const another = await eve.ask('POST', `applications/workspace/${group.id}/`, { name: 'Wiki', type: 'database' });
    await eve.ask('PATCH', `applications/${application.id}/`, { name: 'CRM 2' });
    await eve.ask('POST', `applications/group/${group.id}/order/`, { application_ids: [another.id, application.id] });
    await eve.ask('DELETE', `groups/${group.id}/`);
    await eve.ask('PATCH', 'trash/restore/', { trash_item_type: 'workspace', trash_item_id: group.id });
    const messages = await heard(socket);
    assert.deepEqual(messages.map(({ type }) => type), ['group_created', 'group_created', 'group_updated', 'groups_reordered', 'groups_reordered', 'group_user_added', 'group_user_updated', 'group_user_deleted',
      'application_created', 'application_created', 'application_updated', 'applications_reordered', 'before_group_deleted', 'group_deleted', 'group_restored']);
    const pairs = { group_created: ['workspace'], group_updated: ['workspace_id', 'workspace'], before_group_deleted: ['workspace_id'], group_deleted: ['workspace_id'], group_restored: ['workspace_id', 'workspace'], groups_reordered: ['workspace_ids'],
      group_user_added: ['workspace_id', 'workspace_user'], group_user_updated: ['workspace_id', 'workspace_user'], group_user_deleted: ['workspace_id', 'workspace_user'], applications_reordered: ['workspace_id'] };
    const assertPair = (object, one, type) => {
      assert.ok(object[one] !== undefined, `${type} ${one}`);
      assert.deepEqual(object[one.replace('workspace', 'group')], object[one], `${type} ${one}`);
    };
    for (const message of messages) {
      for (const one of pairs[message.type] ?? []) assertPair(message, one, message.type);
      if (message.application) assertPair(message.application, 'workspace', message.type);
      if (message.workspace_user) assertPair(message.workspace_user, 'workspace', message.type);
      for (const one of message.applications ?? []) assertPair(one, 'workspace', message.type);
    }
  } finally {
    await at.stop();
  }
});

test('6 without them the older paths lead nowhere, and no older key is told', async () => {
  assert.equal((await ann.rest('GET', 'groups/')).status, 404);
  assert.equal((await ann.rest('GET', `applications/group/${grid.workspace.id}/`)).status, 404);
  await ask('PATCH', `workspaces/${grid.workspace.id}/`, { name: 'Acme 2' });
  const [message] = await heard(sockets.idle);
  assert.deepEqual(Object.keys(message).sort(), ['type', 'workspace', 'workspace_id']);
  await allTold();
});
