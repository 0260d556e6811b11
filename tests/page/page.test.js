/* The page that GET / serves, in Chromium: what one page writes, the other shows, without being asked. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { ADMIN, PUBLIC_POLICY, Server, makeFolder } from '../scenario/harness.js';

const PATIENCE_MS = 15_000;
const MARKUP = '<img src=x onerror="document.title=1">';

let folder, server, browser, contexts = [], complaints = [];

before(async () => {
  folder = makeFolder();
  server = await Server.start({ folder, environment: { WEBSOCKET_PUBLIC: 'true' } });
  await server.ask('POST', '/collections', {
    collection: 'articles', schema: {}, meta: {},
    fields: [
      { field: 'id', type: 'integer', schema: { is_primary_key: true, has_auto_increment: true } },
      { field: 'title', type: 'string' }, { field: 'views', type: 'integer' }, { field: 'secret', type: 'string' },
    ],
  });
  await server.ask('POST', '/permissions', { policy: PUBLIC_POLICY, collection: 'articles', action: 'read', fields: ['id', 'title', 'views'] });
  await server.ask('POST', '/items/articles', [{ title: 'Harvest', views: 3 }, { title: 'Market', views: 1 }, { title: MARKUP, views: 2 }]);
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

/* A page of its own, as the public, showing a collection. What it complains of fails the test. */
async function openPage({ collection = 'articles', ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  contexts.push(context);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('pageerror', (error) => complaints.push(String(error.stack)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text())) complaints.push(message.text());
  });
  await page.goto(`${server.url}/#/${collection}`);
  return page;
}

const at = (page, id) => page.getByTestId(id);
const cell = (page, key, column) => at(page, `row-${key}`).locator(`[data-column="${column}"]`);
const shows = (locator, text) => locator.filter({ hasText: text }).waitFor();

async function connectWith(page, mode, fields) {
  if (!await at(page, 'connect-form').isVisible()) await at(page, 'connection').click();
  await at(page, `mode-${mode}`).check({ force: true });
  for (const [id, text] of Object.entries(fields)) await at(page, id).fill(text);
  await at(page, 'connect-go').click();
}

async function openAsAdmin(options) {
  const page = await openPage(options);
  await connectWith(page, 'token', { token: ADMIN.token });
  await shows(at(page, 'who'), ADMIN.email);
  await cell(page, 1, 'secret').waitFor();
  return page;
}

test('the public sees what it may read, and no more; markup in values stays text', async () => {
  const page = await openPage();
  await shows(cell(page, 1, 'title'), 'Harvest');
  await shows(at(page, 'who'), 'Public');
  await shows(at(page, 'collection-articles'), '3');
  assert.equal(await cell(page, 3, 'title').textContent(), MARKUP);
  assert.equal(await page.locator('#grid img').count(), 0);
  assert.equal(await cell(page, 1, 'secret').count(), 0);
});

test('one page edits, adds and deletes; the other shows it live', async () => {
  const writer = await openAsAdmin(), viewer = await openPage();
  await shows(cell(viewer, 1, 'title'), 'Harvest');

  await cell(writer, 1, 'title').dblclick();
  await at(writer, 'cell-editor').fill('Autumn fair');
  await writer.keyboard.press('Enter');
  await shows(cell(viewer, 1, 'title'), 'Autumn fair');
  await shows(cell(writer, 1, 'title'), 'Autumn fair');

  await at(writer, 'add-row').click();
  await at(writer, 'add-title').fill('Winter');
  await at(writer, 'add-views').fill('many');
  await at(writer, 'add-save').click();
  await shows(at(writer, 'add-error'), 'not a number');
  await at(writer, 'add-views').fill('7');
  await at(writer, 'add-save').click();
  await shows(cell(viewer, 4, 'title'), 'Winter');
  assert.equal(await cell(viewer, 4, 'views').textContent(), '7');
  await shows(at(viewer, 'total'), '4 rows');

  await cell(writer, 4, 'title').click();
  await writer.keyboard.press('Delete');
  await at(writer, 'delete-confirm').click();
  await at(viewer, 'row-4').waitFor({ state: 'detached' });
  await shows(at(viewer, 'total'), '3 rows');
  assert.equal((await server.rest('GET', '/items/articles/4')).status, 403);
});

test('a change that is refused is said, and the cell shows again what is stored', async () => {
  const page = await openPage();
  await cell(page, 2, 'title').dblclick();
  await at(page, 'cell-editor').fill('Mine');
  await page.keyboard.press('Enter');
  await shows(at(page, 'toast'), 'FORBIDDEN');
  assert.equal(await cell(page, 2, 'title').textContent(), 'Market');
  assert.equal((await server.ask('GET', '/items/articles/2')).title, 'Market');
});

test('a wrong token and a wrong password are refused in words; a log-in outlives a reload of the page', async () => {
  const page = await openPage();
  await connectWith(page, 'token', { token: 'no such token' });
  await shows(at(page, 'connect-error'), 'does not accept');
  await connectWith(page, 'login', { email: ADMIN.email, password: 'wrong' });
  await shows(at(page, 'connect-error'), 'INVALID_CREDENTIALS');
  await connectWith(page, 'login', { email: ADMIN.email, password: ADMIN.password });
  await shows(at(page, 'who'), ADMIN.email);
  await page.reload();
  await shows(at(page, 'who'), ADMIN.email);
  await cell(page, 1, 'secret').waitFor();
  assert.ok(!page.url().includes('token'));
});

