/*
 * What lasts: a server that starts again, and one that goes on with a copy, on the other store or this one, has
 * tables, links, trash, history, tokens and counts as they were.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Person } from './baserow.js';
import { Grid, key } from './baserow_grid.js';
import { ON_POSTGRES, Server, makeFolder, runCommand } from './harness.js';

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

/* Ann's grid with something of everything. */
async function furnish(server) {
  const grid = await Grid.make(server), at = { grid };
  at.customers = await grid.table('Customers', ['Anna', 'Bert', 'Cleo', 'Dora']);
  at.orders = await grid.table('Orders', ['One', 'Two']);
  at.dropped = await grid.table('Dropped', ['x']);
  at.choice = await at.customers.field('Choice', 'single_select', { select_options: [{ value: 'red', color: 'red' }, { value: 'blue', color: 'blue' }] });
  at.many = await at.customers.field('Many', 'multiple_select', { select_options: [{ value: 'a', color: 'red' }, { value: 'b', color: 'blue' }] });
  at.link = await at.customers.field('Orders', 'link_row', { link_row_table_id: at.orders.id });
  at.self = await at.customers.field('Friends', 'link_row', { link_row_table_id: at.customers.id, has_related_field: false });
  at.number = await at.customers.field('No', 'autonumber');
  at.password = await at.customers.field('Password', 'password');
  at.paid = await at.customers.field('Paid', 'number', { number_decimal_places: 3, number_negative: true });
  at.left = await at.orders.field('To Dropped', 'link_row', { link_row_table_id: at.dropped.id });
  at.gone = await at.customers.field('Gone', 'long_text');
  for (const type of ['uuid', 'created_on', 'last_modified', 'created_by', 'last_modified_by', 'multiple_collaborators']) await at.customers.field(type, type);
  const [anna, bert, cleo, dora] = (await grid.ann.ask('GET', at.customers.rows)).results.map(({ id }) => id);
  await at.customers.edit(anna, { [key(at.choice)]: at.choice.select_options[1].id, [key(at.many)]: at.many.select_options.map(({ id }) => id), [key(at.link)]: ['One', 'Two'], [key(at.self)]: [anna, bert], [key(at.password)]: 'a password', [key(at.paid)]: '-12.345', [key(at.gone)]: 'text in the trash' });
  await at.customers.edit(dora, { [key(at.link)]: ['Two'], [key(at.password)]: 'gone with the row' });
  await grid.ann.ask('PATCH', `${at.customers.rows}${dora}/move/?before_id=${bert}`);
  await grid.ann.ask('DELETE', `${at.customers.rows}${dora}/`);
  await grid.ann.ask('DELETE', `database/fields/${at.gone.id}/`);
  await grid.ann.ask('DELETE', at.dropped.path);
  at.token = await grid.ann.ask('POST', 'database/tokens/', { name: 'program', workspace: grid.workspace.id });
  return Object.assign(at, { anna, bert, cleo, dora });
}

async function everything(server, { grid, customers, orders, anna, token }) {
  const ann = await Person.login(server, grid.ann.email, 'a long password');
  const paths = ['applications/', 'trash/', 'database/tokens/', `database/tokens/${token.id}/`, `trash/workspace/${grid.workspace.id}/`, `${customers.rows}${anna}/history/`, `workspaces/users/workspace/${grid.workspace.id}/`,
    ...[customers, orders].flatMap((table) => [table.path, table.rows, `database/fields/table/${table.id}/`])];
  const answers = await Promise.all(paths.map((target) => ann.ask('GET', target)));
  return JSON.parse(JSON.stringify(answers, (name, value) => (['next', 'previous', 'last_login', 'last_access'].includes(name) ? undefined : value)));
}

