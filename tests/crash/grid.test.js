/*
 * An acknowledged change of the grid is never lost, and what was not is there as a whole or not at all: kill -9 in
 * a storm of batches of rows, links, changes of fields, trash and what comes back from it.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Person } from '../scenario/baserow.js';
import { Grid, key } from '../scenario/baserow_grid.js';
import { ON_POSTGRES, Server, makeFolder, pause, runCommand } from '../scenario/harness.js';

const ROUNDS = Number(process.env.ROWCAST_TEST_ROUNDS ?? 15), WRITERS = 4, BATCH = 5;
const folder = makeFolder();
let server, grid, customers, orders, note, link;

before(async () => {
  server = await Server.start({ folder });
  grid = await Grid.make(server);
  customers = await grid.table('Customers');
  orders = await grid.table('Orders');
  note = await customers.field('Note', 'number');
  link = await customers.field('Orders', 'link_row', { link_row_table_id: orders.id });
});
after(async () => {
  await server.stop();
  folder.remove();
});

/* What a writer did, as far as it was told: row → its cells; null: in the trash; undefined cells: nobody knows. */
class Writer {
  constructor(number) { Object.assign(this, { number, rows: new Map(), orders: [], fields: new Map(), counted: 0, acknowledged: 0 }); }

  async storm() {
    const steps = [this.create, this.create, this.update, this.links, this.remove, this.restore, this.field];
    try {
      for (let turn = 0; ; turn++) await steps[turn % steps.length].call(this);
    } catch (error) {
      if (!/^(fetch failed|terminated)$/.test(error.message)) throw error;
    }
  }

  /* Asks for a change of rows, of which nobody knows anything until it is answered. */
  async change(ids, method, path, body, then) {
    const before = ids.map((id) => this.rows.get(id));
    for (const id of ids) this.rows.set(id, undefined);
    this.doubt = { ids, before };
    const answer = await this.person.ask(method, path, body);
    then(answer);
    this.doubt = null;
    this.acknowledged++;
  }

  name() { return `writer ${this.number} row ${this.counted++}`; }
  get cells() { return key(note); }
  alive() { return [...this.rows].filter(([, cells]) => cells).map(([id]) => id); }

  async create() {
    const items = Array.from({ length: BATCH }, () => ({ [this.primary]: this.name(), [key(note)]: 1 }));
    const { items: made } = await this.person.ask('POST', `${customers.rows}batch/`, { items });
    for (const row of made) this.rows.set(row.id, { name: row[this.primary], note: 1, links: [] });
    const order = await this.person.ask('POST', orders.rows, {});
    this.orders.push(order.id);
    this.acknowledged++;
  }

  async update() {
    const ids = this.alive().slice(-BATCH), before = ids.map((id) => this.rows.get(id));
    const items = ids.map((id, i) => ({ id, [key(note)]: before[i].note + 1 }));
    await this.change(ids, 'PATCH', `${customers.rows}batch/`, { items }, () => ids.forEach((id, i) => this.rows.set(id, { ...before[i], note: before[i].note + 1 })));
  }

  async links() {
    const [id] = this.alive().slice(-2), before = this.rows.get(id), links = this.orders.slice(-3);
    await this.change([id], 'PATCH', `${customers.rows}${id}/`, { [key(link)]: links }, () => this.rows.set(id, { ...before, links }));
  }

  async remove() {
    const [id] = this.alive().slice(-3), before = this.rows.get(id);
    await this.change([id], 'DELETE', `${customers.rows}${id}/`, undefined, () => { this.rows.set(id, null); this.gone = { id, before }; });
  }

  async restore() {
    if (!this.gone) return;
    const { id, before } = this.gone;
    this.gone = null;
    const body = { trash_item_type: 'row', trash_item_id: id, parent_trash_item_id: customers.id };
    await this.change([id], 'PATCH', 'trash/restore/', body, () => this.rows.set(id, before));
  }

