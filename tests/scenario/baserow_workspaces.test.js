/* Workspaces, members, invitations and applications of Baserow's dialect (baserow.md 7.2, 7.6 to 7.8, 9.3, 9.4, 12). */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { MOMENT, Person, assertCode, assertInvalid } from './baserow.js';
import { Server, makeFolder } from './harness.js';

const SECRET = 'secret-of-the-tests';
let server, ann, bob, eve, made = 0;

before(async () => {
  server = await Server.start();
  ann = await Person.register(server, 'Ann');
  bob = await Person.register(server, 'Bob');
  eve = await Person.register(server, 'Eve');
});
after(() => server.stop());

/* A workspace of ann's with bob as a member: its view as ann sees it. */
async function makeWorkspace({ name = `Workspace ${++made}`, role = 'MEMBER' } = {}) {
  const { id } = await ann.ask('POST', 'workspaces/', { name });
  await join(bob, id, role);
  return view(ann, id);
}
const invite = (person, workspace, permissions = 'MEMBER', by = ann) =>
  by.ask('POST', `workspaces/invitations/workspace/${workspace}/`, { email: person.email, permissions, message: '' });
const join = async (person, workspace, role, by = ann) =>
  person.ask('POST', `workspaces/invitations/${(await invite(person, workspace, role, by)).id}/accept/`);
const view = async (person, id) => (await person.ask('GET', 'workspaces/')).find((one) => one.id === id);
const membership = (workspace, person) => workspace.users.find((one) => one.user_id === person.id);
const makeApplication = (workspace, name = 'CRM', by = ann) => by.ask('POST', `applications/workspace/${workspace}/`, { name, type: 'database' });

/* Keys as the specification lists them, no more and no less. */
const assertKeys = (object, keys) => assert.deepEqual(Object.keys(object).sort(), keys.split(' ').sort(), JSON.stringify(object));
function assertUser(user, workspace, person, permissions) {
  assertKeys(user, 'id name email workspace permissions created_on user_id to_be_deleted');
  const { id, created_on: createdOn, ...rest } = user;
  assert.ok(Number.isSafeInteger(id) && id > 0);
  assert.match(createdOn, MOMENT);
  assert.deepEqual(rest, { name: person.name, email: person.email, workspace, permissions, user_id: person.id, to_be_deleted: false });
}
function assertView(workspace, { name, order, permissions, users }) {
  assertKeys(workspace, 'id name users order permissions unread_notifications_count generative_ai_models_enabled');
  assert.deepEqual({ ...workspace, id: 0, users: [] },
    { id: 0, name, users: [], order, permissions, unread_notifications_count: 0, generative_ai_models_enabled: {} });
  assert.equal(workspace.users.length, users.length, JSON.stringify(workspace.users));
  users.forEach(([person, role], i) => assertUser(workspace.users[i], workspace.id, person, role));
}
function assertInvitation(invitation, workspace, email, permissions, message = '') {
  assertKeys(invitation, 'id workspace email permissions message created_on');
  assert.match(invitation.created_on, MOMENT);
  assert.deepEqual({ ...invitation, id: 0, created_on: 0 }, { id: 0, workspace, email, permissions, message, created_on: 0 });
}
function assertOwnInvitation(invitation, { workspace, email, by, message = '', exists = null }) {
  assertKeys(invitation, 'id invited_by workspace email message created_on email_exists');
  assert.match(invitation.created_on, MOMENT);
  assert.deepEqual({ ...invitation, id: 0, created_on: 0 },
    { id: 0, invited_by: by, workspace, email, message, created_on: 0, email_exists: exists });
}
function assertApplication(application, { name, order, workspace }) {
  assertKeys(application, 'id name order type created_on workspace tables');
  assert.match(application.created_on, MOMENT);
  assert.deepEqual({ ...application, id: 0, created_on: 0 }, {
    id: 0, name, order, type: 'database', created_on: 0, tables: [],
    workspace: { id: workspace.id, name: workspace.name, generative_ai_models_enabled: {} },
  });
}

/* ---- every route: credentials, validation, existence, membership, role, in this order ---- */

/*
 * Paths name what they need by :workspace, :member, :application, :invitation. body: one that is valid.
 * admin: members are refused. missing: the code when the object is not there; null: no object is named.
 */
