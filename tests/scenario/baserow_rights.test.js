/*
 * Who may do what to tables, fields, rows, trash and tokens of a workspace: nobody who is no member, by any route
 * or by ids of other workspaces in bodies and queries; programs what their token says; and in Directus's dialect
 * members see their tables, without what is hidden, for as long as they are members (baserow.md 9, 12).
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD } from './baserow.js';
import { connect, heard } from './baserow_channel.js';
import { Grid, Table, key } from './baserow_grid.js';
import { Server, within } from './harness.js';

let server;
before(async () => { server = await Server.start({}); });
after(() => server.stop());

/* Ann's workspace with something of everything; Carol is nobody there. */
async function furnish() {
  const grid = await Grid.make(server);
  const customers = await grid.table('Customers', ['Anna', 'Bert', 'Cleo']), orders = await grid.table('Orders', ['One', 'Two']);
  const choice = await customers.field('Choice', 'single_select', { select_options: [{ value: 'red', color: 'red' }] });
  const link = await customers.field('Orders', 'link_row', { link_row_table_id: orders.id });
  const gone = await customers.field('Gone', 'text');
  const [anna, bert] = (await grid.ann.ask('GET', customers.rows)).results;
  await customers.edit(anna.id, { [key(choice)]: choice.select_options[0].id, [key(link)]: ['One'], [key(gone)]: 'hidden text' });
  await grid.ann.ask('DELETE', `${customers.rows}${bert.id}/`);
  await grid.ann.ask('DELETE', `database/fields/${gone.id}/`);
  const dropped = await grid.table('Dropped', ['x']);
  await grid.ann.ask('DELETE', dropped.path);
  const token = await grid.ann.ask('POST', 'database/tokens/', { name: 'program', workspace: grid.workspace.id });
  const invitation = await grid.ann.ask('POST', `workspaces/invitations/workspace/${grid.workspace.id}/`, { email: 'nobody@example.com', permissions: 'MEMBER', message: '', base_url: server.url });
  const [member] = await grid.ann.ask('GET', `workspaces/users/workspace/${grid.workspace.id}/`);
  return { grid, customers, orders, choice, link, gone, dropped, anna, bert, token, invitation, member };
}

/* All that a member sees of it. */
async function everything({ grid, customers, orders }) {
  const paths = ['applications/', `workspaces/users/workspace/${grid.workspace.id}/`, `workspaces/invitations/workspace/${grid.workspace.id}/`,
    `trash/workspace/${grid.workspace.id}/`, `trash/workspace/${grid.workspace.id}/?application_id=${grid.database.id}`, `database/tables/database/${grid.database.id}/`,
    ...[customers, orders].flatMap((table) => [table.path, table.rows, `database/fields/table/${table.id}/`])];
  return Promise.all(paths.map((path) => grid.ann.ask('GET', path)));
}

