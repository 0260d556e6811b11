/*
 * More clients than the process may have files: those who are in are served, the others are told.
 */
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { Server, within } from './harness.js';

const FILES = 200, CLIENTS = 400, LARGE = 4000;
let server, kept;

before(async () => {
  server = await Server.start({ under: ['prlimit', `--nofile=${FILES}`] });
  await server.makeCollection('rows', { text: 'text' });
  await server.ask('POST', '/items/rows', Array.from({ length: 200 }, (_, i) => ({ text: String(i).padStart(LARGE, 'x') })));
  kept = await server.socket();
});
after(() => server.stop());

/* A client that asks for nothing. */
function idle() {
  const client = { socket: net.connect(server.port, '127.0.0.1'), said: '' };
  client.connected = new Promise((resolve, reject) => { client.socket.once('connect', resolve).once('error', reject); });
  client.ended = new Promise((resolve) => { client.socket.once('close', resolve); });
  client.socket.on('data', (data) => { client.said += data; }).on('error', () => {});
  return client;
}

async function sees(client, message) {
  const frame = await client.ask(message);
  assert.equal(frame.type, 'RESPONSE', JSON.stringify(frame));
  return frame.data;
}

test('clients cannot take the files that the database needs', async () => {
  const clients = Array.from({ length: CLIENTS }, idle);
  await within(Promise.all(clients.map((c) => c.connected)), 'all to connect');
  /* Clients are admitted in the order they came: once the last is turned away, all are decided. */
  await within(clients.at(-1).ended, 'the last to be turned away');
  const turnedAway = clients.filter((c) => c.said.startsWith('HTTP/1.1 503 '));
  assert.ok(turnedAway.length >= CLIENTS - FILES, `${turnedAway.length} were turned away`);
  assert.ok(turnedAway.length < CLIENTS, 'some are in');

  /* A sort and a savepoint that outgrow memory go to files. */
  const sorted = await sees(kept, { type: 'get', collection: 'rows', query: { sort: ['-text'], limit: -1 } });
  assert.equal(sorted.length, 200);
  await sees(kept, { type: 'post', collection: 'rows', data: Array.from({ length: 500 }, () => ({ text: 'y'.repeat(LARGE / 4) })) });
  await sees(kept, { type: 'patch', collection: 'rows', ids: sorted.map((row) => row.id), data: { text: 'z'.repeat(LARGE) } });

  for (const client of clients) client.socket.destroy();
  await within(Promise.all(clients.map((c) => c.ended)), 'all to be gone');
  await sees(await server.socket(), { type: 'get', collection: 'rows', query: { limit: 1 } });
});
