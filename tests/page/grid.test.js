/* The page that GET /grid serves, in Chromium: people edit one table and see each other's edits. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { PASSWORD, Person } from '../scenario/baserow.js';
import { Server, makeFolder } from '../scenario/harness.js';

const PATIENCE_MS = 15_000;
const ENVIRONMENT = { WEBSOCKET_PUBLIC: 'true' };
const MARKUP = '<img src=x onerror="document.title=1">';

let folder, server, browser, ann, bob, database, contexts = [], complaints = [];

before(async () => {
  folder = makeFolder();
  server = await Server.start({ folder, environment: ENVIRONMENT });
  ann = await Person.register(server, 'Ann');
  bob = await Person.register(server, 'Bob');
  const workspace = await ann.ask('POST', 'workspaces/', { name: 'Acme' });
  const invitation = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: bob.email, permissions: 'MEMBER', message: '', base_url: server.url });
  await bob.ask('POST', `workspaces/invitations/${invitation.id}/accept/`);
  database = await ann.ask('POST', `applications/workspace/${workspace.id}/`, { name: 'CRM', type: 'database' });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
      ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
  });
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  assert.deepEqual(complaints.splice(0), []);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  folder?.remove();
});

/* A table of names, with more fields: { name: body }. Returns { id, fields: { name: id } }. */
async function makeTable(name, names, fields = {}) {
  const table = await ann.ask('POST', `database/tables/database/${database.id}/`, { name, data: [['Name'], ...names.map((one) => [one])], first_row_header: true });
  for (const [field, body] of Object.entries(fields)) await ann.ask('POST', `database/fields/table/${table.id}/`, { name: field, ...body });
  const made = await ann.ask('GET', `database/fields/table/${table.id}/`);
  return { id: table.id, fields: Object.fromEntries(made.map((field) => [field.name, field.id])) };
}

const rowsOf = async (table, query = '') => (await ann.ask('GET', `database/rows/table/${table.id}/?user_field_names&size=200${query}`)).results;

/* A page of its own, logged in. What it complains of fails the test. */
async function openAs(person, table, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 860 }, permissions: ['clipboard-read', 'clipboard-write'], ...options });
  contexts.push(context);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('pageerror', (error) => complaints.push(String(error.stack)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text())) complaints.push(message.text());
  });
  await page.goto(`${server.url}/grid${table ? `#/table/${table.id}` : ''}`);
  if (!person) return page;
  await at(page, 'enter-email').fill(person.email);
  await at(page, 'enter-password').fill(PASSWORD);
  await at(page, 'enter-go').click();
  if (table) await at(page, 'title').waitFor();
  await page.locator('[data-testid=account][data-state=live]').waitFor();
  return page;
}

const at = (page, id) => page.getByTestId(id);
const shows = (locator, text) => locator.filter({ hasText: text }).first().waitFor();
const cell = (page, table, row, name) => at(page, `row-${row}`).locator(`[data-field="${table.fields[name]}"]`);

async function type(page, table, row, name, text) {
  await cell(page, table, row, name).click();
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}