const ROUTES = [
  { call: 'GET workspaces/', missing: null },
  { call: 'POST workspaces/', body: { name: 'x' }, missing: null },
  { call: 'POST workspaces/create-initial-workspace/', body: { name: 'x' }, missing: null },
  { call: 'PATCH workspaces/:workspace/', body: { name: 'x' }, admin: true, missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'DELETE workspaces/:workspace/', admin: true, missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'POST workspaces/order/', body: { workspaces: [1] }, missing: null },
  { call: 'POST workspaces/:workspace/leave/', missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'GET workspaces/:workspace/permissions/', missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'GET workspaces/:workspace/settings/generative-ai/', admin: true, missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'PATCH workspaces/:workspace/settings/generative-ai/', body: {}, admin: true, missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'GET workspaces/users/workspace/:workspace/', admin: true, missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'PATCH workspaces/users/:member/', body: { permissions: 'ADMIN' }, admin: true, missing: 'ERROR_GROUP_USER_DOES_NOT_EXIST' },
  { call: 'DELETE workspaces/users/:member/', admin: true, missing: 'ERROR_GROUP_USER_DOES_NOT_EXIST' },
  { call: 'GET workspaces/invitations/workspace/:workspace/', admin: true, missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'POST workspaces/invitations/workspace/:workspace/', body: { email: 'x@example.com', permissions: 'MEMBER' }, admin: true, missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'GET workspaces/invitations/:invitation/', admin: true, missing: 'ERROR_GROUP_INVITATION_DOES_NOT_EXIST' },
  { call: 'PATCH workspaces/invitations/:invitation/', body: { permissions: 'ADMIN' }, admin: true, missing: 'ERROR_GROUP_INVITATION_DOES_NOT_EXIST' },
  { call: 'DELETE workspaces/invitations/:invitation/', admin: true, missing: 'ERROR_GROUP_INVITATION_DOES_NOT_EXIST' },
  { call: 'POST workspaces/invitations/:invitation/accept/', missing: 'ERROR_GROUP_INVITATION_DOES_NOT_EXIST', stranger: 'ERROR_GROUP_INVITATION_EMAIL_MISMATCH' },
  { call: 'POST workspaces/invitations/:invitation/reject/', missing: 'ERROR_GROUP_INVITATION_DOES_NOT_EXIST', stranger: 'ERROR_GROUP_INVITATION_EMAIL_MISMATCH' },
  { call: 'GET applications/', missing: null },
  { call: 'GET applications/workspace/:workspace/', missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'POST applications/workspace/:workspace/', body: { name: 'x', type: 'database' }, missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'POST applications/workspace/:workspace/order/', body: { application_ids: [] }, missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'GET applications/:application/', missing: 'ERROR_APPLICATION_DOES_NOT_EXIST' },
  { call: 'PATCH applications/:application/', body: { name: 'x' }, missing: 'ERROR_APPLICATION_DOES_NOT_EXIST' },
  { call: 'DELETE applications/:application/', missing: 'ERROR_APPLICATION_DOES_NOT_EXIST' },
  { call: 'POST applications/:application/duplicate/async/', missing: 'ERROR_APPLICATION_DOES_NOT_EXIST' },
  { call: 'GET jobs/', missing: null },
  { call: 'GET notifications/:workspace/', missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'DELETE notifications/:workspace/', missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
  { call: 'POST notifications/:workspace/mark-all-as-read/', missing: 'ERROR_GROUP_DOES_NOT_EXIST' },
];
const target = (path, ids) => path.replace(/:(\w+)/, (_, name) => ids[name] ?? ids);
const NOWHERE = 999_999_999;

for (const { call, body, admin, missing, stranger = 'ERROR_USER_NOT_IN_GROUP' } of ROUTES) {
  const [method, path] = call.split(' ');

  test(`${call} is for users who say who they are`, async () => {
    const answer = await server.rest(method, `/api/${target(path, 1)}`, body, null);
    assert.equal(answer.status, 401);
    assert.deepEqual(answer.body, { detail: 'Authentication credentials were not provided.' });
  });

  if (missing) {
    test(`${call} of what is not there is ${missing}`, async () => {
      for (const id of [NOWHERE, 0]) assertCode(await ann.rest(method, target(path, id), body), 404, missing);
      if (body && Object.keys(body).length)
        assertCode(await ann.rest(method, target(path, NOWHERE), {}), 400, 'ERROR_REQUEST_BODY_VALIDATION');
    });

    test(`${call} is refused to whom it does not concern`, async () => {
      const workspace = await makeWorkspace();
      const ids = {
        workspace: workspace.id, member: membership(workspace, bob).id,
        application: (await makeApplication(workspace.id)).id,
        invitation: (await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: 'third@example.com', permissions: 'MEMBER' })).id,
      };
      const detail = assertCode(await eve.rest(method, target(path, ids), body), 400, stranger);
      if (stranger === 'ERROR_USER_NOT_IN_GROUP') assert.equal(detail, '');
      if (admin) assertCode(await bob.rest(method, target(path, ids), body), 400, 'ERROR_USER_INVALID_GROUP_PERMISSIONS');
      const [same, applications] = [await view(ann, workspace.id), await ann.ask('GET', `applications/workspace/${workspace.id}/`)];
      assert.deepEqual(same, workspace, 'nothing has changed');
      assert.deepEqual(applications.map(({ id, name }) => [id, name]), [[ids.application, 'CRM']]);
    });
  }
}

/* ---- validation ---- */