const body = { name: 'Mine', type: 'text', permissions: 'ADMIN' };
const ROUTES = [
  ['GET', 'applications/workspace/:workspace/'], ['POST', 'applications/workspace/:workspace/', { name: 'Mine', type: 'database' }],
  ['POST', 'applications/workspace/:workspace/order/', (at) => ({ application_ids: [at.grid.database.id] })],
  ['GET', 'applications/:database/'], ['PATCH', 'applications/:database/', body], ['DELETE', 'applications/:database/'],
  ['POST', 'applications/:database/duplicate/async/'], ['GET', 'workspaces/users/workspace/:workspace/'],
  ['PATCH', 'workspaces/users/:member/', { permissions: 'MEMBER' }], ['DELETE', 'workspaces/users/:member/'],
  ['GET', 'workspaces/invitations/workspace/:workspace/'], ['POST', 'workspaces/invitations/workspace/:workspace/', { email: 'eve@example.com', permissions: 'ADMIN', message: '', base_url: 'http://localhost' }],
  ['GET', 'workspaces/invitations/:invitation/'], ['PATCH', 'workspaces/invitations/:invitation/', { permissions: 'ADMIN' }], ['DELETE', 'workspaces/invitations/:invitation/'],
  ['POST', 'workspaces/invitations/:invitation/accept/'], ['POST', 'workspaces/invitations/:invitation/reject/'],
  ['PATCH', 'workspaces/:workspace/', body], ['DELETE', 'workspaces/:workspace/'], ['POST', 'workspaces/:workspace/leave/'], ['GET', 'workspaces/:workspace/permissions/'],
  ['GET', 'workspaces/:workspace/settings/generative-ai/'],
  ['GET', 'database/tables/database/:database/'], ['POST', 'database/tables/database/:database/', { name: 'Mine' }],
  ['POST', 'database/tables/database/:database/order/', (at) => ({ table_ids: [at.orders.id, at.customers.id] })],
  ['POST', 'database/tables/database/:database/async/', { name: 'Mine' }],
  ['GET', 'database/tables/:table/'], ['PATCH', 'database/tables/:table/', body], ['DELETE', 'database/tables/:table/'],
  ['POST', 'database/tables/:table/duplicate/async/'], ['POST', 'database/tables/:table/import/async/', { data: [['x']] }],
  ['GET', 'database/fields/table/:table/'], ['POST', 'database/fields/table/:table/', body],
  ['POST', 'database/fields/table/:table/change-primary-field/', (at) => ({ new_primary_field_id: at.choice.id })],
  ['GET', 'database/fields/:field/'], ['PATCH', 'database/fields/:field/', body], ['DELETE', 'database/fields/:field/'],
  ['POST', 'database/fields/:field/duplicate/async/', { duplicate_data: true }],
  ['GET', 'database/rows/table/:table/'], ['POST', 'database/rows/table/:table/', {}], ['GET', 'database/rows/table/:table/:row/'],
  ['PATCH', 'database/rows/table/:table/:row/', {}], ['DELETE', 'database/rows/table/:table/:row/'], ['PATCH', 'database/rows/table/:table/:row/move/'],
  ['GET', 'database/rows/table/:table/:row/adjacent/'], ['GET', 'database/rows/table/:table/:row/history/'],
  ['POST', 'database/rows/table/:table/batch/', { items: [{}] }], ['PATCH', 'database/rows/table/:table/batch/', (at) => ({ items: [{ id: at.anna.id }] })],
  ['POST', 'database/rows/table/:table/batch-delete/', (at) => ({ items: [at.anna.id] })], ['GET', 'database/rows/names/?table__:table=:row'],
  ['POST', 'database/tokens/', (at) => ({ name: 'mine', workspace: at.grid.workspace.id })], ['GET', 'database/tokens/:token/'],
  ['PATCH', 'database/tokens/:token/', { rotate_key: true }], ['DELETE', 'database/tokens/:token/'],
  ['GET', 'trash/workspace/:workspace/'], ['GET', 'trash/workspace/:workspace/?application_id=:database'], ['DELETE', 'trash/workspace/:workspace/'],
  ['DELETE', 'trash/workspace/:workspace/?application_id=:database'],
  ['PATCH', 'trash/restore/', (at) => ({ trash_item_type: 'row', trash_item_id: at.bert.id, parent_trash_item_id: at.customers.id })],
  ['PATCH', 'trash/restore/', (at) => ({ trash_item_type: 'field', trash_item_id: at.gone.id })],
  ['PATCH', 'trash/restore/', (at) => ({ trash_item_type: 'table', trash_item_id: at.dropped.id })],
];

test('who is no member of a workspace changes and sees nothing of it, by any route', async () => {
  const at = await furnish(), before = await everything(at);
  const ids = { workspace: at.grid.workspace.id, database: at.grid.database.id, table: at.customers.id, field: at.choice.id, row: at.anna.id, token: at.token.id, invitation: at.invitation.id, member: at.member.id };
  for (const [method, pattern, body] of ROUTES) {
    const path = pattern.replace(/:(\w+)/g, (_, name) => ids[name]);
    const answer = await at.grid.carol.rest(method, path, typeof body === 'function' ? body(at) : body);
    assert.ok([400, 401, 403, 404].includes(answer.status), `${method} ${pattern}: ${answer.status} ${JSON.stringify(answer.body)}`);
    assert.doesNotMatch(JSON.stringify(answer.body), /Anna|Customers|Choice|red|hidden text/, `${method} ${pattern}`);
  }
  for (const path of ['applications/', 'trash/', 'database/tokens/', 'workspaces/']) assert.doesNotMatch(JSON.stringify(await at.grid.carol.ask('GET', path)), /Customers|CRM|Acme|program/, path);
  assert.deepEqual(await everything(at), before);
});