/* Goes on with it: nothing is numbered twice, and all comes back from the trash. */
async function goOn(server, at) {
  const ann = await Person.login(server, at.grid.ann.email, 'a long password');
  const { customers, orders } = at;
  const restore = (type, item, parent) => ann.ask('PATCH', 'trash/restore/', { trash_item_type: type, trash_item_id: item, ...(parent && { parent_trash_item_id: parent }) });
  const made = await ann.ask('POST', customers.rows, { [key(at.link)]: ['One'], [key(at.self)]: [at.cleo] });
  assert.ok(made.id > at.dora, `row ${made.id} stands where one in the trash was`);
  const numbers = (await ann.ask('GET', customers.rows)).results.map((row) => row[key(at.number)]);
  assert.equal(new Set(numbers).size, numbers.length, `autonumbers ${numbers}`);
  const changed = await ann.ask('PATCH', `database/fields/${at.choice.id}/`, { select_options: [...at.choice.select_options, { value: 'new', color: 'green' }] });
  assert.ok(changed.select_options.at(-1).id > at.many.select_options.at(-1).id, 'no option has the number of another');
  const field = await ann.ask('POST', `database/fields/table/${orders.id}/`, { name: 'New', type: 'text' });
  assert.ok(field.id > at.gone.id);
  const table = await ann.ask('POST', `database/tables/database/${at.grid.database.id}/`, { name: 'New' });
  assert.ok(table.id > at.dropped.id);
  await restore('row', at.dora, customers.id);
  await restore('field', at.gone.id);
  await restore('table', at.dropped.id);
  const rows = (await ann.ask('GET', customers.rows)).results;
  assert.deepEqual(rows.map(({ id }) => id), [at.anna, at.dora, at.bert, at.cleo, made.id], 'each stands where it stood');
  assert.equal(rows[0][key(at.gone)], 'text in the trash');
  assert.deepEqual(rows[1][key(at.link)].map(({ value }) => value), ['Two']);
  assert.equal(rows[1][key(at.password)], true);
  assert.deepEqual(rows.at(-1)[key(at.self)].map(({ id }) => id), [at.cleo]);
  assert.ok((await ann.ask('GET', `database/fields/table/${orders.id}/`)).some(({ id }) => id === at.left.id));
  const program = await server.rest('GET', `/api/${customers.rows}`, undefined, null, { Authorization: `Token ${at.token.key}` });
  assert.equal(program.status, 200);
  const { collection } = (await server.ask('GET', '/fields')).find(({ meta }) => meta?.id === at.choice.id);
  assert.equal((await server.ask('GET', `/items/${collection}`)).length, 5, 'Directus has it, too');
}

function run(folder, args, environment) {
  const result = runCommand(folder, args, environment);
  assert.equal(result.status, 0, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
}

test('a server that starts again goes on where it ended', async () => {
  let at, was;
  await inTurn(
    async (server) => { at = await furnish(server); was = await everything(server, at); },
    async (server) => { assert.deepEqual(await everything(server, at), was); await goOn(server, at); },
  );
});

test('a copy, over a file and back, goes on where the source was', async () => {
  const [source, target] = [makeFolder(), makeFolder()];
  const address = (folder) => (ON_POSTGRES ? folder.environment.DB_CONNECTION_STRING : `sqlite:${folder.environment.DB_FILENAME}`);
  const file = path.join(source.path, 'between.sqlite'), inFile = { DB_CLIENT: 'sqlite3', DB_FILENAME: file };
  const serve = async (folder, fn, environment) => {
    const server = await Server.start({ folder, environment });
    try { await fn(server); } finally { await server.stop(); }
  };
  try {
    let at, was;
    await serve(source, async (server) => { at = await furnish(server); was = await everything(server, at); });
    run(source, ['copy', '--from', address(source), '--to', `sqlite:${file}`]);
    run(source, ['check'], inFile);
    run(source, ['copy', '--from', `sqlite:${file}`, '--to', address(target)]);
    for (const [folder, environment] of [[source, inFile], [target, undefined]]) {
      await serve(folder, async (server) => {
        assert.deepEqual(await everything(server, at), was);
        await goOn(server, at);
      }, environment);
      run(folder, ['check'], environment);
    }
  } finally {
    source.remove();
    target.remove();
  }
});