const long = (length) => 'é'.repeat(length);
const INVALID = [
  ['POST workspaces/', {}, { name: ['required'] }],
  ['POST workspaces/', { name: null }, { name: ['null'] }],
  ['POST workspaces/', { name: '' }, { name: ['blank'] }],
  ['POST workspaces/', { name: '   ' }, { name: ['blank'] }],
  ['POST workspaces/', { name: [] }, { name: ['invalid'] }],
  ['POST workspaces/', { name: long(166) }, { name: ['max_length'] }],
  ['POST workspaces/create-initial-workspace/', {}, { name: ['required'] }],
  ['PATCH workspaces/:id/', {}, { name: ['required'] }],
  ['PATCH workspaces/:id/', { name: long(166) }, { name: ['max_length'] }],
  ['POST workspaces/order/', {}, { workspaces: ['required'] }],
  ['POST workspaces/order/', { workspaces: 5 }, { workspaces: ['not_a_list'] }],
  ['POST workspaces/order/', { workspaces: [1, 'x'] }, { workspaces: { 1: ['invalid'] } }],
  ['PATCH workspaces/users/:id/', {}, { permissions: ['required'] }],
  ['PATCH workspaces/users/:id/', { permissions: 'KING' }, { permissions: ['invalid_choice'] }],
  ['POST workspaces/invitations/workspace/:id/', { permissions: 'MEMBER' }, { email: ['required'] }],
  ['POST workspaces/invitations/workspace/:id/', { email: 'no address', permissions: 'MEMBER' }, { email: ['invalid'] }],
  ['POST workspaces/invitations/workspace/:id/', { email: 'a@example.com' }, { permissions: ['required'] }],
  ['POST workspaces/invitations/workspace/:id/', { email: 'a@example.com', permissions: 'x' }, { permissions: ['invalid_choice'] }],
  ['POST workspaces/invitations/workspace/:id/', { email: 'a@example.com', permissions: 'ADMIN', message: long(251) }, { message: ['max_length'] }],
  ['POST workspaces/invitations/workspace/:id/', {}, { email: ['required'], permissions: ['required'] }],
  ['PATCH workspaces/invitations/:id/', { permissions: 'x' }, { permissions: ['invalid_choice'] }],
  ['POST applications/workspace/:id/', { type: 'database' }, { name: ['required'] }],
  ['POST applications/workspace/:id/', { name: 'x' }, { type: ['required'] }],
  ['POST applications/workspace/:id/', { name: 'x', type: 'spaceship' }, { type: ['invalid_choice'] }],
  ['POST applications/workspace/:id/', { name: long(161), type: 'database' }, { name: ['max_length'] }],
  ['POST applications/workspace/:id/', { name: 'x', type: 'database', init_with_data: 'perhaps' }, { init_with_data: ['invalid'] }],
  ['POST applications/workspace/:id/order/', {}, { application_ids: ['required'] }],
  ['POST applications/workspace/:id/order/', { application_ids: ['x'] }, { application_ids: { 0: ['invalid'] } }],
  ['PATCH applications/:id/', {}, { name: ['required'] }],
  ['PATCH applications/:id/', { name: long(161) }, { name: ['max_length'] }],
];
for (const [call, body, wanted] of INVALID)
  test(`${call} of ${JSON.stringify(body).slice(0, 60)} is invalid, whatever it is asked of`, async () => {
    const [method, path] = call.split(' ');
    assertInvalid(await ann.rest(method, target(path, NOWHERE), body), wanted);
  });

test('names and messages fit to their very last character', async () => {
  const workspace = await ann.ask('POST', 'workspaces/', { name: long(165) });
  assert.equal(workspace.name, long(165));
  assert.equal((await ann.ask('PATCH', `workspaces/${workspace.id}/`, { name: 'x' })).name, 'x');
  assert.equal((await makeApplication(workspace.id, long(160))).name, long(160));
  const invitation = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: 'long@example.com', permissions: 'ADMIN', message: long(250) });
  assertInvitation(invitation, workspace.id, 'long@example.com', 'ADMIN', long(250));
});

/* ---- workspaces ---- */

test('who makes a workspace is its admin, and it is the last of his', async () => {
  const person = await Person.register(server, 'Maker');
  assert.deepEqual(await person.ask('GET', 'workspaces/'), []);
  const first = await person.ask('POST', 'workspaces/', { name: 'Acme' });
  assertView(first, { name: 'Acme', order: 1, permissions: 'ADMIN', users: [[person, 'ADMIN']] });
  const second = await person.ask('POST', 'workspaces/create-initial-workspace/', { name: 'Beta' });
  assertView(second, { name: 'Beta', order: 2, permissions: 'ADMIN', users: [[person, 'ADMIN']] });
  assert.deepEqual(await person.ask('GET', 'workspaces/'), [first, second]);
});

test('a workspace is renamed, for all its members', async () => {
  const { id } = await makeWorkspace();
  assert.deepEqual(await ann.ask('PATCH', `workspaces/${id}/`, { name: 'Acme Ltd', unknown: 5 }), { id, name: 'Acme Ltd', generative_ai_models_enabled: {} });
  for (const person of [ann, bob]) assert.equal((await view(person, id)).name, 'Acme Ltd');
});

test('a workspace that was deleted is gone, with its applications, for all', async () => {
  const { id } = await makeWorkspace();
  const application = await makeApplication(id);
  await ann.ask('DELETE', `workspaces/${id}/`);
  for (const person of [ann, bob, eve]) {
    assert.equal(await view(person, id), undefined);
    assertCode(await person.rest('GET', `applications/workspace/${id}/`), 404, 'ERROR_GROUP_DOES_NOT_EXIST');
    assertCode(await person.rest('GET', `applications/${application.id}/`), 404, 'ERROR_APPLICATION_DOES_NOT_EXIST');
    assertCode(await person.rest('DELETE', `workspaces/${id}/`), 404, 'ERROR_GROUP_DOES_NOT_EXIST');
  }
});

