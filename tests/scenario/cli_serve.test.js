/* rowcast serve: where it listens, what it logs, and how it ends. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { test } from 'node:test';
import { ADMIN, Server, makeFolder, runCommand, within } from './harness.js';

/* A server that is gone when `fn` ends, however it ends. */
async function withServer(environment, fn) {
  const folder = makeFolder();
  const server = await Server.start({ folder, environment });
  try {
    return await fn(server, folder);
  } finally {
    if (server.process.exitCode === null && server.process.signalCode === null) await server.kill();
    folder.remove();
  }
}

/* Resolves when the log says so. */
function logged(server, words, from = 0) {
  return within(new Promise((resolve) => {
    const look = () => {
      const found = server.stderr.slice(from).match(words);
      if (found) resolve(found);
    };
    server.process.stderr.on('data', look);
    look();
  }), `${words} in the log: ${server.stderr}`);
}

const accepts = (host, port) => within(new Promise((resolve) => {
  const socket = net.connect(port, host);
  socket.on('connect', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
}), 'the connection');

/* Sends bytes; gives what comes until the other side ends. */
function talk(server, bytes) {
  const socket = net.connect(server.port, '127.0.0.1');
  const said = { text: '' };
  socket.on('data', (data) => { said.text += data; said.look?.(); });
  said.ended = within(new Promise((resolve, reject) => { socket.on('end', resolve); socket.on('error', reject); }), 'the end of the connection');
  said.ended.catch(() => {});
  said.until = (words) => within(new Promise((resolve) => {
    said.look = () => { if (words.test(said.text)) resolve(); };
    said.look();
  }), words);
  socket.write(bytes);
  return said;
}

const post = (target, body) => {
  const text = JSON.stringify(body);
  return `POST ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN.token}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
};

test('it listens on this machine only, unless it is told otherwise', async () => {
  await withServer({ LOG_LEVEL: 'info' }, async (server) => {
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(await accepts('127.0.0.1', server.port), true);
    assert.equal(await accepts('127.0.0.2', server.port), false);
    await server.stop();
    assert.doesNotMatch(server.stderr, /HOST is not loopback/);
  });
  await withServer({ HOST: '0.0.0.0', LOG_LEVEL: 'info', WEBSOCKET_PUBLIC: 'true', CORS_ENABLED: 'true', CORS_ORIGIN: '*' }, async (server) => {
    assert.equal(await accepts('127.0.0.2', server.port), true);
    await server.stop();
    for (const words of [/HOST is not loopback/, /WEBSOCKET_PUBLIC/, /CORS_ORIGIN/]) assert.match(server.stderr, words);
  });
});

const hasIpv6 = Object.values(os.networkInterfaces()).flat().some(({ address }) => address === '::1');
if (hasIpv6) {
  test('an address of IPv6 stands in brackets', () => withServer({ HOST: '::1' }, async (server) => {
    assert.match(server.url, /^http:\/\/\[::1\]:\d+$/);
    assert.equal((await server.rest('GET', '/server/ping')).status, 200);
    await server.stop();
  }));
}

test('an address that cannot be had is named', () => withServer({}, async (server) => {
  const folder = makeFolder();
  const serve = (environment) => runCommand(folder, ['serve'], environment);
  const taken = serve({ PORT: String(server.port) });
  assert.equal(taken.status, 1);
  assert.match(taken.stderr, new RegExp(`PORT ${server.port}: .*Address already in use`));
  assert.equal(taken.stdout, '');
  const nonsense = serve({ HOST: 'nonsense' });
  assert.equal(nonsense.status, 1);
  assert.match(nonsense.stderr, /HOST nonsense, PORT 0: .*Invalid argument/);
  folder.remove();
  await server.stop();
}));

test('the start is logged: address, database, journal; and the end', () => withServer({ LOG_LEVEL: 'info' }, async (server) => {
  const socket = await server.socket();
  assert.match(server.stderr, new RegExp(`INFO server: version \\S+, process ${server.pid}, address ${server.url}\n`));
  assert.match(server.stderr, new RegExp(`INFO server: opened .*${server.folder.place}: journal head \\d+, \\d+ collections\n`));
  server.process.kill('SIGTERM');
  assert.deepEqual(await within(socket.closed, 'the close'), { code: 1001, reason: 'the server is going away' });
  assert.deepEqual(await within(server.exited, 'the end'), { code: 0, signal: null });
  assert.match(server.stderr, /INFO server: shutting down on SIGTERM.*\n[^]*INFO server: stopped\n$/);
}));

test('SIGUSR1 writes the counters to the log, and nothing else happens', () => withServer({ LOG_LEVEL: 'info' }, async (server) => {
  await server.makeCollection('things', { name: 'string' });
  const socket = await server.socket();
  await socket.follow('things');
  await server.ask('POST', '/items/things', { name: 'a' });
  await socket.next();
  const closing = await server.socket();
  await closing.close();
  server.process.kill('SIGUSR1');
  const [, hub] = await logged(server, /counters: hub:(.*)\n/);
  assert.match(hub, / commits [1-9]\d*, changes \d+, evaluations \d+, encodings [1-9]\d*, deliveries 1, feeds 1, subscriptions 1$/);
  assert.match(server.stderr, /counters: net: accepted [2-9]\d*, refused 0, open [1-9]\d*, websockets 1, frames_sent \d+, bytes_sent \d+\n/);
  assert.match(server.stderr, /counters: closed: PEER_CLOSED [1-9]\d*, .*SHUTDOWN 0, FAULT 0\n/);
  assert.match(server.stderr, /counters: service: requests [1-9]\d*, refused \d+, faults 0, .*, sessions [1-9]\d*\n/);
  const before = server.stderr.length;
  server.process.kill('SIGUSR1');
  await logged(server, /counters: hub:.* deliveries 1,.*\n/, before);
  await server.stop();
}));

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} while requests are in flight: they are answered, and what was answered is there`, () => withServer({ LOGIN_STALL_TIME: '1000' }, async (server, folder) => {
    const COUNT = 50;
    await server.makeCollection('things', { name: 'string' });
    /* The first answer shows that all that came with it was read. */
    const ping = 'GET /server/ping HTTP/1.1\r\nHost: x\r\n\r\n';
    const login = talk(server, ping + post('/auth/login', { email: ADMIN.email, password: 'wrong' }));
    const writes = talk(server, ping + Array.from({ length: COUNT }, (_, i) => post('/items/things', { name: `rest ${i}` })).join(''));
    const socket = await server.socket();
    for (let i = 0; i < 200; i++) socket.send({ type: 'post', collection: 'things', data: { name: `socket ${i}` }, uid: i });
    await Promise.all([login.until(/pong/), writes.until(/pong/), socket.next()]);
    server.process.kill(signal);

    assert.deepEqual(await within(server.exited, 'the end'), { code: 0, signal: null });
    assert.equal((await within(socket.closed, 'the close')).code, 1001);
    await Promise.all([login.ended, writes.ended]);
    assert.match(login.text, /HTTP\/1\.1 401 [^]*INVALID_CREDENTIALS/);
    assert.equal(writes.text.match(/HTTP\/1\.1 200 OK/g).length, COUNT + 1);

    assert.equal(runCommand(folder, ['check']).status, 0);
    const again = await Server.start({ folder });
    const names = new Set((await again.ask('GET', '/items/things?limit=-1')).map(({ name }) => name));
    await again.stop();
    for (let i = 0; i < COUNT; i++) assert.ok(names.has(`rest ${i}`));
    assert.ok(names.has('socket 0'));
    for (const frame of socket.frames) assert.ok(names.has(frame.data.name), `${frame.data.name} was acknowledged and is lost`);
  }));
}

