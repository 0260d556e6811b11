/*
 * The connection between Rowcast and PostgreSQL misbehaves: held, cut at each dangerous place, refused for a while.
 *
 * Whatever happens a client is told the truth: done, not done, or not known. What was asked once is there once at
 * most, who subscribed is told once and in order, sockets stay, and it goes on by itself.
 */
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { AWAY, NOT_KNOWN, PASSWORD, assertAway, proxied, startProxy, untilBack } from './away.js';
import { ADMIN, Server, assertRefused, makeFolder, pause, postgresOnly, psql, runCommand, within } from './harness.js';

const { after, afterEach, before, test } = postgresOnly;
const LOGIN_ATTEMPTS = 2;
let folder, proxy, server;

before(async () => {
  folder = makeFolder();
  proxy = await startProxy(folder);
  server = await Server.start({ folder: proxied(folder, proxy), environment: { LOG_LEVEL: 'debug', LOGIN_ATTEMPTS: String(LOGIN_ATTEMPTS) } });
});

afterEach(async () => { assert.deepEqual(await proxy.calm(), [], 'a trap that nothing met'); });

after(async () => {
  try {
    await server.stop();
    const { status, stdout, stderr } = runCommand(folder, ['check']);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /the journal is dense/);
    assert.equal(server.stderr.includes(PASSWORD), false, 'the log tells the password');
    assert.deepEqual(server.stderr.split('\n').filter((line) => / (ERROR|FATAL) /.test(line)), []);
  } finally {
    proxy.stop();
    folder.remove();
  }
});

/* ---- what the tests say ---- */

let made = 0;
async function makeTable() {
  const name = `things_${++made}`;
  await server.makeCollection(name, { title: 'string', code: { type: 'string', schema: { is_unique: true } } });
  return name;
}

const post = (collection, data) => server.rest('POST', `/items/${collection}`, data);
const login = (password = ADMIN.password, email = ADMIN.email) => server.rest('POST', '/auth/login', { email, password }, null);
const created = (collection, key, payload) => ({ action: 'create', payload, key, collection });
const follower = async (collection) => (await server.socket()).follow(collection);
const titles = (collection) => psql(folder.schema, `SELECT title FROM "${collection}" ORDER BY id`).split('\n').slice(0, -1);
const commits = () => Number(psql(folder.schema, 'SELECT commits FROM rowcast_state'));
const isOpen = (client) => client.ws.readyState === WebSocket.OPEN;

/* What a transaction has done when it gets there. */
const journalled = (transaction) => transaction.some((sql) => sql.startsWith('INSERT INTO "rowcast_journal"'));
const inserted = (collection, count = 1) => (transaction) => transaction.filter((sql) => sql.startsWith(`INSERT INTO "${collection}"`)).length >= count;

/* The two ways to lose a connection while committing. */
const COMMIT = /^COMMIT$/;
const commitUnsent = { before: COMMIT, within: journalled };
const commitUnanswered = { answering: COMMIT, within: journalled };

const sprung = (trap) => within(trap, 'the trap to spring');

/* Resolves when all that was sent on a socket was handed to those who do it: they are in the queues then. */
const arrived = (client) => within(new Promise((resolve) => { client.ws.once('pong', resolve); client.ws.ping(); }), 'the pong');

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

/* ---- away for longer than a commit is waited for ---- */

for (const [what, trap, there] of [['was done', commitUnanswered, true], ['was not done', commitUnsent, false]])
  test(`the database goes away while committing, and stays away: nobody knows; when it is back it turns out that the commit ${what}`, async () => {
    const collection = await makeTable(), socket = await follower(collection), writer = await server.socket();
    const lost = proxy.trap({ ...trap, act: 'away' });
    const doubtful = post(collection, { title: 'lost' });
    await sprung(lost);
    assertAway(await server.rest('GET', `/items/${collection}`));
    assertAway(await doubtful, NOT_KNOWN);
    assertAway(await post(collection, { title: 'no' }));
    assertAway(await server.rest('GET', '/collections'));
    assertAway(await server.rest('DELETE', `/collections/${collection}`));
    for (const message of [{ type: 'post', collection, data: { title: 'no' } }, { type: 'get', collection }]) {
      const frame = await writer.ask({ ...message, uid: 'away' });
      assertRefused(frame, 'SERVICE_UNAVAILABLE', { status: 503, uid: 'away' });
      assert.match(frame.data.extensions.reason, AWAY);
    }
    assert.ok(isOpen(socket) && isOpen(writer));

    await proxy.back();
    const { body } = await untilBack(() => post(collection, { title: 'later' }));
    const expected = there ? ['lost', 'later'] : ['later'];
    const told = await socket.drain();
    assert.deepEqual(told.map(({ action, payload }) => [action, payload.title]), expected.map((title) => ['create', title]));
    assert.equal(told.at(-1).key, body.data.id);
    assert.deepEqual(titles(collection), expected);
    assert.deepEqual((await untilBack(() => server.rest('GET', `/items/${collection}`))).body.data.map(({ title }) => title), expected);
    assert.ok(isOpen(socket) && isOpen(writer));
  });

test('what was in doubt is told when the database is back, though nobody asks for anything, and the connection is lost once more', async () => {
  const collection = await makeTable(), socket = await follower(collection);
  const lost = proxy.trap({ ...commitUnanswered, act: 'away' });
  assertAway(await post(collection, { title: 'lost' }), NOT_KNOWN);
  await sprung(lost);
  const again = proxy.trap({ answering: /"request" = / });
  await proxy.back();
  await sprung(again);
  assert.equal((await socket.next('the event')).payload.title, 'lost');
});