test('each type of message is sent by form, and the frames show what went and what came', async () => {
  const page = await openAsAdmin();
  const send = async (type, fields, expected) => {
    await at(page, 'clear').click();
    await at(page, `compose-${type}`).check({ force: true });
    for (const [id, text] of Object.entries(fields)) await at(page, `compose-${id}`).fill(text);
    await at(page, 'compose-send').click();
    for (const text of expected) await shows(at(page, 'frame'), text);
  };
  const uid = 'by-hand';
  await send('get', { collection: 'articles', uid }, [/↑ ?get ?articles/, /↓ ?RESPONSE.*3 rows.*by-hand/]);
  await send('post', { data: '{"title":"Composed"}', uid }, [/↑ ?post/, /↓ ?RESPONSE.*Composed/, /↓ ?create.*Composed/]);
  const [{ id }] = await server.ask('GET', '/items/articles?filter[title]=Composed');
  await shows(cell(page, id, 'title'), 'Composed');
  await send('patch', { ids: String(id), data: '{"views":9}', uid }, [/↑ ?patch/, /↓ ?RESPONSE.*"views":9/, /↓ ?update.*"views":9/]);
  await send('subscribe', { uid }, [/↑ ?subscribe.*by-hand/]);
  await server.ask('PATCH', `/items/articles/${id}`, { views: 10 });
  await shows(at(page, 'frame'), /↓ ?update.*by-hand/);
  await send('unsubscribe', { uid }, [/↑ ?unsubscribe.*by-hand/]);
  await send('delete', { ids: String(id), uid }, [/↑ ?delete/, new RegExp(`↓ ?RESPONSE ?${id}`), new RegExp(`↓ ?delete ?articles +${id}`)]);
  await at(page, `row-${id}`).waitFor({ state: 'detached' });
  await send('raw', { text: '{"type":"get","collection":"articles","token":"to be hidden"}' }, [/↓ ?RESPONSE/]);
  await at(page, 'frame').filter({ hasText: /↑ ?get/ }).locator('summary').click();
  await shows(at(page, 'frame'), /"token": "•+"/);
  assert.ok(!(await at(page, 'frames').textContent()).includes('to be hidden'));

  await at(page, 'compose-patch').check({ force: true });
  await at(page, 'compose-data').fill('{"title":');
  await shows(at(page, 'composer'), 'not JSON');
  assert.ok(await at(page, 'compose-send').isDisabled());
});

test('rows beyond those read are counted until they are read', async () => {
  await server.ask('POST', '/collections', { collection: 'numbers', schema: {}, meta: {}, fields: [{ field: 'id', type: 'integer', schema: { is_primary_key: true } }, { field: 'square', type: 'integer' }] });
  await server.ask('POST', '/permissions', { policy: PUBLIC_POLICY, collection: 'numbers', action: 'read', fields: ['*'] });
  await server.ask('POST', '/items/numbers', Array.from({ length: 150 }, (_, i) => ({ id: i + 1, square: (i + 1) ** 2 })));
  const page = await openPage({ collection: 'numbers' });
  await shows(at(page, 'loaded'), '100 of 150 shown');
  await server.ask('PATCH', '/items/numbers/140', { square: -1 });
  await shows(at(page, 'outside'), '1 change');
  await at(page, 'load-more').click();
  await shows(at(page, 'loaded'), '150 rows shown');
  assert.equal(await cell(page, 140, 'square').textContent(), '-1');
  await at(page, 'search').fill('144');
  await shows(at(page, 'total'), '2 matches');
  await server.ask('PATCH', '/items/numbers/100', { square: 144 });
  await cell(page, 100, 'square').waitFor();
  await server.ask('PATCH', '/items/numbers/12', { square: 1 });
  await at(page, 'row-12').waitFor({ state: 'detached' });
});

test('after a cut the page comes back and shows what it missed', async () => {
  const page = await openPage();
  await shows(cell(page, 2, 'title'), 'Market');
  const { port } = server;
  await server.stop();
  await page.locator('[data-testid=connection]:not([data-state=live])').waitFor();
  server = await Server.start({ folder, environment: { WEBSOCKET_PUBLIC: 'true', PORT: String(port) } });
  await server.ask('PATCH', '/items/articles/2', { title: 'Meanwhile' });
  await shows(cell(page, 2, 'title'), 'Meanwhile');
  await server.ask('PATCH', '/items/articles/2', { title: 'Market' });
  await shows(cell(page, 2, 'title'), 'Market');
});

test('nothing sticks out on a small screen, light or dark, and nothing is asked of another host', async () => {
  for (const [width, colorScheme] of [[360, 'dark'], [800, 'light'], [1400, 'dark']]) {
    const page = await openPage({ viewport: { width, height: 740 }, colorScheme });
    const hosts = new Set();
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.reload();
    await shows(cell(page, 1, 'title'), 'Autumn fair');
    for (const open of [true, false]) {
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${width} px`);
      if (open) await at(page, 'frames-toggle').click();
    }
    assert.deepEqual([...hosts], [new URL(server.url).host]);
  }
});
