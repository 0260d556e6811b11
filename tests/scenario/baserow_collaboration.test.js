/*
 * What people who work on one table rely on: the client of the document that the project began from, batches,
 * somebody who loses sight in the middle of a storm, and a cut that nothing is lost by.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { Person } from './baserow.js';
import { connect, heard } from './baserow_channel.js';
import { Server, makeFolder, pause, within } from './harness.js';

/* How long the client is away while others write. */
const CUT_MS = Number(process.env.ROWCAST_TEST_CUT_MS ?? 2_000);

let folder, server, count = 0;
before(async () => {
  folder = makeFolder();
  server = await Server.start({ folder, environment: { BASEROW_REALTIME_REPLAY_MAX_EVENTS: '1000000' } });
});
after(async () => {
  await server?.stop();
  folder?.remove();
});

/* Ann and Bob in a workspace, and a table with a text and a number field, and so many rows. */
async function makeTable(rows = 0) {
  const [ann, bob] = [await Person.register(server, `Ann${++count}`), await Person.register(server, `Bob${count}`)];
  const workspace = await ann.ask('POST', 'workspaces/', { name: 'Acme' });
  const invitation = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: bob.email, permissions: 'MEMBER', message: '', base_url: server.url });
  await bob.ask('POST', `workspaces/invitations/${invitation.id}/accept/`);
  const database = await ann.ask('POST', `applications/workspace/${workspace.id}/`, { name: 'CRM', type: 'database' });
  const data = [['Name'], ...Array.from({ length: rows }, (_, i) => [`row ${i + 1}`])];
  const table = await ann.ask('POST', `database/tables/database/${database.id}/`, { name: 'Customers', data, first_row_header: true });
  const [name] = await ann.ask('GET', `database/fields/table/${table.id}/`);
  const number = await ann.ask('POST', `database/fields/table/${table.id}/`, { name: 'Number', type: 'number' });
  return { ann, bob, workspace, database, table, name: `field_${name.id}`, number: `field_${number.id}`, path: `database/rows/table/${table.id}/` };
}

async function readAll(person, path) {
  const all = [];
  for (let page = 1; ; page++) {
    const { results, next } = await person.ask('GET', `${path}?size=200&page=${page}`);
    all.push(...results);
    if (!next) return all;
  }
}

const byId = (rows) => [...rows].sort((a, b) => a.id - b.id);

