/* Database tokens (baserow.md 9.14, 16): their owners' REST, what programs may do by them, and the socket. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Person, assertCode, assertInvalid } from './baserow.js';
import { connect, heard, heardToTheEnd } from './baserow_channel.js';
import { Grid, key } from './baserow_grid.js';
import { Server } from './harness.js';

const ALL = { create: true, read: true, update: true, delete: true };
const NONE = { create: false, read: false, update: false, delete: false };
let server, grid, ann, bob, carol, table, other, foreign;

before(async () => {
  server = await Server.start({ environment: { BASEROW_DOCUMENTED_MESSAGES: 'false' } });
  grid = await Grid.make(server);
  ({ ann, bob, carol } = grid);
  table = await grid.table('Customers', ['a', 'b', 'c']);
  other = await grid.table('Orders', ['x']);
  const away = await Grid.make(server);
  foreign = { grid: away, table: await away.table('Foreign', ['y']) };
});
after(() => server?.stop());

const make = (person = ann, workspace = grid.workspace, name = 'a program') => person.ask('POST', 'database/tokens/', { name, workspace: workspace.id });
const change = (token, body, person = ann) => person.ask('PATCH', `database/tokens/${token.id}/`, body);
/* A token that may do just this. */
const allowed = async (permissions, person = ann) => change(await make(person), { permissions: { ...NONE, ...permissions } }, person);
/* A request by a token. */
const by = (token, method, target, body, headers = {}) => server.rest(method, `/api/${target}`, body, null, { Authorization: `Token ${token.key ?? token}`, ...headers });

/* Nobody is who asks (8.3). */
function assertUnknown({ status, body }) {
  assert.equal(status, 401, JSON.stringify(body));
  assert.deepEqual(body, { detail: 'Authentication credentials were not provided.' });
}

/* ---- their owners' REST ---- */

test('a token is made with all permissions, read, listed, renamed and deleted by its owner', async () => {
  const token = await make(bob, grid.workspace, 'my token');
  assert.deepEqual(token, { id: token.id, name: 'my token', workspace: grid.workspace.id, key: token.key, permissions: ALL });
  assert.match(token.key, /^[A-Za-z0-9]{32}$/);
  const second = await make(bob);
  assert.notEqual(second.key, token.key);
  assert.deepEqual(await bob.ask('GET', `database/tokens/${token.id}/`), token);
  assert.deepEqual(await bob.ask('GET', 'database/tokens/'), [token, second]);
  assert.deepEqual(await change(token, { name: 'renamed' }, bob), { ...token, name: 'renamed' });
  assert.deepEqual(await change(token, {}, bob), { ...token, name: 'renamed' });
  await bob.ask('DELETE', `database/tokens/${token.id}/`);
  assert.deepEqual(await bob.ask('GET', 'database/tokens/'), [second]);
  for (const method of ['GET', 'PATCH', 'DELETE']) assertCode(await bob.rest(method, `database/tokens/${token.id}/`, method === 'PATCH' ? {} : undefined), 404, 'ERROR_TOKEN_DOES_NOT_EXIST');
  await bob.ask('DELETE', `database/tokens/${second.id}/`);
});

test('what is wrong with a wish is told by its code', async () => {
  const token = await make();
  assertInvalid(await ann.rest('POST', 'database/tokens/', {}), { name: ['required'], workspace: ['required'] });
  assertInvalid(await ann.rest('POST', 'database/tokens/', { name: '', workspace: 'x' }), { name: ['blank'], workspace: ['invalid'] });
  assertInvalid(await ann.rest('POST', 'database/tokens/', { name: 'x'.repeat(101), workspace: grid.workspace.id }), { name: ['max_length'] });
  assert.equal((await ann.rest('POST', 'database/tokens/', { name: 'x'.repeat(100), workspace: grid.workspace.id })).status, 200);
  assertCode(await ann.rest('POST', 'database/tokens/', { name: 'x', workspace: 999_999_999 }), 404, 'ERROR_GROUP_DOES_NOT_EXIST');
  assertCode(await carol.rest('POST', 'database/tokens/', { name: 'x', workspace: grid.workspace.id }), 400, 'ERROR_USER_NOT_IN_GROUP');
  for (const person of [bob, carol]) {
    for (const method of ['GET', 'PATCH', 'DELETE']) assertCode(await person.rest(method, `database/tokens/${token.id}/`, method === 'PATCH' ? { name: 'stolen' } : undefined), 404, 'ERROR_TOKEN_DOES_NOT_EXIST');
    assert.ok(!(await person.ask('GET', 'database/tokens/')).some(({ id }) => id === token.id));
  }
  assertUnknown(await server.rest('GET', '/api/database/tokens/', undefined, null));
  assert.deepEqual(await ann.ask('GET', `database/tokens/${token.id}/`), token);
});

