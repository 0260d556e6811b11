/* Connecting as a client of directus-websocket-subscribe: A.1, A.2, A.12, lines A01 to A03 of the checklist. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ADMIN, PUBLIC_POLICY, Server, assertRefused } from './harness.js';
import { RawSocket, upgradeRequest } from './raw.js';

const SECRET = 'secret-of-the-tests';
let closed, open, off, member, loner;

before(async () => {
  [closed, open, off] = await Promise.all([
    Server.start(),
    Server.start({ environment: { WEBSOCKET_PUBLIC: 'true', WEBSOCKET_PATH: '/live/rows' } }),
    Server.start({ environment: { WEBSOCKET_ENABLED: 'false' } }),
  ]);
  for (const server of [closed, open]) {
    await server.makeCollection('things', { name: 'string', secret: 'string' });
    await server.ask('POST', '/items/things', { name: 'first', secret: 's' });
    await server.ask('POST', '/permissions', { policy: PUBLIC_POLICY, collection: 'things', action: 'read', fields: ['id', 'name'], permissions: {} });
    const made = await server.makeUser('member', [{ collection: 'things', action: 'read', fields: ['*'], permissions: {} }]);
    await server.ask('POST', '/users', { email: 'loner@example.com', password: 'password of loner', token: 'token-of-loner' });
    if (server === closed) member = made;
  }
  loner = { token: 'token-of-loner' };
});
after(() => Promise.all([closed, open, off].map((server) => server?.stop())));

const logIn = async (server, name = 'member') =>
  (await server.ask('POST', '/auth/login', { email: `${name}@example.com`, password: `password of ${name}` }, null)).access_token;

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/* The token with other claims, signed with the server's secret. */
function forge(token, claims, secret = SECRET) {
  const [head, body] = token.split('.');
  const text = `${head}.${part({ ...JSON.parse(Buffer.from(body, 'base64url')), ...claims })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const seconds = () => Math.floor(Date.now() / 1000);
const readNames = async (socket) => (await socket.ask({ type: 'get', collection: 'things' })).data;

test('A.1 WEBSOCKET_ENABLED=false: there is no upgrade, and the rest works', async () => {
  assert.ok(await off.refusal(ADMIN.token) >= 400);
  assert.equal((await off.rest('GET', '/server/ping', undefined, null)).status, 200);
});

test('A.1 WEBSOCKET_PATH moves the socket, and the default path is another path then', async () => {
  const socket = await open.socket(ADMIN.token, { path: '/live/rows' });
  assert.equal((await readNames(socket)).length, 1);
  assert.equal(await open.refusal(ADMIN.token, { path: '/websocket' }), 400);
});

test('A.1 values are cast from text: False and 0 are false, TRUE and 1 are true', async () => {
  const server = await Server.start({ environment: { WEBSOCKET_ENABLED: 'TRUE', WEBSOCKET_PUBLIC: '1' } });
  await server.socket(null);
  await server.stop();
});

test('A01 the header, api_token and access_token authenticate, with static and with access tokens', async () => {
  const access = await logIn(closed);
  for (const token of [member.token, access])
    for (const options of [
      { headers: { Authorization: `Bearer ${token}` } }, { headers: { authorization: `bearer ${token}` } },
      { headers: { Authorization: `BEARER ${token}` } }, { query: `?api_token=${token}` }, { query: `?access_token=${token}` },
      { query: `?x=1&api_token=${encodeURIComponent(token)}&y` },
    ]) {
      const socket = await closed.socket(null, options);
      assert.deepEqual(await readNames(socket), [{ id: 1, name: 'first', secret: 's' }]);
      socket.terminate();
    }
});

test('A.2 a valid token of a user with a role: 101 as that user', async () => {
  const socket = await closed.socket(member.token);
  assertRefused(await socket.ask({ type: 'post', collection: 'things', data: { name: 'n' } }), 'FORBIDDEN', { status: 403 });
  assert.equal((await readNames(socket)).length, 1);
});

test('A.2 a valid token of a user without a role: 401 unless the socket is public', async () => {
  assert.equal(await closed.refusal(loner.token), 401);
  const socket = await open.socket(loner.token, { path: '/live/rows' });
  assert.deepEqual(await readNames(socket), [{ id: 1, name: 'first' }]);
});

test('A02 no credential: 101 as the public with WEBSOCKET_PUBLIC, else 401', async () => {
  assert.equal(await closed.refusal(null), 401);
  const socket = await open.socket(null, { path: '/live/rows' });
  assert.deepEqual(await readNames(socket), [{ id: 1, name: 'first' }]);
  assertRefused(await socket.ask({ type: 'delete', collection: 'things', id: 1 }), 'FORBIDDEN', { status: 403 });
});

test('A.2 another scheme of authorization is no credential', async () => {
  assert.equal(await closed.refusal(null, { headers: { Authorization: 'Basic YTpi' } }), 401);
  await open.socket(null, { path: '/live/rows', headers: { Authorization: 'Basic YTpi' } });
});

test('A02 an invalid or expired credential: 401, also where the public may connect', async () => {
  const good = await logIn(closed), other = await logIn(open);
  assert.equal(await closed.refusal('nonsense'), 401);
  assert.equal(await closed.refusal(forge(good, { exp: seconds() - 60 })), 401);
  assert.equal(await closed.refusal(forge(good, {}, 'another secret')), 401);
  assert.equal(await closed.refusal(good.slice(0, -2)), 401);
  for (const token of ['nonsense', forge(other, { exp: seconds() - 60 }), forge(other, {}, 'another secret')])
    for (const options of [{}, { query: `?access_token=${token}` }, { query: `?api_token=${token}` }])
      assert.equal(await open.refusal(options.query ? null : token, { path: '/live/rows', ...options }), 401);
});

test('A.2 a user who is not active does not get in', async () => {
  const { user, token } = await closed.makeUser('sleeper', [], { user: { status: 'suspended' } });
  assert.equal(await closed.refusal(token), 401);
  await closed.ask('PATCH', `/users/${user.id}`, { status: 'active' });
  await closed.socket(token);
});

test('A03 credentials in more than one place: 401, though each is valid', async () => {
  const { token } = member;
  for (const [server, path] of [[closed, '/websocket'], [open, '/live/rows']]) {
    assert.equal(await server.refusal(token, { path, query: `?api_token=${token}` }), 401);
    assert.equal(await server.refusal(token, { path, query: `?access_token=${token}` }), 401);
    assert.equal(await server.refusal(null, { path, query: `?api_token=${token}&access_token=${token}` }), 401);
  }
});

test('A.2 an upgrade on another path: 400', async () => {
  for (const path of ['/', '/websocketx', '/websocket/x', '/items/things'])
    assert.equal(await closed.refusal(ADMIN.token, { path }), 400, path);
});

test('A.2 a refusal is the bare status line and the end of the connection', async () => {
  for (const [options, status] of [[{ token: null }, '401 Unauthorized'], [{ target: '/elsewhere' }, '400 Bad Request']]) {
    const raw = await RawSocket.connect(closed);
    raw.write(upgradeRequest(closed, options));
    assert.equal(await raw.readToEnd(), `HTTP/1.1 ${status}\r\n\r\n`);
  }
});

test('A.2 after the upgrade the server sends nothing', async () => {
  const socket = await closed.socket();
  assert.deepEqual(await socket.drain(), []);
});

test('A.2 the identity lasts as long as the connection, though the access token expires', async () => {
  const good = await logIn(closed);
  let socket, token;
  for (let tries = 0; !socket && tries < 10; tries++) { /* a slow machine may need more than a second to connect */
    token = forge(good, { exp: seconds() + 2 + tries });
    socket = await closed.socket(token).catch(() => null);
  }
  for (const end = Date.now() + 20_000; (await closed.rest('GET', '/items/things', undefined, token)).status === 200;)
    assert.ok(Date.now() < end, 'the token does not expire');
  assert.equal(await closed.refusal(token), 401);
  assert.deepEqual(await readNames(socket), [{ id: 1, name: 'first', secret: 's' }]);
});

test('A.12 the reference test client: its default message, with and without a uid', async () => {
  const socket = await closed.socket(null, { query: `?api_token=${member.token}` });
  const message = { type: 'GET', collection: 'things', query: { fields: ['*'], limit: 5 } };
  const rows = [{ id: 1, name: 'first', secret: 's' }], uid = '0b0d9a0e-3f0c-4f4c-9a57-3f0f0d9a0e3f';
  assert.deepEqual(await socket.ask(message), { type: 'RESPONSE', data: rows });
  assert.deepEqual(await socket.ask({ ...message, uid }), { type: 'RESPONSE', data: rows, uid });
});
