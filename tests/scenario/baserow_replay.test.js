/* What a client missed while it was cut (baserow-2026.md 2, 3, 7; the numbers of its checks in section 10 stand in front). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Person } from './baserow.js';
import { connect, heard, heardToTheEnd } from './baserow_channel.js';
import { Server, makeFolder, postgresOnly, runCommand } from './harness.js';
import { beginScene } from './postgres_scene.js';

const REFRESH = { type: 'replay_events_result', force_refresh: true, latest_event_id: -2 };
let server;

before(async () => { server = await Server.start({ environment: { BASEROW_REALTIME_REPLAY_MAX_EVENTS: '5' } }); });
after(() => server?.stop());

let made = 0;
const newcomer = (name = 'Person', at = server) => Person.register(at, `${name}${++made}`);
const rename = (person, workspace, name, headers) => person.ask('PATCH', `workspaces/${workspace.id}/`, { name }, headers);

/* Ann's workspace, in which Bob is a member, and Eve, who knows neither. */
async function makeScene(at = server) {
  const [ann, bob, eve] = [await newcomer('Ann', at), await newcomer('Bob', at), await newcomer('Eve', at)];
  const workspace = await ann.ask('POST', 'workspaces/', { name: 'Acme' });
  const invitation = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: bob.email, permissions: 'MEMBER', message: '' });
  await bob.ask('POST', `workspaces/invitations/${invitation.id}/accept/`);
  return { ann, bob, eve, workspace };
}

/* A page load: its id stays the same over reconnects. */
const open = (person, id, more = {}) => connect(person.server, person.token, { id, raw: true, ...more });

/* Asks and takes what comes up to the answer. */
async function replay(socket, cursor, more = {}) {
  socket.send({ type: 'replay_events', ...(cursor === undefined ? {} : { last_seen_id: cursor }), ...more });
  const messages = [];
  for (;;) {
    const message = await socket.next('the answer to replay_events');
    if (/^replay_events_/.test(message.type)) return { messages, answer: message };
    messages.push(message);
  }
}
const ids = (messages) => messages.map(({ _event_id: id }) => id);
const names = (messages) => messages.map(({ workspace }) => workspace?.name);
function assertRising(numbers) {
  for (let i = 1; i < numbers.length; i++) assert.ok(numbers[i - 1] < numbers[i], numbers.join(' '));
}

/* A cursor at the present, and the socket cut. */
async function leave(person, id) {
  const socket = await open(person, id);
  const { answer } = await replay(socket, -1);
  assert.equal(answer.force_refresh, false);
  await socket.close();
  return answer.latest_event_id;
}

/* ---- numbers ---- */

test('2 a message has one number, its last key, however many hear it; numbers rise; what controls has none', async () => {
  const { ann, bob, workspace } = await makeScene();
  const sockets = [await open(ann), await open(ann), await open(bob)];
  for (const name of ['1', '2', '3']) await rename(ann, workspace, name);
  await bob.ask('POST', `workspaces/${workspace.id}/leave/`);
  const told = [];
  for (const socket of sockets) {
    socket.send({ remove_page: 'table', table_id: 1 });
    told.push(await heard(socket));
  }
  for (const messages of told) {
    const discard = messages.pop();
    assert.deepEqual(discard, { type: 'page_discard', page: 'table', parameters: { table_id: 1 } });
    assert.deepEqual(messages.map(({ type }) => type), ['group_updated', 'group_updated', 'group_updated', 'group_user_deleted']);
    for (const message of messages) {
      assert.equal(Object.keys(message).pop(), '_event_id');
      assert.ok(Number.isSafeInteger(message._event_id));
    }
    assertRising(ids(messages));
    assert.deepEqual(ids(messages), ids(told[0]));
  }
});

test('2 messages of one request have numbers of their own, in the order of telling', async () => {
  const { ann, eve, workspace } = await makeScene();
  const socket = await open(eve);
  const invitation = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: eve.email, permissions: 'MEMBER', message: '' });
  await eve.ask('POST', `workspaces/invitations/${invitation.id}/accept/`);
  const messages = await heard(socket);
  assert.deepEqual(messages.map(({ type }) => type), ['workspace_invitation_updated_or_created', 'workspace_invitation_accepted', 'group_user_added']);
  assertRising(ids(messages));
});