test('a client that knows nothing but the document works as it reads there', async () => {
  const { ann, bob, database, table, name, path } = await makeTable(2);
  /* const socket = new WebSocket('…/ws/core/?jwt_token=YOUR_JWT_TOKEN') */
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/core/?jwt_token=${ann.token}`);
  const received = [];
  let wake = () => {};
  socket.onmessage = (message) => { received.push(JSON.parse(message.data)); wake(); };
  const next = (type) => within((async () => {
    for (;;) {
      const at = received.findIndex((message) => message.type === type);
      if (at >= 0) return received.splice(at, 1)[0];
      await new Promise((resolve) => { wake = resolve; });
    }
  })(), type);
  const { success, web_socket_id: socketId } = await next('authentication');
  assert.equal(success, true);
  assert.match(socketId, /^[0-9a-f-]{36}$/);

  const others = await connect(server, bob.token);
  await ann.ask('PATCH', `applications/${database.id}/`, { name: 'Test' }, { WebSocketId: socketId });
  assert.deepEqual((await heard(others)).map(({ type }) => type), ['application_updated']);
  assert.deepEqual(received, []);

  socket.send(JSON.stringify({ page: 'table', table_id: table.id }));
  assert.deepEqual(await next('page_add'), { type: 'page_add', page: 'table', parameters: { table_id: table.id } });
  socket.send(JSON.stringify({ page: 'row', table_id: table.id, row_id: 1 }));
  assert.deepEqual(await next('page_add'), { type: 'page_add', page: 'row', parameters: { table_id: table.id, row_id: 1 } });
  await bob.ask('PATCH', `${path}1/`, { [name]: 'changed' });
  assert.equal((await next('rows_updated')).rows[0][name], 'changed');
  assert.equal((await next('row_history_updated')).row_id, 1);

  socket.send(JSON.stringify({ remove_page: 'row', table_id: table.id, row_id: 1 }));
  assert.deepEqual(await next('page_discard'), { type: 'page_discard', page: 'row', parameters: { table_id: table.id, row_id: 1 } });
  received.length = 0;
  await bob.ask('PATCH', `${path}1/`, { [name]: 'again' });
  await next('rows_updated');
  await bob.ask('PATCH', `applications/${database.id}/`, { name: 'Done' });
  await next('application_updated');
  assert.deepEqual(received.filter(({ type }) => type === 'row_history_updated'), []);
  socket.close();
});

test('batches of 200 are one message each, whole and in order', async () => {
  const { ann, bob, table, name, number, path } = await makeTable();
  const socket = await connect(server, bob.token);
  socket.send({ page: 'table', table_id: table.id });
  await socket.next('page_add');

  const items = Array.from({ length: 200 }, (_, i) => ({ [name]: `n${i}`, [number]: String(i) }));
  const { items: made } = await ann.ask('POST', `${path}batch/`, { items });
  const [created, ...afterCreation] = await heard(socket);
  assert.deepEqual(afterCreation, []);
  assert.equal(created.type, 'rows_created');
  assert.deepEqual(created.rows, made);
  assert.deepEqual(created.rows.map((row) => row[number]), items.map((item) => item[number]));

  const { items: changed } = await ann.ask('PATCH', `${path}batch/`, { items: made.map(({ id }, i) => ({ id, [number]: String(i * 2) })) });
  const updates = await heard(socket);
  assert.deepEqual(updates.map(({ type }) => type), ['before_rows_update', 'rows_updated']);
  assert.deepEqual(updates[1].rows_before_update, made);
  assert.deepEqual(updates[1].rows, changed);

  await ann.ask('POST', `${path}batch-delete/`, { items: made.map(({ id }) => id) });
  const deletions = await heard(socket);
  assert.deepEqual(deletions.map(({ type }) => type), ['before_rows_delete', 'rows_deleted']);
  assert.deepEqual(deletions[1].row_ids, made.map(({ id }) => id));
  assert.deepEqual(deletions[1].rows, changed);

  const tooMany = await ann.rest('POST', `${path}batch/`, { items: Array.from({ length: 201 }, () => ({})) });
  assert.equal(tooMany.status, 400);
  assert.deepEqual(await heard(socket), []);
});

test('each update tells the rows as the one before it left them, however many write at once', async () => {
  const { ann, bob, table, number, path } = await makeTable(20);
  const socket = await connect(server, bob.token);
  socket.send({ page: 'table', table_id: table.id });
  await socket.next('page_add');
  const state = new Map((await readAll(ann, path)).map((row) => [row.id, row]));

  const rounds = 15, writers = [ann, bob, ann, bob];
  await Promise.all(writers.map(async (writer, w) => {
    for (let round = 0; round < rounds; round++) {
      const items = [...state.keys()].filter((id) => (id + w + round) % 2).map((id) => ({ id, [number]: String(w * 1000 + round) }));
      await writer.ask('PATCH', `${path}batch/`, { items });
    }
  }));
  const updates = (await heard(socket)).filter(({ type }) => type === 'rows_updated');
  assert.equal(updates.length, writers.length * rounds);
  for (const { rows_before_update: before_, rows } of updates) {
    before_.forEach((row) => assert.deepEqual(row, state.get(row.id)));
    rows.forEach((row) => state.set(row.id, row));
  }
  assert.deepEqual(byId(state.values()), byId(await readAll(ann, path)));
});

test('who is removed in a storm of updates hears of it, loses each page in order, and then hears nothing', async () => {
  const { ann, bob, workspace, database, table, number, path } = await makeTable(50);
  const second = await ann.ask('POST', `database/tables/database/${database.id}/`, { name: 'Second' });
  const pages = [{ page: 'table', table_id: table.id }, { page: 'row', table_id: table.id, row_id: 7 }, { page: 'table', table_id: second.id }, { page: 'row', table_id: table.id, row_id: 3 }];
  const socket = await connect(server, bob.token);
  for (const page of pages) {
    socket.send(page);
    await socket.next('page_add');
  }
  let writing = true, written = 0;
  const storm = Promise.all([0, 1, 2, 3].map(async (w) => {
    for (let n = 0; writing; n++, written++) await ann.ask('PATCH', `${path}${1 + (n * 4 + w) % 50}/`, { [number]: String(n) });
  }));
  while (written < 200) await pause(5);
  const members = await ann.ask('GET', `workspaces/users/workspace/${workspace.id}/`);
  const { id } = members.find(({ user_id: user }) => user === bob.id);
  await ann.ask('DELETE', `workspaces/users/${id}/`);
  const until = written + 200;
  while (written < until) await pause(5);
  writing = false;
  await storm;

  const came = await heard(socket);
  const end = came.findIndex(({ type }) => type === 'group_user_deleted');
  assert.ok(came.slice(0, end).some(({ type }) => type === 'rows_updated'), 'the storm was heard before');
  assert.deepEqual(came.slice(end + 1), pages.map(({ page, ...parameters }) => ({ type: 'page_discard', page, parameters })));
  socket.send({ page: 'table', table_id: table.id });
  assert.deepEqual(await heard(socket), []);
});

/* A table as a client keeps it that applies what it is told. */
class Copy {
  constructor(rows) {
    this.rows = new Map(rows.map((row) => [row.id, row]));
    this.cursor = -1;
  }

  apply(message) {
    if ('_event_id' in message) {
      assert.ok(message._event_id > this.cursor, 'numbers rise');
      this.cursor = message._event_id;
    }
    for (const row of message.type === 'rows_created' || message.type === 'rows_updated' ? message.rows : []) this.rows.set(row.id, row);
    for (const id of message.type === 'rows_deleted' ? message.row_ids : []) this.rows.delete(id);
  }
}

test('a cut during a storm of writes is caught up: the copy equals a fresh read', async () => {
  const { ann, bob, table, name, number, path } = await makeTable(30);
  const open = async (copy) => {
    const socket = await connect(server, bob.token, { id: 'page-load', raw: true });
    socket.send({ page: 'table', table_id: table.id });
    await socket.next('page_add');
    socket.send({ type: 'replay_events', last_seen_id: copy.cursor });
    for (;;) {
      const message = await socket.next('the answer to replay_events');
      if (message.type === 'replay_events_result') {
        assert.equal(message.force_refresh, false);
        copy.cursor = Math.max(copy.cursor, message.latest_event_id);
        return socket;
      }
      copy.apply(message);
    }
  };
  const copy = new Copy([]);
  const first = await open(copy);
  copy.rows = new Copy(await readAll(ann, path)).rows;

  let writing = true, written = 0;
  const storm = Promise.all([0, 1].map(async (w) => {
    const mine = [];
    for (let n = 0; writing; n++, written++) {
      if (n % 10 === 3) mine.push((await ann.ask('POST', path, { [name]: `w${w} ${n}` })).id);
      else if (n % 10 === 7 && mine.length > 1) await ann.ask('DELETE', `${path}${mine.shift()}/`);
      else await ann.ask('PATCH', `${path}${1 + (n * 2 + w) % 30}/`, { [number]: String(n) });
      await pause(8);
    }
  }));
  await pause(200);
  for (const message of first.frames.splice(0)) copy.apply(message);
  first.terminate();
  await pause(CUT_MS);
  const second = await open(copy);
  await pause(200);
  writing = false;
  await storm;
  for (const message of await heard(second)) copy.apply(message);
  assert.ok(written > CUT_MS / 50, `${written} writes`);
  assert.deepEqual(byId(copy.rows.values()), byId(await readAll(ann, path)));
});