test('the order of workspaces is each member\'s own', async () => {
  const person = await Person.register(server, 'Sorter'), other = await Person.register(server, 'Other');
  const ids = [];
  for (const name of ['a', 'b', 'c', 'd']) ids.push((await person.ask('POST', 'workspaces/', { name })).id);
  for (const id of ids) await join(other, id, 'MEMBER', person);
  const order = async (of) => (await of.ask('GET', 'workspaces/')).map((one) => [ids.indexOf(one.id), one.order]);
  const AS_MADE = [[0, 1], [1, 2], [2, 3], [3, 4]];
  assert.deepEqual(await order(person), AS_MADE);
  const RULES = [ // places of those listed, and what follows
    [[3, 1], [0, 3, 2, 1]],
    [[0, 1, 2, 3], [0, 1, 2, 3]],
    [[2, 0], [2, 1, 0, 3]],
    [[3, 2, 1, 0], [3, 2, 1, 0]],
    [[], [3, 2, 1, 0]],
    [[1], [3, 2, 1, 0]],
    [[0, 1, 2, 3], [0, 1, 2, 3]],
  ];
  for (const [listed, wanted] of RULES) {
    await person.ask('POST', 'workspaces/order/', { workspaces: listed.map((at) => ids[at]) });
    assert.deepEqual(await order(person), wanted.map((at, i) => [at, i + 1]), JSON.stringify(listed));
    assert.deepEqual(await order(other), AS_MADE);
  }
  await person.ask('POST', 'workspaces/order/', { workspaces: [NOWHERE, ids[1], ids[0]] });
  assert.deepEqual((await order(person)).map(([at]) => at), [1, 0, 2, 3]);
});

test('a member may leave, and the last admin may not', async () => {
  const { id } = await makeWorkspace();
  assertCode(await ann.rest('POST', `workspaces/${id}/leave/`), 400, 'ERROR_GROUP_USER_IS_LAST_ADMIN');
  await bob.ask('POST', `workspaces/${id}/leave/`);
  assertCode(await bob.rest('POST', `workspaces/${id}/leave/`), 400, 'ERROR_USER_NOT_IN_GROUP');
  assertView(await view(ann, id), { name: (await view(ann, id)).name, order: (await view(ann, id)).order, permissions: 'ADMIN', users: [[ann, 'ADMIN']] });
  await join(bob, id, 'ADMIN');
  await ann.ask('POST', `workspaces/${id}/leave/`);
  assertCode(await ann.rest('PATCH', `workspaces/${id}/`, { name: 'mine' }), 400, 'ERROR_USER_NOT_IN_GROUP');
  assertCode(await bob.rest('POST', `workspaces/${id}/leave/`), 400, 'ERROR_GROUP_USER_IS_LAST_ADMIN');
  assert.deepEqual((await view(bob, id)).users.map((one) => one.user_id), [bob.id]);
});

test('the permissions object tells admins from members', async () => {
  const { id } = await makeWorkspace();
  for (const [person, isAdmin] of [[ann, true], [bob, false]]) {
    const managers = await person.ask('GET', `workspaces/${id}/permissions/`);
    assert.deepEqual(managers.map((one) => one.name), ['core', 'setting_operation', 'staff', 'allow_if_template', 'basic']);
    for (const manager of managers) assertKeys(manager, 'name permissions');
    const [core, settings, staff, template, basic] = managers.map((one) => one.permissions);
    assert.ok(core.every((one) => typeof one === 'string') && core.length > 0);
    assertKeys(settings, 'staff_only_operations always_allowed_operations');
    assertKeys(staff, 'staff_only_operations is_staff');
    assertKeys(template, 'allowed_operations_on_template workspace_template_ids');
    assertKeys(basic, 'admin_only_operations is_admin');
    assert.equal(staff.is_staff, false);
    assert.equal(basic.is_admin, isAdmin);
    for (const name of ['workspace.create_invitation', 'workspace.update', 'workspace.delete']) assert.ok(basic.admin_only_operations.includes(name), name);
  }
});

test('no provider of generated text is configured', async () => {
  const { id } = await makeWorkspace();
  assert.deepEqual(await ann.ask('GET', `workspaces/${id}/settings/generative-ai/`), {});
  assert.deepEqual(await ann.ask('PATCH', `workspaces/${id}/settings/generative-ai/`, { openai: { models: [] } }), {});
});

/* ---- members ---- */

