/* What bounds a connection: slow readers, silent ones, sizes and counts, the end of the server. Lines A43, T1 to T4. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, assertRefused, within } from './harness.js';
import { CLOSE, PING, PONG, RawSocket, TEXT, ask, frame } from './raw.js';

let small, pinged;

before(async () => {
  [small, pinged] = await Promise.all([
    Server.start({
      environment: {
        WEBSOCKET_OUTBOX_SIZE: '65536', WEBSOCKET_SUBSCRIPTIONS: '3', WEBSOCKET_PING_PERIOD: '0', SHUTDOWN_TIMEOUT: '1s',
        QUERY_LIMIT_DEFAULT: '20', QUERY_LIMIT_MAX: '50', MAX_BATCH_MUTATION: '10', MAX_RESPONSE_SIZE: '512kb',
      },
    }),
    Server.start({ environment: { WEBSOCKET_PING_PERIOD: '1000' } }),
  ]);
  await small.makeCollection('things', { text: 'text' });
  for (let i = 0; i < 7; i++) await small.ask('POST', '/items/things', Array(10).fill({}));
  await pinged.makeCollection('things', { text: 'text' });
});
after(() => Promise.all([small?.stop(), pinged?.stop()]));

test('T4 a client that never reads is disconnected, while others get everything', async () => {
  const witness = await (await small.socket()).follow('things'), writer = await small.socket();
  const slow = await RawSocket.open(small);
  slow.write(ask({ type: 'subscribe', collection: 'things' }));
  slow.write(frame(PING, 'subscribed'));
  assert.equal((await slow.next()).opcode, PONG);
  slow.socket.pause();
  const text = 'x'.repeat(32 * 1024), count = 400; /* 12 MiB: more than the system's buffers hold */
  for (let i = 0; i < count; i++) {
    writer.send({ type: 'patch', collection: 'things', ids: [1], data: { text: `${i} ${text}` }, query: { fields: ['id'] } });
    const [event] = await Promise.all([witness.next(), writer.next()]);
    assert.ok(event.payload.text.startsWith(`${i} `));
  }
  slow.socket.resume();
  const { code, frames } = await slow.ending();
  assert.ok(code === 1013 || code === null, `closed with ${code}`);
  assert.ok(frames.length < count, `all ${frames.length} events came`);
  frames.forEach(({ payload }, i) => assert.ok(JSON.parse(payload).payload.text.startsWith(`${i} `), 'what came is in order, with nothing left out'));
});

test('T4 a client that asks and never reads the answers is held up or disconnected, and costs nobody else anything', async () => {
  const witness = await small.socket(), slow = await RawSocket.open(small);
  await witness.ask({ type: 'patch', collection: 'things', id: 1, data: { text: 'y'.repeat(200 * 1024) } });
  slow.socket.pause();
  for (let i = 0; i < 300; i++) slow.write(ask({ type: 'get', collection: 'things', query: { filter: { id: 1 } } }));
  for (let i = 0; i < 20; i++) assert.equal((await witness.ask({ type: 'get', collection: 'things', query: { limit: 1, fields: ['id'] } })).data.length, 1);
  slow.terminate();
  assert.deepEqual(await witness.drain(), []);
});

test('T4 one event that is larger than the outbox reaches who reads', async () => {
  const witness = await (await small.socket()).follow('things');
  const text = 'z'.repeat(300 * 1024);
  await small.ask('PATCH', '/items/things/2?fields=id', { text });
  assert.equal((await witness.next()).payload.text, text);
});

test('A.10 #11 the general limits apply: subscriptions of one connection', async () => {
  const socket = await small.socket();
  for (const uid of ['a', 'b', 'c']) await socket.follow('things', { uid });
  assertRefused(await socket.ask({ type: 'subscribe', collection: 'things', uid: 'd' }), 'LIMIT_EXCEEDED', { status: 403, uid: 'd' });
  await socket.follow('things', { uid: 'c' }); /* takes the place of one */
  socket.send({ type: 'unsubscribe', uid: 'a' });
  await socket.follow('things', { uid: 'd' });
  await small.ask('PATCH', '/items/things/3', { text: 't' });
  assert.deepEqual((await socket.drain()).map((event) => event.uid).sort(), ['b', 'c', 'd']);
});

test('A.10 #11 the general limits apply: rows of an answer', async () => {
  const socket = await small.socket(), get = (query) => socket.ask({ type: 'get', collection: 'things', query: { fields: ['id'], ...query } });
  assert.equal((await get({})).data.length, 20);
  assert.equal((await get({ limit: 50 })).data.length, 50);
  assertRefused(await get({ limit: 51 }), 'INVALID_QUERY');
  assert.equal((await get({ limit: -1 })).data.length, 50);
});

