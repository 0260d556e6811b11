/* Pages of Baserow's channel (baserow.md 3): who may look at what, what frames are answered, and when pages speak. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { connect, heard } from './baserow_channel.js';
import { Grid } from './baserow_grid.js';
import { Server, postgresOnly, within } from './harness.js';
import { beginScene } from './postgres_scene.js';

let server, grid, ann, bob, carol;
before(async () => {
  server = await Server.start({ environment: { BASEROW_DOCUMENTED_MESSAGES: 'false', WEBSOCKET_SUBSCRIPTIONS: '400' } });
  grid = await Grid.make(server);
  ({ ann, bob, carol } = grid);
});
after(() => server?.stop());

const tablePage = (table, table_id = table.id) => ({ page: 'table', table_id });
const rowPage = (table, row_id, table_id = table.id) => ({ page: 'row', table_id, row_id });
const leaving = ({ page, ...parameters }) => ({ remove_page: page, ...parameters });
const added = ({ page, ...parameters }) => ({ type: 'page_add', page, parameters });
const discarded = ({ page, ...parameters }) => ({ type: 'page_discard', page, parameters });
const types = async (socket) => (await heard(socket)).map(({ type }) => type);

/* Bob's socket; it looks at these pages. */
async function look(...pages) {
  const socket = await connect(server, bob.token);
  for (const page of pages) assert.deepEqual(await socket.ask(page), added(page));
  return socket;
}
const edit = async (table, id = 1) => table.edit(id, { [`field_${(await table.primary()).id}`]: `edited ${Math.random()}` });

/* ---- subscribing ---- */

test('3.1, 3.2 numbers may be texts: they come back as they were sent, and mean the same page', async () => {
  const table = await grid.table('Texts', ['a']), socket = await look();
  for (const page of [tablePage(table, String(table.id)), tablePage(table), rowPage(table, '1'), rowPage(table, 1, String(table.id))]) assert.deepEqual(await socket.ask({ ...page, more: 'ignored' }), added(page));
  await edit(table);
  assert.deepEqual(await types(socket), ['rows_updated', 'row_history_updated']);
  assert.deepEqual(await socket.ask(leaving(tablePage(table))), discarded(tablePage(table)));
  assert.deepEqual(await socket.ask(leaving(rowPage(table, '1', String(table.id)))), discarded(rowPage(table, '1', String(table.id))));
  await edit(table);
  assert.deepEqual(await heard(socket), []);
});

test('3.1 a page that is subscribed again is told again, and speaks once', async () => {
  const table = await grid.table('Again', ['a']), pages = [tablePage(table), rowPage(table, 1)];
  const socket = await look(...pages, ...pages, ...pages);
  await edit(table);
  assert.deepEqual(await types(socket), ['rows_updated', 'row_history_updated']);
  for (const page of pages) await socket.ask(leaving(page));
  await edit(table);
  assert.deepEqual(await heard(socket), []);
});

test('3.3 what is missing, falsy, no number or unknown is refused in silence', async () => {
  const table = await grid.table('Refused', ['a']), other = await grid.table('Empty'), socket = await look();
  const wrong = [undefined, null, 0, '0', '', ' ', false, -1, '-1', 1.5, '1.5', 'x', '1x', [], [1], {}, 999_999_999, 2 ** 53, '9'.repeat(30), `0x${table.id}`];
  for (const value of wrong) {
    socket.send({ page: 'table', table_id: value });
    socket.send({ page: 'row', table_id: value, row_id: 1 });
    socket.send({ page: 'row', table_id: table.id, row_id: value });
  }
  socket.send(rowPage(other, 1));
  for (const page of ['Table', 'TABLE', ' table', 'rows', 'table/1']) socket.send({ page, table_id: table.id });
  assert.deepEqual(await heard(socket), []);
  await edit(table);
  assert.deepEqual(await heard(socket), []);
});

