/*
 * The disk is full: a limit on the size of files, put upon the running server and taken away again.
 * PostgreSQL's files are not the server's.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { Server, assertRefused, makeFolder, pause, runCommand, sqliteOnly } from './harness.js';

const { after, before, beforeEach, test } = sqliteOnly;
const FULL = 4096; /* less than any write to the log, once it has a page */
const WRITERS = 3, WINDOW = 24;
let server, folder, kept;

function limitFiles(size) {
  const { status, stderr } = spawnSync('prlimit', ['--pid', server.pid, `--fsize=${size}:unlimited`], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}
const fill = () => limitFiles(FULL);
const makeRoom = () => limitFiles('unlimited');

function assertSound() {
  const { status, stdout, stderr } = runCommand(folder, ['check']);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /the journal is dense/);
}

async function numbers() {
  return (await server.ask('GET', '/items/rows?limit=-1&fields=number&sort=id')).map((row) => row.number);
}

before(async () => {
  folder = makeFolder();
  server = await Server.start({ folder });
  await server.makeCollection('rows', { number: 'integer' });
  kept = await server.socket();
});
beforeEach(makeRoom);
after(async () => {
  makeRoom();
  await server.stop();
  folder.remove();
});

test('writes are answered with an internal error in the form of who asked, reads go on, and both work once there is room', async () => {
  await server.ask('POST', '/items/rows', { number: 1 });
  fill();
  const { status, body } = await server.rest('POST', '/items/rows', { number: 2 });
  assert.equal(status, 500);
  assert.equal(body.errors[0].extensions.code, 'INTERNAL_SERVER_ERROR');
  assertRefused(await kept.ask({ type: 'post', collection: 'rows', data: { number: 3 }, uid: 'a' }), 'INTERNAL_SERVER_ERROR', { status: 500, uid: 'a' });
  assert.equal((await server.rest('POST', '/collections', { collection: 'more', schema: {}, fields: [] })).status, 500);
  assert.deepEqual(await numbers(), [1]);
  assert.equal((await server.rest('GET', '/collections/more')).status, 403, 'what was refused is not there');

  makeRoom();
  await server.ask('POST', '/items/rows', { number: 4 });
  assert.equal((await kept.ask({ type: 'post', collection: 'rows', data: { number: 5 } })).type, 'RESPONSE');
  await server.ask('POST', '/collections', { collection: 'more', schema: {}, fields: [] });
  assert.deepEqual(await numbers(), [1, 4, 5]);
  assertSound();
});

/* Sends without waiting, until told to end: what was answered how, by number. */
function storm(client, first) {
  const state = { accepted: [], refused: [], strange: [], open: 0, running: true };
  let next = first;
  const write = () => {
    for (; state.running && state.open < WINDOW; state.open++, next++) client.send({ type: 'post', collection: 'rows', data: { number: next }, uid: String(next) });
  };
  state.done = (async () => {
    write();
    while (state.open > 0) {
      const frame = await client.next('an answer');
      state.open--;
      if (frame.type === 'RESPONSE') state.accepted.push(frame.data.number);
      else if (frame.data?.code === 'INTERNAL_SERVER_ERROR') state.refused.push(Number(frame.uid));
      else state.strange.push(frame);
      write();
    }
  })();
  return state;
}

async function until(holds, what) {
  for (const end = Date.now() + 20_000; !holds(); await pause(2)) assert.ok(Date.now() < end, `waited in vain for ${what}`);
}

test('in a storm of writes nothing acknowledged is lost, nothing refused is there, and who follows sees just what is', async () => {
  await server.ask('DELETE', '/items/rows', { query: { limit: -1 } });
  const follower = await (await server.socket()).follow('rows');
  const clients = await Promise.all(Array.from({ length: WRITERS }, () => server.socket()));
  const storms = clients.map((client, i) => storm(client, i * 1_000_000));
  const all = (name) => storms.flatMap((s) => s[name]);
  for (let round = 1; round <= 3; round++) {
    const accepted = all('accepted').length, refused = all('refused').length;
    makeRoom();
    await until(() => all('accepted').length > accepted + 50, 'answers');
    fill();
    await until(() => all('refused').length > refused + 50, 'refusals');
  }
  makeRoom();
  for (const s of storms) s.running = false;
  await Promise.all(storms.map((s) => s.done));

  const there = await numbers(), ascending = (a, b) => a - b;
  assert.deepEqual(all('strange'), []);
  assert.deepEqual([...there].sort(ascending), all('accepted').sort(ascending));
  assert.ok(all('refused').length > 0);
  const told = (await follower.drain()).map((frame) => frame.payload.number);
  assert.deepEqual(told, there, 'each once, in the order of the commits');
  assertSound();
});

test('stopping while the disk is full is a clean end, and nothing is lost', async () => {
  const there = await numbers();
  fill();
  await server.stop();
  assertSound();
  server = await Server.start({ folder });
  assert.deepEqual(await numbers(), there);
});

test('a start that finds no room says so and ends', async () => {
  const other = makeFolder();
  await assert.rejects(Server.start({ folder: other, under: ['prlimit', '--fsize=4096'] }), (error) => {
    assert.match(error.message, /the server ended \(1\)/);
    assert.match(error.message, /cannot open .*test\.sqlite/);
    return true;
  });
  other.remove();
});