test('permissions are true, false or lists of databases and tables of the workspace, all four of them', async () => {
  const token = await make();
  const places = { create: true, read: [['database', grid.database.id], ['table', table.id]], update: false, delete: [] };
  assert.deepEqual(await change(token, { permissions: places }), { ...token, permissions: places });
  assert.deepEqual((await ann.ask('GET', `database/tokens/${token.id}/`)).permissions, places);
  const wrong = [null, true, [], 'all', {}, { create: true }, { ...ALL, more: true }, { ...ALL, read: 1 }, { ...ALL, read: 'table' }, { ...ALL, read: null }, { ...ALL, read: {} }, { ...ALL, read: [table.id] },
    { ...ALL, read: ['table', table.id] }, { ...ALL, read: [['table']] }, { ...ALL, read: [['table', table.id, 1]] }, { ...ALL, read: [['table', String(table.id)]] }, { ...ALL, read: [['row', 1]] }, { ...ALL, read: [[table.id, 'table']] }];
  for (const permissions of wrong) {
    const answer = await ann.rest('PATCH', `database/tokens/${token.id}/`, { permissions });
    assertCode(answer, 400, 'ERROR_REQUEST_BODY_VALIDATION');
  }
  assertCode(await ann.rest('PATCH', `database/tokens/${token.id}/`, { name: 'x', permissions: { ...ALL, delete: [['table', table.id], ['table', foreign.table.id]] } }), 400, 'ERROR_TABLE_DOES_NOT_BELONG_TO_GROUP');
  assertCode(await ann.rest('PATCH', `database/tokens/${token.id}/`, { permissions: { ...ALL, read: [['table', 999_999_999]] } }), 400, 'ERROR_TABLE_DOES_NOT_BELONG_TO_GROUP');
  assertCode(await ann.rest('PATCH', `database/tokens/${token.id}/`, { permissions: { ...ALL, read: [['database', foreign.grid.database.id]] } }), 400, 'ERROR_DATABASE_DOES_NOT_BELONG_TO_GROUP');
  assert.deepEqual(await ann.ask('GET', `database/tokens/${token.id}/`), { ...token, permissions: places });
});

test('rotate_key gives another key, and the one before is worth nothing', async () => {
  const token = await make();
  assert.deepEqual(await change(token, { rotate_key: false }), token);
  const rotated = await change(token, { rotate_key: true });
  assert.deepEqual({ ...rotated, key: token.key }, token);
  assert.notEqual(rotated.key, token.key);
  assert.match(rotated.key, /^[A-Za-z0-9]{32}$/);
  assertCode(await by(token, 'GET', 'database/tokens/check/'), 401, 'ERROR_TOKEN_DOES_NOT_EXIST');
  assert.deepEqual((await by(rotated, 'GET', 'database/tokens/check/')).body, { token: 'OK' });
});

test('tokens are nobody\'s news: no message tells of them', async () => {
  const socket = await connect(server, ann.token), members = await connect(server, bob.token);
  const token = await make();
  await change(token, { name: 'x', rotate_key: true, permissions: NONE });
  await ann.ask('DELETE', `database/tokens/${token.id}/`);
  for (const one of [socket, members]) assert.deepEqual(await heard(one), []);
});

