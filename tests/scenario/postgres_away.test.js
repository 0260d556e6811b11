/*
 * PostgreSQL is away for a while, or does not answer, or does not notice that Rowcast's connection is gone.
 *
 * Clients are told that it is away, or that nobody knows whether a change was made; sockets stay; and when it is
 * back Rowcast finds out what is true, tells it, and goes on by itself.
 */
import assert from 'node:assert/strict';
import { assertRefused, pause, postgresOnly, within } from './harness.js';
import { AWAY, NOT_KNOWN, arrived, assertAway, beginScene, commitUnanswered, commitUnsent, created, isOpen, sprung, untilBack } from './postgres_scene.js';

const { after, afterEach, before, test } = postgresOnly;
const LOGIN_ATTEMPTS = 2;
let scene, proxy, server, makeTable, nextTable, post, follower, login, refresh, titles, sessions;

before(async () => {
  scene = await beginScene({ LOGIN_ATTEMPTS: String(LOGIN_ATTEMPTS) });
  ({ proxy, server, makeTable, nextTable, post, follower, login, refresh, titles, sessions } = scene);
});
afterEach(async () => { assert.deepEqual(await proxy.calm(), [], 'a trap that nothing met'); });
after(() => scene.end());

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
  const collection = nextTable(), client = await server.socket();
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