test('a collection whose making was in doubt is there for everybody when the database is back', async () => {
  const collection = `things_${made + 1}`, client = await server.socket();
  const lost = proxy.trap({ ...commitUnanswered, act: 'away' });
  await assert.rejects(makeTable(), /503 .*it is not known whether/);
  await sprung(lost);
  assertAway(await server.rest('GET', `/collections/${collection}`));
  assertRefused(await client.ask({ type: 'get', collection }), 'SERVICE_UNAVAILABLE', { status: 503 });
  await proxy.back();
  const { id } = (await untilBack(() => post(collection, { title: 'a' }))).body.data;
  await client.follow(collection);
  assert.deepEqual((await untilBack(() => server.rest('GET', `/items/${collection}`))).body.data, [{ id, title: 'a', code: null }]);
  await post(collection, { title: 'b' });
  assert.equal((await client.next()).payload.title, 'b');
});

/* ---- the server does not notice that a connection is gone, and what was on its way may still come ---- */

for (const [what, deliver] of [['arrives all the same', true], ['never arrives', false]])
  test(`a commit that is stranded on its way ${what}: nobody knows until then, and it is told right`, async () => {
    const collection = await makeTable(), socket = await follower(collection);
    const lost = proxy.trap({ ...commitUnsent, act: 'strand' });
    const doubtful = post(collection, { title: 'lost' });
    const link = await sprung(lost);
    assert.deepEqual(await server.ask('GET', `/items/${collection}`), [], 'reads go on');
    assertAway(await doubtful, NOT_KNOWN);
    assert.deepEqual(await socket.drain(), []);
    link.land({ deliver });
    const { body } = await untilBack(() => post(collection, { title: 'later' }));
    const expected = deliver ? ['lost', 'later'] : ['later'], told = await socket.drain();
    assert.deepEqual(told.map(({ payload }) => payload.title), expected);
    assert.equal(told.at(-1).key, body.data.id);
    assert.deepEqual(titles(collection), expected);
    assert.ok(isOpen(socket));
  });

test('a commit that arrives late, while it is looked up, is answered as done', async () => {
  const collection = await makeTable(), socket = await follower(collection);
  const lost = proxy.trap({ ...commitUnsent, act: 'strand' }), connections = proxy.links.size;
  const answer = post(collection, { title: 'late' });
  const link = await sprung(lost);
  await within((async () => { while (proxy.links.size < connections) await pause(5); })(), 'a new connection of the writer');
  link.land({ deliver: true });
  const { status, body } = await answer;
  assert.equal(status, 200);
  assert.deepEqual(await socket.drain(), [created(collection, body.data.id, { title: 'late' })]);
  assert.deepEqual(titles(collection), ['late']);
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

/* ---- no answer ---- */

test('PostgreSQL does not answer for three seconds: requests wait, and what needs no database is answered', async () => {
  const collection = await makeTable(), socket = await follower(collection);
  proxy.hold();
  let answered = 0;
  const waiting = [post(collection, { title: 'slow' }), server.rest('GET', `/collections/${collection}`), server.socket()];
  for (const one of waiting) one.then(() => { answered += 1; });
  const end = Date.now() + 3000;
  while (Date.now() < end) {
    assert.equal((await server.rest('GET', '/server/ping')).status, 200);
    assert.equal((await server.rest('GET', '/')).status, 200);
    await arrived(socket);
    await pause(200);
  }
  assert.equal(answered, 0);
  proxy.release();
  const [written, read] = await Promise.all(waiting);
  assert.deepEqual([written.status, read.status], [200, 200]);
  assert.deepEqual((await socket.drain()).map(({ payload }) => payload), [{ title: 'slow' }]);
});

/* ---- who it is ---- */

const refresh = (refresh_token) => server.rest('POST', '/auth/refresh', { refresh_token, mode: 'json' }, null);
const sessions = () => Number(psql(folder.schema, 'SELECT count(*) FROM rowcast_sessions'));

test('while the database is away nobody logs in or connects, and nothing is held against them after it', async () => {
  const tokens = (await login()).body.data, so_far = sessions();
  proxy.away();
  assertAway(await login());
  assertAway(await refresh(tokens.refresh_token));
  assertAway(await server.rest('GET', '/users/me', undefined, tokens.access_token));
  const refused = await server.socket().then(() => assert.fail('the upgrade was accepted'), (error) => error);
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
  for (let i = 0; i < 2 * LOGIN_ATTEMPTS; i++) assertAway(await login('wrong'));
  await proxy.back();
  const renewed = await untilBack(() => refresh(tokens.refresh_token));
  assert.equal(renewed.status, 200);
  assert.equal((await untilBack(() => login())).status, 200);
  assert.equal(sessions(), so_far + 1);
  assert.equal((await untilBack(() => server.rest('GET', '/users/me', undefined, renewed.body.data.access_token))).status, 200);
  assert.ok(isOpen(await within(untilOpen(), 'a socket')));
});

/* Each reader finds out by itself that the database is back. */
async function untilOpen() {
  for (;;) {
    const client = await server.socket().catch((error) => { assert.equal(error.status, 503); });
    if (client) return client;
    await pause(20);
  }
}

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