test('a client that does not answer is waited for, no longer than SHUTDOWN_TIMEOUT', () => withServer({ SHUTDOWN_TIMEOUT: '50', LOG_LEVEL: 'info' }, async (server) => {
  const socket = await server.socket();
  socket.ws._socket.pause();
  server.process.kill('SIGTERM');
  assert.deepEqual(await within(server.exited, 'the end'), { code: 0, signal: null });
  assert.match(server.stderr, /stopped\n$/);
}));

for (const second of ['SIGTERM', 'SIGINT']) {
  test(`${second} behind a SIGTERM ends at once`, () => withServer({ SHUTDOWN_TIMEOUT: '10m', LOG_LEVEL: 'info' }, async (server, folder) => {
    await server.makeCollection('things', { name: 'string' });
    await server.ask('POST', '/items/things', { name: 'a' });
    const socket = await server.socket();
    socket.ws._socket.pause();
    server.process.kill('SIGTERM');
    await logged(server, /shutting down on SIGTERM; once more ends at once/);
    server.process.kill(second);
    assert.deepEqual(await within(server.exited, 'the end'), { code: null, signal: second });
    assert.equal(runCommand(folder, ['check']).status, 0);
    const again = await Server.start({ folder });
    assert.equal((await again.ask('GET', '/items/things')).length, 1);
    await again.stop();
  }));
}

test('as many files as the system allows may be open', () => withServer({}, async (server) => {
  const [, soft, hard] = readFileSync(`/proc/${server.pid}/limits`, 'utf8').match(/Max open files +(\S+) +(\S+)/);
  assert.equal(soft, hard);
  await server.stop();
}));