test('2 force_disconnect has none', async () => {
  const ann = await newcomer('Ann'), socket = await open(ann);
  await ann.ask('POST', 'user/change-password/', { old_password: 'a long password', new_password: 'a longer password' });
  assert.deepEqual((await heardToTheEnd(socket)).messages, [{ type: 'force_disconnect' }]);
});

/* ---- asking ---- */

test('5 from an anonymous socket the request is dropped without an answer', async () => {
  const socket = await connect(server, 'anonymous');
  for (const last_seen_id of [-2, -1, 0, 7]) socket.send({ type: 'replay_events', last_seen_id });
  assert.deepEqual(await heard(socket), []);
});

test('6 the request subscribes to nothing, and leaves nothing', async () => {
  const socket = await open(await newcomer());
  socket.send({ type: 'replay_events', last_seen_id: -1, page: 'table', remove_page: 'table', table_id: 7 });
  assert.deepEqual((await heard(socket)).map(({ type }) => type), ['replay_events_result']);
});

test('7 a baseline is the highest number there is', async () => {
  const { ann, workspace } = await makeScene();
  const socket = await open(ann);
  for (const name of ['1', '2']) {
    await rename(ann, workspace, name);
    const { messages, answer } = await replay(socket, -1);
    assert.equal(messages.length, 1);
    assert.deepEqual(answer, { type: 'replay_events_result', force_refresh: false, latest_event_id: messages[0]._event_id });
  }
});

test('8 a client that was cut hears what it missed, exactly as it was told, and then how far that reaches', async () => {
  const { ann, bob, workspace } = await makeScene();
  const cursor = await leave(bob, 'bob-8');
  const witness = await open(bob, 'witness-8');
  for (const name of ['1', '2', '3']) await rename(ann, workspace, name);
  const live = await heard(witness);
  assert.equal(live.length, 3);
  const back = await open(bob, 'bob-8');
  const { messages, answer } = await replay(back, cursor);
  assert.equal(JSON.stringify(messages), JSON.stringify(live));
  assert.deepEqual(answer, { type: 'replay_events_result', force_refresh: false, latest_event_id: live[2]._event_id });
  assert.deepEqual(await replay(back, live[1]._event_id), { messages: [live[2]], answer });
  assert.deepEqual(await replay(back, live[2]._event_id), { messages: [], answer });
});

test('9 its own changes are not told again, to its other tabs they are', async () => {
  const { ann, bob, workspace } = await makeScene();
  const cursor = await leave(ann, 'ann-9');
  await leave(bob, 'bob-9');
  await rename(ann, workspace, 'theirs');
  await rename(ann, workspace, 'its own', { WebSocketId: 'ann-9' });
  await rename(ann, workspace, 'theirs again');
  assert.deepEqual(names((await replay(await open(ann, 'ann-9'), cursor)).messages), ['theirs', 'theirs again']);
  assert.deepEqual(names((await replay(await open(ann, 'another-9'), cursor)).messages), ['theirs', 'its own', 'theirs again']);
  assert.deepEqual(names((await replay(await open(bob, 'bob-9'), cursor)).messages), ['theirs', 'its own', 'theirs again']);
});

test('11 exactly the limit is replayed; with one more the client is to read anew, and nothing comes before that', async () => {
  const { ann, bob, workspace } = await makeScene();
  const cursor = await leave(bob, 'bob-11');
  for (const name of ['1', '2', '3', '4', '5']) await rename(ann, workspace, name);
  assert.deepEqual(names((await replay(await open(bob, 'bob-11'), cursor)).messages), ['1', '2', '3', '4', '5']);
  await rename(ann, workspace, '6');
  const back = await open(bob, 'bob-11');
  assert.deepEqual(await replay(back, cursor), { messages: [], answer: REFRESH });
  await rename(ann, workspace, '7');
  assert.deepEqual(names(await heard(back)), ['7']);
});

test('12, 16 what others are told does not count, and is not told', async () => {
  const { ann, bob, eve, workspace } = await makeScene();
  const cursor = await leave(bob, 'bob-12');
  const foreign = await eve.ask('POST', 'workspaces/', { name: 'Foreign' });
  for (let i = 0; i < 20; i++) await rename(eve, foreign, `F${i}`);
  for (let i = 0; i < 20; i++) await rename(ann, workspace, `A${i}`, { WebSocketId: 'bob-12' });
  await rename(ann, workspace, 'news');
  const { messages, answer } = await replay(await open(bob, 'bob-12'), cursor);
  assert.deepEqual(names(messages), ['news']);
  assert.equal(answer.force_refresh, false);
});

