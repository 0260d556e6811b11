/*
 * PostgreSQL goes away and comes back in a storm of writes: Rowcast goes on by itself.
 *
 * What was acknowledged is there once, what was refused is not, and of what is "not known" nothing is there
 * twice. Sockets stay; one that follows all the while holds the same as a fresh read.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Server, makeFolder, pause, postgresOnly, runCommand, within } from '../scenario/harness.js';

const { test } = postgresOnly;
const RESTARTS = 20, WRITERS = 4, LANES = 8; // a lane: one request after the other
const random = (below) => Math.floor(Math.random() * below);

/* pg_ctl with these words. Not through pipes: the server would hold them open. */
function control(...words) {
  const [program, ...first] = process.env.ROWCAST_TEST_POSTGRES_CTL.split(' ');
  const child = spawn(program, [...first, ...words], { stdio: 'ignore' });
  return within(new Promise((resolve, reject) => child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`pg_ctl ${words.join(' ')}: ${code}`))))),
    'pg_ctl', 60_000);
}

/* At times it stays away for a while; for so long that what was being committed is answered "not known". */
async function restart(round) {
  const mode = round % 2 ? 'immediate' : 'fast';
  if (round % 10 !== 5 && random(2)) return control('restart', '-m', mode);
  await control('stop', '-m', mode);
  await pause(round % 10 === 5 ? 2500 : random(300));
  return control('start');
}

/* What a 503 says of the request: nothing was done, or nobody knows. */
function outcome({ status, code, extensions }) {
  assert.deepEqual({ status, code, service: extensions.service }, { status: 503, code: 'SERVICE_UNAVAILABLE', service: 'api' });
  return /not known/.test(extensions.reason) ? 'unknown' : 'refused';
}

/* One socket that writes: each row is asked for once, then perhaps changed, then perhaps deleted. */
class Writer {
  constructor(number, storm) {
    Object.assign(this, { number, storm, rows: [], asked: 0, waiting: new Map() });
  }

  async start() {
    this.client = await this.storm.server.socket();
    this.client.ws.removeAllListeners('message');
    this.client.ws.on('message', (data) => {
      const frame = JSON.parse(data);
      const answered = this.waiting.get(frame.uid);
      this.waiting.delete(frame.uid);
      answered(frame);
    });
    this.lanes = Promise.all(Array.from({ length: LANES }, () => this.#lane()));
  }

  async #ask(message) {
    const uid = `${++this.asked}`;
    const answer = new Promise((resolve) => this.waiting.set(uid, resolve));
    this.client.send({ ...message, collection: 'rows', uid });
    const frame = await within(answer, `an answer to ${JSON.stringify(message)}`);
    const said = frame.type === 'RESPONSE' ? 'done' : outcome(frame.data);
    this.storm.count[said] += 1;
    if (said !== 'done') await pause(20 + random(50));
    return { said, data: frame.data };
  }

  async #lane() {
    while (!this.storm.over) {
      const row = { text: `row ${this.rows.length} of writer ${this.number}`, there: [false], counts: [null] };
      this.rows.push(row);
      await this.#live(row);
    }
  }

  /* `there` and `counts` are what may be. Once something is not known the row is left alone. */
  async #live(row) {
    const made = await this.#ask({ type: 'post', data: { text: row.text } });
    row.there = { done: [true], refused: [false], unknown: [true, false] }[made.said];
    if (made.said !== 'done') return;
    const { id } = made.data;
    if (random(3) === 0) {
      const { said } = await this.#ask({ type: 'patch', id, data: { count: 1 } });
      row.counts = { done: [1], refused: [null], unknown: [1, null] }[said];
      if (said === 'unknown') return;
    }
    if (random(6) === 0) {
      const { said } = await this.#ask({ type: 'delete', id });
      row.there = { done: [false], refused: [true], unknown: [true, false] }[said];
    }
  }
}

/* A socket that follows from the beginning: all that it knows, it was told. */
async function follow(storm) {
  const client = await (await storm.server.socket()).follow('rows');
  const state = new Map();
  return {
    client,
    async rows() {
      for (const { action, key, keys, payload } of await client.drain()) {
        if (action === 'create') assert.ok(!state.has(key), `row ${key} was created twice`);
        if (action === 'create') state.set(key, { count: null, ...payload, id: key });
        else if (action === 'update') for (const id of keys) Object.assign(state.get(id), payload);
        else for (const id of payload) assert.ok(state.delete(id), `row ${id} was not there`);
      }
      return [...state.values()].sort((a, b) => a.id - b.id);
    },
  };
}