test('3.3 pages are for the members of the workspace', async () => {
  const table = await grid.table('Members', ['a']);
  for (const token of [carol.token, 'anonymous']) {
    const socket = await connect(server, token);
    for (const page of [tablePage(table), rowPage(table, 1)]) socket.send(page);
    assert.deepEqual(await heard(socket), []);
    await edit(table);
    assert.deepEqual(await heard(socket), []);
  }
  const workspace = await carol.ask('POST', 'workspaces/', { name: 'Hers' });
  const { tables: [{ id }] } = await carol.ask('POST', `applications/workspace/${workspace.id}/`, { name: 'Lists', type: 'database', init_with_data: true });
  const socket = await connect(server, carol.token);
  assert.equal((await socket.ask({ page: 'table', table_id: id })).type, 'page_add');
});

test('3.2 what was never looked at, or cannot be, is left all the same', async () => {
  const table = await grid.table('Never', ['a']), socket = await look();
  for (const page of [tablePage(table), rowPage(table, 1), rowPage(table, 999), tablePage(table, 999_999_999), tablePage(table, 'x'), rowPage(table, null, 0)]) assert.deepEqual(await socket.ask(leaving(page)), discarded(page));
  assert.deepEqual(await socket.ask({ remove_page: 'row' }), { type: 'page_discard', page: 'row', parameters: { table_id: null, row_id: null } });
});

test('3.3 several pages at once, each by itself', async () => {
  const [one, two] = [await grid.table('One', ['a', 'b']), await grid.table('Two', ['a'])];
  const socket = await look(tablePage(one), rowPage(one, 2), rowPage(two, 1));
  const told = async () => (await heard(socket)).map(({ type, table_id: table, row_id: row }) => `${type} ${table === one.id ? 'one' : 'two'} ${row ?? ''}`.trim());
  await edit(one, 1);
  await edit(one, 2);
  await edit(two, 1);
  assert.deepEqual(await told(), ['rows_updated one', 'rows_updated one', 'row_history_updated one 2', 'row_history_updated two 1']);
  await socket.ask(leaving(tablePage(one)));
  await edit(one, 1);
  await edit(one, 2);
  assert.deepEqual(await told(), ['row_history_updated one 2']);
});

/* ---- the order of frames ---- */

test('2.6 answers come in the order of frames, though a row has to be looked up first', async () => {
  const table = await grid.table('Ordered', ['a', 'b']), socket = await look();
  const frames = [
    [{ type: 'ping' }, { type: 'pong' }],
    [rowPage(table, 1), added(rowPage(table, 1))],
    [{ type: 'ping' }, { type: 'pong' }],
    [tablePage(table), added(tablePage(table))],
    [leaving(rowPage(table, 1)), discarded(rowPage(table, 1))],
    [rowPage(table, 99)],
    [{ ...rowPage(table, 2), remove_page: 'row' }, added(rowPage(table, 2)), discarded(rowPage(table, 2))],
    [{ ...tablePage(table), remove_page: 'row', row_id: 2 }, added(tablePage(table)), discarded(rowPage(table, 2))],
    [{ ...rowPage(table, 1), remove_page: 'table' }, added(rowPage(table, 1)), discarded(tablePage(table))],
    [{ ...rowPage(table, 99), remove_page: 'table' }, discarded(tablePage(table))],
    [{ ...rowPage(table, 2), type: 'ping' }, { type: 'pong' }, added(rowPage(table, 2))],
    [{ ...rowPage(table, 2), type: 'presence.focus', remove_page: 'row' }],
    [{ ...rowPage(table, 2), type: 'replay_events', last_seen_id: -1, remove_page: 'row' }, 'replay_events_result'],
  ];
  for (const [frame] of frames) socket.send(frame);
  const wanted = frames.flatMap(([, ...answers]) => answers);
  for (const [i, want] of wanted.entries()) {
    const got = await socket.next(`answer ${i}`);
    if (typeof want === 'string') assert.equal(got.type, want);
    else assert.deepEqual(got, want);
  }
  assert.deepEqual(await heard(socket), []);
  await edit(table, 2);
  assert.deepEqual(await types(socket), ['row_history_updated']);
});

test('2.6 hundreds of frames in one go are each answered, in order', async () => {
  const table = await grid.table('Many', Array.from({ length: 300 }, (_, i) => String(i))), socket = await look();
  const pages = Array.from({ length: 300 }, (_, i) => (i % 3 === 2 ? tablePage(table) : rowPage(table, i + 1)));
  for (const page of pages) socket.send(page);
  for (const page of pages) assert.deepEqual(await socket.next('page_add'), added(page));
  for (const page of pages) socket.send(leaving(page));
  for (const page of pages) assert.deepEqual(await socket.next('page_discard'), discarded(page));
});