/* Waits until the server holds what is wanted: what was typed is stored in its own time. */
async function stored(table, row, name, wanted) {
  for (let waited = 0; ; waited += 50) {
    const value = (await ann.rest('GET', `database/rows/table/${table.id}/${row}/?user_field_names`)).body[name];
    try { return assert.deepEqual(value, wanted); } catch (error) { if (waited > PATIENCE_MS) throw error; }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function menu(page, opener, words) {
  await opener.click();
  await at(page, 'menu').getByRole('menuitem', { name: words, exact: true }).click();
}

test('two people edit one table and see each other’s edits, rows and fields', async () => {
  const table = await makeTable('Together', ['One', 'Two', 'Three']);
  const writer = await openAs(ann, table), viewer = await openAs(bob, table);
  await shows(cell(viewer, table, 1, 'Name'), 'One');

  await type(writer, table, 1, 'Name', 'Uno');
  await shows(cell(viewer, table, 1, 'Name'), 'Uno');
  await type(viewer, table, 2, 'Name', MARKUP);
  await shows(cell(writer, table, 2, 'Name'), MARKUP);
  assert.equal(await writer.locator('#sheet img').count(), 0);

  await at(writer, 'add-row').click();
  await at(viewer, 'row-4').waitFor();
  await shows(at(viewer, 'count'), '4 rows');
  await cell(writer, table, 2, 'Name').click({ button: 'right' });
  await at(writer, 'menu').getByRole('menuitem', { name: 'Insert above' }).click();
  await viewer.locator('[data-testid=row-5][aria-rowindex="3"]').waitFor();

  await cell(writer, table, 3, 'Name').click();
  await writer.keyboard.press('Alt+ArrowUp');
  await viewer.locator('[data-testid=row-3][aria-rowindex="4"]').waitFor();

  await at(writer, 'add-field').click();
  await at(writer, 'dialog-name').fill('Points');
  await at(writer, 'dialog-type').selectOption('number');
  await at(writer, 'dialog-go').click();
  await shows(viewer.locator('.field-head'), 'Points');
  const [{ id: points }] = (await ann.ask('GET', `database/fields/table/${table.id}/`)).filter((field) => field.name === 'Points');
  table.fields.Points = points;
  await type(writer, table, 1, 'Points', '42');
  await shows(cell(viewer, table, 1, 'Points'), '42');
  await menu(writer, at(writer, `field-${points}`), 'Delete field');
  await at(viewer, `field-${points}`).waitFor({ state: 'detached' });
  await at(writer, 'toast-do').click();
  await shows(cell(viewer, table, 1, 'Points'), '42');

  await cell(writer, table, 1, 'Name').click();
  await writer.keyboard.press('Shift+ArrowDown');
  await writer.keyboard.press('Shift+Delete');
  await at(viewer, 'row-1').waitFor({ state: 'detached' });
  await shows(at(viewer, 'count'), '3 rows');
  await at(writer, 'toast-do').click();
  await shows(cell(viewer, table, 1, 'Name'), 'Uno');
  await shows(cell(writer, table, 1, 'Name'), 'Uno');
});

test('what is being typed is not lost to what others do', async () => {
  const table = await makeTable('Conflicts', ['One', 'Two']);
  const page = await openAs(ann, table);
  await cell(page, table, 1, 'Name').dblclick();
  await at(page, 'cell-editor').fill('Mine');
  await bob.ask('PATCH', `database/rows/table/${table.id}/1/`, { [`field_${table.fields.Name}`]: 'Theirs' });
  await shows(at(page, 'editor'), 'Meanwhile changed to: Theirs');
  assert.equal(await at(page, 'cell-editor').inputValue(), 'Mine');
  await bob.ask('POST', `database/rows/table/${table.id}/?before=1`, {});
  await page.locator('[data-testid=row-1][aria-rowindex="3"]').waitFor();
  await page.keyboard.press('Enter');
  await stored(table, 1, 'Name', 'Mine');

  await cell(page, table, 2, 'Name').dblclick();
  await at(page, 'cell-editor').fill('Orphan');
  await bob.ask('DELETE', `database/rows/table/${table.id}/2/`);
  await shows(at(page, 'toast'), 'You had typed: Orphan');
});

test('what is typed while the server is away is stored when it is back, and what was missed is shown', async () => {
  const table = await makeTable('Cut', ['One', 'Two']);
  const page = await openAs(ann, table);
  await shows(cell(page, table, 2, 'Name'), 'Two');
  const { port } = server;
  await server.stop();
  await page.locator('[data-testid=account]:not([data-state=live])').waitFor();
  await type(page, table, 1, 'Name', 'Typed in the dark');
  await at(page, 'unsaved').waitFor();
  server = ann.server = bob.server = await Server.start({ folder, environment: { ...ENVIRONMENT, PORT: String(port) } });
  await bob.ask('PATCH', `database/rows/table/${table.id}/2/`, { [`field_${table.fields.Name}`]: 'Meanwhile' });
  await shows(cell(page, table, 2, 'Name'), 'Meanwhile');
  await stored(table, 1, 'Name', 'Typed in the dark');
  await at(page, 'unsaved').waitFor({ state: 'hidden' });
});

test('each type of field is edited by its own means', async () => {
  const people = await makeTable('Guests', ['Ada', 'Grace', 'Linus']);
  const table = await makeTable('Types', ['One'], {
    Long: { type: 'long_text' }, Number: { type: 'number', number_decimal_places: 2, number_negative: true }, Stars: { type: 'rating' }, Flag: { type: 'boolean' },
    Date: { type: 'date', date_format: 'ISO' }, Moment: { type: 'date', date_include_time: true, date_force_timezone: 'Europe/Amsterdam' }, Took: { type: 'duration', duration_format: 'h:mm:ss' },
    State: { type: 'single_select', select_options: [{ value: 'Open', color: 'light-blue' }, { value: 'Shut', color: 'red' }] }, Tags: { type: 'multiple_select', select_options: [{ value: 'a', color: 'green' }] },
    Guests: { type: 'link_row', link_row_table_id: people.id }, Team: { type: 'multiple_collaborators' }, Site: { type: 'url' }, Secret: { type: 'password' }, Made: { type: 'created_on' },
  });
  const page = await openAs(ann, table, { viewport: { width: 2600, height: 800 } });
  await type(page, table, 1, 'Number', '-12.5');
  await stored(table, 1, 'Number', '-12.50');
  await cell(page, table, 1, 'Long').dblclick();
  await page.keyboard.type('two');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('lines');
  await page.keyboard.press('Enter');
  await stored(table, 1, 'Long', 'two\nlines');
  await cell(page, table, 1, 'Stars').click();
  await page.keyboard.press('3');
  await stored(table, 1, 'Stars', 3);
  await cell(page, table, 1, 'Flag').locator('.box').click();
  await stored(table, 1, 'Flag', true);
  await page.keyboard.press('Space');
  await stored(table, 1, 'Flag', false);
  for (const [name, text, value] of [['Date', '2026-05-17', '2026-05-17'], ['Moment', '2026-05-17T14:30', '2026-05-17T12:30:00Z']]) {
    await cell(page, table, 1, name).click();
    await page.keyboard.press('Enter');
    await at(page, 'cell-editor').fill(text);
    await page.keyboard.press('Enter');
    await stored(table, 1, name, value);
  }
  await shows(cell(page, table, 1, 'Moment'), '17/05/2026 14:30');
  await type(page, table, 1, 'Took', '1:02:03');
  await stored(table, 1, 'Took', 3723);
  const pick = async (name, text, words) => {
    await cell(page, table, 1, name).dblclick();
    await at(page, 'cell-editor').fill(text);
    await at(page, 'choice').filter({ hasText: words }).click();
  };
  await pick('State', 'shu', 'Shut');
  await shows(cell(page, table, 1, 'State'), 'Shut');
  await pick('Tags', 'fresh', 'Create “fresh”');
  await shows(at(page, 'editor').locator('.chosen'), 'fresh');
  await page.keyboard.press('Enter');
  await shows(cell(page, table, 1, 'Tags'), 'fresh');
  await pick('Guests', 'gra', 'Grace');
  await page.keyboard.press('Enter');
  await shows(cell(page, table, 1, 'Guests'), 'Grace');
  await pick('Team', 'bo', 'Bob');
  await page.keyboard.press('Enter');
  await shows(cell(page, table, 1, 'Team'), 'Bob');
  await type(page, table, 1, 'Site', 'javascript:alert(1)//x.y');
  await shows(cell(page, table, 1, 'Site'), 'javascript:');
  assert.equal(await cell(page, table, 1, 'Site').locator('a').count(), 0);
  await type(page, table, 1, 'Site', 'example.com');
  await cell(page, table, 1, 'Site').locator('a[href="https://example.com"]').waitFor();
  await type(page, table, 1, 'Secret', 'hush hush');
  await stored(table, 1, 'Secret', true);
  await shows(cell(page, table, 1, 'Secret'), '••••');
  await cell(page, table, 1, 'Made').dblclick();
  assert.equal(await at(page, 'cell-editor').count(), 0);

  await type(page, table, 1, 'Number', 'many');
  await shows(at(page, 'editor'), 'is not a number');
  await page.keyboard.press('Escape');
  await stored(table, 1, 'Number', '-12.50');
  const [row] = await rowsOf(table);
  assert.equal(row.State.value, 'Shut');
  assert.deepEqual([row.Guests, row.Team].map((list) => list.map((item) => item.value ?? item.name)), [['Grace'], ['Bob']]);
});

test('blocks are copied, pasted beyond the last row, emptied, and taken back', async () => {
  const table = await makeTable('Blocks', ['One', 'Two'], { Count: { type: 'number' } });
  const page = await openAs(ann, table);
  await type(page, table, 1, 'Count', '1');
  await type(page, table, 2, 'Count', '2');
  await stored(table, 2, 'Count', '2');
  await cell(page, table, 1, 'Name').click();
  await cell(page, table, 2, 'Count').click({ modifiers: ['Shift'] });
  await page.keyboard.press('Control+c');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'One\t1\nTwo\t2');
  await cell(page, table, 2, 'Name').click();
  await page.keyboard.press('Control+v');
  await stored(table, 3, 'Name', 'Two');
  assert.deepEqual((await rowsOf(table)).map((row) => [row.Name, row.Count]), [['One', '1'], ['One', '1'], ['Two', '2']]);
  await at(page, 'row-3').locator('[aria-selected=true]').first().waitFor();
  await page.keyboard.press('Delete');
  await stored(table, 3, 'Name', '');
  await page.keyboard.press('Control+z');
  await stored(table, 3, 'Name', 'Two');
  await page.evaluate(() => navigator.clipboard.writeText('"a\tb"\tword\nplain\t7'));
  await cell(page, table, 1, 'Name').click();
  await page.keyboard.press('Control+v');
  await shows(at(page, 'toast'), '1 cell did not fit');
  await stored(table, 2, 'Count', '7');
  assert.deepEqual((await rowsOf(table)).slice(0, 2).map((row) => [row.Name, row.Count]), [['a\tb', '1'], ['plain', '7']]);
});

test('ten thousand rows are read as they come into sight, and searched, filtered and sorted by the server', async () => {
  const table = await makeTable('Many', ['First']);
  for (let i = 0; i < 10_000; i += 200) await ann.ask('POST', `database/rows/table/${table.id}/batch/`, { items: Array.from({ length: 200 }, (_, k) => ({ [`field_${table.fields.Name}`]: `Name ${i + k}` })) });
  const page = await openAs(ann, table);
  await shows(at(page, 'count'), '10,001 rows');
  await cell(page, table, 1, 'Name').click();
  await page.keyboard.press('Control+ArrowDown');
  await shows(at(page, 'row-10001'), 'Name 9999');
  assert.ok(await page.locator('#rows .row').count() < 100);
  await page.evaluate(() => { document.getElementById('scroll').scrollTop = 5000 * 33; });
  await shows(at(page, 'row-5001'), 'Name 4999');
  await bob.ask('POST', `database/rows/table/${table.id}/?before=2`, { [`field_${table.fields.Name}`]: 'Far above' });
  await page.locator('[data-testid=row-5001][aria-rowindex="5003"]').waitFor();
  await shows(at(page, 'count'), '10,002 rows');

  await at(page, 'search').fill('Name 777');
  await shows(at(page, 'count'), '11 matches');
  await at(page, 'search').fill('');
  await shows(at(page, 'count'), '10,002 rows');
  await menu(page, at(page, `field-${table.fields.Name}`), 'Sort descending');
  await page.locator('[data-testid=row-10001][aria-rowindex="2"]').waitFor();
  await at(page, 'filter').click();
  await at(page, 'add-filter').click();
  await at(page, 'filter-value').fill('Far');
  await shows(at(page, 'count'), '1 match');
  await bob.ask('PATCH', `database/rows/table/${table.id}/7/`, { [`field_${table.fields.Name}`]: 'Farther' });
  await shows(at(page, 'row-7'), 'Farther');
});

test('a row is opened whole, edited there, and shows what happened to it', async () => {
  const table = await makeTable('Details', ['One'], { Notes: { type: 'long_text' } });
  const page = await openAs(ann, table);
  await cell(page, table, 1, 'Name').click();
  await page.keyboard.press('Space');
  await shows(at(page, 'detail-title'), 'One');
  await at(page, `detail-${table.fields.Notes}`).click();
  await at(page, 'cell-editor').fill('A note');
  await page.keyboard.press('Enter');
  await shows(at(page, 'history'), /Ann changed.*Notes: A note/);
  await bob.ask('PATCH', `database/rows/table/${table.id}/1/`, { [`field_${table.fields.Name}`]: 'Eins' });
  await shows(at(page, 'history'), /Bob changed.*Name: One Eins/);
  await shows(at(page, 'detail-title'), 'Eins');
  await page.reload();
  await shows(at(page, 'detail-title'), 'Eins');
  await at(page, 'detail-close').click();
  await at(page, 'detail').waitFor({ state: 'hidden' });
});

test('workspaces, databases and tables are made, renamed and deleted, and come back', async () => {
  const page = await openAs(ann), other = await openAs(ann);
  await at(page, 'new-workspace').click();
  await at(page, 'dialog-name').fill('Second');
  await at(page, 'dialog-go').click();
  await shows(other.locator('.line.workspace'), 'Second');
  const workspace = (await ann.ask('GET', 'workspaces/')).find(({ name }) => name === 'Second');
  await at(page, `new-database-${workspace.id}`).click();
  await at(page, 'dialog-name').fill('Stock');
  await at(page, 'dialog-go').click();
  await shows(other.locator('.line.database'), 'Stock');
  const [stock] = await ann.ask('GET', `applications/workspace/${workspace.id}/`);
  await at(page, `new-table-${stock.id}`).click();
  await at(page, 'dialog-name').fill('Parts');
  await at(page, 'dialog-data').fill('Part\tSize\nBolt\tM8\nNut\tM6');
  await at(page, 'dialog-go').click();
  await shows(other.locator('.line.table'), 'Parts');
  await shows(at(page, 'row-2'), 'NutM6');
  const [parts] = await ann.ask('GET', `database/tables/database/${stock.id}/`);
  await at(page, `table-${parts.id}`).hover();
  await menu(page, at(page, `menu-table-${parts.id}`), 'Rename');
  await at(page, 'dialog-name').fill('Pieces');
  await at(page, 'dialog-go').click();
  await shows(at(page, 'title'), 'Pieces');
  await shows(other.locator('.line.table'), 'Pieces');
  await at(page, `table-${parts.id}`).hover();
  await menu(page, at(page, `menu-table-${parts.id}`), 'Delete table');
  await at(other, `table-${parts.id}`).waitFor({ state: 'detached' });
  await at(page, 'toast-do').click();
  await shows(other.locator('.line.table'), 'Pieces');
});

test('an account is made on the page; who is removed from a workspace sees its tables no more', async () => {
  const table = await makeTable('Private', ['One']);
  const page = await openAs(null, table);
  await at(page, 'enter-email').fill('cleo@example.com');
  await at(page, 'enter-password').fill('short');
  await at(page, 'enter-other').click();
  await at(page, 'enter-name').fill('Cleo');
  await at(page, 'enter-go').click();
  await shows(at(page, 'enter-error'), /\w/);
  await at(page, 'enter-password').fill(PASSWORD);
  await at(page, 'enter-go').click();
  await shows(at(page, 'who'), 'Cleo');
  const workspace = (await ann.ask('GET', 'workspaces/')).find(({ name }) => name === 'Acme');
  await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: 'cleo@example.com', permissions: 'MEMBER', message: '', base_url: server.url });
  await at(page, 'invitation').getByText('Accept').click();
  await at(page, `table-${table.id}`).click();
  await shows(at(page, 'row-1'), 'One');
  const { users } = (await ann.ask('GET', 'workspaces/')).find(({ id }) => id === workspace.id);
  await ann.ask('DELETE', `workspaces/users/${users.find(({ email }) => email === 'cleo@example.com').id}/`);
  await shows(at(page, 'toast'), 'may not see');
  await at(page, `table-${table.id}`).waitFor({ state: 'detached' });
});

