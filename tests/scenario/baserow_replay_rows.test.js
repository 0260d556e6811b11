/* What a client missed of the tables that it looks at while it was cut (baserow-2026.md 3, 5.3). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect, heard } from './baserow_channel.js';
import { Grid, key } from './baserow_grid.js';
import { Server, makeFolder, pause } from './harness.js';

const REFRESH = { type: 'replay_events_result', force_refresh: true, latest_event_id: -2 };
let server, grid, ann, bob, people, projects, name, title, works;

before(async () => { server = await Server.start({ environment: { BASEROW_DOCUMENTED_MESSAGES: 'false', BASEROW_REALTIME_REPLAY_MAX_EVENTS: '20' } }); });
after(() => server?.stop());

async function makeScene(at = server) {
  grid = await Grid.make(at);
  ({ ann, bob } = grid);
  people = await grid.table('people', ['Ann', 'Bob', 'Cat']);
  projects = await grid.table('projects', ['Alpha', 'Beta']);
  [name, title] = [key(await people.primary()), key(await projects.primary())];
  works = key(await people.field('Works on', 'link_row', { link_row_table_id: projects.id }));
}
const table = (of) => ({ page: 'table', table_id: of.id });
const row = (of, row_id) => ({ page: 'row', table_id: of.id, row_id });

/* A page load of Bob's with these pages: its id stays over reconnects. */
async function open(id, ...pages) {
  const socket = await connect(grid.server, bob.token, { id, raw: true });
  for (const page of pages) socket.send(page);
  return socket;
}
/* Asks, and takes what comes: the page_adds that are due go first. */
async function replay(socket, cursor, pages = []) {
  socket.send({ type: 'replay_events', last_seen_id: cursor });
  const messages = [];
  for (;;) {
    const message = await socket.next('the answer to replay_events');
    if (message.type === 'replay_events_result') return { added: messages.splice(0, pages.length).map(({ type }) => type), messages, answer: message };
    messages.push(message);
  }
}
/* Who looks at these pages, is cut, and comes back after `act`; beside one who stayed. As the first: what it is told. */
async function cut(pages, act, { back = pages, id = `tab-${Math.random()}` } = {}) {
  const first = await open(id, ...pages), witness = await open(undefined, ...pages);
  const { answer: { latest_event_id: cursor } } = await replay(first, -1, pages);
  assert.equal((await heard(witness)).length, pages.length);
  await first.close();
  await act({ WebSocketId: id });
  const live = await heard(witness);
  const result = await replay(await open(id, ...back), cursor, back);
  return { ...result, live, types: result.messages.map(({ type }) => type) };
}
const asLive = ({ messages, live, answer }) => {
  assert.equal(answer.force_refresh, false);
  assert.equal(JSON.stringify(messages), JSON.stringify(live));
};

test('8 rows that were made, changed, moved, deleted and restored are told again as they were', async () => {
  await makeScene();
  const result = await cut([table(people)], async () => {
    const { id } = await people.add({ [name]: 'Dan' });
    await people.edit(id, { [name]: 'Daniel' });
    await ann.ask('PATCH', `${people.rows}${id}/move/?before_id=1`);
    await ann.ask('PATCH', `${people.rows}batch/`, { items: [{ id: 1, [name]: 'A' }, { id: 2, [name]: 'B' }] });
    await ann.ask('DELETE', `${people.rows}${id}/`);
    await ann.ask('PATCH', 'trash/restore/', { trash_item_type: 'row', trash_item_id: id, parent_trash_item_id: people.id });
    await people.field('Age', 'number');
  });
  asLive(result);
  assert.deepEqual(result.types, ['rows_created', 'rows_updated', 'rows_updated', 'rows_updated', 'rows_deleted', 'rows_created', 'field_created']);
});

test('8 the history of a row is told again on its page, to its author as well', async () => {
  await makeScene();
  const result = await cut([row(people, 1)], async (own) => {
    await people.edit(1, { [name]: 'A' });
    await people.edit(2, { [name]: 'not this one' });
    await bob.ask('PATCH', `${people.rows}1/`, { [name]: 'by himself' }, own);
  });
  asLive(result);
  assert.deepEqual(result.messages.map(({ row_history_entry: entry }) => entry.after[name]), ['A', 'by himself']);
});