test('2.6 pages asked for before anything was heard are looked at', async () => {
  const table = await grid.table('Early', ['a']);
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws/core/?jwt_token=${bob.token}`), got = [];
  const all = new Promise((resolve, reject) => {
    ws.on('error', reject);
    ws.on('message', (data) => { if (got.push(JSON.parse(data)) === 4) resolve(); });
  });
  ws.on('open', () => { for (const frame of [rowPage(table, 1), tablePage(table), leaving(tablePage(table))]) ws.send(JSON.stringify(frame)); });
  await within(all, 'all answers');
  ws.terminate();
  assert.equal(got[0].type, 'authentication');
  assert.deepEqual(got.slice(1), [added(rowPage(table, 1)), added(tablePage(table)), discarded(tablePage(table))]);
});

test('past the most pages of one socket a page is refused in silence; one that is left makes room', async () => {
  const table = await grid.table('Limit', Array.from({ length: 400 }, (_, i) => String(i))), socket = await look();
  /* its person's own messages are one of the 400 */
  for (let id = 1; id <= 399; id++) socket.send(rowPage(table, id));
  assert.equal((await heard(socket)).length, 399);
  socket.send(rowPage(table, 400));
  socket.send(tablePage(table));
  assert.deepEqual(await heard(socket), []);
  assert.deepEqual(await socket.ask(rowPage(table, 7)), added(rowPage(table, 7)), 'one that is there already');
  await edit(table, 400);
  await edit(table, 399);
  assert.deepEqual((await heard(socket)).map(({ row_id: id }) => id), [399]);
  await socket.ask(leaving(rowPage(table, 5)));
  assert.deepEqual(await socket.ask(tablePage(table)), added(tablePage(table)));
});

postgresOnly.test('while the database is away no row can be looked for; what else a frame asks for is done', async () => {
  const { server: at, proxy, end } = await beginScene({});
  try {
    const own = await Grid.make(at), table = await own.table('Away', ['a']), socket = await connect(at, own.bob.token);
    assert.deepEqual(await socket.ask(tablePage(table)), added(tablePage(table)));
    proxy.away();
    socket.send(rowPage(table, 1));
    assert.deepEqual(await socket.ask({ ...rowPage(table, 1), remove_page: 'table' }), discarded(tablePage(table)));
    assert.deepEqual(await socket.ask(tablePage(table)), added(tablePage(table)));
    await proxy.back();
    for (let answers = []; answers.length === 0; answers = await heard(socket)) socket.send(rowPage(table, 1));
  } finally {
    await end();
  }
});

/* ---- what goes and comes back ---- */

const restore = (type, id, parent) => ann.ask('PATCH', 'trash/restore/', { trash_item_type: type, trash_item_id: id, ...(parent ? { parent_trash_item_id: parent } : {}) });

test('3.3 a deleted row keeps its page: it falls silent, is refused anew, and speaks when the row is back', async () => {
  const table = await grid.table('Rows', ['a', 'b']), socket = await look(rowPage(table, 1));
  await ann.ask('DELETE', `${table.rows}1/`);
  assert.deepEqual((await heard(socket)).map(({ type, row_history_entry: entry }) => [type, entry.action_type]), [['row_history_updated', 'delete_row']]);
  socket.send(rowPage(table, 1));
  assert.deepEqual(await heard(socket), []);
  await edit(table, 2);
  assert.deepEqual(await heard(socket), []);
  await restore('row', 1, table.id);
  assert.deepEqual((await heard(socket)).map(({ type, row_history_entry: entry }) => [type, entry.action_type]), [['row_history_updated', 'restore_from_trash']]);
  await edit(table, 1);
  assert.deepEqual(await types(socket), ['row_history_updated']);
  assert.deepEqual(await socket.ask(rowPage(table, 1)), added(rowPage(table, 1)));
});

for (const what of ['table', 'application', 'workspace']) {
  test(`3.3 pages below a trashed ${what} are refused; those there were stay, and speak when it is back`, async () => {
    const own = await Grid.make(server), table = await own.table('Trashed', ['a']), pages = [tablePage(table), rowPage(table, 1)];
    const socket = await connect(server, own.bob.token);
    for (const page of pages) assert.deepEqual(await socket.ask(page), added(page));
    const [path, id] = { table: [table.path, table.id], application: [`applications/${own.database.id}/`, own.database.id], workspace: [`workspaces/${own.workspace.id}/`, own.workspace.id] }[what];
    await own.ann.ask('DELETE', path);
    assert.ok(!(await types(socket)).includes('page_discard'));
    for (const page of pages) socket.send(page);
    assert.deepEqual(await heard(socket), []);
    await own.ann.ask('PATCH', 'trash/restore/', { trash_item_type: what, trash_item_id: id });
    await heard(socket);
    await table.edit(1, { [`field_${(await table.primary()).id}`]: 'back' });
    assert.deepEqual(await types(socket), ['rows_updated', 'row_history_updated']);
    for (const page of pages) assert.deepEqual(await socket.ask(page), added(page));
  });
}

/* ---- revocation ---- */

const remove = async (own, person) => {
  const { id } = (await own.ann.ask('GET', `workspaces/users/workspace/${own.workspace.id}/`)).find(({ user_id: user }) => user === person.id);
  await own.ann.ask('DELETE', `workspaces/users/${id}/`);
};

test('3.4 who is removed loses the pages of this workspace on all sockets, in order and as they were asked for; others stay', async () => {
  const [lost, kept] = [await Grid.make(server), await Grid.make(server)];
  const [a, b, c] = [await lost.table('A', ['a', 'b']), await lost.table('B', ['b']), await kept.table('C', ['c'])];
  const invitation = await kept.ann.ask('POST', `workspaces/invitations/workspace/${kept.workspace.id}/`, { email: lost.bob.email, permissions: 'MEMBER', message: '', base_url: server.url });
  await lost.bob.ask('POST', `workspaces/invitations/${invitation.id}/accept/`);
  const pages = [rowPage(b, '1'), tablePage(c), tablePage(a), rowPage(a, 2), rowPage(c, 1), tablePage(b, String(b.id))];
  const sockets = [await connect(server, lost.bob.token), await connect(server, lost.bob.token)];
  for (const page of pages) assert.deepEqual(await sockets[0].ask(page), added(page));
  assert.deepEqual(await sockets[1].ask(pages[2]), added(pages[2]));
  const witness = await connect(server, lost.ann.token);
  await witness.ask(pages[2]);
  await remove(lost, lost.bob);
  const came = await heard(sockets[0]);
  assert.equal(came.shift().type, 'group_user_deleted');
  assert.deepEqual(came, [pages[0], pages[2], pages[3], pages[5]].map(discarded));
  assert.deepEqual((await heard(sockets[1])).slice(1), [discarded(pages[2])]);
  await edit(a);
  await edit(c);
  assert.deepEqual(await types(sockets[0]), ['rows_updated', 'row_history_updated']);
  assert.deepEqual(await types(sockets[1]), []);
  assert.deepEqual(await types(witness), ['group_user_deleted', 'rows_updated']);
  for (const page of pages) sockets[0].send(page);
  assert.deepEqual(await heard(sockets[0]), [pages[1], pages[4]].map(added));
});

test('3.4 who leaves loses its pages as well, and only those', async () => {
  const own = await Grid.make(server), table = await own.table('Left', ['a']);
  const sockets = [await connect(server, own.bob.token), await connect(server, own.ann.token)];
  for (const socket of sockets) for (const page of [tablePage(table), rowPage(table, 1)]) await socket.ask(page);
  await own.bob.ask('POST', `workspaces/${own.workspace.id}/leave/`, undefined, { WebSocketId: sockets[0].id });
  assert.deepEqual(await heard(sockets[0]), [tablePage(table), rowPage(table, 1)].map(discarded));
  assert.deepEqual(await types(sockets[1]), ['group_user_deleted']);
  await edit(table);
  assert.deepEqual([await types(sockets[0]), await types(sockets[1])], [[], ['rows_updated', 'row_history_updated']]);
});
