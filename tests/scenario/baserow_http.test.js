/* What is common to Baserow's REST: paths, methods, bodies, errors, order of checks, CORS (baserow.md 8). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Person, assertCode, assertInvalid } from './baserow.js';
import { ADMIN, Server } from './harness.js';
import { HttpSocket } from './rest.js';

let server, ann;

before(async () => {
  server = await Server.start();
  ann = await Person.register(server, 'Ann');
});
after(() => server.stop());

const get = (target, headers = {}) => server.rest('GET', target, undefined, null, headers);
/* One request with a body as it stands. */
async function raw(method, target, headers, body = '') {
  const http = await HttpSocket.connect(server);
  try { return await http.ask(method, target, { headers, body }); } finally { http.close(); }
}
const asAnn = () => ({ Authorization: `JWT ${ann.token}` });

test('a path without its last slash is told so, an unknown path is told with its name', async () => {
  for (const path of ['/api/settings', '/api/user/token-auth', '/api/workspaces/1']) {
    assert.equal(assertCode(await get(path), 404, 'URL_TRAILING_SLASH_MISSING'), 'A trailing slash is missing.');
  }
  for (const path of ['/api/', '/api/x/', '/api/x', '/api/settings/x/', '/api/settings//', '/api/workspaces/x/', `/api/workspaces/${'9'.repeat(19)}/`]) {
    assert.equal(assertCode(await get(path), 404, 'URL_NOT_FOUND'), `URL ${path} not found.`);
  }
});

test('paths outside of /api/ are the other dialect\'s', async () => {
  const { status, body } = await get('/apis/');
  assert.equal(status, 404);
  assert.equal(body.errors[0].extensions.code, 'ROUTE_NOT_FOUND');
});

test('another method than those of a path is not allowed', async () => {
  for (const [method, path] of [['PUT', '/api/settings/'], ['GET', '/api/user/token-auth/'], ['DELETE', '/api/workspaces/']]) {
    const { status, body } = await server.rest(method, path, undefined, null);
    assert.deepEqual([status, body], [405, { detail: `Method "${method}" not allowed.` }]);
  }
});

test('HEAD answers as GET does, without the body', async () => {
  const { status, headers, bytes } = await raw('HEAD', '/api/settings/', {});
  assert.equal(status, 200);
  assert.ok(Number(headers.get('content-length')) > 0);
  assert.equal(bytes.length, 0);
});

test('a body that is not JSON is told as that, after the credentials', async () => {
  const json = { 'Content-Type': 'application/json' };
  const broken = await raw('PATCH', '/api/user/account/', { ...json, ...asAnn() }, '{"first_name": ');
  assert.equal(broken.status, 400);
  assert.deepEqual(Object.keys(broken.body), ['detail']);
  assert.match(broken.body.detail, /^JSON parse error - ./);
  const stranger = await raw('PATCH', '/api/user/account/', json, '{"first_name": ');
  assert.deepEqual([stranger.status, stranger.body], [401, { detail: 'Authentication credentials were not provided.' }]);
  const text = await raw('PATCH', '/api/user/account/', { 'Content-Type': 'text/plain', ...asAnn() }, 'Ann');
  assert.deepEqual([text.status, text.body], [415, { detail: 'Unsupported media type "text/plain" in request.' }]);
  const charset = await raw('PATCH', '/api/user/account/', { 'Content-Type': 'Application/JSON; charset=utf-8', ...asAnn() }, '{"language":"en"}');
  assert.equal(charset.status, 200);
  const unnamed = await raw('PATCH', '/api/user/account/', asAnn(), '{"language":"en"}');
  assert.equal(unnamed.status, 200);
});

test('a body of another kind than an object is one mistake of none of its fields', async () => {
  for (const body of [[], 'x', 1, null, true]) {
    assertInvalid(await ann.rest('PATCH', 'user/account/', body), { non_field_errors: ['invalid'] });
  }
});

