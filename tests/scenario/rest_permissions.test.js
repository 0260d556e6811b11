/* Roles, policies, access and permissions, and what they do to items over REST (D.5, D.7, F; P1 to P10). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PUBLIC_POLICY, Server } from './harness.js';
import { UUID, assertError, assertViolations } from './rest.js';

let server, made = 0;

before(async () => {
  server = await Server.start();
  await server.makeCollection('articles', { title: 'string', status: { type: 'string', schema: { default_value: 'draft' } }, note: 'string', owner: 'uuid', views: 'integer' });
});
after(() => server.stop());

const name = () => `p${++made}`;
const user = (permissions, options) => server.makeUser(name(), permissions.map((one) => ({ collection: 'articles', ...one })), options);
const grant = (policy, permission) => server.ask('POST', '/permissions', { policy, collection: 'articles', ...permission });
const write = (...items) => server.ask('POST', '/items/articles', items);
const read = (token, query = '') => server.rest('GET', `/items/articles${query}`, undefined, token);
async function empty() { await server.ask('DELETE', '/items/articles', { query: { limit: -1 } }); }
const forbidden = async (token, method, target, body, more) => assertError(await server.rest(method, target, body, token), 403, 'FORBIDDEN', more);
async function titles(token, query = '?sort=title') {
  const { status, body } = await read(token, query);
  assert.equal(status, 200, JSON.stringify(body));
  return body.data.map((item) => item.title).join('');
}
async function extraPolicy(who, permissions, flags = {}) {
  const policy = await server.ask('POST', '/policies', { name: name(), ...flags });
  await server.ask('POST', '/access', { user: who.user.id, policy: policy.id });
  for (const one of permissions) await grant(policy.id, one);
  return policy;
}

/* ---- the system collections themselves (D.5, D.7) ---- */

test('roles, policies, access and permissions have the shapes of the specification', async () => {
  const role = await server.ask('POST', '/roles', { name: 'Editor' });
  const policy = await server.ask('POST', '/policies', { name: 'P' });
  const access = await server.ask('POST', '/access', { role: role.id, policy: policy.id });
  const permission = await server.ask('POST', '/permissions', { policy: policy.id, collection: 'articles', action: 'read', fields: ['id', 'title'], permissions: { status: { _eq: 'x' } } });
  const { id } = await server.ask('POST', '/users', { email: `${name()}@example.com`, role: role.id });
  assert.match(role.id, UUID);
  assert.deepEqual(await server.ask('GET', `/roles/${role.id}`), { id: role.id, name: 'Editor', icon: 'supervised_user_circle', description: null, parent: null, children: [], policies: [access.id], users: [id] });
  assert.deepEqual(await server.ask('GET', `/policies/${policy.id}`), { id: policy.id, name: 'P', icon: 'badge', description: null, ip_access: null, enforce_tfa: false, admin_access: false, app_access: false, permissions: [permission.id], users: [], roles: [access.id] });
  assert.deepEqual(await server.ask('GET', `/access/${access.id}`), { id: access.id, role: role.id, user: null, policy: policy.id, sort: null });
  assert.ok(Number.isInteger(permission.id));
  assert.deepEqual(await server.ask('GET', `/permissions/${permission.id}`), { id: permission.id, collection: 'articles', action: 'read', permissions: { status: { _eq: 'x' } }, validation: null, presets: null, fields: ['id', 'title'], policy: policy.id });
});

test('system collections are items of their own paths', async () => {
  for (const [path, body, change] of [['roles', { name: 'r' }, { name: 's' }], ['policies', { name: 'r' }, { description: 'd' }], ['users', { email: 'sys@example.com' }, { first_name: 'f' }]]) {
    const [a, b] = await server.ask('POST', `/${path}`, [body, path === 'users' ? { email: 'sys2@example.com' } : body]);
    const [key, value] = Object.entries(change)[0];
    assert.equal((await server.ask('PATCH', `/${path}/${a.id}`, change))[key], value);
    assert.equal((await server.ask('PATCH', `/${path}`, { keys: [a.id, b.id], data: change })).length, 2);
    assert.equal((await server.ask('PATCH', `/${path}`, [{ id: b.id, ...change }]))[0][key], value);
    assert.equal((await server.ask('SEARCH', `/${path}`, { query: { filter: { id: { _in: [a.id, b.id] } } } })).length, 2);
    const { body: counted } = await server.rest('GET', `/${path}?filter[id][_eq]=${a.id}&meta=filter_count&fields=id`);
    assert.deepEqual(counted, { meta: { filter_count: 1 }, data: [{ id: a.id }] });
    assert.equal((await server.rest('DELETE', `/${path}/${a.id}`)).status, 204);
    assert.equal((await server.rest('DELETE', `/${path}`, [b.id])).status, 204);
    assertError(await server.rest('GET', `/${path}/${a.id}`), 403, 'FORBIDDEN');
    assertError(await server.rest('GET', `/${path}/nonsense`), 403, 'FORBIDDEN');
  }
});

