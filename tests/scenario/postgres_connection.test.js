/*
 * The connection between Rowcast and PostgreSQL is cut at each dangerous place, and can be made again at once.
 *
 * Whatever happens a client is told the truth: done, not done, or not known. What was asked once is there once at
 * most, who subscribed is told once and in order, sockets stay, and it goes on by itself.
 */
import assert from 'node:assert/strict';
import { assertRefused, pause, postgresOnly, psql, within } from './harness.js';
import { COMMIT, arrived, assertAway, beginScene, commitUnanswered, commitUnsent, created, inserted, isOpen, journalled, sprung } from './postgres_scene.js';

const { after, afterEach, before, test } = postgresOnly;
const LOGIN_ATTEMPTS = 2;
let scene, folder, proxy, server, makeTable, post, follower, login, refresh, titles, commits, sessions;

before(async () => {
  scene = await beginScene({ LOGIN_ATTEMPTS: String(LOGIN_ATTEMPTS) });
  ({ folder, proxy, server, makeTable, post, follower, login, refresh, titles, commits, sessions } = scene);
});
afterEach(async () => { assert.deepEqual(await proxy.calm(), [], 'a trap that nothing met'); });
after(() => scene.end());

/* The writer stands before the commit of a row, and goes on with it when the proxy is released. */
function occupyWriter(collection) {
  const occupied = sprung(proxy.trap({ ...commitUnsent, act: 'hold' }));
  return { occupied, answer: post(collection, { title: 'first' }) };
}

/* ---- one write ---- */

const writers = {
  REST: async (collection, data) => (await server.ask('POST', `/items/${collection}`, data)).id,
  WebSocket: async (collection, data) => {
    const frame = await (await server.socket()).ask({ type: 'post', collection, data, uid: 'w' });
    assert.equal(frame.type, 'RESPONSE', JSON.stringify(frame));
    return frame.data.id;
  },
};

/* When the connection of a write is lost, and how often before patience ends. */
const losses = {
  'before its commit is sent': [commitUnsent],
  'after its commit was done, before the answer': [commitUnanswered],
  'with the word that its commit was done': [{ answered: COMMIT, within: journalled }],
  'before its commit is sent, and its second commit is done without an answer': [commitUnsent, commitUnanswered],
  'after its commit was done, and again while that is looked up': [commitUnanswered, { before: /"request" = / }],
  'before its commit is sent, and again while that is looked up': [commitUnsent, { answering: /"request" = / }],
};

for (const [how, create] of Object.entries(writers))
  for (const [when, traps] of Object.entries(losses))
    test(`a create over ${how} that loses its connection ${when} is answered once, as done, and there once`, async () => {
      const collection = await makeTable(), socket = await follower(collection), so_far = commits();
      const all = Promise.all(traps.map((trap) => proxy.trap(trap)));
      const key = await create(collection, { title: 'once' });
      await sprung(all);
      assert.deepEqual(titles(collection), ['once']);
      assert.deepEqual(await server.ask('GET', `/items/${collection}`), [{ id: key, title: 'once', code: null }]);
      assert.deepEqual(await socket.drain(), [created(collection, key, { title: 'once' })]);
      const next = await create(collection, { title: 'later' });
      assert.deepEqual(await socket.drain(), [created(collection, next, { title: 'later' })]);
      assert.equal(commits(), so_far + 2);
      assert.ok(isOpen(socket));
    });

test('updates and deletes that lose their connection while committing are done once', async () => {
  const collection = await makeTable(), socket = await follower(collection);
  const { id } = (await post(collection, { title: 'a' })).body.data;
  await socket.next();
  for (const trap of [commitUnsent, commitUnanswered]) {
    const lost = proxy.trap(trap);
    await server.ask('PATCH', `/items/${collection}/${id}`, { title: 'b' });
    await sprung(lost);
    assert.deepEqual(await socket.drain(), [{ action: 'update', payload: { title: 'b' }, keys: [String(id)], collection }]);
  }
  const lost = proxy.trap(commitUnanswered);
  assert.equal((await server.rest('DELETE', `/items/${collection}/${id}`)).status, 204);
  await sprung(lost);
  assert.deepEqual(await socket.drain(), [{ action: 'delete', payload: [String(id)], collection }]);
  assert.deepEqual(titles(collection), []);
});

test('a write that loses its connection twice before it commits is refused, and nothing of it is there', async () => {
  const collection = await makeTable(), socket = await follower(collection), so_far = commits();
  const lost = proxy.trap({ ...commitUnsent, times: 2 });
  assertAway(await post(collection, { title: 'never' }));
  await sprung(lost);
  assert.equal(commits(), so_far);
  assert.equal((await post(collection, { title: 'then' })).status, 200);
  assert.deepEqual((await socket.drain()).map(({ payload }) => payload), [{ title: 'then' }]);
  assert.deepEqual(titles(collection), ['then']);
});