test('an admin lists the members, found and sorted as wished', async () => {
  const { id } = await makeWorkspace();
  const list = (query = '') => ann.ask('GET', `workspaces/users/workspace/${id}/${query}`);
  const all = await list();
  assert.equal(all.length, 2);
  assertUser(all[0], id, ann, 'ADMIN');
  assertUser(all[1], id, bob, 'MEMBER');
  const FOUND = [
    ['?search=BO', ['Bob']], ['?search=example.com', ['Ann', 'Bob']], ['?search=nobody', []], ['?search=', ['Ann', 'Bob']],
    ['?sorts=%2Bname', ['Ann', 'Bob']], ['?sorts=-name', ['Bob', 'Ann']], ['?sorts=+name', ['Ann', 'Bob']], ['?sorts=-email', ['Bob', 'Ann']],
    ['?sorts=%2Brole_uid', ['Ann', 'Bob']], ['?sorts=-role_uid,%2Bname', ['Bob', 'Ann']], ['?sorts=', ['Ann', 'Bob']], ['?search=ann&sorts=-name', ['Ann']],
  ];
  for (const [query, names] of FOUND) assert.deepEqual((await list(query)).map((one) => one.name), names, query);
  const WRONG = [['name', 'DIRECTION'], ['*name', 'DIRECTION'], ['%2Bage', 'ATTRIBUTE'], ['-', 'ATTRIBUTE'], ['%2Bname,,-email', 'ATTRIBUTE'], ['%2Bname,email', 'DIRECTION']];
  for (const [sorts, what] of WRONG)
    assertCode(await ann.rest('GET', `workspaces/users/workspace/${id}/?sorts=${sorts}`), 400, `ERROR_INVALID_SORT_${what}`);
});

test('roles change, but not the last admin\'s', async () => {
  const workspace = await makeWorkspace();
  const [a, b] = [membership(workspace, ann).id, membership(workspace, bob).id];
  assertCode(await ann.rest('PATCH', `workspaces/users/${a}/`, { permissions: 'MEMBER' }), 400, 'ERROR_GROUP_USER_IS_LAST_ADMIN');
  assertUser(await ann.ask('PATCH', `workspaces/users/${b}/`, { permissions: 'ADMIN' }), workspace.id, bob, 'ADMIN');
  assert.equal((await view(bob, workspace.id)).permissions, 'ADMIN');
  assertUser(await bob.ask('PATCH', `workspaces/users/${a}/`, { permissions: 'MEMBER' }), workspace.id, ann, 'MEMBER');
  assertCode(await ann.rest('PATCH', `workspaces/${workspace.id}/`, { name: 'x' }), 400, 'ERROR_USER_INVALID_GROUP_PERMISSIONS');
  assertCode(await bob.rest('PATCH', `workspaces/users/${b}/`, { permissions: 'MEMBER' }), 400, 'ERROR_GROUP_USER_IS_LAST_ADMIN');
  assert.equal((await bob.ask('PATCH', `workspaces/users/${b}/`, { permissions: 'ADMIN' })).permissions, 'ADMIN');
});

test('a member is removed, and nobody removes himself', async () => {
  const workspace = await makeWorkspace({ role: 'ADMIN' });
  const [a, b] = [membership(workspace, ann).id, membership(workspace, bob).id];
  assertCode(await ann.rest('DELETE', `workspaces/users/${a}/`), 400, 'ERROR_CANNOT_DELETE_YOURSELF_FROM_GROUP');
  await ann.ask('DELETE', `workspaces/users/${b}/`);
  assertCode(await ann.rest('DELETE', `workspaces/users/${b}/`), 404, 'ERROR_GROUP_USER_DOES_NOT_EXIST');
  assertCode(await bob.rest('GET', `applications/workspace/${workspace.id}/`), 400, 'ERROR_USER_NOT_IN_GROUP');
  assert.equal(await view(bob, workspace.id), undefined);
  const again = await join(bob, workspace.id, 'MEMBER');
  assert.ok(membership(again, bob).id > b, 'the number of a membership is not given twice');
});

/* ---- invitations ---- */

test('an invitation is made, listed, changed and deleted by admins', async () => {
  const { id } = await makeWorkspace();
  const path = `workspaces/invitations/workspace/${id}/`;
  const first = await ann.ask('POST', path, { email: ' Zoe@Example.com ', permissions: 'MEMBER', message: 'Come!', base_url: 'http://localhost/invite' });
  assertInvitation(first, id, 'zoe@example.com', 'MEMBER', 'Come!');
  const second = await ann.ask('POST', path, { email: 'amy@example.com', permissions: 'ADMIN' });
  assertInvitation(second, id, 'amy@example.com', 'ADMIN', '');
  assert.deepEqual(await ann.ask('GET', path), [first, second]);
  for (const [query, wanted] of [['?search=ZOE', [first]], ['?search=example', [first, second]], ['?search=x@', []], ['?sorts=%2Bemail', [second, first]], ['?sorts=-email', [first, second]]])
    assert.deepEqual(await ann.ask('GET', path + query), wanted, query);
  assertCode(await ann.rest('GET', `${path}?sorts=email`), 400, 'ERROR_INVALID_SORT_DIRECTION');
  assertCode(await ann.rest('GET', `${path}?sorts=-age`), 400, 'ERROR_INVALID_SORT_ATTRIBUTE');
  assert.deepEqual(await ann.ask('GET', `workspaces/invitations/${first.id}/`), first);
  assert.deepEqual(await ann.ask('PATCH', `workspaces/invitations/${first.id}/`, { permissions: 'ADMIN' }), { ...first, permissions: 'ADMIN' });
  await ann.ask('DELETE', `workspaces/invitations/${first.id}/`);
  assertCode(await ann.rest('GET', `workspaces/invitations/${first.id}/`), 404, 'ERROR_GROUP_INVITATION_DOES_NOT_EXIST');
  assert.deepEqual(await ann.ask('GET', path), [second]);
});