test('13 a client that lost its place, and one that is ahead of all that was told, are to read anew', async () => {
  const { ann, workspace } = await makeScene();
  const socket = await open(ann);
  await rename(ann, workspace, 'x');
  const [{ _event_id: head }] = await heard(socket);
  for (const cursor of [-2, head + 1, head + 1_000_000, 2 ** 53, 2 ** 60, 1e300, '-2', '9'.repeat(30)]) assert.deepEqual(await replay(socket, cursor), { messages: [], answer: REFRESH }, String(cursor));
});

test('14 a cursor is read leniently: texts of numbers are numbers, what is none asks for a baseline', async () => {
  const { ann, workspace } = await makeScene();
  const socket = await open(ann);
  for (const name of ['1', '2']) await rename(ann, workspace, name);
  const live = await heard(socket);
  const [{ _event_id: first }, { _event_id: head }] = live;
  const answer = { type: 'replay_events_result', force_refresh: false, latest_event_id: head };
  for (const cursor of [undefined, null, 'x', '', '1x', '-', -3, -1.0, -1e300, '-3', true, false, [first], { id: first }, `-${'9'.repeat(30)}`]) {
    assert.deepEqual(await replay(socket, cursor), { messages: [], answer }, JSON.stringify(cursor));
  }
  for (const cursor of [first, String(first), ` ${first} `, first + 0.5]) assert.deepEqual(await replay(socket, cursor), { messages: [live[1]], answer }, JSON.stringify(cursor));
});

test('23 who was removed meanwhile is told of it', async () => {
  const { ann, bob, workspace } = await makeScene();
  const cursor = await leave(bob, 'bob-23');
  const { users } = (await ann.ask('GET', 'workspaces/')).find(({ id }) => id === workspace.id);
  await ann.ask('DELETE', `workspaces/users/${users.find(({ user_id: id }) => id === bob.id).id}/`);
  await rename(ann, workspace, 'without him');
  const { messages } = await replay(await open(bob, 'bob-23'), cursor);
  assert.deepEqual(messages.map(({ type }) => type), ['group_user_deleted']);
});

/* ---- pages ---- */

/* Tables of the default workspace, in which the admin is, by name. */
async function makeTables(at, ...collections) {
  for (const name of collections) await at.makeCollection(name, { title: 'string' });
  const admin = await Person.login(at);
  const [{ id }] = await admin.ask('GET', 'applications/');
  const tables = await admin.ask('GET', `database/tables/database/${id}/`);
  return { admin, ids: collections.map((name) => tables.find((table) => table.name === name).id) };
}
const lookAt = (socket, ...tables) => { for (const table_id of tables) socket.send({ page: 'table', table_id }); };

test('8, 10 of pages those count that are looked at when it is asked, also when all is said at once', async () => {
  const { admin, ids: [seen, other] } = await makeTables(server, 'seen', 'unseen');
  await server.ask('POST', '/items/seen', { title: '0' });
  const look = (socket) => {
    lookAt(socket, seen);
    socket.send({ page: 'row', table_id: seen, row_id: 1 });
  };
  const witness = await open(admin, 'witness'), early = await open(admin, 'early');
  for (const socket of [witness, early]) look(socket);
  assert.equal((await heard(witness)).length, 2);
  const { answer: { latest_event_id: cursor } } = await replay(early, -1);
  await early.close();
  await server.ask('PATCH', '/items/seen/1', { title: '1' });
  await server.ask('POST', '/items/unseen', { title: 'nobody looks' });
  const live = await heard(witness);
  assert.ok(live.some(({ type }) => type === 'rows_updated'));

  const back = await open(admin, 'early');
  look(back);
  const { messages, answer } = await replay(back, cursor);
  assert.deepEqual(messages.splice(0, 2).map(({ type }) => type), ['page_add', 'page_add']);
  assert.equal(JSON.stringify(messages), JSON.stringify(live));
  assert.equal(answer.force_refresh, false);

  const elsewhere = await open(admin, 'early');
  assert.deepEqual((await replay(elsewhere, cursor)).messages, []);
  lookAt(elsewhere, other);
  assert.deepEqual((await heard(elsewhere)).map(({ type }) => type), ['page_add']);
});