test('a token that has run out is refreshed without a word', async () => {
  const table = await makeTable('Tokens', ['One']);
  const page = await openAs(ann, table);
  await shows(at(page, 'row-1'), 'One');
  await page.evaluate(() => { session.access = 'no.such.token'; });
  await type(page, table, 1, 'Name', 'Refreshed');
  await stored(table, 1, 'Name', 'Refreshed');
});

test('nothing sticks out on a small screen, light or dark, nothing is asked of another host, and each page leads to the other', async () => {
  const table = await makeTable('Small', ['One'], { Notes: { type: 'long_text' }, Stars: { type: 'rating' } });
  for (const [width, colorScheme] of [[360, 'dark'], [800, 'light'], [1400, 'dark']]) {
    const page = await openAs(ann, table, { viewport: { width, height: 740 }, colorScheme });
    const hosts = new Set();
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.reload();
    await shows(at(page, 'row-1'), 'One');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${width} px`);
    await cell(page, table, 1, 'Name').click();
    await page.keyboard.press('Space');
    await at(page, 'detail').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${width} px`);
    await page.getByRole('link', { name: 'Live' }).click();
    await page.getByRole('link', { name: 'Grid' }).click();
    await at(page, 'account').waitFor();
    assert.deepEqual([...hosts], [new URL(server.url).host]);
  }
});
