/* The end: what was asked is finished and answered, nothing acknowledged is lost. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, makeFolder, within } from './harness.js';

const folder = makeFolder();
let server;

before(async () => {
  server = await Server.start({ folder });
  await server.ask('POST', '/collections', { collection: 'rows', schema: {}, fields: [{ field: 'number', type: 'integer' }] });
});
after(async () => {
  await server.stop();
  folder.remove();
});

test('SIGTERM: every write that is done over a socket is answered before the socket closes with 1001', async () => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => server.socket()));
  const answered = clients.map(() => 0);
  const first = Promise.race(clients.map((client, i) => new Promise((resolve) => {
    client.ws.removeAllListeners('message');
    client.ws.on('message', () => { answered[i] += 1; resolve(); });
  })));
  for (const client of clients)
    for (let number = 0; number < 200; number++) client.send({ type: 'post', collection: 'rows', data: { number } });
  await within(first, 'the first answer');
  server.process.kill('SIGTERM');
  for (const { code } of await within(Promise.all(clients.map((client) => client.closed)), 'the sockets to close')) assert.equal(code, 1001);
  assert.deepEqual(await within(server.exited, 'the end'), { code: 0, signal: null });
  server = await Server.start({ folder });
  const { body } = await server.rest('GET', '/items/rows?limit=0&meta=total_count');
  assert.equal(body.meta.total_count, answered.reduce((sum, count) => sum + count, 0));
});