test('a write that is refused for its own sake is refused for that after a lost connection, too', async () => {
  const collection = await makeTable();
  await post(collection, { code: 'taken' });
  const lost = proxy.trap({ before: new RegExp(`^INSERT INTO "${collection}"`) });
  const { status, body } = await post(collection, { code: 'taken' });
  await sprung(lost);
  assert.deepEqual({ status, code: body.errors[0].extensions.code }, { status: 400, code: 'RECORD_NOT_UNIQUE' });
});

/* ---- a batch ---- */

const batchLosses = {
  'before its commit is sent': () => commitUnsent,
  'after its commit was done': () => commitUnanswered,
  'before a row is inserted': (collection) => ({ before: new RegExp(`^INSERT INTO "${collection}"`) }),
  'after a row was inserted': (collection) => ({ answering: new RegExp(`^INSERT INTO "${collection}"`) }),
  'before a savepoint': () => ({ before: /^(RELEASE )?SAVEPOINT/ }),
};

for (const [when, lossOf] of Object.entries(batchLosses))
  test(`several connections write in one transaction that is lost ${when}: each has its own answer, and each row is there once`, async () => {
    const collection = await makeTable(), socket = await follower(collection), so_far = commits();
    await post(collection, { title: 'zeroth', code: 'taken' });
    const first = occupyWriter(collection);
    const clients = await Promise.all(Array.from({ length: 5 }, () => server.socket()));
    await first.occupied;
    clients.forEach((client, i) => client.send({ type: 'post', collection, data: i === 2 ? { title: 'refused', code: 'taken' } : { title: `of ${i}` }, uid: `${i}` }));
    await Promise.all(clients.map(arrived));
    const loss = lossOf(collection), lost = proxy.trap({ ...loss, within: inserted(collection, 2) });
    proxy.release();
    const frames = await Promise.all(clients.map((client) => client.next()));
    await sprung(lost);

    assert.equal((await first.answer).status, 200);
    assertRefused(frames[2], 'RECORD_NOT_UNIQUE', { uid: '2' });
    const done = frames.filter((_, i) => i !== 2);
    assert.deepEqual(done.map(({ type, data }) => [type, data.title]), [0, 1, 3, 4].map((i) => ['RESPONSE', `of ${i}`]));
    const told = await socket.drain(), keys = new Map(done.map(({ data }) => [data.title, data.id]));
    assert.deepEqual(told.slice(0, 2).map(({ payload }) => payload.title), ['zeroth', 'first']);
    assert.deepEqual(told.slice(2).map(({ payload, key }) => [payload.title, key]).sort(), [...keys].sort());
    assert.deepEqual(titles(collection), told.map(({ payload }) => payload.title), 'told in the order of the journal');
    assert.equal(commits(), so_far + 6);
    for (const client of [socket, ...clients]) assert.deepEqual([isOpen(client), await client.drain()], [true, []]);
  });

/* ---- tables ---- */

for (const [when, trap] of Object.entries({ 'before its commit is sent': commitUnsent, 'after its commit was done': commitUnanswered }))
  test(`a collection whose making loses its connection ${when} is there, and subscriptions go on`, async () => {
    const old = await makeTable(), socket = await follower(old);
    const lost = proxy.trap(trap), collection = await makeTable();
    await sprung(lost);
    assert.equal((await server.ask('GET', `/collections/${collection}`)).collection, collection);
    assert.equal((await server.ask('GET', `/fields/${collection}`)).length, 3);
    await socket.follow(collection);
    const { id } = (await post(collection, { title: 'new' })).body.data;
    assert.deepEqual(await server.ask('GET', `/items/${collection}`), [{ id, title: 'new', code: null }]);
    const other = (await post(old, { title: 'old' })).body.data;
    assert.deepEqual(await socket.drain(), [created(collection, id, { title: 'new' }), created(old, other.id, { title: 'old' })]);

    const again = proxy.trap(trap);
    await server.ask('POST', `/fields/${collection}`, { field: 'more', type: 'integer', schema: {}, meta: {} });
    await sprung(again);
    await server.ask('PATCH', `/items/${collection}/${id}`, { more: 7 });
    assert.deepEqual((await socket.drain()).map(({ payload }) => payload), [{ more: 7 }]);
    const dropped = proxy.trap(trap);
    assert.equal((await server.rest('DELETE', `/collections/${collection}`)).status, 204);
    await sprung(dropped);
    assert.equal((await server.rest('GET', `/items/${collection}`)).status, 403);
    await post(old, { title: 'still' });
    assert.equal((await socket.next()).payload.title, 'still');
  });

/* ---- reads: here, where no reader has lost a connection yet, which would be one more than the test counts ---- */