/* ---- programs ---- */

test('headers that are no token\'s, unknown keys, and owners who are away', async () => {
  const token = await make();
  const check = (value) => server.rest('GET', '/api/database/tokens/check/', undefined, null, { Authorization: value });
  assert.equal((await check(`Token ${token.key}`)).status, 200);
  for (const value of ['Token', `Token ${token.key} more`]) assertCode(await check(value), 401, 'ERROR_INVALID_TOKEN_HEADER');
  for (const value of ['x', token.key.slice(1), `${token.key}x`, 'x'.repeat(32), 'x'.repeat(2000)]) assertCode(await check(`Token ${value}`), 401, 'ERROR_TOKEN_DOES_NOT_EXIST');
  for (const value of [`JWT ${token.key}`]) assertCode(await check(value), 401, 'ERROR_INVALID_ACCESS_TOKEN');
  for (const value of [`Bearer ${token.key}`, token.key, `TOKEN ${token.key}`]) assertUnknown(await check(value));
  assertUnknown(await check(`JWT ${ann.token}`));

  const own = await Grid.make(server), gone = await make(own.bob, own.workspace);
  await own.bob.ask('POST', `workspaces/${own.workspace.id}/leave/`);
  assertCode(await by(gone, 'GET', 'database/tokens/check/'), 401, 'ERROR_TOKEN_GROUP_MISMATCH');
  const idle = await make(own.ann, own.workspace), [{ id }] = await server.ask('GET', `/users?filter[email][_eq]=${own.ann.email}&fields[]=id`);
  await server.ask('PATCH', `/users/${id}`, { status: 'suspended' });
  assertCode(await by(idle, 'GET', 'database/tokens/check/'), 401, 'ERROR_USER_NOT_ACTIVE');
});

test('what is not for programs does not know them', async () => {
  const token = await make();
  for (const target of ['workspaces/', 'applications/', 'user/dashboard/', 'database/tokens/', `database/tokens/${token.id}/`, table.path, `database/tables/database/${grid.database.id}/`,
    `${table.rows}1/adjacent/`, `${table.rows}1/history/`, 'trash/', 'jobs/']) {
    const answer = await by(token, 'GET', target);
    if (answer.status !== 404) assertUnknown(answer);
    assert.notEqual(answer.status, 200, target);
  }
  for (const [method, target, body] of [['POST', 'database/tokens/', { name: 'x', workspace: grid.workspace.id }], ['PATCH', `database/tokens/${token.id}/`, { rotate_key: true }], ['DELETE', `database/tokens/${token.id}/`],
    ['POST', `database/fields/table/${table.id}/`, { name: 'x', type: 'text' }], ['PATCH', table.path, { name: 'x' }], ['DELETE', table.path], ['POST', `database/tables/${table.id}/import/async/`, { data: [['x']] }]]) {
    assertUnknown(await by(token, method, target, body));
  }
});

/* Every row route, the operation that it is, and a request that does nothing but succeed. */
const ROUTES = [
  ['read', 'GET', () => table.rows],
  ['read', 'GET', () => `${table.rows}1/`],
  ['read', 'GET', () => `database/rows/names/?table__${table.id}=1`],
  ['create', 'POST', () => table.rows, {}],
  ['create', 'POST', () => `${table.rows}batch/`, { items: [{}] }],
  ['update', 'PATCH', () => `${table.rows}1/`, {}],
  ['update', 'PATCH', () => `${table.rows}batch/`, { items: [{ id: 1 }] }],
  ['update', 'PATCH', () => `${table.rows}1/move/`],
  ['delete', 'DELETE', (id) => `${table.rows}${id}/`],
  ['delete', 'POST', () => `${table.rows}batch-delete/`, (id) => ({ items: [id] })],
];
for (const [operation, method, target, body] of ROUTES) {
  test(`${method} ${String(target).replace(/^.*=> `?|`$/g, '')} is allowed by ${operation}, for all, its database or its table, and by nothing else`, async () => {
    const may = async (permissions) => {
      const { id } = await table.add();
      const answer = await by(await allowed(permissions), method, target(id), typeof body === 'function' ? body(id) : body);
      if (answer.status === 401) assertCode(answer, 401, 'ERROR_NO_PERMISSION_TO_TABLE');
      else assert.ok(answer.status < 300, JSON.stringify(answer.body));
      return answer.status !== 401;
    };
    assert.ok(await may({ [operation]: true }));
    assert.ok(await may({ [operation]: [['table', table.id]] }));
    assert.ok(await may({ [operation]: [['table', other.id], ['database', grid.database.id]] }));
    for (const permissions of [NONE, { ...ALL, [operation]: false }, { ...ALL, [operation]: [] }, { ...ALL, [operation]: [['table', other.id]] }]) assert.equal(await may(permissions), false, JSON.stringify(permissions));
  });
}