test('the same address again, in any case, changes the invitation that is there', async () => {
  const { id } = await makeWorkspace();
  const path = `workspaces/invitations/workspace/${id}/`;
  const first = await ann.ask('POST', path, { email: 'yan@example.com', permissions: 'MEMBER', message: 'one' });
  const again = await ann.ask('POST', path, { email: 'YAN@example.com', permissions: 'ADMIN', message: 'two' });
  assert.deepEqual(again, { ...first, permissions: 'ADMIN', message: 'two' });
  assert.deepEqual(await ann.ask('GET', path), [again]);
});

test('who is a member already is not invited', async () => {
  const { id } = await makeWorkspace();
  for (const email of [ann.email, bob.email, bob.email.toUpperCase()])
    assertCode(await ann.rest('POST', `workspaces/invitations/workspace/${id}/`, { email, permissions: 'MEMBER' }), 400, 'ERROR_GROUP_USER_ALREADY_EXISTS');
});

test('an invitation is seen by the invited person, who accepts it', async () => {
  const person = await Person.register(server, 'Guest'), mine = await person.ask('POST', 'workspaces/', { name: 'Own' });
  const workspace = await makeWorkspace({ name: 'Inviting' });
  const { id } = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: 'GUEST@example.com', permissions: 'MEMBER', message: 'Hello' });
  const { workspace_invitations: invitations } = await person.ask('GET', 'user/dashboard/');
  assert.equal(invitations.length, 1);
  assertOwnInvitation(invitations[0], { workspace: 'Inviting', email: 'guest@example.com', by: 'Ann', message: 'Hello' });
  assert.equal(invitations[0].id, id);
  for (const verb of ['accept', 'reject']) assertCode(await eve.rest('POST', `workspaces/invitations/${id}/${verb}/`), 400, 'ERROR_GROUP_INVITATION_EMAIL_MISMATCH');
  const joined = await person.ask('POST', `workspaces/invitations/${id}/accept/`);
  assertView(joined, { name: 'Inviting', order: 2, permissions: 'MEMBER', users: [[ann, 'ADMIN'], [bob, 'MEMBER'], [person, 'MEMBER']] });
  assert.deepEqual(await person.ask('GET', 'workspaces/'), [mine, joined]);
  assert.deepEqual(await person.ask('GET', 'user/dashboard/'), { workspace_invitations: [] });
  assertCode(await person.rest('POST', `workspaces/invitations/${id}/accept/`), 404, 'ERROR_GROUP_INVITATION_DOES_NOT_EXIST');
  const later = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: 'later@example.com', permissions: 'MEMBER' });
  assert.ok(later.id > id, 'the number of an invitation is not given twice');
});

test('an instance may bound the invitations that wait', async () => {
  const own = await Server.start({ environment: { BASEROW_MAX_PENDING_WORKSPACE_INVITES: '2' } });
  const [person, other] = [await Person.register(own, 'Ann'), await Person.register(own, 'Bob')];
  const { id } = await person.ask('POST', 'workspaces/', { name: 'Acme' });
  const path = `workspaces/invitations/workspace/${id}/`;
  const send = (email) => person.rest('POST', path, { email, permissions: 'MEMBER' });
  for (const email of ['a@example.com', 'b@example.com', 'B@example.com']) assert.equal((await send(email)).status, 200, email);
  assertCode(await send('c@example.com'), 400, 'ERROR_MAX_NUMBER_OF_PENDING_WORKSPACE_INVITES_REACHED');
  assertCode(await other.rest('POST', path, { email: 'c@example.com', permissions: 'MEMBER' }), 400, 'ERROR_USER_NOT_IN_GROUP');
  const [{ id: first }] = await person.ask('GET', path);
  await person.ask('DELETE', `workspaces/invitations/${first}/`);
  assert.equal((await send('c@example.com')).status, 200);
  await own.stop();
});

test('an invitation that was rejected is gone', async () => {
  const workspace = await makeWorkspace();
  const { id } = await invite(eve, workspace.id);
  await eve.ask('POST', `workspaces/invitations/${id}/reject/`);
  assertCode(await eve.rest('POST', `workspaces/invitations/${id}/reject/`), 404, 'ERROR_GROUP_INVITATION_DOES_NOT_EXIST');
  assertCode(await eve.rest('GET', `applications/workspace/${workspace.id}/`), 400, 'ERROR_USER_NOT_IN_GROUP');
  assert.deepEqual(await ann.ask('GET', `workspaces/invitations/workspace/${workspace.id}/`), []);
});

