/*
 * What one member's request may cost: much of everything at once is done, or refused, in bearable time, and
 * others are served meanwhile. Of the program as users have it: under sanitizers bearable is another thing.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Grid, key } from '../scenario/baserow_grid.js';
import { Server } from '../scenario/harness.js';

const BATCH = 10_000, MANY = 100_000;
let server, grid;

before(async () => {
  server = await Server.start({ environment: { BATCH_ROWS_SIZE_LIMIT: String(BATCH) } });
  grid = await Grid.make(server);
});
after(() => server.stop());

test('a row is linked to tens of thousands of rows at once, once and again', async () => {
  const [one, many] = [await grid.table('One', ['x']), await grid.table('Many')];
  const ids = [];
  while (ids.length < MANY) {
    const { items } = await grid.ann.ask('POST', `${many.rows}batch/`, { items: Array.from({ length: BATCH }, () => ({})) });
    ids.push(...items.map(({ id }) => id));
  }
  const links = await one.field('Links', 'link_row', { link_row_table_id: many.id });
  const [{ id }] = (await grid.ann.ask('GET', one.rows)).results;
  for (const wanted of [ids, ids.slice(1)]) {
    const row = await one.edit(id, { [key(links)]: [...wanted, ...wanted.slice(0, 10)] });
    assert.deepEqual(row[key(links)].map((link) => link.id), wanted);
  }
});

test('a batch with tens of thousands of mistakes is told all of them', async () => {
  const FIELDS = 300, ROWS = 290;
  const data = [Array.from({ length: FIELDS }, (_, i) => `F${i}`)];
  const table = await grid.ann.ask('POST', `database/tables/database/${grid.database.id}/`, { name: 'Wide', data, first_row_header: true });
  const cells = Object.fromEntries(data[0].map((name) => [name, {}]));
  const answer = await grid.ann.rest('POST', `database/rows/table/${table.id}/batch/?user_field_names`, { items: Array.from({ length: ROWS }, () => cells) });
  assert.equal(answer.status, 400);
  assert.equal(Object.keys(answer.body.detail.items).length, ROWS);
  assert.equal(Object.keys(answer.body.detail.items[ROWS - 1]).length, FIELDS);
});