test('a token is for its workspace alone, whatever its owner may do elsewhere', async () => {
  const workspace = await ann.ask('POST', 'workspaces/', { name: 'Second' });
  const { tables: [{ id }] } = await ann.ask('POST', `applications/workspace/${workspace.id}/`, { name: 'Lists', type: 'database', init_with_data: true });
  const token = await make();
  assertCode(await by(token, 'GET', `database/rows/table/${id}/`), 401, 'ERROR_NO_PERMISSION_TO_TABLE');
  assertCode(await by(token, 'POST', `database/rows/table/${id}/`, {}), 401, 'ERROR_NO_PERMISSION_TO_TABLE');
  assertCode(await by(token, 'GET', `database/fields/table/${id}/`), 401, 'ERROR_NO_PERMISSION_TO_TABLE');
  for (const target of [foreign.table.rows, `database/fields/table/${foreign.table.id}/`]) assert.notEqual((await by(token, 'GET', target)).status, 200);
  assertCode(await by(token, 'GET', 'database/rows/table/999999999/'), 404, 'ERROR_TABLE_DOES_NOT_EXIST');
});

test('names are read of tables that may be read, all or nothing', async () => {
  const token = await allowed({ read: [['table', table.id]], update: true });
  const path = (...ids) => `database/rows/names/?${ids.map((id) => `table__${id}=1`).join('&')}`;
  const { status, body } = await by(token, 'GET', path(table.id));
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), [String(table.id)]);
  assertCode(await by(token, 'GET', path(other.id)), 401, 'ERROR_NO_PERMISSION_TO_TABLE');
  assertCode(await by(token, 'GET', path(table.id, other.id)), 401, 'ERROR_NO_PERMISSION_TO_TABLE');
});

test('fields and all-tables show what a token may touch in any way', async () => {
  const shape = ({ data_sync: _, ...rest }) => rest;
  const tables = async (permissions) => (await by(await allowed(permissions), 'GET', 'database/tables/all-tables/')).body;
  const both = (await ann.ask('GET', `database/tables/database/${grid.database.id}/`)).map(shape);
  assert.deepEqual(await tables(ALL), both);
  assert.deepEqual(await tables({ delete: [['database', grid.database.id]] }), both);
  assert.deepEqual(await tables(NONE), []);
  const empty = { create: [], read: [], update: [], delete: [] };
  assert.deepEqual(await tables(empty), []);
  for (const operation of Object.keys(ALL)) {
    const permissions = { ...empty, [operation]: [['table', other.id]] };
    assert.deepEqual(await tables(permissions), [shape(other.shape)]);
    const token = await allowed(permissions);
    assert.deepEqual((await by(token, 'GET', `database/fields/table/${other.id}/`)).body, await other.fields());
    assertCode(await by(token, 'GET', `database/fields/table/${table.id}/`), 401, 'ERROR_NO_PERMISSION_TO_TABLE');
  }
  for (const target of ['database/tables/all-tables/', 'database/tokens/check/']) assertUnknown(await ann.rest('GET', target));
});

