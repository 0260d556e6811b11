/*
 * What lasts: a server that starts again, and one that goes on with a copy, on the other store or this one, has
 * tables, links, trash, history, tokens and counts as they were.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Person } from './baserow.js';
import { Server, makeFolder } from './harness.js';

/* Runs the parts one after another, each on a server of its own over the same data. */
async function inTurn(...parts) {
  const folder = makeFolder();
  try {
    for (const part of parts) {
      const server = await Server.start({ folder });
      try { await part(server); } finally { await server.stop(); }
    }
  } finally { folder.remove(); }
}

test('a row that comes out of the trash has a number of its own, though counting began anew meanwhile', async () => {
  let rows, gone, trash;
  await inTurn(async (server) => {
    await server.makeCollection('docs', { title: 'string' }, { key: { type: 'uuid', schema: { is_primary_key: true }, meta: { special: ['uuid'] } } });
    const admin = await Person.login(server);
    const table = (await admin.ask('GET', 'applications/')).flatMap(({ tables }) => tables ?? []).find(({ name }) => name === 'docs');
    rows = `database/rows/table/${table.id}/`;
    for (const title of ['first', 'second']) gone = (await admin.ask('POST', `${rows}?user_field_names`, { title })).id;
    await admin.ask('DELETE', `${rows}${gone}/`);
    trash = { trash_item_type: 'row', trash_item_id: gone, parent_trash_item_id: table.id };
  }, async (server) => {
    const admin = await Person.login(server);
    await admin.ask('POST', `${rows}?user_field_names`, { title: 'third' });
    await admin.ask('PATCH', 'trash/restore/', trash);
    const { results } = await admin.ask('GET', `${rows}?user_field_names`);
    assert.deepEqual(results.map(({ title }) => title).sort(), ['first', 'second', 'third']);
    assert.equal(new Set(results.map(({ id }) => id)).size, 3, JSON.stringify(results));
    for (const { id, title } of results) assert.equal((await admin.ask('GET', `${rows}${id}/?user_field_names`)).title, title);
  });
});
