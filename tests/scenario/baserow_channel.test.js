/* The channel of Baserow's dialect: who comes in, what is asked and answered, who is told what (baserow.md 2 to 5). */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { MOMENT, PASSWORD, Person } from './baserow.js';
import { connect, heard, heardToTheEnd, hideNumber } from './baserow_channel.js';
import { ADMIN, Server, pause, within } from './harness.js';
import { HttpSocket } from './rest.js';

const SECRET = 'secret-of-the-tests';
let server;

before(async () => { server = await Server.start({ environment: { WEBSOCKET_SUBSCRIPTIONS: '20' } }); });
after(() => server?.stop());

let made = 0;
const newcomer = (name = 'Person') => Person.register(server, `${name}${++made}`);
const invite = (by, person, workspace, permissions = 'MEMBER', message = '') =>
  by.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: person.email, permissions, message });
const accept = (person, invitation) => person.ask('POST', `workspaces/invitations/${invitation.id}/accept/`);
const makeWorkspace = (person, name) => person.ask('POST', 'workspaces/', { name });
const makeApplication = (person, workspace, name) => person.ask('POST', `applications/workspace/${workspace.id}/`, { name, type: 'database' });

/* A token of our own making, signed as the server signs. */
function forge(claims, key = SECRET, header = { alg: 'HS256', typ: 'JWT' }) {
  const part = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}
const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

/* ---- coming in ---- */

test('2.3 authentication comes first, at once, with an id of its own for each connection', async () => {
  const ann = await newcomer();
  const first = await connect(server, ann.token), second = await connect(server, ann.token);
  assert.notEqual(first.id, second.id);
  assert.deepEqual(await heard(first), []);
});

test('2.1 any path below /ws/core/ is the channel, and the first of several tokens counts', async () => {
  const ann = await newcomer();
  for (const path of ['/ws/core/', '/ws/core/v2', '/ws/core//x/']) {
    const socket = await server.socket(null, { path, query: `?x=1&jwt_token=${ann.token}&jwt_token=bad` });
    assert.equal((await socket.next()).success, true, path);
  }
  const socket = await server.socket(null, { path: '/ws/core/', query: `?jwt_token=bad&jwt_token=${ann.token}` });
  assert.equal((await socket.next()).success, false);
});

test('2.1 a subprotocol that is offered is not selected, and the origin is not looked at', async () => {
  const ann = await newcomer();
  const http = await HttpSocket.connect(server);
  const { status, headers } = await http.ask('GET', `/ws/core/?jwt_token=${ann.token}`, {
    headers: {
      Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
      'Sec-WebSocket-Protocol': 'chat', Origin: 'https://elsewhere.example',
    },
  });
  assert.equal(status, 101);
  assert.equal(headers.has('sec-websocket-protocol'), false);
  http.close();
});