  async field() {
    const name = `field ${this.number}.${this.counted++}`;
    this.fields.set(name, undefined);
    const made = await this.person.ask('POST', `database/fields/table/${orders.id}/`, { name, type: 'text' });
    this.fields.set(name, true);
    if (this.counted % 2) return;
    this.fields.set(name, undefined);
    await this.person.ask('DELETE', `database/fields/${made.id}/`);
    this.fields.set(name, false);
  }

  verify(rows, fields) {
    for (const [id, cells] of this.rows) {
      const row = rows.get(id);
      if (cells === undefined) continue;
      if (cells === null) assert.equal(row, undefined, `row ${id} was deleted`);
      else assert.deepEqual(row && { name: row[this.primary], note: Number(row[key(note)]), links: row[key(link)].map((one) => one.id) }, cells, `row ${id}`);
    }
    for (const [name, there] of this.fields) if (there !== undefined) assert.equal(fields.has(name), there, name);
    this.settle(rows, fields);
  }

  /* A change that was not answered happened to all of its rows or to none; from here on what is there is known. */
  settle(rows, fields) {
    if (this.doubt) {
      const same = this.doubt.ids.map((id, i) => {
        const row = rows.get(id), was = this.doubt.before[i];
        return Boolean(row) === Boolean(was) && (!row || (Number(row[key(note)]) === was.note && row[key(link)].length === was.links.length));
      });
      if (this.doubt.ids.length > 1) assert.equal(new Set(same).size, 1, `half of a batch is there: ${same}`);
      for (const id of this.doubt.ids) {
        const row = rows.get(id);
        this.rows.set(id, row ? { name: row[this.primary], note: Number(row[key(note)]), links: row[key(link)].map((one) => one.id) } : null);
      }
    }
    this.doubt = this.gone = null;
    for (const name of this.fields.keys()) this.fields.set(name, fields.has(name));
  }
}

async function readAll(person, table) {
  const rows = new Map();
  for (let page = 1; ; page++) {
    const { results, next } = await person.ask('GET', `${table.rows}?size=200&page=${page}`);
    for (const row of results) {
      assert.ok(!rows.has(row.id), `row ${row.id} is doubled`);
      rows.set(row.id, row);
    }
    if (!next) return rows;
  }
}

test(`kill -9 in a storm of the grid, ${ROUNDS} times${ON_POSTGRES ? ', on PostgreSQL' : ''}`, { timeout: 500_000 }, async () => {
  const writers = Array.from({ length: WRITERS }, (_, number) => new Writer(number));
  const primary = key(await customers.primary());
  for (let round = 0; round < ROUNDS; round++) {
    const ann = await Person.login(server, grid.ann.email, 'a long password');
    for (const writer of writers) Object.assign(writer, { person: ann, primary });
    const storms = Promise.allSettled(writers.map((writer) => writer.storm()));
    await pause(150 + Math.random() * 400);
    await server.kill();
    for (const { reason } of await storms) if (reason) throw reason;
    const check = runCommand(folder, ['check']);
    assert.equal(check.status, 0, check.stdout + check.stderr);
    server = await Server.start({ folder });
    const reader = await Person.login(server, grid.ann.email, 'a long password');
    const rows = await readAll(reader, customers);
    const fields = new Set((await reader.ask('GET', `database/fields/table/${orders.id}/`)).map(({ name }) => name));
    for (const writer of writers) writer.verify(rows, fields);
    const names = [...rows.values()].map((row) => row[primary]);
    assert.equal(new Set(names).size, names.length, 'a row is there twice');
    const places = [...rows.values()].map(({ order }) => order);
    assert.equal(new Set(places).size, places.length, 'two rows stand in one place');
  }
  const acknowledged = writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
  assert.ok(acknowledged > ROUNDS * WRITERS, `only ${acknowledged} changes were acknowledged`);
});