test('9 own changes are not told again; what follows from them in other tables is', async () => {
  await makeScene();
  const result = await cut([table(people), table(projects)], async (own) => {
    await bob.ask('PATCH', `${people.rows}1/`, { [name]: 'own' }, own);
    await bob.ask('PATCH', `${people.rows}1/`, { [works]: [1] }, own);
    await ann.ask('PATCH', `${people.rows}2/`, { [name]: 'hers' });
    await bob.ask('PATCH', `${projects.rows}1/`, { [title]: 'Alpha 2' }, own);
    await bob.ask('POST', people.rows, {}, own);
    await bob.ask('DELETE', `${people.rows}3/`, undefined, own);
  });
  assert.equal(result.answer.force_refresh, false);
  assert.deepEqual(result.messages.map(({ type, table_id: id, rows: [{ id: first }] }) => [type, id, first]), [['rows_updated', projects.id, 1], ['rows_updated', people.id, 2], ['rows_updated', people.id, 1]]);
  assert.equal(result.live.length, 8);
});

test('5.5 that a table is to be read anew is told to who was cut, whether it looks at the table or not', async () => {
  for (const pages of [[], [table(projects)]]) {
    await makeScene();
    const result = await cut(pages.map(() => table(projects)), async () => {
      const job = await ann.ask('POST', `${people.path}import/async/`, { data: [['x'], ['y']] });
      while ((await ann.ask('GET', `jobs/${job.id}/`)).state !== 'finished') await pause(20);
    });
    asLive(result);
    assert.deepEqual(result.messages.map(({ type, table_id: id, force_table_refresh: anew }) => [type, id, anew]), [['table_updated', people.id, true]]);
  }
});

test('10 of pages those count that are looked at now', async () => {
  await makeScene();
  const result = await cut([table(people), row(people, 1)], async () => {
    await people.edit(1, { [name]: 'x' });
    await projects.edit(1, { [title]: 'y' });
  }, { back: [row(people, 1), table(people)] });
  assert.deepEqual(result.types, ['rows_updated', 'row_history_updated']);
  const none = await cut([table(people)], () => people.edit(1, { [name]: 'z' }), { back: [] });
  assert.deepEqual([none.types, none.answer.force_refresh], [[], false]);
});

test('23 pages of a workspace that was lost meanwhile are refused, and nothing of them is told', async () => {
  await makeScene();
  const id = 'lost', pages = [table(people), row(people, 1)], first = await open(id, ...pages);
  const { answer: { latest_event_id: cursor } } = await replay(first, -1, pages);
  await first.close();
  await people.edit(1, { [name]: 'before' });
  const { id: member } = (await ann.ask('GET', `workspaces/users/workspace/${grid.workspace.id}/`)).find(({ user_id: user }) => user === bob.id);
  await ann.ask('DELETE', `workspaces/users/${member}/`);
  await people.edit(1, { [name]: 'after' });
  const { messages, answer } = await replay(await open(id, ...pages), cursor);
  assert.deepEqual(messages.map(({ type }) => type), ['group_user_deleted']);
  assert.equal(answer.force_refresh, false);
});

test('3.4 the page of a row that is gone meanwhile is refused; that of its table tells of it', async () => {
  await makeScene();
  const pages = [row(people, 1), table(people)];
  const first = await open('gone', ...pages);
  const { answer: { latest_event_id: cursor } } = await replay(first, -1, pages);
  await first.close();
  await ann.ask('DELETE', `${people.rows}1/`);
  const { messages } = await replay(await open('gone', ...pages), cursor);
  assert.deepEqual(messages.map(({ type, page }) => page ?? type), ['table', 'rows_deleted']);
});

test('11 one message more than the limit: the client is to read anew', async () => {
  await makeScene();
  const edits = (count) => async () => { for (let i = 0; i < count; i++) await people.edit(1, { [name]: `${i}` }); };
  const exactly = await cut([table(people)], edits(20));
  asLive(exactly);
  assert.equal(exactly.messages.length, 20);
  const over = await cut([table(people)], edits(21));
  assert.deepEqual([over.messages, over.answer], [[], REFRESH]);
  const elsewhere = await cut([table(projects)], edits(21));
  assert.deepEqual([elsewhere.messages, elsewhere.answer.force_refresh], [[], false]);
});

test('after a restart rows concern who looks at their table, or at one that is linked with it', async () => {
  const folder = makeFolder();
  let at = await Server.start({ folder });
  try {
    await makeScene(at);
    const alone = await grid.table('alone', ['x']), socket = await open('again', table(alone));
    const { answer: { latest_event_id: cursor } } = await replay(socket, -1, [table(alone)]);
    await people.edit(1, { [name]: 'x' });
    await at.stop();
    at = await Server.start({ folder });
    grid.server = at;
    for (const [of, refresh] of [[alone, false], [people, true], [projects, true]]) {
      const { answer } = await replay(await open('again', table(of)), cursor, [table(of)]);
      assert.equal(answer.force_refresh, refresh, of.name);
    }
  } finally {
    await at.stop().finally(() => folder.remove());
  }
});
