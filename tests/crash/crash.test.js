/*
 * An acknowledged write is never lost: kill -9 in a storm of writes, start again, look.
 *
 * Each writer creates numbered rows and counts up a row of its own, without waiting for answers; what
 * was answered before the cut must be there after it, and nothing may be there that was never asked.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, makeFolder, pause, runCommand } from '../scenario/harness.js';

const ROUNDS = 50, WRITERS = 4, WINDOW = 64;
const folder = makeFolder();
let server;

before(async () => {
  server = await Server.start({ folder });
  const field = (name) => ({ field: name, type: 'integer' });
  await server.ask('POST', '/collections', { collection: 'rows', schema: {}, fields: [field('round'), field('writer'), field('number')] });
  await server.ask('POST', '/collections', { collection: 'counters', schema: {}, fields: [field('count')] });
  await server.ask('POST', '/items/counters', Array.from({ length: WRITERS }, () => ({ count: 0 })));
});
after(async () => {
  await server.stop();
  folder.remove();
});

/* One writer's storm; `asked` and `answered` grow until the socket is cut. */
async function storm(round, writer, startCount) {
  const state = { writer, asked: 0, answered: new Set(), count: startCount, answeredCount: startCount };
  const client = await server.socket();
  let open = true, free = WINDOW;
  client.ws.on('close', () => { open = false; });
  client.ws.removeAllListeners('message');
  client.ws.on('message', (data) => {
    const frame = JSON.parse(data);
    assert.equal(frame.type, 'RESPONSE', String(data));
    if (frame.uid.startsWith('row')) state.answered.add(frame.data.number);
    else state.answeredCount = frame.data.count;
    free += 1;
    write();
  });
  function write() {
    for (; open && free > 1; free -= 2) {
      const number = state.asked++;
      client.send({ type: 'post', collection: 'rows', data: { round, writer, number }, uid: `row ${number}` });
      client.send({ type: 'patch', collection: 'counters', id: writer + 1, data: { count: ++state.count }, uid: 'count' });
    }
  }
  write();
  return state;
}

async function verify(round, storms) {
  const query = `filter[round][_eq]=${round}&limit=-1&fields=writer,number`;
  const rows = await server.ask('GET', `/items/rows?${query}`);
  const counters = await server.ask('GET', '/items/counters');
  for (const s of storms) {
    const numbers = rows.filter((row) => row.writer === s.writer).map((row) => row.number);
    const there = new Set(numbers);
    assert.equal(there.size, numbers.length, 'no row is doubled');
    for (const number of s.answered) assert.ok(there.has(number), `round ${round}: row ${number} of writer ${s.writer} was acknowledged and is lost`);
    for (const number of there) assert.ok(number < s.asked, 'nothing is there that was not asked');
    const { count } = counters[s.writer];
    assert.ok(count >= s.answeredCount, `round ${round}: the counter fell back from ${s.answeredCount} to ${count}`);
    assert.ok(count <= s.count);
    s.count = count;
  }
}

test(`kill -9 in a storm of writes, ${ROUNDS} times: every acknowledged write is there, the journal is dense`, { timeout: 300_000 }, async () => {
  let counts = Array(WRITERS).fill(0), acknowledged = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const storms = await Promise.all(counts.map((count, writer) => storm(round, writer, count)));
    await pause(20 + Math.random() * 180);
    await server.kill();
    const check = runCommand(folder, ['check']);
    assert.equal(check.status, 0, check.stderr);
    assert.match(check.stdout, /the journal is dense/);
    server = await Server.start({ folder });
    await verify(round, storms);
    counts = storms.map((s) => s.count);
    acknowledged += storms.reduce((sum, s) => sum + s.answered.size, 0);
  }
  assert.ok(acknowledged > ROUNDS, `only ${acknowledged} writes were acknowledged: the storm was none`);
});