test('a request for the channel that speaks no WebSocket, or another version, is refused as HTTP', async () => {
  const plain = await HttpSocket.connect(server);
  assert.equal((await plain.ask('GET', '/ws/core/')).status, 400);
  const old = await HttpSocket.connect(server);
  const answer = await old.ask('GET', '/ws/core/', {
    headers: { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64') },
  });
  assert.equal(answer.status, 426);
  assert.equal(answer.headers.get('sec-websocket-version'), '13');
});

test('2.1 a bad token is answered 101, then told inside, then closed with 1000 and no reason', async (t) => {
  const ann = await newcomer();
  const claims = claimsOf(ann.token), now = Math.floor(Date.now() / 1000);
  const bad = {
    'no token': null,
    'an empty one': '',
    'no JWT': 'x.y',
    'a refresh token': ann.refreshToken,
    'another key': forge(claims, 'another key'),
    'no algorithm': `${forge(claims, SECRET, { alg: 'none', typ: 'JWT' }).split('.').slice(0, 2).join('.')}.`,
    'expired': forge({ ...claims, exp: now - 1 }),
    'nobody\'s': forge({ ...claims, user_id: 1_000_000 }),
    'a token of the other dialect': ADMIN.token,
    'another word': 'Anonymous',
  };
  for (const [what, token] of Object.entries(bad)) {
    await t.test(what, async () => {
      const socket = await connect(server, token, { success: false });
      assert.deepEqual(await heardToTheEnd(socket), { messages: [], code: 1000, reason: '' });
    });
  }
});

test('2.1 a refused client keeps the id that it chose', async () => {
  const socket = await connect(server, 'bad', { id: 'mine', success: false });
  assert.equal(socket.id, 'mine');
  assert.equal((await socket.closed).code, 1000);
});

test('2.2 a user whose deletion is scheduled, or who is not active, counts as not there', async () => {
  const ann = await newcomer(), bob = await newcomer();
  await ann.ask('POST', 'user/schedule-account-deletion/');
  await connect(server, ann.token, { success: false });
  const [{ id }] = await server.ask('GET', `/users?filter[email][_eq]=${bob.email}&fields[]=id`);
  await server.ask('PATCH', `/users/${id}`, { status: 'suspended' });
  await connect(server, bob.token, { success: false });
});

test('2.4 an open socket outlives its token\'s blacklisting', async () => {
  const ann = await newcomer(), socket = await connect(server, ann.token);
  await ann.ask('POST', 'user/token-blacklist/', { refresh_token: ann.refreshToken });
  assert.deepEqual(await heard(socket), []);
});

test('14.1 a client chooses its id, any text; a blank one, a long one and one with controls are replaced', async () => {
  const ann = await newcomer();
  for (const id of ['ws-2', 'ü – ö', '934254ab-0c87-4dbc-9d71-7eeab029296c', 'x'.repeat(255)]) assert.equal((await connect(server, ann.token, { id })).id, id);
  for (const id of ['', '  ', 'x'.repeat(256), 'a\u0007b']) {
    const socket = await connect(server, ann.token, { query: { web_socket_id: id } });
    assert.notEqual(socket.id, id);
  }
});

test('2.1 anonymous sockets come in, may look at no table, and hear nothing of anybody', async () => {
  const ann = await newcomer(), socket = await connect(server, 'anonymous');
  await makeWorkspace(ann, 'W');
  socket.send({ page: 'table', table_id: 1 });
  socket.send({ page: 'view', slug: 'x' });
  socket.send({ type: 'replay_events', last_seen_id: -1 });
  assert.deepEqual(await heard(socket), []);
});

test('anonymous sockets are refused when DISABLE_ANONYMOUS_PUBLIC_VIEW_WS_CONNECTIONS is on', async () => {
  const strict = await Server.start({ environment: { DISABLE_ANONYMOUS_PUBLIC_VIEW_WS_CONNECTIONS: 'true' } });
  try {
    const socket = await connect(strict, 'anonymous', { success: false });
    assert.equal((await socket.closed).code, 1000);
    const ann = await Person.register(strict, 'Ann');
    assert.deepEqual(await heard(await connect(strict, ann.token)), []);
  } finally {
    await strict.stop();
  }
});

/* ---- a client's frames ---- */

test('2.6 pages that cannot be had, and frames that mean nothing, are passed over in silence', async () => {
  const ann = await newcomer(), socket = await connect(server, ann.token);
  const silent = [
    { page: '' }, { page: 'nothing', table_id: 1 }, { page: 7 }, { page: null }, { page: ['table'] }, {},
    { page: 'table' }, { page: 'table', table_id: 0 }, { page: 'table', table_id: null }, { page: 'table', table_id: 999999 }, { page: 'table', table_id: 'x' },
    { page: 'row', table_id: 999999, row_id: 1 }, { page: 'row', table_id: 999999 }, { page: 'view', slug: 'none', token: null }, { page: 'dashboard', dashboard_id: 1 },
    { remove_page: 'nothing' }, { remove_page: '' }, { remove_page: null }, { type: 'unknown' }, { type: 7 },
    { type: 'presence.focus', page: 'table', table_id: 1, remove_page: 'table', focus: null },
  ];
  for (const frame of silent) socket.send(frame);
  assert.deepEqual(await heard(socket), []);
});

test('3.2 leaving a known page is answered whether it was looked at or not, with the parameters as they came', async () => {
  const ann = await newcomer(), socket = await connect(server, ann.token);
  const cases = [
    [{ remove_page: 'table', table_id: 1 }, 'table', { table_id: 1 }],
    [{ remove_page: 'table', table_id: '1', more: 2 }, 'table', { table_id: '1' }],
    [{ remove_page: 'table' }, 'table', { table_id: null }],
    [{ remove_page: 'row', row_id: 1 }, 'row', { table_id: null, row_id: 1 }],
    [{ remove_page: 'view', slug: 'a' }, 'view', { slug: 'a', token: null }],
    [{ remove_page: 'dashboard', dashboard_id: [1, { a: null }] }, 'dashboard', { dashboard_id: [1, { a: null }] }],
  ];
  for (const [frame, page, parameters] of cases) assert.deepEqual(await socket.ask(frame), { type: 'page_discard', page, parameters });
});

test('2.6 frames are answered in their order; both keys in one frame: first the subscription', async () => {
  const ann = await newcomer(), socket = await connect(server, ann.token);
  for (let n = 1; n <= 30; n++) socket.send({ page: 'table', remove_page: 'table', table_id: n });
  socket.send({ type: 'ping', remove_page: 'table', table_id: 31 });
  const answers = [];
  for (let n = 0; n < 32; n++) answers.push(await socket.next());
  assert.equal(answers[30].type, 'pong');
  answers.splice(30, 1);
  assert.deepEqual(answers.map(({ type, parameters }) => [type, parameters.table_id]), Array.from({ length: 31 }, (_, n) => ['page_discard', n + 1]));
});

test('2.6 a frame that is sent before authentication was heard is valid', async () => {
  const ann = await newcomer();
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws/core/?jwt_token=${ann.token}`);
  const types = [];
  const two = new Promise((resolve) => ws.on('message', (data) => { if (types.push(JSON.parse(data).type) === 2) resolve(); }));
  ws.on('open', () => ws.send('{"type":"ping"}'));
  await within(two, 'both messages');
  ws.terminate();
  assert.deepEqual(types, ['authentication', 'pong']);
});

test('2.5 {"type":"ping"} is answered {"type":"pong"}, and protocol pings with pongs', async () => {
  const ann = await newcomer(), socket = await connect(server, ann.token);
  assert.deepEqual(await socket.ask({ type: 'ping' }), { type: 'pong' });
  const pong = new Promise((resolve) => socket.ws.once('pong', (data) => resolve(String(data))));
  socket.ws.ping('abc');
  assert.equal(await within(pong, 'the pong'), 'abc');
});

test('2.6 what is no JSON object in a text frame closes with 1003, and costs others nothing', async (t) => {
  const ann = await newcomer(), other = await connect(server, ann.token);
  const malformed = ['', '{', '{"page":', 'page', '[]', '"page"', '7', 'null', 'true', '{"a":"\\ud800"}', `${'['.repeat(101)}${']'.repeat(101)}`, Buffer.from('{"type":"ping"}')];
  for (const frame of malformed) {
    await t.test(frame.length > 40 ? 'deep' : String(frame), async () => {
      const socket = await connect(server, ann.token);
      socket.send({ remove_page: 'table', table_id: 1 });
      socket.send(frame);
      socket.send({ type: 'ping' });
      const { messages, code } = await heardToTheEnd(socket);
      assert.equal(code, 1003);
      assert.deepEqual(messages.map(({ type }) => type), ['page_discard']);
    });
  }
  assert.deepEqual(await heard(other), []);
});

/* ---- who is told what ---- */

/*
 * Ann's workspace with Bob in it and an application; Eve knows neither. The one who acts has two
 * sockets, `here`, named in the header of every request, and `there`.
 */
async function makeScene() {
  const scene = { ann: await newcomer('Ann'), bob: await newcomer('Bob'), eve: await newcomer('Eve') };
  scene.workspace = await makeWorkspace(scene.ann, 'Acme');
  scene.workspace = await accept(scene.bob, await invite(scene.ann, scene.bob, scene.workspace));
  scene.application = await makeApplication(scene.ann, scene.workspace, 'CRM');
  return scene;
}
const publicUser = (person, name = person.name) => ({ id: person.id, username: person.email, first_name: name });
const digest = (id) => createHash('sha256').update(String(id)).digest('hex');
const plainWorkspace = ({ id, name }) => ({ id, name, generative_ai_models_enabled: {} });
const findUser = (workspace, person) => workspace.users.find(({ user_id: id }) => id === person.id);
const read = async (person, { id }) => (await person.ask('GET', 'workspaces/')).find((one) => one.id === id);

/* Opens the sockets, lets `act` happen and returns what each heard of it. */
async function listen(scene, actor, act) {
  const sockets = {
    here: await connect(server, actor.token), there: await connect(server, actor.token),
    ann: await connect(server, scene.ann.token), bob: await connect(server, scene.bob.token), eve: await connect(server, scene.eve.token),
  };
  const answer = await act({ WebSocketId: sockets.here.id });
  const told = {};
  for (const [name, socket] of Object.entries(sockets)) {
    told[name] = await heard(socket);
    socket.terminate();
  }
  return { answer, told };
}

/*
 * One row for each message and trigger of 5.3 and 5.4 that can be had: who acts, what is done, what
 * is told, in order, and who hears it. Everybody listed hears exactly these messages; others, nothing.
 * `here`: the sender's socket; left out where section 5 marks X. The sender's other sockets hear it as
 * its person does.
 */
const MESSAGES = [
  {
    name: 'user_updated: the name', actor: 'ann', hears: 'there ann bob',
    act: ({ ann }, headers) => ann.ask('PATCH', 'user/account/', { first_name: 'Ann the second' }, headers),
    expect: ({ ann }) => [{ type: 'user_updated', user: publicUser(ann, 'Ann the second') }],
  },
  {
    name: 'user_updated: only the language', actor: 'bob', hears: 'there ann bob',
    act: ({ bob }, headers) => bob.ask('PATCH', 'user/account/', { language: 'fr' }, headers),
    expect: ({ bob }) => [{ type: 'user_updated', user: publicUser(bob) }],
  },
  {
    name: 'user_updated: both in one request are one message', actor: 'bob', hears: 'there ann bob',
    act: ({ bob }, headers) => bob.ask('PATCH', 'user/account/', { first_name: 'Bobby', language: 'fr', completed_onboarding: true, completed_guided_tours: ['a'] }, headers),
    expect: ({ bob }) => [{ type: 'user_updated', user: publicUser(bob, 'Bobby') }],
  },
  {
    name: 'user_updated: to what it was already', actor: 'bob', hears: 'there ann bob',
    act: ({ bob }, headers) => bob.ask('PATCH', 'user/account/', { language: 'en' }, headers),
    expect: ({ bob }) => [{ type: 'user_updated', user: publicUser(bob) }],
  },
  {
    name: 'user_updated: through the other dialect', actor: 'bob', hears: 'here there ann bob',
    act: async ({ bob }) => {
      const [{ id }] = await server.ask('GET', `/users?filter[email][_eq]=${bob.email}&fields[]=id`);
      await server.ask('PATCH', `/users/${id}`, { first_name: 'Robert', last_name: 'Stone' });
    },
    expect: ({ bob }) => [{ type: 'user_updated', user: publicUser(bob, 'Robert Stone') }],
  },
  {
    name: 'user_deleted: nobody is excluded', actor: 'bob', hears: 'here there ann bob',
    act: ({ bob }, headers) => bob.ask('POST', 'user/schedule-account-deletion/', undefined, headers),
    expect: ({ bob }) => [{ type: 'user_deleted', user: publicUser(bob) }],
  },
  {
    name: 'group_created', actor: 'ann', hears: 'there ann',
    act: ({ ann }, headers) => ann.ask('POST', 'workspaces/', { name: 'Second' }, headers),
    expect: (_, answer) => [{ type: 'group_created', workspace: plainWorkspace(answer) }],
  },
  {
    name: 'group_created: create-initial-workspace', actor: 'eve', hears: 'there eve',
    act: ({ eve }, headers) => eve.ask('POST', 'workspaces/create-initial-workspace/', { name: 'Eve\'s' }, headers),
    expect: (_, answer) => [{ type: 'group_created', workspace: plainWorkspace(answer) }],
  },
  {
    name: 'group_updated', actor: 'ann', hears: 'there ann bob',
    act: ({ ann, workspace }, headers) => ann.ask('PATCH', `workspaces/${workspace.id}/`, { name: 'Acme Ltd' }, headers),
    expect: ({ workspace }) => [{ type: 'group_updated', workspace_id: workspace.id, workspace: plainWorkspace({ id: workspace.id, name: 'Acme Ltd' }) }],
  },
  {
    name: 'before_group_deleted, group_deleted: and nothing of what was in it', actor: 'ann', hears: 'there ann bob',
    act: ({ ann, workspace }, headers) => ann.ask('DELETE', `workspaces/${workspace.id}/`, undefined, headers),
    expect: ({ workspace }) => [{ type: 'before_group_deleted', workspace_id: workspace.id }, { type: 'group_deleted', workspace_id: workspace.id }],
  },
  {
    name: 'groups_reordered: to oneself alone', actor: 'ann', hears: 'there ann',
    prepare: async (scene) => { scene.second = await makeWorkspace(scene.ann, 'Second'); },
    act: ({ ann, workspace, second }, headers) => ann.ask('POST', 'workspaces/order/', { workspaces: [second.id, workspace.id] }, headers),
    expect: ({ workspace, second }) => [{ type: 'groups_reordered', workspace_ids: [second.id, workspace.id] }],
  },
  {
    name: 'group_user_updated', actor: 'ann', hears: 'there ann bob',
    act: ({ ann, bob, workspace }, headers) => ann.ask('PATCH', `workspaces/users/${findUser(workspace, bob).id}/`, { permissions: 'ADMIN' }, headers),
    expect: ({ workspace }, answer) => [{ type: 'group_user_updated', id: answer.id, workspace_id: workspace.id, workspace_user: { ...answer, permissions: 'ADMIN' } }],
  },
  {
    name: 'group_user_deleted: by an admin; the removed hears it, too', actor: 'ann', hears: 'there ann bob',
    act: ({ ann, bob, workspace }, headers) => ann.ask('DELETE', `workspaces/users/${findUser(workspace, bob).id}/`, undefined, headers),
    expect: ({ bob, workspace }) => [{ type: 'group_user_deleted', id: findUser(workspace, bob).id, workspace_id: workspace.id, workspace_user: findUser(workspace, bob) }],
  },
  {
    name: 'group_user_deleted: by leaving', actor: 'bob', hears: 'there ann bob',
    act: ({ bob, workspace }, headers) => bob.ask('POST', `workspaces/${workspace.id}/leave/`, undefined, headers),
    expect: ({ bob, workspace }) => [{ type: 'group_user_deleted', id: findUser(workspace, bob).id, workspace_id: workspace.id, workspace_user: findUser(workspace, bob) }],
  },
  {
    name: 'application_created', actor: 'bob', hears: 'there ann bob',
    act: ({ bob, workspace }, headers) => bob.ask('POST', `applications/workspace/${workspace.id}/`, { name: 'Stock', type: 'database' }, headers),
    expect: (_, answer) => [{ type: 'application_created', application: answer }],
  },
  {
    name: 'application_updated', actor: 'ann', hears: 'there ann bob',
    act: ({ ann, application }, headers) => ann.ask('PATCH', `applications/${application.id}/`, { name: 'Customers' }, headers),
    expect: ({ application }) => [{ type: 'application_updated', application_id: application.id, application: { ...application, name: 'Customers' } }],
  },
  {
    name: 'application_deleted', actor: 'ann', hears: 'there ann bob',
    act: ({ ann, application }, headers) => ann.ask('DELETE', `applications/${application.id}/`, undefined, headers),
    expect: ({ application }) => [{ type: 'application_deleted', application_id: application.id }],
  },
  {
    name: 'applications_reordered: all of them, as digests', actor: 'ann', hears: 'there ann bob',
    prepare: async (scene) => {
      scene.second = await makeApplication(scene.ann, scene.workspace, 'Second');
      scene.third = await makeApplication(scene.ann, scene.workspace, 'Third');
    },
    act: ({ ann, workspace, application, third }, headers) =>
      ann.ask('POST', `applications/workspace/${workspace.id}/order/`, { application_ids: [third.id, application.id] }, headers),
    expect: ({ workspace, application, second, third }) =>
      [{ type: 'applications_reordered', workspace_id: workspace.id, order: [third.id, second.id, application.id].map(digest) }],
  },
  {
    name: 'workspace_invitation_updated_or_created: made', actor: 'ann', hears: 'eve',
    act: ({ ann, eve, workspace }) => invite(ann, eve, workspace, 'MEMBER', 'Come!'),
    expect: ({ ann, eve, workspace }, answer) => [{
      type: 'workspace_invitation_updated_or_created',
      invitation: { id: answer.id, invited_by: ann.name, workspace: workspace.name, email: eve.email, message: 'Come!', created_on: answer.created_on, email_exists: null },
    }],
  },
  {
    name: 'workspace_invitation_updated_or_created: changed', actor: 'ann', hears: 'eve',
    prepare: async (scene) => { scene.invitation = await invite(scene.ann, scene.eve, scene.workspace); },
    act: ({ ann, invitation }, headers) => ann.ask('PATCH', `workspaces/invitations/${invitation.id}/`, { permissions: 'ADMIN' }, headers),
    expect: ({ ann, eve, workspace, invitation }) => [{
      type: 'workspace_invitation_updated_or_created',
      invitation: { id: invitation.id, invited_by: ann.name, workspace: workspace.name, email: eve.email, message: '', created_on: invitation.created_on, email_exists: null },
    }],
  },
  {
    name: 'workspace_invitation_updated_or_created: made again as it was', actor: 'ann', hears: 'eve',
    prepare: async (scene) => { scene.invitation = await invite(scene.ann, scene.eve, scene.workspace); },
    act: ({ ann, eve, workspace }) => invite(ann, eve, workspace),
    expect: ({ ann, eve, workspace, invitation }) => [{
      type: 'workspace_invitation_updated_or_created',
      invitation: { id: invitation.id, invited_by: ann.name, workspace: workspace.name, email: eve.email, message: '', created_on: invitation.created_on, email_exists: null },
    }],
  },
  {
    name: 'an invitation that an admin takes back is no message', actor: 'ann', hears: '',
    prepare: async (scene) => { scene.invitation = await invite(scene.ann, scene.eve, scene.workspace); },
    act: ({ ann, invitation }, headers) => ann.ask('DELETE', `workspaces/invitations/${invitation.id}/`, undefined, headers),
    expect: () => [],
  },
  {
    name: 'workspace_invitation_rejected: nobody is excluded', actor: 'eve', hears: 'here there eve',
    prepare: async (scene) => { scene.invitation = await invite(scene.ann, scene.eve, scene.workspace); },
    act: ({ eve, invitation }, headers) => eve.ask('POST', `workspaces/invitations/${invitation.id}/reject/`, undefined, headers),
    expect: ({ ann, eve, workspace, invitation }) => [{
      type: 'workspace_invitation_rejected',
      invitation: { id: invitation.id, invited_by: ann.name, workspace: workspace.name, email: eve.email, message: '', created_on: invitation.created_on, email_exists: null },
    }],
  },
];

for (const row of MESSAGES) {
  test(`5.3 ${row.name}`, async () => {
    const scene = await makeScene();
    await row.prepare?.(scene);
    const { answer, told } = await listen(scene, scene[row.actor], (headers) => row.act(scene, headers));
    const messages = row.expect(scene, answer), hears = row.hears.split(' ');
    for (const [name, heardHere] of Object.entries(told)) assert.deepEqual(heardHere, hears.includes(name) ? messages : [], name);
  });
}

test('5.14 accepting: workspace_invitation_accepted to the invited, also where it was sent; then group_user_added to all but there', async () => {
  const scene = await makeScene();
  const invitation = await invite(scene.ann, scene.eve, scene.workspace, 'ADMIN');
  const { answer, told } = await listen(scene, scene.eve, (headers) => scene.eve.ask('POST', `workspaces/invitations/${invitation.id}/accept/`, undefined, headers));
  const accepted = {
    type: 'workspace_invitation_accepted',
    invitation: { id: invitation.id, invited_by: scene.ann.name, workspace: 'Acme', email: scene.eve.email, message: '', created_on: invitation.created_on, email_exists: null },
  };
  const user = findUser(answer, scene.eve);
  assert.match(user.created_on, MOMENT);
  assert.deepEqual({ ...user, id: 0, created_on: 0 }, {
    id: 0, name: scene.eve.name, email: scene.eve.email, workspace: scene.workspace.id, permissions: 'ADMIN', created_on: 0, user_id: scene.eve.id, to_be_deleted: false,
  });
  const added = { type: 'group_user_added', id: user.id, workspace_id: scene.workspace.id, workspace_user: user };
  assert.deepEqual(told, { here: [accepted], there: [accepted, added], eve: [accepted, added], ann: [added], bob: [added] });
});

test('5.14 registering with an invitation: group_user_added alone', async () => {
  const scene = await makeScene(), name = `Invited${++made}`;
  const invitation = await invite(scene.ann, { email: `${name.toLowerCase()}@example.com` }, scene.workspace);
  const workspace_invitation_token = forge({ iss: 'invitation', invitation_id: invitation.id });
  const { answer, told } = await listen(scene, scene.ann, () => Person.register(server, name, { workspace_invitation_token }));
  const user = findUser(await read(scene.ann, scene.workspace), answer);
  const added = { type: 'group_user_added', id: user.id, workspace_id: scene.workspace.id, workspace_user: user };
  assert.deepEqual(told, { here: [added], there: [added], ann: [added], bob: [added], eve: [] });
});

test('5.3 user_restored: a scheduled user logs in again; a log-in is no message else', async () => {
  const scene = await makeScene();
  await scene.bob.ask('POST', 'user/schedule-account-deletion/');
  const ann = await connect(server, scene.ann.token);
  assert.equal(findUser(await read(scene.ann, scene.workspace), scene.bob).to_be_deleted, true);
  await Person.login(server, scene.bob.email, PASSWORD);
  await Person.login(server, scene.bob.email, PASSWORD);
  assert.deepEqual(await heard(ann), [{ type: 'user_restored', user: publicUser(scene.bob) }]);
});

test('5.3 user_permanently_deleted: when the user is gone for good, and nothing of its memberships', async () => {
  const scene = await makeScene(), ann = await connect(server, scene.ann.token), bob = await connect(server, scene.bob.token);
  const [{ id }] = await server.ask('GET', `/users?filter[email][_eq]=${scene.bob.email}&fields[]=id`);
  await server.ask('DELETE', `/users/${id}`);
  assert.deepEqual(await heard(ann), [{ type: 'user_permanently_deleted', user_id: scene.bob.id }]);
  assert.equal((await bob.closed).code, 1008);
});

test('5.3 who shares two workspaces with a person hears of it once; who shares none, not', async () => {
  const scene = await makeScene();
  const second = await makeWorkspace(scene.bob, 'Second');
  await accept(scene.ann, await invite(scene.bob, scene.ann, second));
  const ann = await connect(server, scene.ann.token), bob = await connect(server, scene.bob.token), eve = await connect(server, scene.eve.token);
  await scene.bob.ask('PATCH', 'user/account/', { first_name: 'Bobby' });
  const expected = [{ type: 'user_updated', user: publicUser(scene.bob, 'Bobby') }];
  assert.deepEqual([await heard(ann), await heard(bob), await heard(eve)], [expected, expected, []]);
});

test('4 a request that fails is no message', async () => {
  const scene = await makeScene(), ann = await connect(server, scene.ann.token);
  assert.equal((await scene.bob.rest('PATCH', `workspaces/${scene.workspace.id}/`, { name: 'x' })).status, 400);
  assert.equal((await scene.ann.rest('POST', `workspaces/${scene.workspace.id}/leave/`)).status, 400);
  assert.equal((await scene.eve.rest('DELETE', `applications/${scene.application.id}/`)).status, 400);
  assert.deepEqual(await heard(ann), []);
});

test('5.2 a new password ends every socket of its user but the sender\'s, and nobody else\'s', async () => {
  const scene = await makeScene(), { ann } = scene;
  const here = await connect(server, ann.token), there = await connect(server, ann.token), third = await connect(server, ann.token, { id: 'third' });
  const bob = await connect(server, scene.bob.token);
  await pause(1100); /* tokens know their second only: one of this second would stay good */
  await ann.ask('POST', 'user/change-password/', { old_password: PASSWORD, new_password: 'another password' }, { WebSocketId: here.id });
  for (const socket of [there, third])
    assert.deepEqual(await heardToTheEnd(socket), { messages: [{ type: 'force_disconnect' }], code: 1000, reason: '' });
  assert.deepEqual([await heard(here), await heard(bob)], [[], []]);
  await connect(server, ann.token, { success: false });
});

test('5.2 a new password by the other dialect ends them all', async () => {
  const ann = await newcomer(), socket = await connect(server, ann.token);
  const [{ id }] = await server.ask('GET', `/users?filter[email][_eq]=${ann.email}&fields[]=id`);
  await server.ask('PATCH', `/users/${id}`, { password: 'yet another password' });
  assert.deepEqual(await heardToTheEnd(socket), { messages: [{ type: 'force_disconnect' }], code: 1000, reason: '' });
});

/* ---- exclusion ---- */

test('2.7 the header names one id, whoever\'s it is; letter case of its name is free; an unknown one excludes nobody', async () => {
  const scene = await makeScene(), ann = await connect(server, scene.ann.token), bob = await connect(server, scene.bob.token);
  const rename = (name, headers) => scene.ann.ask('PATCH', `applications/${scene.application.id}/`, { name }, headers);
  const names = async (socket) => (await heard(socket)).map(({ application }) => application.name);
  await rename('a', {});
  await rename('b', { WEBSOCKETID: ann.id });
  await rename('c', { WebSocketId: bob.id });
  await rename('d', { WebSocketId: 'nobody' });
  await rename('e', { WebSocketId: '' });
  assert.deepEqual([await names(ann), await names(bob)], [['a', 'c', 'd', 'e'], ['a', 'b', 'd', 'e']]);
});

test('14.1 two sockets with one id are both excluded', async () => {
  const scene = await makeScene(), id = `tab-${made}`;
  const sockets = [await connect(server, scene.ann.token, { id }), await connect(server, scene.ann.token, { id }), await connect(server, scene.ann.token)];
  await scene.ann.ask('PATCH', `workspaces/${scene.workspace.id}/`, { name: 'x' }, { WebSocketId: id });
  const counts = [];
  for (const socket of sockets) counts.push((await heard(socket)).length);
  assert.deepEqual(counts, [0, 0, 1]);
});

test('4 messages of several requests come in the order of their commits, the same to all', async () => {
  const scene = await makeScene(), ann = await connect(server, scene.ann.token), bob = await connect(server, scene.bob.token);
  const wishes = Array.from({ length: 40 }, (_, n) => (n % 2 ? scene.ann : scene.bob).ask('PATCH', `applications/${scene.application.id}/`, { name: `n${n}` }));
  await Promise.all(wishes);
  const names = (messages) => messages.map(({ application }) => application.name);
  const first = names(await heard(ann));
  assert.deepEqual(names(await heard(bob)), first);
  assert.deepEqual([...first].sort(), wishes.map((_, n) => `n${n}`).sort());
  assert.equal((await scene.ann.ask('GET', `applications/${scene.application.id}/`)).name, first.at(-1));
});

/* ---- membership ---- */

test('3.4 who is removed hears that, and then nothing more of the workspace', async () => {
  const scene = await makeScene(), ann = await connect(server, scene.ann.token), bob = await connect(server, scene.bob.token);
  const rename = (name) => scene.ann.ask('PATCH', `applications/${scene.application.id}/`, { name });
  const bursts = Array.from({ length: 15 }, (_, n) => rename(`before${n}`));
  const removal = scene.ann.ask('DELETE', `workspaces/users/${findUser(scene.workspace, scene.bob).id}/`);
  bursts.push(...Array.from({ length: 15 }, (_, n) => rename(`after${n}`)));
  await Promise.all([removal, ...bursts]);
  const all = await heard(ann), some = await heard(bob);
  assert.equal(some.at(-1).type, 'group_user_deleted');
  assert.deepEqual(some, all.slice(0, some.length));
});

test('5.3 who joins hears of what comes after', async () => {
  const scene = await makeScene(), eve = await connect(server, scene.eve.token);
  await accept(scene.eve, await invite(scene.ann, scene.eve, scene.workspace));
  await scene.ann.ask('PATCH', `applications/${scene.application.id}/`, { name: 'x' });
  assert.deepEqual((await heard(eve)).map(({ type }) => type),
    ['workspace_invitation_updated_or_created', 'workspace_invitation_accepted', 'group_user_added', 'application_updated']);
});

/* ---- settings ---- */

test('5.13, 6 before_group_deleted can be left out; the keys of old releases stand beside the new ones', async () => {
  const old = await Server.start({ environment: { BASEROW_DOCUMENTED_MESSAGES: 'false', BASEROW_LEGACY_GROUP_KEYS: 'true' } });
  try {
    const ann = await Person.register(old, 'Ann'), bob = await Person.register(old, 'Bob'), socket = await connect(old, ann.token);
    const workspace = await makeWorkspace(ann, 'Acme'), second = await makeWorkspace(ann, 'Second'), group = plainWorkspace(workspace);
    const joined = findUser(await accept(bob, await invite(ann, bob, workspace)), bob);
    const application = await makeApplication(ann, workspace, 'CRM');
    await ann.ask('PATCH', `workspaces/${workspace.id}/`, { name: 'Acme Ltd' });
    await ann.ask('POST', `applications/workspace/${workspace.id}/`, { name: 'B', type: 'database' });
    await heard(socket).then((messages) => {
      const [created, , added, made_, updated] = messages;
      assert.deepEqual(created, { type: 'group_created', workspace: group, group });
      assert.deepEqual(added, { type: 'group_user_added', id: joined.id, workspace_id: workspace.id, group_id: workspace.id, workspace_user: joined, group_user: joined });
      assert.equal(joined.group, workspace.id);
      assert.deepEqual(made_, { type: 'application_created', application });
      assert.deepEqual(application.group, application.workspace);
      const renamed = { ...group, name: 'Acme Ltd' };
      assert.deepEqual(updated, { type: 'group_updated', workspace_id: workspace.id, group_id: workspace.id, workspace: renamed, group: renamed });
    });
    const ids = [second.id, workspace.id];
    await ann.ask('POST', 'workspaces/order/', { workspaces: ids });
    await ann.ask('POST', `applications/workspace/${workspace.id}/order/`, { application_ids: [application.id + 1, application.id] });
    await ann.ask('DELETE', `workspaces/${workspace.id}/`);
    assert.deepEqual(await heard(socket), [
      { type: 'groups_reordered', workspace_ids: ids, group_ids: ids },
      { type: 'applications_reordered', workspace_id: workspace.id, group_id: workspace.id, order: [application.id + 1, application.id].map(digest) },
      { type: 'group_deleted', workspace_id: workspace.id, group_id: workspace.id },
    ]);
  } finally {
    await old.stop();
  }
});

/* ---- the client of the documentation ---- */

test('a client written from the seed document works as it reads there', async () => {
  const scene = await makeScene();
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/core/?jwt_token=${scene.bob.token}`);
  const messages = [];
  let webSocketId = null;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'authentication' && message.success) webSocketId = message.web_socket_id;
    messages.push(message);
  };
  await within(new Promise((resolve) => { socket.onopen = resolve; }), 'the socket to open');
  while (!webSocketId) await pause(5);
  await scene.ann.ask('PATCH', `applications/${scene.application.id}/`, { name: 'Test' });
  await scene.bob.ask('PATCH', `applications/${scene.application.id}/`, { name: 'Mine' }, { WebSocketId: webSocketId });
  socket.send(JSON.stringify({ remove_page: 'row', table_id: 1, row_id: 1 }));
  while (messages.at(-1).type !== 'page_discard') await pause(5);
  socket.close();
  assert.deepEqual(messages.slice(1).map(hideNumber), [
    { type: 'application_updated', application_id: scene.application.id, application: { ...scene.application, name: 'Test' } },
    { type: 'page_discard', page: 'row', parameters: { table_id: 1, row_id: 1 } },
  ]);
});