test('A.10 #11 the general limits apply: items that one message changes', async () => {
  const socket = await small.socket(), keys = (count) => Array.from({ length: count }, (_, i) => i + 11);
  const patch = (count) => socket.ask({ type: 'patch', collection: 'things', ids: keys(count), data: { text: 'p' } });
  assert.equal((await patch(10)).data.length, 10);
  assertRefused(await patch(11), 'INVALID_PAYLOAD');
  assertRefused(await socket.ask({ type: 'delete', collection: 'things', ids: keys(11) }), 'INVALID_PAYLOAD');
  assert.equal((await socket.ask({ type: 'post', collection: 'things', data: Array(10).fill({}) })).data.length, 10);
  assertRefused(await socket.ask({ type: 'post', collection: 'things', data: Array(11).fill({}) }), 'INVALID_PAYLOAD');
});

test('A.10 #11 the general limits apply: bytes of an answer', async () => {
  const socket = await small.socket(), text = 'w'.repeat(200 * 1024);
  const get = (limit) => socket.ask({ type: 'get', collection: 'things', query: { limit, offset: 40, fields: ['text'] } });
  for (const id of [41, 42, 43]) assert.equal((await socket.ask({ type: 'patch', collection: 'things', ids: [id], data: { text }, query: { fields: ['id'] } })).type, 'RESPONSE');
  assert.equal((await get(2)).data.length, 2);
  assertRefused(await get(3), 'INVALID_QUERY');
  assert.equal((await get(2)).data.length, 2);
});

test('A.10 #11 the general limits apply: connections; one that goes makes room', async () => {
  const server = await Server.start({ environment: { MAX_CONNECTIONS: '3' } });
  const raws = [];
  for (let i = 0; i < 3; i++) raws.push(await RawSocket.open(server));
  await assert.rejects(RawSocket.open(server), /503/);
  raws[0].write(frame(CLOSE));
  await raws[0].ending({ answer: false });
  const end = Date.now() + 20_000;
  for (let opened = false; !opened;) {
    opened = await RawSocket.open(server).then(() => true, () => false);
    assert.ok(Date.now() < end, 'there is no room again');
  }
  await server.stop();
});

/* Reads until a ping comes; nothing else may. */
async function awaitPing(raw) {
  const got = await raw.next('a ping');
  assert.equal(got?.opcode, PING, 'a ping and nothing else');
  return got.payload;
}

test('A43, C.6, A.10 #10 an idle client gets pings of the protocol and no JSON; who answers stays, who does not is closed', async () => {
  const [living, silent, library] = [await RawSocket.open(pinged), await RawSocket.open(pinged), await (await pinged.socket()).follow('things')];
  const pings = new Promise((resolve) => library.ws.once('ping', () => library.ws.once('ping', resolve)));
  const answers = async () => {
    for (let i = 0; i < 3; i++) living.write(frame(PONG, await awaitPing(living)));
    living.write(ask({ type: 'get', collection: 'things' }));
    assert.deepEqual(await living.nextJson(), { type: 'RESPONSE', data: [] });
  };
  const saysNothing = async () => {
    await awaitPing(silent);
    const { code, frames } = await silent.ending();
    assert.deepEqual([code, frames], [1001, []]);
  };
  await Promise.all([answers(), saysNothing(), within(pings, 'two pings')]);
  assert.deepEqual(await library.drain(), []);
});

test('T1 anything that comes is life: a client that speaks but never sends a pong stays', async () => {
  const raw = await RawSocket.open(pinged);
  for (let i = 0; i < 3; i++) {
    await awaitPing(raw);
    raw.write(ask({ type: 'get', collection: 'things' }));
    assert.equal((await raw.nextJson()).type, 'RESPONSE');
  }
});

test('SIGTERM closes every socket with 1001, after the answers to what was asked', async () => {
  const server = await Server.start();
  await server.makeCollection('things', { text: 'text' });
  const idle = await server.socket(), subscribed = await (await server.socket()).follow('things'), raw = await RawSocket.open(server), half = await RawSocket.open(server);
  half.write(ask({ type: 'get', collection: 'things' }).subarray(0, 10));
  assert.equal((await subscribed.ask({ type: 'post', collection: 'things', data: { text: 'last' } })).type, 'RESPONSE');
  server.process.kill('SIGTERM');
  for (const socket of [idle, subscribed]) assert.equal((await within(socket.closed, 'the goodbye')).code, 1001);
  for (const socket of [raw, half]) assert.equal((await socket.ending()).code, 1001);
  assert.deepEqual(await within(server.exited, 'the end of the server'), { code: 0, signal: null });
  await server.stop();
});

test('SIGTERM waits no longer than SHUTDOWN_TIMEOUT for those who do not answer the goodbye', async () => {
  const server = await Server.start({ environment: { SHUTDOWN_TIMEOUT: '200' } });
  const raw = await RawSocket.open(server);
  raw.socket.pause();
  server.process.kill('SIGTERM');
  assert.deepEqual(await within(server.exited, 'the end of the server'), { code: 0, signal: null });
  await server.stop();
});