test('metadata is not for programs', async () => {
  const token = await make();
  assertCode(await by(token, 'GET', `${table.rows}1/?include=metadata`), 400, 'ERROR_CANNOT_INCLUDE_ROW_METADATA');
  assertCode(await by(token, 'PATCH', `${table.rows}batch/?include_metadata=true`, { items: [{ id: 1 }] }), 400, 'ERROR_CANNOT_INCLUDE_ROW_METADATA');
});

test('2.7 what a program does excludes no socket, though it names one; it is the owner\'s doing', async () => {
  const socket = await connect(server, ann.token, { id: 'the program\'s own' }), primary = key(await table.primary());
  await heard(socket);
  for (const page of [{ page: 'table', table_id: table.id }, { page: 'row', table_id: table.id, row_id: 1 }]) await socket.ask(page);
  const token = await make(bob);
  assert.equal((await by(token, 'PATCH', `${table.rows}1/`, { [primary]: 'by a program' }, { WebSocketId: socket.id })).status, 200);
  const [updated, history, ...more] = await heard(socket);
  assert.deepEqual(more, []);
  assert.deepEqual([updated.type, updated.rows[0][primary]], ['rows_updated', 'by a program']);
  assert.deepEqual(history.row_history_entry.user, { id: bob.id, name: bob.name });
});

/* ---- the socket ---- */

const open = (token) => connect(server, token.key);
const page = (of) => ({ page: 'table', table_id: of.id });
const added = (of) => ({ type: 'page_add', page: 'table', parameters: { table_id: of.id } });

test('16 a token opens pages of tables that it may read, and no others', async () => {
  const readers = [ALL, { read: [['table', table.id]] }, { read: [['database', grid.database.id]] }];
  for (const permissions of readers) {
    const socket = await open(await allowed(permissions));
    assert.deepEqual(await socket.ask(page(table)), added(table));
    for (const frame of [page(foreign.table), { page: 'row', table_id: table.id, row_id: 1 }, { page: 'view', slug: 'x', token: null }, { page: 'dashboard', dashboard_id: 1 }]) socket.send(frame);
    assert.deepEqual(await heard(socket), []);
    await table.add();
    assert.deepEqual((await heard(socket)).map(({ type }) => type), ['rows_created']);
    assert.deepEqual(await socket.ask({ remove_page: 'table', table_id: table.id }), { type: 'page_discard', page: 'table', parameters: { table_id: table.id } });
    await table.add();
    assert.deepEqual(await heard(socket), []);
  }
  for (const permissions of [NONE, { ...ALL, read: false }, { ...ALL, read: [] }, { ...ALL, read: [['table', other.id]] }]) {
    const socket = await open(await allowed(permissions));
    socket.send(page(table));
    assert.deepEqual(await heard(socket), []);
  }
});

test('16 a program hears nothing of its owner\'s', async () => {
  const socket = await open(await make()), application = grid.database;
  await socket.ask(page(table));
  await ann.ask('PATCH', 'user/account/', { language: 'fr' });
  await ann.ask('PATCH', `workspaces/${grid.workspace.id}/`, { name: 'Acme & Co' });
  await ann.ask('PATCH', `applications/${application.id}/`, { name: 'CRM 2' });
  await ann.ask('PATCH', table.path, { name: 'Clients' });
  await grid.table('Third');
  assert.deepEqual(await heard(socket), []);
});

test('16 keys that are worth nothing are refused as bad tokens are', async () => {
  const token = await make();
  const rotated = await change(token, { rotate_key: true });
  for (const bad of [token.key, 'x'.repeat(32), `${rotated.key}x`]) {
    const socket = await connect(server, bad, { success: false });
    assert.equal((await heardToTheEnd(socket)).code, 1000);
  }
  await open(rotated);
  await ann.ask('DELETE', `database/tokens/${token.id}/`);
  const socket = await connect(server, rotated.key, { success: false });
  assert.equal((await heardToTheEnd(socket)).code, 1000);
});