const readers = {
  REST: async (collection) => (await server.ask('GET', `/items/${collection}?sort=id&limit=-1`)).map(({ title }) => title),
  WebSocket: async (collection) => (await (await server.socket()).ask({ type: 'get', collection, uid: 'r' })).data.map(({ title }) => title),
};

for (const [how, read] of Object.entries(readers))
  for (const [place, when] of [['before', 'before it is sent'], ['answering', 'in the midst of its answer'], ['answered', 'at the end of its answer']])
    test(`a read over ${how} that is cut ${when} is answered as if nothing had been`, async () => {
      const collection = await makeTable();
      await server.ask('POST', `/items/${collection}`, [{ title: 'a' }, { title: 'b' }, { title: 'c' }]);
      const lost = proxy.trap({ [place]: new RegExp(` FROM "${collection}"`), skip: place === 'answering' ? 1 : 0 });
      assert.deepEqual(await read(collection), ['a', 'b', 'c']);
      await sprung(lost);
    });

test('a read that loses two connections is refused, and the next one is answered', async () => {
  const collection = await makeTable();
  await post(collection, { title: 'a' });
  const lost = proxy.trap({ answering: new RegExp(` FROM "${collection}"`), times: 2 });
  assertAway(await server.rest('GET', `/items/${collection}`));
  await sprung(lost);
  assert.deepEqual(await readers.REST(collection), ['a']);
});

/* ---- nothing is under way ---- */

const interruptions = {
  'were cut': () => proxy.cut(),
  'were ended by the server': () => psql('public', `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = '${folder.schema}'`),
};

for (const [what, interrupt] of Object.entries(interruptions))
  test(`after idle connections ${what} every read, write and upgrade is answered at its first try`, async () => {
    const collection = await makeTable(), socket = await follower(collection);
    const all = (count, ask) => Promise.all(Array.from({ length: count }, ask));
    interrupt();
    const answers = await Promise.all([all(4, () => post(collection, { title: 'a' })), all(12, () => server.rest('GET', `/items/${collection}`))]);
    assert.deepEqual([...new Set(answers.flat().map(({ status }) => status))], [200]);
    interrupt(); // the writer is connected by now: one that were just connecting would be refused, and pause
    await server.makeUser(`user_of_${collection}`, []);
    interrupt();
    await server.socket();
    assert.equal((await login()).status, 200);
    assert.equal((await socket.drain()).length, 4);
    assert.equal(titles(collection).length, 4);
  });

test('the upkeep of the journal that loses its connection is nothing that anybody notices', async () => {
  const collection = await makeTable(), upkeep = (transaction) => !journalled(transaction);
  for (const place of ['before', 'answering']) {
    await sprung(proxy.trap({ [place]: COMMIT, within: upkeep }));
    assert.equal((await post(collection, { title: place })).status, 200);
  }
  assert.deepEqual(titles(collection), ['before', 'answering']);
});

/* ---- who it is ---- */

for (const [when, trap] of Object.entries({ 'before its commit is sent': commitUnsent, 'after its commit was done': commitUnanswered }))
  test(`a log-in and a refresh that lose their connection ${when} open one session, which works`, async () => {
    const so_far = sessions(), lost = proxy.trap(trap), first = await login();
    await sprung(lost);
    assert.equal(first.status, 200);
    const again = proxy.trap(trap), second = await refresh(first.body.data.refresh_token);
    await sprung(again);
    assert.equal(second.status, 200);
    assert.equal(sessions(), so_far + 1);
    assert.equal((await refresh(first.body.data.refresh_token)).status, 401, 'it was used');
    assert.equal((await refresh(second.body.data.refresh_token)).status, 200);
  });

/* Resolves when so many requests wait for the writer. */
async function writerQueue(count) {
  const full = new RegExp(`writer_queue ${count}\\b`), from = server.stderr.length;
  while (!full.test(server.stderr.slice(from))) {
    server.process.kill('SIGUSR1');
    await pause(20);
  }
}

test('a log-in that failed counts once, however often its transaction is run', async () => {
  const collection = await makeTable(), client = await server.socket();
  await server.makeUser('forgetful', []);
  const mine = (password) => login(password, 'forgetful@example.com');
  const first = occupyWriter(collection);
  await first.occupied;
  const wrong = mine('wrong');
  client.send({ type: 'post', collection, data: { title: 'second' } });
  await within(writerQueue(2), 'both to wait for the writer');
  const lost = proxy.trap({ ...commitUnsent, within: inserted(collection) });
  proxy.release();
  assert.equal((await wrong).status, 401);
  await sprung(lost);
  assert.equal((await client.next()).type, 'RESPONSE');
  assert.equal((await mine('password of forgetful')).status, 200, 'one of two attempts is left');
  for (let i = 0; i < LOGIN_ATTEMPTS; i++) assert.equal((await mine('wrong')).status, 401);
  assert.equal((await mine('password of forgetful')).status, 401, 'none is left');
});
