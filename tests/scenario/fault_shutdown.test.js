/*
 * SIGTERM under load: everybody is told, what was received is finished, and nothing acknowledged is lost.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, makeFolder, within } from './harness.js';

const SOCKETS = 1000, WRITERS = 10, WINDOW = 20;
let server, folder;

before(async () => {
  folder = makeFolder();
  server = await Server.start({ folder });
  await server.makeCollection('rows', { number: 'integer' });
});
after(async () => {
  await server.stop();
  folder.remove();
});

test(`${SOCKETS} subscribed sockets, ${WRITERS} of which write, are closed with 1001, and the process ends with 0`, async () => {
  const clients = [];
  while (clients.length < SOCKETS) clients.push(...await Promise.all(Array.from({ length: 50 }, () => server.socket())));
  const writers = clients.slice(0, WRITERS), acknowledged = [];
  for (const client of clients) client.send({ type: 'subscribe', collection: 'rows' });
  let next = 0;
  const write = (client) => { client.send({ type: 'post', collection: 'rows', data: { number: next++ }, uid: 'write' }); };
  const busy = new Promise((resolve) => {
    for (const client of clients) {
      client.ws.removeAllListeners('message');
      if (!writers.includes(client)) continue;
      client.ws.on('message', (data) => {
        const frame = JSON.parse(data);
        if (frame.uid !== 'write') return;
        assert.equal(frame.type, 'RESPONSE', String(data));
        acknowledged.push(frame.data.number);
        if (client.ws.readyState === client.ws.OPEN) write(client);
        if (acknowledged.length > WRITERS * WINDOW) resolve();
      });
    }
  });
  for (const client of writers) for (let i = 0; i < WINDOW; i++) write(client);
  await within(busy, 'the writes to run');

  server.process.kill('SIGTERM');
  const ends = await within(Promise.all(clients.map((client) => client.closed)), 'all sockets to close');
  assert.deepEqual([...new Set(ends.map((end) => end.code))], [1001]);
  assert.deepEqual(await within(server.exited, 'the process to end'), { code: 0, signal: null }, server.stderr);

  server = await Server.start({ folder });
  const there = new Set((await server.ask('GET', '/items/rows?limit=-1&fields=number')).map((row) => row.number));
  assert.deepEqual(acknowledged.filter((number) => !there.has(number)), []);
});