test('after a restart rows of a table concern who looks at it, and nobody else', async () => {
  const folder = makeFolder();
  let at = await Server.start({ folder });
  try {
    const { admin, ids: [seen, other] } = await makeTables(at, 'seen', 'unseen');
    const early = await open(admin, 'early');
    const { answer: { latest_event_id: cursor } } = await replay(early, -1);
    await at.ask('POST', '/items/unseen', { title: 'x' });
    await at.stop();
    at = await Server.start({ folder });
    admin.server = at;
    const ask = async (...tables) => {
      const socket = await open(admin, 'early');
      lookAt(socket, ...tables);
      return (await replay(socket, cursor)).answer;
    };
    for (const tables of [[], [seen]]) assert.equal((await ask(...tables)).force_refresh, false);
    for (const tables of [[other], [seen, other]]) assert.deepEqual(await ask(...tables), REFRESH);
  } finally {
    await at.stop().finally(() => folder.remove());
  }
});

/* ---- while others go on ---- */

test('19 with changes all the time, what was missed comes first, then the answer, then what is new, in rising order', async () => {
  const { ann, bob, workspace } = await makeScene();
  let cursor = await leave(bob, 'bob-19'), going = true, changes = 0;
  const traffic = (async () => { while (going) await rename(ann, workspace, `${++changes}`); })();
  try {
    for (let round = 0, caughtUp = 0; caughtUp < 5; round++) {
      assert.ok(round < 100, 'never in time');
      const socket = await open(bob, 'bob-19');
      const { messages, answer } = await replay(socket, cursor);
      const later = [await socket.next('news')];
      assertRising(ids([...messages, ...later]));
      if (answer.force_refresh) {
        cursor = later[0]._event_id;
      } else {
        caughtUp++;
        assert.ok((messages.at(-1)?._event_id ?? cursor) <= answer.latest_event_id);
        assert.ok(answer.latest_event_id < later[0]._event_id);
        const all = names([...messages, ...later]).map(Number);
        all.forEach((name, i) => assert.equal(name, all[0] + i));
        cursor = later[0]._event_id;
      }
      socket.terminate();
    }
  } finally {
    going = false;
    await traffic;
  }
});

test('7.6 a client that named itself hears what is new after its question, or without one when it did not ask', async () => {
  const { ann, bob, workspace } = await makeScene();
  const cursor = await leave(bob, 'bob-76');
  const asks = await open(bob, 'bob-76'), pings = await open(bob, 'ping-76'), waits = await open(bob, 'wait-76');
  await rename(ann, workspace, 'x');
  assert.deepEqual(names((await replay(asks, cursor)).messages), ['x']);
  assert.deepEqual(names(await heard(pings)), ['x']);
  assert.equal((await waits.next('what waited')).workspace.name, 'x');
  for (const socket of [asks, waits]) assert.deepEqual(await heard(socket), []);
});

/* ---- what is not remembered ---- */

test('a server that starts again tells who missed nothing so, and who may have missed something to read anew', async () => {
  const folder = makeFolder();
  let at = await Server.start({ folder });
  try {
    const { ann, bob, eve, workspace } = await makeScene(at);
    const again = async () => {
      await at.stop();
      at = await Server.start({ folder });
      for (const person of [ann, bob, eve]) person.server = at;
    };
    const socket = await open(bob);
    await rename(ann, workspace, 'x');
    const [{ _event_id: cursor }] = await heard(socket);

    await again();
    let back = await replay(await open(bob, 'b'), cursor);
    assert.deepEqual(back, { messages: [], answer: { type: 'replay_events_result', force_refresh: false, latest_event_id: cursor } });

    await again();
    await Person.login(at, eve.email, 'a long password'); /* changes that nobody is told of */
    back = await replay(await open(bob, 'b'), cursor);
    assert.deepEqual(back.messages, []);
    assert.equal(back.answer.force_refresh, false);
    assert.ok(back.answer.latest_event_id > cursor);

    await rename(ann, workspace, 'y');
    back = await replay(await open(bob, 'c'), cursor);
    assert.deepEqual(names(back.messages), ['y']);
    assert.ok(back.messages[0]._event_id > cursor);

    await again();
    assert.deepEqual(await replay(await open(bob, 'b'), cursor), { messages: [], answer: REFRESH });
    assert.equal((await replay(await open(bob, 'b'), back.messages[0]._event_id)).answer.force_refresh, false);
    assert.deepEqual(await replay(await open(bob, 'b'), 0), { messages: [], answer: REFRESH });
  } finally {
    await at.stop().finally(() => folder.remove());
  }
});