test('without a permission on them they are forbidden, in the words of the specification', async () => {
  const nobody = await user([]);
  for (const path of ['users', 'roles', 'policies', 'access'])
    for (const token of [nobody.token, null])
      await forbidden(token, 'GET', `/${path}`, undefined, { reason: `You don't have permission to access collection "directus_${path}" or it does not exist. Queried in root.` });
  for (const [method, target, body] of [['POST', '/roles', { name: 'x' }], ['POST', '/access', { user: nobody.user.id, policy: PUBLIC_POLICY }], ['POST', '/permissions', { policy: nobody.policy.id, collection: 'articles', action: 'read', fields: ['*'] }],
    ['PATCH', `/policies/${nobody.policy.id}`, { admin_access: true }], ['PATCH', `/users/${nobody.user.id}`, { role: null }], ['DELETE', `/roles/${nobody.role.id}`, undefined]])
    await forbidden(nobody.token, method, target, body);
});

for (const body of [{ collection: 'articles' }, { action: 'read' }, { collection: 'articles', action: 'bogus' }, { collection: 'articles', action: 'READ' }, { collection: 'articles', action: '' }, { collection: 'articles', action: 5 }])
  test(`a permission from ${JSON.stringify(body)} is refused`, async () => {
    const answer = await server.rest('POST', '/permissions', { policy: PUBLIC_POLICY, ...body });
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
  });

test('a permission needs its policy, and one that there is', async () => {
  assert.equal((await server.rest('POST', '/permissions', { collection: 'articles', action: 'read' })).status, 400);
  assertError(await server.rest('POST', '/permissions', { collection: 'articles', action: 'read', policy: '11111111-1111-4111-8111-111111111111' }), 400, 'INVALID_FOREIGN_KEY');
});

test('ip_access takes addresses, ranges and blocks, and nothing else', async () => {
  const make = (ip_access) => server.rest('POST', '/policies', { name: 'ip', ip_access });
  for (const list of [['127.0.0.1'], ['10.0.0.0/8', '::1'], ['192.168.0.1-192.168.0.9'], 'fe80::/10', ['2001:db8::1', '1.2.3.4']]) assert.equal((await make(list)).status, 200, String(list));
  for (const list of [['nonsense'], ['300.1.1.1'], ['10.0.0.0/33'], ['10.0.0.9-10.0.0.1x'], ['::g'], [5.5]]) assert.equal((await make(list)).status, 400, String(list));
});