test('invitations to a workspace that was deleted are gone', async () => {
  const workspace = await makeWorkspace();
  const { id } = await invite(eve, workspace.id);
  await ann.ask('DELETE', `workspaces/${workspace.id}/`);
  assertCode(await eve.rest('POST', `workspaces/invitations/${id}/accept/`), 404, 'ERROR_GROUP_INVITATION_DOES_NOT_EXIST');
  assert.ok((await eve.ask('GET', 'user/dashboard/')).workspace_invitations.every((one) => one.id !== id));
});

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function sign(claims, secret = SECRET) {
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

test('who holds a signed token sees its invitation without logging in', async () => {
  const workspace = await makeWorkspace({ name: 'Tokens' });
  const read = (token) => server.rest('GET', `/api/workspaces/invitations/token/${token}/`, undefined, null);
  for (const [email, exists] of [[eve.email, true], ['new@example.com', false]]) {
    const { id } = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email, permissions: 'MEMBER', message: 'm' });
    const claims = { iss: 'invitation', invitation_id: id };
    const { status, body } = await read(sign(claims));
    assert.equal(status, 200, JSON.stringify(body));
    assertOwnInvitation(body, { workspace: 'Tokens', email, by: 'Ann', message: 'm', exists });
    for (const token of [sign(claims, 'another secret'), sign({ ...claims, iss: 'x' }), sign({ iss: 'invitation' }), sign({ ...claims, invitation_id: '1' }), 'nonsense', 'a.b.c', ann.token])
      assertCode(await read(token), 400, 'BAD_TOKEN_SIGNATURE');
    await ann.ask('DELETE', `workspaces/invitations/${id}/`);
    assertCode(await read(sign(claims)), 404, 'ERROR_GROUP_INVITATION_DOES_NOT_EXIST');
  }
});

test('a token of an invitation is no access token', async () => {
  const answer = await server.rest('GET', '/api/workspaces/', undefined, null, { Authorization: `JWT ${sign({ iss: 'invitation', invitation_id: 1, user_id: ann.id })}` });
  assertCode(answer, 401, 'ERROR_INVALID_ACCESS_TOKEN');
});

test('who registers with an invitation is a member at once', async () => {
  const workspace = await makeWorkspace();
  const { id } = await ann.ask('POST', `workspaces/invitations/workspace/${workspace.id}/`, { email: 'newcomer@example.com', permissions: 'ADMIN' });
  const token = sign({ iss: 'invitation', invitation_id: id });
  const other = await server.rest('POST', '/api/user/', { name: 'Other', email: 'somebody@example.com', password: 'a long password', workspace_invitation_token: token }, null);
  assertCode(other, 400, 'ERROR_GROUP_INVITATION_EMAIL_MISMATCH');
  const person = await Person.register(server, 'Newcomer', { workspace_invitation_token: token });
  assert.deepEqual((await person.ask('GET', 'workspaces/')).map((one) => [one.id, one.permissions]), [[workspace.id, 'ADMIN']]);
});

/* ---- applications ---- */

test('a member makes, reads, renames and deletes an application', async () => {
  const workspace = await makeWorkspace();
  const made = await bob.ask('POST', `applications/workspace/${workspace.id}/`, { name: 'CRM', type: 'database', init_with_data: false });
  assertApplication(made, { name: 'CRM', order: 1, workspace });
  const second = await makeApplication(workspace.id, 'Second');
  assertApplication(second, { name: 'Second', order: 2, workspace });
  for (const person of [ann, bob]) {
    assert.deepEqual(await person.ask('GET', `applications/${made.id}/`), made);
    assert.deepEqual(await person.ask('GET', `applications/workspace/${workspace.id}/`), [made, second]);
  }
  assert.deepEqual(await bob.ask('PATCH', `applications/${made.id}/`, { name: 'Sales' }), { ...made, name: 'Sales' });
  await bob.ask('DELETE', `applications/${second.id}/`);
  for (const method of ['GET', 'DELETE']) assertCode(await bob.rest(method, `applications/${second.id}/`), 404, 'ERROR_APPLICATION_DOES_NOT_EXIST');
  const third = await makeApplication(workspace.id, 'Third');
  assert.ok(third.id > second.id, 'the number of an application is not given twice');
});

test('all applications of all own workspaces, and no others, are listed', async () => {
  const person = await Person.register(server, 'Lister'), wanted = [];
  for (const name of ['one', 'two']) {
    const { id } = await person.ask('POST', 'workspaces/', { name });
    for (const title of ['a', 'b']) wanted.push(await makeApplication(id, title, person));
  }
  await makeApplication((await makeWorkspace()).id);
  assert.deepEqual(await person.ask('GET', 'applications/'), wanted);
});

test('applications are put in order: those listed take the places they had', async () => {
  const workspace = await makeWorkspace(), foreign = await makeApplication((await makeWorkspace()).id);
  const ids = [];
  for (const name of ['a', 'b', 'c', 'd']) ids.push((await makeApplication(workspace.id, name)).id);
  const put = (list) => bob.rest('POST', `applications/workspace/${workspace.id}/order/`, { application_ids: list });
  const order = async () => (await ann.ask('GET', `applications/workspace/${workspace.id}/`)).map((one) => [ids.indexOf(one.id), one.order]);
  for (const [listed, wanted] of [[[3, 1], [0, 3, 2, 1]], [[0, 1, 2, 3], [0, 1, 2, 3]], [[2, 0], [2, 1, 0, 3]], [[3, 2, 1, 0], [3, 2, 1, 0]], [[], [3, 2, 1, 0]], [[2], [3, 2, 1, 0]]]) {
    const { status } = await put(listed.map((at) => ids[at]));
    assert.equal(status, 204);
    assert.deepEqual(await order(), wanted.map((at, i) => [at, i + 1]), JSON.stringify(listed));
  }
  for (const strange of [foreign.id, NOWHERE]) assertCode(await put([ids[0], strange]), 400, 'ERROR_APPLICATION_NOT_IN_GROUP');
  assert.deepEqual((await order()).map(([at]) => at), [3, 2, 1, 0], 'nothing has moved');
});