test('a last message that a client saw, of a commit that had more, proves nothing after a restart', async () => {
  const folder = makeFolder();
  let at = await Server.start({ folder });
  try {
    const { ann, eve, workspace } = await makeScene(at);
    const socket = await open(eve);
    const invitation = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: eve.email, permissions: 'MEMBER', message: '' });
    await eve.ask('POST', `workspaces/invitations/${invitation.id}/accept/`);
    const [, accepted, added] = await heard(socket);
    await at.stop();
    at = await Server.start({ folder });
    eve.server = at;
    assert.equal((await replay(await open(eve, 'e'), added._event_id)).answer.force_refresh, false);
    assert.deepEqual((await replay(await open(eve, 'e'), accepted._event_id)).answer, REFRESH);
  } finally {
    await at.stop().finally(() => folder.remove());
  }
});

test('past the memory the oldest messages are not told again', async () => {
  const at = await Server.start({ environment: { BASEROW_REALTIME_REPLAY_MAX_EVENTS: '10000', BASEROW_REALTIME_REPLAY_MEMORY: '64kb' } });
  try {
    const { ann, bob, workspace } = await makeScene(at);
    const cursor = await leave(bob, 'b'), witness = await open(bob);
    for (let i = 0; i < 400; i++) await rename(ann, workspace, `${i}`.padEnd(160, 'x'));
    const live = await heard(witness);
    assert.equal(live.length, 400);
    assert.deepEqual(await replay(await open(bob, 'b'), cursor), { messages: [], answer: REFRESH });
    const { messages } = await replay(await open(bob, 'b'), live[389]._event_id);
    assert.deepEqual(messages, live.slice(390));
  } finally {
    await at.stop();
  }
});

/* ---- trouble ---- */

postgresOnly.test('18 while the database is away, who can is to ask again, and others are to read anew', async () => {
  const { server: at, proxy, end } = await beginScene({});
  try {
    const ann = await newcomer('Ann', at), socket = await open(ann);
    proxy.away();
    const retry = { type: 'replay_events_retry', retry_after_ms: 1000 };
    assert.deepEqual(await replay(socket, 1, { supports_retry: true }), { messages: [], answer: retry });
    for (const supports_retry of ['true', 1, false, undefined]) assert.deepEqual(await replay(socket, 1, { supports_retry }), { messages: [], answer: REFRESH });
    assert.equal((await replay(socket, -1, { supports_retry: true })).answer.force_refresh, false);
    await proxy.back();
    let answer = retry;
    while (answer.type === 'replay_events_retry') ({ answer } = await replay(socket, 1, { supports_retry: true }));
    assert.deepEqual(answer, REFRESH);
  } finally {
    await end();
  }
});

/* ---- settings ---- */

test('22 without replay no message has a number, and who asks is to read anew', async () => {
  const at = await Server.start({ environment: { BASEROW_REALTIME_REPLAY_MAX_EVENTS: '0' } });
  try {
    const { ann, workspace } = await makeScene(at);
    const socket = await open(ann, 'a', { replay: false });
    await rename(ann, workspace, 'x');
    const [message] = await heard(socket);
    assert.equal('_event_id' in message, false);
    for (const cursor of [-2, -1, 0, 5]) assert.deepEqual(await replay(socket, cursor, { supports_retry: true }), { messages: [], answer: REFRESH });
    await connect(at, 'bad', { success: false, replay: false });
  } finally {
    await at.stop();
  }
});

test('the retention must be a positive number of hours', () => {
  const folder = makeFolder();
  try {
    for (const hours of ['0', '-1', 'x']) {
      const { status, stderr } = runCommand(folder, ['serve'], { BASEROW_REALTIME_REPLAY_RETENTION_HOURS: hours });
      assert.notEqual(status, 0);
      assert.match(stderr, /BASEROW_REALTIME_REPLAY_RETENTION_HOURS/);
    }
  } finally {
    folder.remove();
  }
});