/* Over HTTP, reads and upgrades meet the same: 503, and when to come again. */
async function probe(storm) {
  while (!storm.over) {
    const { status, body, headers } = await storm.server.rest('GET', '/items/rows?limit=1');
    storm.reads[status] = (storm.reads[status] ?? 0) + 1;
    if (status !== 200) {
      assert.equal(outcome({ status, ...body.errors[0].extensions, extensions: body.errors[0].extensions }), 'refused');
      assert.equal(headers.get('retry-after'), '1');
    }
    await storm.server.socket().then((client) => client.terminate(), (error) => {
      assert.equal(error.status, 503, error.message);
      assert.equal(error.headers['retry-after'], '1');
    });
    assert.equal((await storm.server.rest('GET', '/server/ping')).status, 200);
    await pause(10);
  }
}

async function waitUntilBack(server) {
  const written = async () => {
    while ((await server.rest('POST', '/items/probes', {})).status !== 200) await pause(20);
  };
  await within(written(), 'the database to be back');
}

function verify(storm, rows) {
  const byText = new Map(rows.map((row) => [row.text, row]));
  assert.equal(byText.size, rows.length, 'no row is doubled');
  for (const { text, there, counts } of storm.writers.flatMap((writer) => writer.rows)) {
    const row = byText.get(text);
    assert.ok(there.includes(row !== undefined), `${text} is ${row ? '' : 'not '}there`);
    if (row) assert.ok(counts.includes(row.count), `the count of ${text} is ${row.count}`);
    byText.delete(text);
  }
  assert.equal(byText.size, 0, 'nothing is there that was not asked');
}

test(`PostgreSQL is restarted ${RESTARTS} times in a storm of writes: nothing is lost or doubled, and sockets stay`, { timeout: 300_000 }, async () => {
  const folder = makeFolder(), server = await Server.start({ folder, environment: { LOG_LEVEL: 'info' } });
  const storm = { server, over: false, count: { done: 0, refused: 0, unknown: 0 }, reads: {} };
  await server.makeCollection('rows', { text: 'string', count: 'integer' });
  await server.makeCollection('probes', {});
  const follower = await follow(storm);
  storm.writers = Array.from({ length: WRITERS }, (_, number) => new Writer(number, storm));
  await Promise.all(storm.writers.map((writer) => writer.start()));
  let closed = 0;
  for (const { ws } of [follower.client, ...storm.writers.map((writer) => writer.client)]) ws.on('close', () => { closed += 1; });
  const restarts = async () => {
    for (let round = 0; round < RESTARTS; round++) {
      await pause(50 + random(150));
      await restart(round);
      await waitUntilBack(server);
    }
  };
  await Promise.race([restarts(), probe(storm), ...storm.writers.map((writer) => writer.lanes)]);
  storm.over = true;
  await Promise.all(storm.writers.map((writer) => writer.lanes));
  await waitUntilBack(server);

  const rows = await server.ask('GET', '/items/rows?limit=-1&sort=id');
  verify(storm, rows);
  assert.deepEqual(await follower.rows(), rows, 'who followed holds the same as a fresh read');
  assert.equal(closed, 0, 'sockets stay');
  assert.ok(storm.count.done > RESTARTS * LANES, `only ${storm.count.done} writes were done: the storm was none`);
  assert.ok(storm.count.refused > 0 && storm.reads[503] > 0, 'the database was never away');
  assert.doesNotMatch(server.stderr, / ERROR | FATAL /);
  const told = (what) => server.stderr.split(what).length - 1;
  assert.ok(told('is away') <= 2 * RESTARTS && told('is back') <= told('is away'), server.stderr);
  console.log(`writes: ${JSON.stringify(storm.count)}; reads: ${JSON.stringify(storm.reads)}; commits in doubt: ${told('was in doubt is')}`);

  await server.stop();
  const check = runCommand(folder, ['check']);
  assert.equal(check.status, 0, check.stderr);
  assert.match(check.stdout, /the journal is dense/);
  folder.remove();
});