test('a database that is to begin with data has the example table', async () => {
  const workspace = await makeWorkspace();
  const made = await ann.ask('POST', `applications/workspace/${workspace.id}/`, { name: 'x', type: 'database', init_with_data: true });
  const [table, ...more] = made.tables;
  assert.deepEqual(more, []);
  assert.deepEqual(table, { id: table.id, name: 'Table', order: 1, database_id: made.id, data_sync: null });
  const fields = await ann.ask('GET', `database/fields/table/${table.id}/`);
  assert.deepEqual(fields.map(({ name, type, primary }) => [name, type, primary]), [['Name', 'text', true], ['Notes', 'long_text', false], ['Active', 'boolean', false]]);
  assert.equal((await ann.ask('GET', `database/rows/table/${table.id}/`)).count, 2);
  assert.deepEqual(await ann.ask('GET', `applications/workspace/${workspace.id}/`), [made]);
});

/* ---- jobs and notifications ---- */

test('there are no jobs and no notifications', async () => {
  const { id } = await makeWorkspace();
  assert.deepEqual(await bob.ask('GET', 'jobs/?states=pending,started'), { jobs: [] });
  assertCode(await bob.rest('GET', 'jobs/1/'), 404, 'ERROR_JOB_DOES_NOT_EXIST');
  assert.deepEqual(await bob.ask('GET', `notifications/${id}/?limit=10&offset=0`), { count: 0, next: null, previous: null, results: [] });
  await bob.ask('POST', `notifications/${id}/mark-all-as-read/`);
  await bob.ask('DELETE', `notifications/${id}/`);
});

/* ---- the instance ---- */

test('the first admin has the default workspace with its database', async () => {
  const admin = await Person.login(server);
  const [workspace] = await admin.ask('GET', 'workspaces/');
  assert.deepEqual([workspace.id, workspace.order, workspace.permissions, workspace.users.map((one) => one.user_id)], [1, 1, 'ADMIN', [admin.id]]);
  const applications = await admin.ask('GET', 'applications/workspace/1/');
  assert.equal(applications.length, 1);
  assert.equal(applications[0].id, 1);
});

test('all of it is there after a restart, and no number is given twice', async () => {
  const folder = makeFolder();
  try {
    let own = await Server.start({ folder });
    const person = await Person.register(own, 'Ann');
    const { id } = await person.ask('POST', 'workspaces/', { name: 'Kept' });
    const application = await makeApplication(id, 'Kept, too', person);
    const gone = await person.ask('POST', 'workspaces/', { name: 'Gone' });
    await person.ask('DELETE', `workspaces/${gone.id}/`);
    const before = [await person.ask('GET', 'workspaces/'), await person.ask('GET', 'applications/')];
    await own.stop();
    own = await Server.start({ folder });
    person.server = own;
    assert.deepEqual([await person.ask('GET', 'workspaces/'), await person.ask('GET', 'applications/')], before);
    assert.deepEqual(before[1], [application]);
    const next = await person.ask('POST', 'workspaces/', { name: 'Next' });
    assert.ok(next.id > gone.id);
    await own.stop();
  } finally {
    folder.remove();
  }
});

test('workspaces are made by staff alone where the instance says so', async () => {
  const own = await Server.start();
  const admin = await Person.login(own), person = await Person.register(own, 'Ann');
  await admin.ask('PATCH', 'settings/update/', { allow_global_workspace_creation: false });
  for (const path of ['workspaces/', 'workspaces/create-initial-workspace/']) assertCode(await person.rest('POST', path, { name: 'x' }), 401, 'PERMISSION_DENIED');
  assert.equal((await admin.ask('POST', 'workspaces/', { name: 'x' })).name, 'x');
  await own.stop();
});

test('older clients may say group for workspace, where the instance says so', async () => {
  assertCode(await ann.rest('GET', 'groups/'), 404, 'URL_NOT_FOUND');
  assertInvalid(await ann.rest('POST', 'workspaces/order/', { groups: [] }), { workspaces: ['required'] });
  const own = await Server.start({ environment: { BASEROW_LEGACY_GROUP_KEYS: 'true' } });
  const person = await Person.register(own, 'Ann');
  const { id } = await person.ask('POST', 'groups/', { name: 'Acme' });
  const [{ users: [user] }] = await person.ask('GET', 'groups/');
  assert.deepEqual([user.workspace, user.group], [id, id]);
  const application = await person.ask('POST', `applications/group/${id}/`, { name: 'CRM', type: 'database' });
  assert.deepEqual(application.group, application.workspace);
  assert.deepEqual(await person.ask('GET', `applications/workspace/${id}/`), [application]);
  assert.equal((await person.ask('GET', `groups/users/group/${id}/`)).length, 1);
  const second = await person.ask('POST', 'workspaces/', { name: 'Second' });
  await person.ask('POST', 'groups/order/', { groups: [second.id, id] });
  assert.deepEqual((await person.ask('GET', 'workspaces/')).map((one) => one.id), [second.id, id]);
  await own.stop();
});