test('ids of another workspace are of no use in bodies, queries and permissions', async () => {
  const at = await furnish(), mine = await Grid.make(server), before = await everything(at);
  const table = await mine.table('Mine', ['a']), { ann } = mine;
  const other = await mine.table('Other', ['b']);
  const option = await table.field('Option', 'single_select', { select_options: [{ value: 'own', color: 'red' }] });
  const link = await table.field('Link', 'link_row', { link_row_table_id: other.id });
  const [row] = (await ann.ask('GET', table.rows)).results;
  const token = await ann.ask('POST', 'database/tokens/', { name: 'mine', workspace: mine.workspace.id });
  const tries = [
    ['POST', `database/fields/table/${table.id}/`, { name: 'To them', type: 'link_row', link_row_table_id: at.customers.id }],
    ['PATCH', `database/fields/${link.id}/`, { link_row_table_id: at.customers.id }],
    ['POST', `database/fields/table/${table.id}/change-primary-field/`, { new_primary_field_id: at.choice.id }],
    ['PATCH', `${table.rows}${row.id}/`, { [key(option)]: at.choice.select_options[0].id }],
    ['GET', `${table.rows}?filter__${key(at.choice)}__single_select_equal=${at.choice.select_options[0].id}`],
    ['GET', `${table.rows}?filters=${encodeURIComponent(JSON.stringify({ filter_type: 'AND', filters: [{ field: key(at.choice), type: 'empty', value: '' }] }))}`],
    ['GET', `${table.rows}?order_by=${key(at.choice)}`],
    ['GET', `${table.rows}?${key(at.link)}__join=${key(at.choice)}`],
    ['GET', `database/rows/names/?table__${table.id}=${row.id}&table__${at.customers.id}=${at.anna.id}`],
    ['POST', `database/tables/database/${mine.database.id}/order/`, { table_ids: [table.id, at.customers.id] }],
    ['POST', `applications/workspace/${mine.workspace.id}/order/`, { application_ids: [mine.database.id, at.grid.database.id] }],
    ['PATCH', `database/tokens/${token.id}/`, { permissions: { create: [['table', at.customers.id]], read: true, update: false, delete: false } }],
    ['PATCH', `database/tokens/${token.id}/`, { permissions: { create: false, read: [['database', at.grid.database.id]], update: false, delete: false } }],
    ['GET', `trash/workspace/${mine.workspace.id}/?application_id=${at.grid.database.id}`],
    ['DELETE', `trash/workspace/${mine.workspace.id}/?application_id=${at.grid.database.id}`],
    ['PATCH', 'trash/restore/', { trash_item_type: 'row', trash_item_id: at.bert.id, parent_trash_item_id: table.id }],
  ];
  for (const [method, path, body] of tries) {
    const answer = await ann.rest(method, path, body);
    assert.ok([400, 401, 403, 404].includes(answer.status), `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    assert.doesNotMatch(JSON.stringify(answer.body), /Anna|"red"/, path);
  }
  /* An option of theirs is a new one here. */
  const changed = await table.change(option, { select_options: [{ id: at.choice.select_options[0].id, value: 'stolen', color: 'blue' }] });
  assert.notEqual(changed.select_options[0].id, at.choice.select_options[0].id);
  assert.deepEqual(await everything(at), before);
  /* What is not known is not shown, and does not narrow what is. */
  assert.equal((await ann.ask('GET', `${table.rows}?include=${key(at.choice)}`)).count, 1);
});

test('a program does what its token says, no more, and nothing once it is gone', async () => {
  const at = await furnish(), { grid, customers, orders, token } = at;
  const asProgram = (method, path, body, secret = token.key) => server.rest(method, `/api/${path}`, body, null, { Authorization: `Token ${secret}` });
  const permit = (permissions) => grid.ann.ask('PATCH', `database/tokens/${token.id}/`, { permissions: { create: false, read: false, update: false, delete: false, ...permissions } });
  const CALLS = {
    create: [['POST', customers.rows, {}], ['POST', `${customers.rows}batch/`, { items: [{}] }]],
    read: [['GET', customers.rows], ['GET', `${customers.rows}${at.anna.id}/`], ['GET', `database/rows/names/?table__${customers.id}=${at.anna.id}`]],
    update: [['PATCH', `${customers.rows}${at.anna.id}/`, {}], ['PATCH', `${customers.rows}batch/`, { items: [{ id: at.anna.id }] }], ['PATCH', `${customers.rows}${at.anna.id}/move/`]],
    delete: [['DELETE', `${customers.rows}${at.anna.id}/`], ['POST', `${customers.rows}batch-delete/`, { items: [at.anna.id] }]],
  };
  for (const allowed of ['create', 'read', 'update'])
    for (const where of [true, [['table', customers.id]], [['database', grid.database.id]]]) {
      await permit({ [allowed]: where });
      for (const [action, calls] of Object.entries(CALLS))
        for (const [method, path, body] of calls) {
          const { status } = await asProgram(method, path, body);
          assert.equal(status, action === allowed ? 200 : 401, `${method} ${path} with ${allowed} ${JSON.stringify(where)}`);
        }
    }
  await permit({ read: [['table', customers.id]] });
  for (const path of [orders.rows, `database/rows/names/?table__${orders.id}=1`, `${customers.rows}?${key(at.link)}__join=field_1`, `database/fields/table/${orders.id}/`])
    assert.equal((await asProgram('GET', path)).status, 401, path);
  for (const [method, pattern, body] of ROUTES.filter(([, pattern]) => !/database\/rows\/|fields\/table\/:table\/$/.test(pattern))) {
    const path = pattern.replace(/:(\w+)/g, (_, name) => ({ workspace: grid.workspace.id, database: grid.database.id, table: customers.id, field: at.choice.id, token: token.id, invitation: at.invitation.id, member: at.member.id })[name]);
    assert.ok([401, 404].includes((await asProgram(method, path, typeof body === 'function' ? body(at) : body)).status), `${method} ${path}`);
  }
  await permit({ read: true });
  const { key: rotated } = await grid.ann.ask('PATCH', `database/tokens/${token.id}/`, { rotate_key: true });
  assert.equal((await asProgram('GET', customers.rows)).status, 401);
  assert.equal((await asProgram('GET', customers.rows, undefined, rotated)).status, 200);
  await grid.ann.ask('DELETE', `database/tokens/${token.id}/`);
  assert.equal((await asProgram('GET', customers.rows, undefined, rotated)).status, 401);
});

async function logInToDirectus(person) {
  const { data } = (await server.rest('POST', '/auth/login', { email: person.email, password: PASSWORD }, null)).body;
  return data.access_token;
}
const collectionOf = async (at) => (await server.ask('GET', '/fields')).find(({ meta }) => meta?.id === at.choice.id).collection;

test('in Directus a member sees the rows and nothing that is hidden; nobody else sees anything', async () => {
  const at = await furnish(), collection = await collectionOf(at);
  const [bob, carol] = [await logInToDirectus(at.grid.bob), await logInToDirectus(at.grid.carol)];
  const rows = (await server.rest('GET', `/items/${collection}`, undefined, bob)).body.data;
  assert.deepEqual(Object.keys(rows[0]).sort(), ['choice', 'id', 'name']);
  for (const token of [carol, null]) assert.equal((await server.rest('GET', `/items/${collection}`, undefined, token)).status, 403);
  for (const hidden of ['rowcast_order', 'rowcast_created_by', 'rowcast_updated_on', 'gone'])
    for (const query of [`fields=${hidden}`, `fields=*,${hidden}`, `filter[${hidden}][_nnull]=true`, `sort=${hidden}`]) {
      const { status, body: answer } = await server.rest('GET', `/items/${collection}?${query}`, undefined, bob);
      assert.equal(status, 403, `${query}: ${JSON.stringify(answer)}`);
    }
  assert.deepEqual((await server.rest('GET', `/items/${collection}?search=hidden`, undefined, bob)).body.data, []);
  for (const [method, path, body] of [['POST', `/items/${collection}`, { gone: 'x' }], ['PATCH', `/items/${collection}/${at.anna.id}`, { rowcast_order: 5 }], ['PATCH', `/items/${collection}/${at.anna.id}`, { gone: 'x' }]])
    assert.equal((await server.rest(method, path, body, bob)).status, 403, JSON.stringify(body));
  for (const path of ['/items/rowcast_trash', '/items/rowcast_tokens', '/items/rowcast_history', '/items/rowcast_members', '/users', '/fields', '/collections', '/permissions', '/policies'])
    assert.equal((await server.rest('GET', path, undefined, bob)).status, 403, path);
  /* Nobody's own administration: membership opens rows, not structure. */
  for (const [method, path, body] of [['DELETE', `/collections/${collection}`], ['POST', `/fields/${collection}`, { field: 'x', type: 'string' }], ['DELETE', `/fields/${collection}/name`]])
    assert.equal((await server.rest(method, path, body, bob)).status, 403, path);
});

test("a member's pages, subscriptions and programs end with the commit that removes the member", async () => {
  const at = await furnish(), { grid, customers } = at, collection = await collectionOf(at);
  const table = await Table.look(grid.bob, customers), bob = await logInToDirectus(grid.bob);
  const token = await grid.bob.ask('POST', 'database/tokens/', { name: 'program', workspace: grid.workspace.id });
  const program = await connect(server, token.key, { replay: true });
  program.send({ page: 'table', table_id: customers.id });
  assert.equal((await program.next('page_add')).type, 'page_add');
  const role = await server.ask('POST', '/roles', { name: 'nothing by itself' }); /* who has none is not let in */
  await server.ask('PATCH', `/users/${(await server.rest('GET', '/users/me', undefined, bob)).body.data.id}`, { role: role.id });
  const seed = await server.socket(bob);
  await seed.follow(collection);
  const member = (await grid.ann.ask('GET', `workspaces/users/workspace/${grid.workspace.id}/`)).find(({ user_id: id }) => id === grid.bob.id);
  const writes = [];
  for (let i = 0; i < 20; i++) {
    writes.push(customers.add({ [key(await customers.primary())]: `row ${i}` }));
    if (i === 10) writes.push(grid.ann.ask('DELETE', `workspaces/users/${member.id}/`));
  }
  await Promise.all(writes);
  await customers.add({ [key(await customers.primary())]: 'the last secret' });
  const messages = await heard(table);
  const at_end = messages.findIndex(({ type }) => type === 'group_user_deleted');
  assert.ok(at_end >= 0, 'the removal is told');
  assert.deepEqual(messages.slice(at_end + 1).map(({ type }) => type), ['page_discard']);
  assert.equal((await program.closed).code, 1000);
  const seen = await seed.drain();
  assert.ok(seen.length > 0);
  assert.doesNotMatch(JSON.stringify(seen), /the last secret/);
  assert.doesNotMatch(JSON.stringify(messages), /the last secret/);
  for (const page of [{ page: 'table', table_id: customers.id }, { page: 'row', table_id: customers.id, row_id: at.anna.id }]) table.send(page);
  assert.deepEqual(await heard(table), []);
  assert.equal((await server.rest('GET', `/api/${customers.rows}`, undefined, null, { Authorization: `Token ${token.key}` })).status, 401);
});

test('who has left is not told what became of what it duplicated', async () => {
  const { grid, customers, choice } = await furnish(), { bob } = grid;
  const jobs = [];
  for (const [path, body] of [[`database/tables/${customers.id}/duplicate/async/`], [`database/fields/${choice.id}/duplicate/async/`, { duplicate_data: true }], [`applications/${grid.database.id}/duplicate/async/`]]) {
    const job = await bob.ask('POST', path, body);
    jobs.push(job.id);
    for (let state = job.state; state !== 'finished'; ({ state } = await bob.ask('GET', `jobs/${job.id}/`))) assert.notEqual(state, 'failed');
  }
  const member = (await grid.ann.ask('GET', `workspaces/users/workspace/${grid.workspace.id}/`)).find(({ user_id: id }) => id === bob.id);
  await grid.ann.ask('DELETE', `workspaces/users/${member.id}/`);
  await grid.ann.ask('PATCH', customers.path, { name: 'secret' });
  await customers.change(choice, { name: 'secret' });
  await grid.ann.ask('PATCH', `applications/${grid.database.id}/`, { name: 'secret' });
  for (const id of jobs) assert.doesNotMatch(JSON.stringify(await bob.ask('GET', `jobs/${id}/`)), /secret/);
  assert.doesNotMatch(JSON.stringify(await bob.ask('GET', 'jobs/')), /secret/);
});

test('no socket outlives the token that it came by, not even one on its way', async () => {
  const grid = await Grid.make(server), ROUNDS = 60;
  for (let round = 0; round < ROUNDS; round++) {
    const token = await grid.ann.ask('POST', 'database/tokens/', { name: 'program', workspace: grid.workspace.id });
    const come = (count) => Promise.all(Array.from({ length: count }, () => server.socket(null, { path: '/ws/core/', query: `?jwt_token=${token.key}` })));
    const first = come(12);
    for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
    const [early, late] = await Promise.all([first, come(6), grid.ann.ask('DELETE', `database/tokens/${token.id}/`)]);
    for (const { closed } of [...early, ...late]) await within(closed, `a socket of round ${round} to close`);
  }
});