test('a role is not its own ancestor', async () => {
  const [a, b, c] = await server.ask('POST', '/roles?sort=name', [{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
  await server.ask('PATCH', `/roles/${b.id}`, { parent: a.id });
  await server.ask('PATCH', `/roles/${c.id}`, { parent: b.id });
  assert.deepEqual((await server.ask('GET', `/roles/${a.id}`)).children, [b.id]);
  for (const parent of [a.id, b.id, c.id]) assert.equal((await server.rest('PATCH', `/roles/${a.id}`, { parent })).status, 400);
  assert.equal((await server.ask('GET', `/roles/${a.id}`)).parent, null);
});

test('deleting a role suspends its users, drops its access rows and detaches its children', async () => {
  const who = await user([{ action: 'read', fields: ['*'] }]);
  const child = await server.ask('POST', '/roles', { name: 'child', parent: who.role.id });
  assert.equal((await server.rest('DELETE', `/roles/${who.role.id}`)).status, 204);
  const left = await server.ask('GET', `/users/${who.user.id}`);
  assert.deepEqual([left.status, left.role], ['suspended', null]);
  assert.equal((await server.ask('GET', `/roles/${child.id}`)).parent, null);
  assert.deepEqual(await server.ask('GET', `/access?filter[policy][_eq]=${who.policy.id}`), []);
  assertError(await read(who.token), 401, 'INVALID_CREDENTIALS');
});

/* ---- the caller's own rights (D.7, R8) ---- */

test('/roles/me, /policies/me/globals and /permissions/me tell the caller of its rights', async () => {
  const parent = await server.ask('POST', '/roles', { name: 'parent' });
  const who = await user([{ action: 'read', fields: ['id', 'title'], permissions: { status: { _eq: 'x' } } }, { action: 'create', fields: ['title'], presets: { status: 'new' } }, { action: 'update', fields: ['*'] }], { policy: { app_access: false } });
  await server.ask('PATCH', `/roles/${who.role.id}`, { parent: parent.id });
  assert.deepEqual(await server.ask('GET', '/roles/me', undefined, who.token), [{ id: parent.id }, { id: who.role.id }]);
  assert.deepEqual(await server.ask('GET', '/policies/me/globals', undefined, who.token), { app_access: false, admin_access: false, enforce_tfa: false });
  assert.deepEqual(await server.ask('GET', '/policies/me/globals'), { app_access: true, admin_access: true, enforce_tfa: false });
  const { articles, ...others } = await server.ask('GET', '/permissions/me', undefined, who.token);
  assert.deepEqual(others, {});
  assert.deepEqual([articles.read.access, articles.create.access, articles.update.access, articles.delete.access, articles.share.access], ['partial', 'full', 'full', 'none', 'none']);
  assert.deepEqual([[...articles.read.fields].sort(), articles.create.fields, articles.update.fields, articles.create.presets], [['id', 'title'], ['title'], ['*'], { status: 'new' }]);
  const all = await server.ask('GET', '/permissions/me');
  for (const collection of ['articles', 'directus_users', 'directus_roles'])
    for (const action of ['read', 'create', 'update', 'delete', 'share']) assert.deepEqual([all[collection][action].access, all[collection][action].fields], ['full', ['*']], `${collection}.${action}`);
  for (const target of ['/roles/me', '/policies/me/globals', '/permissions/me']) await forbidden(null, 'GET', target);
});

test('/permissions/me/:collection/:pk tells what may be done to an item', async () => {
  await empty();
  const [mine, other] = await write({ title: 'a', status: 'open' }, { title: 'b', status: 'shut' });
  const who = await user([{ action: 'read', fields: ['*'] }, { action: 'update', fields: ['*'], permissions: { status: { _eq: 'open' } } }]);
  const told = async (key) => server.ask('GET', `/permissions/me/articles/${key}`, undefined, who.token);
  assert.deepEqual(await told(mine.id), { update: { access: true }, delete: { access: false }, share: { access: false } });
  assert.deepEqual(await told(other.id), { update: { access: false }, delete: { access: false }, share: { access: false } });
  assert.deepEqual(await server.ask('GET', `/permissions/me/articles/${mine.id}`), { update: { access: true }, delete: { access: true }, share: { access: true } });
});

test('app_access brings the built-in rows, told as system rows without an id', async () => {
  const who = await user([{ action: 'read', fields: ['*'] }, { collection: 'directus_permissions', action: 'read', fields: ['*'] }], { policy: { app_access: true } });
  const rows = await server.ask('GET', '/permissions', undefined, who.token);
  const system = rows.filter((row) => row.system === true);
  assert.ok(system.length >= 5);
  for (const row of system) assert.ok(!('id' in row) || row.id === undefined || row.id === null, JSON.stringify(row));
  const own = system.find((row) => row.collection === 'directus_users' && row.action === 'read');
  assert.deepEqual(own.permissions, { id: { _eq: '$CURRENT_USER' } });
  assert.equal((await server.ask('GET', '/users', undefined, who.token)).length, 1);
  const me = await server.ask('GET', '/users/me', undefined, who.token);
  assert.deepEqual([me.id, me.email, me.password], [who.user.id, who.user.email, '**********']);
  assert.ok(!('token' in me));
  await forbidden(who.token, 'GET', '/users?fields=token');
  assert.deepEqual((await server.ask('GET', '/roles', undefined, who.token)).map((role) => role.id), [who.role.id]);
  assert.equal((await server.rest('GET', '/collections', undefined, who.token)).status, 200);
  await forbidden(who.token, 'GET', '/policies');
});

test('GET /permissions answers all rows, past the usual limit', async () => {
  const policy = await server.ask('POST', '/policies', { name: 'many' });
  await server.ask('POST', '/permissions', Array.from({ length: 120 }, () => ({ policy: policy.id, collection: 'articles', action: 'share', fields: [] })));
  assert.ok((await server.ask('GET', '/permissions')).length >= 120);
  assert.equal((await server.rest('DELETE', `/policies/${policy.id}`)).status, 204);
  assert.deepEqual((await server.ask('GET', '/permissions')).filter((row) => row.policy === policy.id), []);
});

/* ---- reading (F.5, P1, P8) ---- */

test('no row: the collection is forbidden, for every action', async () => {
  await empty();
  const [{ id }] = await write({ title: 'a' });
  const who = await user([]);
  const reason = 'You don\'t have permission to access collection "articles" or it does not exist. Queried in root.';
  await forbidden(who.token, 'GET', '/items/articles', undefined, { reason });
  for (const [method, target, body] of [['GET', `/${id}`, undefined], ['SEARCH', '', { query: {} }], ['POST', '', { title: 'x' }], ['PATCH', `/${id}`, { title: 'x' }], ['DELETE', `/${id}`, undefined], ['DELETE', '', [id]], ['PATCH', '', { keys: [id], data: { title: 'x' } }]])
    await forbidden(who.token, method, `/items/articles${target}`, body);
  assert.equal(await titles(undefined), 'a');
});

test('the rows of a permission are all that is seen, counted and found', async () => {
  await empty();
  const [, draft] = await write({ title: 'a', status: 'published' }, { title: 'b', status: 'draft' }, { title: 'c', status: 'published' });
  const who = await user([{ action: 'read', fields: ['id', 'title', 'status'], permissions: { status: { _eq: 'published' } } }]);
  assert.equal(await titles(who.token), 'ac');
  assert.equal(await titles(who.token, '?filter[_or][0][title][_eq]=b&filter[_or][1][title][_eq]=c'), 'c');
  await forbidden(who.token, 'GET', `/items/articles/${draft.id}`);
  assert.equal(await titles(who.token, '?search=draft'), '');
  assert.deepEqual((await read(who.token, '?meta=*&filter[title][_in]=a,b&limit=0')).body.meta, { total_count: 2, filter_count: 1 });
});

test('fields: a wildcard is reduced, a name that is not permitted is forbidden', async () => {
  await empty();
  await write({ title: 'a' });
  const who = await user([{ action: 'read', fields: ['id', 'title'] }]);
  for (const query of ['', '?fields=*', '?fields[]=*', '?limit=1']) assert.deepEqual(Object.keys((await read(who.token, query)).body.data[0]), ['id', 'title']);
  for (const query of ['fields=note', 'fields=title,note', 'fields=*,note', 'sort=note', 'filter[note][_null]=true'])
    await forbidden(who.token, 'GET', `/items/articles?${query}`, undefined, { reason: 'You don\'t have permission to access field "note" in collection "articles" or it does not exist. Queried in root.' });
  for (const fields of [null, []]) {
    const none = await user([{ action: 'read', fields }]);
    for (const query of ['', '?fields=*', '?fields=title', '?meta=*']) await forbidden(none.token, 'GET', `/items/articles${query}`);
  }
});

test('rows add up over policies; a field of another row\'s items is null', async () => {
  await empty();
  const who = await user([{ action: 'read', fields: ['id', 'title', 'status'], permissions: { status: { _eq: 'published' } } }]);
  await write({ title: 'p', status: 'published', note: 'hidden' }, { title: 'd', status: 'draft', note: 'hidden' }, { title: 'm', status: 'draft', note: 'mine', owner: who.user.id }, { title: 'q', status: 'published', note: 'both', owner: who.user.id });
  await extraPolicy(who, [{ action: 'read', fields: ['id', 'title', 'status', 'note', 'owner'], permissions: { owner: { _eq: '$CURRENT_USER' } } }]);
  const seen = (await read(who.token, '?sort=title')).body.data;
  assert.deepEqual(seen.map(({ id, ...rest }) => rest), [
    { title: 'm', status: 'draft', note: 'mine', owner: who.user.id }, { title: 'p', status: 'published', note: null, owner: null }, { title: 'q', status: 'published', note: 'both', owner: who.user.id }]);
  assert.deepEqual((await read(who.token, '?sort=title&fields=note')).body.data, [{ note: 'mine' }, { note: null }, { note: 'both' }]);
});

test('a hidden value is not found by filter, search or sort', async () => {
  await empty();
  const who = await user([{ action: 'read', fields: ['id', 'title'] }, { action: 'read', fields: ['note'], permissions: { title: { _eq: 'open' } } }]);
  await write({ title: 'open', note: 'needle' }, { title: 'shut', note: 'needle' });
  for (const query of ['filter[note][_eq]=needle', 'filter[note][_contains]=need', 'filter[note][_in]=needle,x', 'search=needle', 'filter[note][_nnull]=true', 'filter[_or][0][note][_starts_with]=n', 'filter[note][_neq]=x'])
    assert.equal(await titles(who.token, `?${query}`), 'open', query);
  assert.equal(await titles(who.token, '?filter[note][_null]=true'), 'shut');
  assert.equal(await titles(who.token, '?sort=note'), 'shutopen');
  assert.equal(await titles(who.token, '?sort=-note'), 'openshut');
  assert.deepEqual((await read(who.token, '?filter[note][_eq]=needle&meta=filter_count')).body.meta, { filter_count: 1 });
});

/* ---- creating and updating (F.5, P5 to P7) ---- */

test('a key that no row permits is forbidden by name, on create and update', async () => {
  await empty();
  const [{ id }] = await write({ title: 'a' });
  const who = await user([{ action: 'create', fields: ['title'] }, { action: 'update', fields: ['title'] }, { action: 'read', fields: ['*'] }]);
  for (const key of ['note', 'id', 'nonsense']) {
    await forbidden(who.token, 'POST', '/items/articles', { title: 'x', [key]: 'y' }, { text: new RegExp(`"${key}"`) });
    await forbidden(who.token, 'PATCH', `/items/articles/${id}`, { title: 'x', [key]: 'y' }, { text: new RegExp(`"${key}"`) });
  }
  assert.equal(await titles(undefined), 'a');
  assert.equal((await server.ask('POST', '/items/articles', { title: 'b' }, who.token)).title, 'b');
});

test('presets lie under what is submitted, later rows over earlier, and need no permission', async () => {
  const who = await user([{ action: 'create', fields: ['title'], presets: { status: 'first', note: 'first', title: 'preset' } }, { action: 'read', fields: ['*'] }]);
  await extraPolicy(who, [{ action: 'create', fields: ['views'], presets: { note: 'second', owner: '$CURRENT_USER' } }]);
  const create = async (body) => {
    const { title, status, note, owner } = await server.ask('POST', '/items/articles', body, who.token);
    return { title, status, note, owner };
  };
  assert.deepEqual(await create({}), { title: 'preset', status: 'first', note: 'second', owner: who.user.id });
  assert.deepEqual(await create({ title: 'mine', views: 3 }), { title: 'mine', status: 'first', note: 'second', owner: who.user.id });
  await forbidden(who.token, 'POST', '/items/articles', { note: 'mine' });
});

test('presets of an update are applied too', async () => {
  await empty();
  const [{ id }] = await write({ title: 'a' });
  const who = await user([{ action: 'update', fields: ['title'], presets: { note: 'touched' } }, { action: 'read', fields: ['*'] }]);
  const { title, note } = await server.ask('PATCH', `/items/articles/${id}`, { title: 'b' }, who.token);
  assert.deepEqual([title, note], ['b', 'touched']);
});

test('all validations hold on the merged data, and every violation is told', async () => {
  const who = await user([{ action: 'create', fields: ['*'], validation: { status: { _in: ['draft', 'open'] } }, presets: { status: 'draft' } }, { action: 'create', fields: ['*'], validation: { _and: [{ views: { _lte: 10 } }, { title: { _nempty: true } }] } }, { action: 'read', fields: ['*'] }]);
  const create = (body) => server.rest('POST', '/items/articles', body, who.token);
  assert.equal((await create({ title: 'a', views: 10 })).status, 200);
  assert.equal((await create({})).status, 200);
  assert.equal((await create({ views: '5' })).status, 200);
  assertViolations(await create({ status: 'shut', views: 11, title: '' }), { field: 'status', type: 'in', valid: ['draft', 'open'] }, { field: 'views', type: 'lte', valid: 10 }, { field: 'title', type: 'nempty' });
  await server.ask('PATCH', `/permissions/${who.permissions[0].id}`, { presets: { status: 'forbidden preset' } });
  assertViolations(await create({}), { field: 'status', type: 'in', valid: ['draft', 'open'] });
});

const VALIDATIONS = [ /* rule, good values, bad values with their violation */
  [{ title: { _eq: 'a' } }, [{ title: 'a' }, {}], [{ title: 'b' }, { field: 'title', type: 'eq', valid: 'a' }]], [{ title: { _neq: 'a' } }, [{ title: 'b' }], [{ title: 'a' }, { field: 'title', type: 'neq', invalid: 'a' }]],
  [{ views: { _gt: 1 } }, [{ views: 2 }, { views: '2' }], [{ views: 1 }, { field: 'views', type: 'gt', valid: 1 }]], [{ views: { _lt: 3 } }, [{ views: 2 }], [{ views: 3 }, { field: 'views', type: 'lt', valid: 3 }]],
  [{ views: { _eq: 3 } }, [{ views: 3 }, { views: '3' }], [{ views: 4 }, { field: 'views', type: 'eq', valid: 3 }]], [{ title: { _nin: ['a'] } }, [{ title: 'b' }], [{ title: 'a' }, { field: 'title', type: 'nin', invalid: ['a'] }]],
  [{ title: { _null: true } }, [{ title: null }, {}], [{ title: 'a' }, { field: 'title', type: 'null' }]], [{ title: { _nnull: true } }, [{ title: 'a' }, {}], [{ title: null }, { field: 'title', type: 'nnull' }]],
  [{ title: { _empty: true } }, [{ title: '' }], [{ title: 'a' }, { field: 'title', type: 'empty' }]], [{ title: { _contains: 'b' } }, [{ title: 'abc' }], [{ title: 'ac' }, { field: 'title', type: 'contains', substring: 'b' }]],
  [{ title: { _ncontains: 'b' } }, [{ title: 'ac' }], [{ title: 'abc' }, { field: 'title', type: 'ncontains', substring: 'b' }]], [{ title: { _icontains: 'B' } }, [{ title: 'abc' }], [{ title: 'ac' }, { field: 'title', type: 'icontains', substring: 'B' }]],
  [{ title: { _starts_with: 'a' } }, [{ title: 'ab' }], [{ title: 'ba' }, { field: 'title', type: 'starts_with', substring: 'a' }]], [{ title: { _ends_with: 'a' } }, [{ title: 'ba' }], [{ title: 'ab' }, { field: 'title', type: 'ends_with', substring: 'a' }]],
  [{ title: { _regex: '^a+$' } }, [{ title: 'aa' }], [{ title: 'ab' }, { field: 'title', type: 'regex', invalid: 'ab' }]], [{ title: { _regex: '/^a+$/' } }, [{ title: 'aa' }], [{ title: 'ab' }, { field: 'title', type: 'regex', invalid: 'ab' }]],
  [{ title: { _submitted: true } }, [{ title: 'a' }, { title: null }], [{}, { field: 'title', type: 'required' }]],
  [{ _or: [{ title: { _eq: 'a' } }, { views: { _gt: 5 } }] }, [{ title: 'a', views: 1 }, { title: 'b', views: 6 }], [{ title: 'b', views: 1 }, { field: 'title', type: 'eq', valid: 'a' }, { field: 'views', type: 'gt', valid: 5 }]],
];
test('validations compare submitted values, operator by operator', async () => {
  const who = await user([{ action: 'create', fields: ['*'] }, { action: 'read', fields: ['*'] }]);
  for (const [validation, good, [bad, ...violations]] of VALIDATIONS) {
    await server.ask('PATCH', `/permissions/${who.permissions[0].id}`, { validation });
    for (const body of good) assert.equal((await server.rest('POST', '/items/articles', body, who.token)).status, 200, `${JSON.stringify(body)} against ${JSON.stringify(validation)}`);
    const answer = await server.rest('POST', '/items/articles', bad, who.token);
    assert.equal(answer.status, 400, `${JSON.stringify(bad)} against ${JSON.stringify(validation)}`);
    assertViolations(answer, ...violations);
  }
});

test('an expression that would take forever does not', async () => {
  const who = await user([{ action: 'create', fields: ['*'], validation: { title: { _regex: '^(a+)+$' } } }]);
  const answer = await server.rest('POST', '/items/articles', { title: `${'a'.repeat(200)}!` }, who.token);
  assert.equal(answer.status, 400, JSON.stringify(answer.body));
});

test('a validation of an update sees what is submitted, not what is stored', async () => {
  await empty();
  const [{ id }] = await write({ title: 'a', views: 99 });
  const who = await user([{ action: 'update', fields: ['*'], validation: { views: { _lt: 10 } } }, { action: 'read', fields: ['*'] }]);
  assert.equal((await server.ask('PATCH', `/items/articles/${id}`, { title: 'b' }, who.token)).title, 'b');
  assertViolations(await server.rest('PATCH', `/items/articles/${id}`, { views: 98 }, who.token), { field: 'views', type: 'lt', valid: 10 });
});

test('an update or delete of several keys with one forbidden does nothing', async () => {
  await empty();
  const [open, shut, open2] = await write({ title: 'a', status: 'open' }, { title: 'b', status: 'shut' }, { title: 'c', status: 'open' });
  const own = { permissions: { status: { _eq: 'open' } } };
  const who = await user([{ action: 'read', fields: ['*'] }, { action: 'update', fields: ['*'], ...own }, { action: 'delete', ...own }]);
  for (const keys of [[open.id, shut.id], [shut.id], [open.id, 999999]]) {
    await forbidden(who.token, 'PATCH', '/items/articles', { keys, data: { title: 'changed' } });
    await forbidden(who.token, 'PATCH', '/items/articles', keys.map((id) => ({ id, title: 'changed' })));
    await forbidden(who.token, 'DELETE', '/items/articles', keys);
  }
  await forbidden(who.token, 'PATCH', '/items/articles', { query: {}, data: { title: 'changed' } });
  await forbidden(who.token, 'DELETE', '/items/articles', { query: { limit: -1 } });
  assert.equal(await titles(undefined), 'abc');
  assert.equal((await server.ask('PATCH', '/items/articles', { keys: [open.id, open2.id], data: { views: 1 } }, who.token)).length, 2);
  assert.equal((await server.rest('DELETE', '/items/articles', [open.id, open2.id], who.token)).status, 204);
  assert.equal(await titles(undefined), 'b');
});

test('each submitted field must be granted by a row that the item matches', async () => {
  await empty();
  const [mine, other] = await write({ title: 'm', status: 'mine' }, { title: 'o', status: 'other' });
  const who = await user([{ action: 'read', fields: ['*'] }, { action: 'update', fields: ['title'] }, { action: 'update', fields: ['note'], permissions: { status: { _eq: 'mine' } } }]);
  assert.equal((await server.ask('PATCH', `/items/articles/${mine.id}`, { title: 'M', note: 'n' }, who.token)).note, 'n');
  assert.equal((await server.ask('PATCH', `/items/articles/${other.id}`, { title: 'O' }, who.token)).title, 'O');
  await forbidden(who.token, 'PATCH', `/items/articles/${other.id}`, { title: 'x', note: 'n' }, { text: /"note"|articles/ });
  await forbidden(who.token, 'PATCH', '/items/articles', { keys: [mine.id, other.id], data: { note: 'x' } });
  assert.deepEqual((await server.ask('GET', '/items/articles?sort=id')).map((item) => [item.title, item.note]), [['M', 'n'], ['O', null]]);
});

test('an update may move an item out of what the caller may update and read', async () => {
  await empty();
  const [{ id }] = await write({ title: 'a', status: 'open' });
  const own = { permissions: { status: { _eq: 'open' } } };
  const who = await user([{ action: 'read', fields: ['*'], ...own }, { action: 'update', fields: ['*'], ...own }]);
  const answer = await server.rest('PATCH', `/items/articles/${id}`, { status: 'shut' }, who.token);
  assert.deepEqual([answer.status, answer.body], [204, '']);
  await forbidden(who.token, 'PATCH', `/items/articles/${id}`, { status: 'open' });
});

/* ---- identities (F.2, F.3, P2 to P4) ---- */

test('who has a role does not inherit the public rows, who has none does', async () => {
  await empty();
  await write({ title: 'a', status: 'public', note: 'n' });
  const row = await grant(PUBLIC_POLICY, { action: 'read', fields: ['id', 'title'], permissions: { status: { _eq: 'public' } } });
  try {
    const withRole = await user([]), roleless = await user([]);
    await server.ask('PATCH', `/users/${roleless.user.id}`, { role: null });
    assert.equal(await titles(null), 'a');
    await forbidden(withRole.token, 'GET', '/items/articles');
    assert.equal(await titles(roleless.token), 'a');
    await forbidden(roleless.token, 'GET', '/items/articles?fields=note');
    await extraPolicy(roleless, [{ action: 'read', fields: ['note'] }]);
    assert.deepEqual((await read(roleless.token, '?fields=title,note')).body.data, [{ title: 'a', note: 'n' }]);
    await forbidden(null, 'POST', '/items/articles', { title: 'x' });
  } finally {
    await server.ask('DELETE', `/permissions/${row.id}`);
  }
  await forbidden(null, 'GET', '/items/articles');
});

test('the public may write where it has a row for it', async () => {
  await empty();
  const row = await grant(PUBLIC_POLICY, { action: 'create', fields: ['title'], presets: { status: 'inbox' } });
  const answer = await server.rest('POST', '/items/articles', { title: 'from outside' }, null);
  assert.deepEqual([answer.status, answer.body], [204, '']);
  await server.ask('DELETE', `/permissions/${row.id}`);
  assert.deepEqual((await server.ask('GET', '/items/articles?fields=title,status')), [{ title: 'from outside', status: 'inbox' }]);
});

test('policies of a parent role apply to its children, however deep', async () => {
  await empty();
  await write({ title: 'a' });
  const who = await user([]);
  const [top, middle] = await server.ask('POST', '/roles?sort=name', [{ name: '1 top' }, { name: '2 middle' }]);
  await server.ask('PATCH', `/roles/${middle.id}`, { parent: top.id });
  const policy = await server.ask('POST', '/policies', { name: 'of the top' });
  await grant(policy.id, { action: 'read', fields: ['*'] });
  await server.ask('POST', '/access', { role: top.id, policy: policy.id });
  await forbidden(who.token, 'GET', '/items/articles');
  await server.ask('PATCH', `/roles/${who.role.id}`, { parent: middle.id });
  assert.equal(await titles(who.token), 'a');
  await server.ask('PATCH', `/roles/${middle.id}`, { parent: null });
  await forbidden(who.token, 'GET', '/items/articles');
});

test('presets go from the root of the chain to the user: the nearest wins', async () => {
  const top = await server.ask('POST', '/roles', { name: 'top' });
  const policy = await server.ask('POST', '/policies', { name: 'of the top' });
  await server.ask('POST', '/access', { role: top.id, policy: policy.id });
  await grant(policy.id, { action: 'create', fields: ['*'], presets: { note: 'top', title: 'top', status: 'top' } });
  const who = await user([{ action: 'create', fields: ['*'], presets: { title: 'role', status: 'role' } }, { action: 'read', fields: ['*'] }]);
  await server.ask('PATCH', `/roles/${who.role.id}`, { parent: top.id });
  await extraPolicy(who, [{ action: 'create', fields: ['*'], presets: { status: 'user' } }]);
  const { note, title, status } = await server.ask('POST', '/items/articles', {}, who.token);
  assert.deepEqual([note, title, status], ['top', 'role', 'user']);
});

test('ip_access restricts a policy to the addresses it lists', async () => {
  await empty();
  await write({ title: 'a' });
  const who = await user([{ action: 'read', fields: ['*'] }]);
  for (const [list, may] of [[['127.0.0.1'], true], [['10.0.0.0/8'], false], [['10.0.0.0/8', '127.0.0.0/8'], true], [['127.0.0.2-127.0.0.9'], false], [['127.0.0.0-127.0.0.9'], true], [['::1'], false], [[], true], [null, true]]) {
    await server.ask('PATCH', `/policies/${who.policy.id}`, { ip_access: list });
    assert.equal((await read(who.token)).status, may ? 200 : 403, JSON.stringify(list));
  }
});

test('ip_access is held against the connection, not against what a header says', async () => {
  const who = await user([{ action: 'read', fields: ['*'] }]);
  await server.ask('PATCH', `/policies/${who.policy.id}`, { ip_access: ['10.1.2.3'] });
  for (const header of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP']) assert.equal((await server.rest('GET', '/items/articles', undefined, who.token, { [header]: header === 'Forwarded' ? 'for=10.1.2.3' : '10.1.2.3' })).status, 403);
});

test('admin_access through any policy makes an administrator, and taking it away unmakes one', async () => {
  const who = await user([]);
  const policy = await extraPolicy(who, [], { admin_access: true });
  assert.equal((await server.rest('GET', '/users', undefined, who.token)).status, 200);
  assert.deepEqual((await server.ask('GET', '/policies/me/globals', undefined, who.token)).admin_access, true);
  await server.ask('PATCH', `/policies/${policy.id}`, { admin_access: false });
  await forbidden(who.token, 'GET', '/users');
});

test('variables stand for the caller in rows, validations and presets', async () => {
  await empty();
  const rows = [{ action: 'read', fields: ['*'], permissions: { owner: { _eq: '$CURRENT_USER' } } }, { action: 'create', fields: ['*'], presets: { owner: '$CURRENT_USER', note: '$CURRENT_ROLE' }, validation: { owner: { _eq: '$CURRENT_USER' } } }];
  const a = await user(rows), b = await user(rows);
  const item = await server.ask('POST', '/items/articles', { title: 'a' }, a.token);
  assert.deepEqual([item.owner, item.note], [a.user.id, a.role.id]);
  await server.ask('POST', '/items/articles', { title: 'b' }, b.token);
  assert.equal(await titles(a.token), 'a');
  assert.equal(await titles(b.token), 'b');
  assertViolations(await server.rest('POST', '/items/articles', { owner: b.user.id }, a.token), { field: 'owner', type: 'eq', valid: a.user.id });
});

/* ---- changes (P10) ---- */

test('a change of rows, policies, access and roles is effective for the next request', async () => {
  await empty();
  await write({ title: 'a', status: 'x' }, { title: 'b', status: 'y' });
  const who = await user([{ action: 'read', fields: ['*'] }]);
  const [{ id }] = who.permissions;
  for (let round = 0; round < 3; round++) {
    assert.equal(await titles(who.token), 'ab');
    await server.ask('PATCH', `/permissions/${id}`, { permissions: { status: { _eq: 'x' } } });
    assert.equal(await titles(who.token), 'a');
    await server.ask('PATCH', `/permissions/${id}`, { fields: ['title'] });
    assert.deepEqual((await read(who.token)).body.data, [{ title: 'a' }]);
    await server.ask('PATCH', `/permissions/${id}`, { permissions: null, fields: ['*'] });
  }
  const [access] = await server.ask('GET', `/access?filter[policy][_eq]=${who.policy.id}`);
  await server.ask('DELETE', `/access/${access.id}`);
  await forbidden(who.token, 'GET', '/items/articles');
  await server.ask('POST', '/access', { user: who.user.id, policy: who.policy.id });
  assert.equal(await titles(who.token), 'ab');
  await server.ask('DELETE', `/policies/${who.policy.id}`);
  await forbidden(who.token, 'GET', '/items/articles');
});

test('a row for a field that is dropped does not lock the caller out', async () => {
  await server.makeCollection('shrinking', { a: 'string', b: 'string' });
  await server.ask('POST', '/items/shrinking', { a: '1', b: '2' });
  const who = await server.makeUser(name(), [{ collection: 'shrinking', action: 'read', fields: ['a', 'b'] }]);
  await server.ask('DELETE', '/fields/shrinking/b');
  assert.deepEqual((await server.rest('GET', '/items/shrinking', undefined, who.token)).body, { data: [{ a: '1' }] });
});

test('a row whose rule no longer makes sense shuts, and does not open', async () => {
  await server.makeCollection('ruled', { a: 'string', b: 'string' });
  await server.ask('POST', '/items/ruled', { a: '1', b: '2' });
  const who = await server.makeUser(name(), [{ collection: 'ruled', action: 'read', fields: ['*'], permissions: { b: { _eq: '3' } } }]);
  assert.deepEqual(await server.ask('GET', '/items/ruled', undefined, who.token), []);
  await server.ask('DELETE', '/fields/ruled/b');
  const answer = await server.rest('GET', '/items/ruled', undefined, who.token);
  assert.ok(answer.status === 403 || (answer.status === 200 && answer.body.data.length === 0), JSON.stringify(answer.body));
});

test('rows that make no sense are refused when written', async () => {
  for (const body of [{ permissions: { nope: { _eq: 1 } } }, { permissions: { title: { _nonsense: 1 } } }, { permissions: 'text' }, { permissions: [5] }, { fields: 5 }, { presets: 'x' }, { validation: 5 }]) {
    const answer = await server.rest('POST', '/permissions', { policy: PUBLIC_POLICY, collection: 'articles', action: 'read', fields: ['*'], ...body });
    if (answer.status === 200) { /* taken as it is, it grants nothing */
      const seen = await read(null);
      await server.ask('DELETE', `/permissions/${answer.body.data.id}`);
      if (body.permissions) assert.ok(seen.status === 403 || seen.body.data.length === 0, `${JSON.stringify(body)} grants ${JSON.stringify(seen.body)}`);
    } else assert.equal(answer.status, 400, JSON.stringify(answer.body));
  }
});

test('many callers with as many rights are each told their own, at the same time', async () => {
  await empty();
  await write(...Array.from({ length: 8 }, (_, i) => ({ title: String(i), views: i })));
  const users = [];
  for (let i = 0; i < 8; i++) users.push(await user([{ action: 'read', fields: ['title', 'views'], permissions: { views: { _eq: i } } }]));
  const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => titles(users[i % 8].token)));
  answers.forEach((answer, i) => assert.equal(answer, String(i % 8)));
});