/* Each has a program of its own, whose sockets end; another program of the owner's, and its person, stay. */
const ENDS = [
  ['its permissions are changed', (own, token) => change(token, { permissions: { ...ALL, create: false } }, own.bob)],
  ['it is renamed', (own, token) => change(token, { name: 'another' }, own.bob)],
  ['its key is rotated', (own, token) => change(token, { rotate_key: true }, own.bob)],
  ['it is deleted', (own, token) => own.bob.ask('DELETE', `database/tokens/${token.id}/`)],
  ['its owner leaves', (own) => own.bob.ask('POST', `workspaces/${own.workspace.id}/leave/`), true],
  ['its owner is removed', async (own) => {
    const members = await own.ann.ask('GET', `workspaces/users/workspace/${own.workspace.id}/`);
    await own.ann.ask('DELETE', `workspaces/users/${members.find(({ user_id: id }) => id === own.bob.id).id}/`);
  }, true],
  ['its owner is suspended', async (own) => {
    const [{ id }] = await server.ask('GET', `/users?filter[email][_eq]=${own.bob.email}&fields[]=id`);
    await server.ask('PATCH', `/users/${id}`, { status: 'suspended' });
  }, true, true],
  ['its owner is deleted', async (own) => {
    const [{ id }] = await server.ask('GET', `/users?filter[email][_eq]=${own.bob.email}&fields[]=id`);
    await server.ask('DELETE', `/users/${id}`);
  }, true, true],
];
for (const [name, act, allOfThem = false, personToo = false] of ENDS) {
  test(`16 a program's socket ends when ${name}`, async () => {
    const own = await Grid.make(server), about = await own.table('Watched', ['a']);
    const [token, second, strangers] = [await make(own.bob, own.workspace), await make(own.bob, own.workspace), await make(own.ann, own.workspace)];
    const sockets = [];
    for (const one of [token, second, strangers]) {
      const socket = await open(one);
      assert.deepEqual(await socket.ask(page(about)), added(about));
      sockets.push(socket);
    }
    const person = await connect(server, own.bob.token);
    await act(own, token);
    await about.add();
    assert.deepEqual((await heardToTheEnd(sockets[0])).messages, []);
    if (allOfThem) assert.deepEqual((await heardToTheEnd(sockets[1])).messages, []);
    else assert.deepEqual((await heard(sockets[1])).map(({ type }) => type), ['rows_created']);
    assert.deepEqual((await heard(sockets[2])).map(({ type }) => type), ['rows_created']);
    if (!personToo) assert.ok(Array.isArray(await heard(person)));
  });
}

test('2.2 an owner whose deletion is scheduled counts as not there on the socket', async () => {
  const own = await Grid.make(server), token = await make(own.bob, own.workspace);
  await own.bob.ask('POST', 'user/schedule-account-deletion/');
  const socket = await connect(server, token.key, { success: false });
  assert.equal((await heardToTheEnd(socket)).code, 1000);
  await Person.login(server, own.bob.email, 'a long password');
  await open(token);
});

test('3 a program that was cut is told what it missed of its tables, and nothing else', async () => {
  const token = await allowed({ read: [['table', table.id]] });
  const first = await connect(server, token.key, { id: 'program', raw: true });
  first.send(page(table));
  first.send({ type: 'replay_events', last_seen_id: -1 });
  await first.next('page_add');
  const { latest_event_id: cursor } = await first.next('the baseline');
  await first.close();
  await table.add();
  await other.add();
  await ann.ask('PATCH', `workspaces/${grid.workspace.id}/`, { name: 'Acme again' });
  const back = await connect(server, token.key, { id: 'program', raw: true });
  for (const frame of [page(table), page(other), { type: 'replay_events', last_seen_id: cursor }]) back.send(frame);
  const came = [];
  do came.push(await back.next('what was missed')); while (came.at(-1).type !== 'replay_events_result');
  assert.deepEqual(came.map(({ type }) => type), ['page_add', 'rows_created', 'replay_events_result']);
  assert.equal(came[2].force_refresh, false);
});