test('texts are trimmed, numbers are taken as texts, and what is no text is invalid', async () => {
  assert.equal((await ann.ask('PATCH', 'user/account/', { first_name: '  Ann  ' })).first_name, 'Ann');
  assert.equal((await ann.ask('PATCH', 'user/account/', { first_name: 12 })).first_name, '12');
  for (const name of [true, ['Ann'], { a: 1 }]) assertInvalid(await ann.rest('PATCH', 'user/account/', { first_name: name }), { first_name: ['invalid'] });
  for (const yes of [true, 'true', 'on', 1, '1']) assert.equal((await ann.ask('PATCH', 'user/account/', { completed_onboarding: yes })).completed_onboarding, true);
  for (const no of [false, 'False', 'off', 0, '0']) assert.equal((await ann.ask('PATCH', 'user/account/', { completed_onboarding: no })).completed_onboarding, false);
});

test('answers without a body have none', async () => {
  const { status, headers, bytes } = await raw('POST', '/api/user/token-blacklist/', { 'Content-Type': 'application/json' }, JSON.stringify({ refresh_token: ann.refreshToken }));
  assert.equal(status, 204);
  assert.equal(bytes.length, 0);
  assert.equal(headers.has('content-type'), false);
});

test('pages of any origin may ask, with the headers that clients send', async () => {
  const asked = await raw('OPTIONS', '/api/workspaces/', {
    Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization,websocketid',
  });
  assert.equal(asked.status, 200);
  assert.equal(asked.headers.get('access-control-allow-origin'), '*');
  const headers = asked.headers.get('access-control-allow-headers').split(', ');
  for (const name of ['authorization', 'content-type', 'websocketid', 'baserow-view-authorization', 'clientsessionid', 'clientundoredoactiongroupid', 'usersourceauthorization']) {
    assert.ok(headers.includes(name), name);
  }
  for (const method of ['GET', 'POST', 'PATCH', 'DELETE', 'PUT']) assert.ok(asked.headers.get('access-control-allow-methods').split(', ').includes(method), method);
  assert.equal((await raw('OPTIONS', '/api/no/such/path/', {})).status, 200);
  const settings = await get('/api/settings/', { Origin: 'https://app.example' });
  assert.equal(settings.headers.get('access-control-allow-origin'), '*');
  assert.equal(settings.headers.get('access-control-allow-credentials'), null);
  const refused = await get('/api/workspaces/', { Origin: 'https://app.example' });
  assert.deepEqual([refused.status, refused.headers.get('access-control-allow-origin')], [401, '*']);
});

test('a body past the limit is refused, and small ones go on', async () => {
  const other = await Server.start({ environment: { MAX_PAYLOAD_SIZE: '2kb' } });
  try {
    const post = (size) => other.rest('POST', '/api/user/token-auth/', { email: 'a@example.com', password: 'x'.repeat(size) }, null);
    assert.ok((await post(3000)).status >= 400);
    assertCode(await post(1000), 401, 'ERROR_INVALID_CREDENTIALS');
  } finally { await other.stop(); }
});

test('credentials come first, then the body, then what is asked for', async () => {
  const target = 'workspaces/999999/';
  assert.equal((await server.rest('PATCH', `/api/${target}`, {}, null)).status, 401);
  assertInvalid(await ann.rest('PATCH', target, {}), { name: ['required'] });
  assertCode(await ann.rest('PATCH', target, { name: 'X' }), 404, 'ERROR_GROUP_DOES_NOT_EXIST');
  const { id } = await (await Person.login(server, ADMIN.email, ADMIN.password)).ask('POST', 'workspaces/', { name: 'Foreign' });
  assert.equal(assertCode(await ann.rest('PATCH', `workspaces/${id}/`, { name: 'X' }), 400, 'ERROR_USER_NOT_IN_GROUP'), '');
});

test('requests of both dialects share one connection', async () => {
  const http = await HttpSocket.connect(server);
  try {
    assert.equal((await http.ask('GET', '/server/ping')).body, 'pong');
    assert.equal((await http.ask('GET', '/api/_health/')).body, 'OK');
    assert.equal((await http.ask('GET', '/users/me', { headers: { Authorization: `Bearer ${ADMIN.token}` } })).status, 200);
    assert.equal((await http.ask('GET', '/api/workspaces/', { headers: asAnn() })).status, 200);
  } finally { http.close(); }
});
