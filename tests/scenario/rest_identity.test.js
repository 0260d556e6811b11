/* Who calls: log-in, refresh, log-out, tokens, suspension, passwords, the caller's own user (D.1, D.3, D.6; R1, R2, R7). */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ADMIN, ON_POSTGRES, Server } from './harness.js';
import { UUID, assertError, assertViolations } from './rest.js';

const SECRET = 'secret-of-the-tests';
let server, admin, reader, made = 0;

before(async () => {
  server = await Server.start();
  admin = await server.ask('GET', '/users/me');
  await server.makeCollection('notes', { text: 'string' });
  await server.ask('POST', '/items/notes', { text: 'a' });
  reader = await server.makeUser('reader', [{ collection: 'notes', action: 'read', fields: ['*'] }]);
});
after(() => server.stop());

const login = (email, password, more = {}, token = null, headers = {}) => server.rest('POST', '/auth/login', { email, password, ...more }, token, headers);
const refresh = (body, headers = {}) => server.rest('POST', '/auth/refresh', body, null, headers);
const logout = (body, headers = {}) => server.rest('POST', '/auth/logout', body, null, headers);
const notes = (token) => server.rest('GET', '/items/notes', undefined, token);
const cookieOf = (answer) => answer.headers.get('set-cookie').split(/, (?=[a-z_]+=)/).find((one) => one.startsWith('directus_refresh_token='));

/* A user of its own for a test: { id, email, password }. */
async function fresh(more = {}) {
  const email = `fresh${++made}@example.com`, password = 'a long password';
  const { id } = await server.ask('POST', '/users', { email, password, role: reader.role.id, ...more });
  return { id, email, password };
}
async function loggedIn(user) {
  const { status, body } = await login(user.email, user.password);
  assert.equal(status, 200, JSON.stringify(body));
  return body.data;
}

const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
function jwt(claims, { secret = SECRET, header = { alg: 'HS256', typ: 'JWT' } } = {}) {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
const seconds = () => Math.floor(Date.now() / 1000);
const claimsOf = (user, more = {}) => ({ id: user.id, role: user.role, app_access: false, admin_access: false, iat: seconds(), exp: seconds() + 600, iss: 'directus', ...more });

/* ---- log-in ---- */

test('log-in in json mode, the default, answers both tokens and how long the first lives', async () => {
  for (const mode of [{}, { mode: 'json' }]) {
    const { status, body, headers } = await login(ADMIN.email, ADMIN.password, mode);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body), ['data']);
    assert.deepEqual(Object.keys(body.data).sort(), ['access_token', 'expires', 'refresh_token']);
    assert.equal(body.data.expires, 900_000);
    assert.match(body.data.refresh_token, /^[A-Za-z0-9_-]{64}$/);
    assert.equal(headers.get('set-cookie'), null);
    assert.equal((await server.rest('GET', '/users/me', undefined, body.data.access_token)).body.data.email, ADMIN.email);
  }
});

test('an access token is a JWT of HS256 with the claims of the specification', async () => {
  const { body } = await login('reader@example.com', 'password of reader');
  const [header, claims, signature] = body.data.access_token.split('.');
  assert.equal(JSON.parse(Buffer.from(header, 'base64url')).alg, 'HS256');
  const read = JSON.parse(Buffer.from(claims, 'base64url'));
  assert.deepEqual([read.id, read.role, read.app_access, read.admin_access, read.iss], [reader.user.id, reader.role.id, false, false, 'directus']);
  assert.equal(read.exp - read.iat, 900);
  assert.equal(createHmac('sha256', SECRET).update(`${header}.${claims}`).digest('base64url'), signature);
});

test('log-in in cookie mode keeps the refresh token in a cookie', async () => {
  const answer = await login(ADMIN.email, ADMIN.password, { mode: 'cookie' });
  assert.deepEqual(Object.keys(answer.body.data).sort(), ['access_token', 'expires']);
  const cookie = cookieOf(answer);
  assert.match(cookie, /^directus_refresh_token=[A-Za-z0-9_-]{64}; /);
  for (const attribute of ['Max-Age=604800', 'Path=/', 'HttpOnly', 'SameSite=Lax']) assert.ok(cookie.split('; ').includes(attribute), `${attribute} in ${cookie}`);
});

test('the e-mail address is found in any case', async () => {
  for (const email of ['READER@example.com', 'Reader@Example.COM']) assert.equal((await login(email, 'password of reader')).status, 200);
});

test('wrong passwords, unknown, inactive and passwordless users are all the same to a caller', async () => {
  const users = [['nobody@example.com', 'x'], ['reader@example.com', 'wrong'], ['reader@example.com', 'password of reader '], ['reader@example.com', 'PASSWORD OF READER']];
  for (const status of ['draft', 'invited', 'unverified', 'suspended', 'archived']) {
    const user = await fresh({ status });
    users.push([user.email, user.password]);
  }
  const { email } = await fresh({ password: null });
  users.push([email, 'x'], [email, 'null']);
  const answers = [];
  for (const [address, password] of users) {
    const answer = await login(address, password);
    assertError(answer, 401, 'INVALID_CREDENTIALS', { text: /^Invalid user credentials\.$/ });
    answers.push(JSON.stringify(answer.body));
  }
  assert.equal(new Set(answers).size, 1);
});

for (const body of [{}, { email: 'a@b.c' }, { password: 'x' }, { email: 'no address', password: 'x' }, { email: 5, password: 'x' }, { email: 'a@b.c', password: 5 }, { email: 'a@b.c', password: '' }, { email: '', password: 'x' }, { email: null, password: null },
  { email: ['a@b.c'], password: 'x' }, { email: 'a@b.c', password: 'x', mode: 'nonsense' }, { email: 'a@b.c', password: 'x', mode: 5 }, [], 'text', 5, null, undefined])
  test(`log-in with ${JSON.stringify(body)} is an invalid payload`, async () => {
    assertError(await server.rest('POST', '/auth/login', body, null), 400, 'INVALID_PAYLOAD');
  });

test('what is not served yet says so', async () => {
  const answer = await login(ADMIN.email, ADMIN.password, { mode: 'session' });
  if (answer.status !== 200) assertError(answer, 400, 'INVALID_PAYLOAD', { text: /session.*not supported yet/ });
  for (const [target, body] of [['/auth/password/request', { email: ADMIN.email }], ['/auth/password/reset', { token: 'x', password: 'y' }]]) {
    const mail = await server.rest('POST', target, body, null);
    if (mail.status !== 204) assertError(mail, 503, 'SERVICE_UNAVAILABLE');
    assert.equal(mail.headers.get('retry-after'), null, 'to ask again is no use');
  }
  assertError(await server.rest('POST', '/auth/login/google', { email: 'a@b.c', password: 'x' }, null), 404, 'ROUTE_NOT_FOUND');
});

test('there are no other providers', async () => {
  assert.deepEqual((await server.rest('GET', '/auth', undefined, null)).body, { data: [], disableDefault: false });
});

test('after 25 wrong passwords the user is suspended, a right one before that forgives them', async () => {
  const user = await fresh(), patient = await fresh();
  for (let i = 0; i < 24; i++) assertError(await login(patient.email, 'wrong'), 401, 'INVALID_CREDENTIALS');
  assert.equal((await login(patient.email, patient.password)).status, 200);
  assertError(await login(patient.email, 'wrong'), 401, 'INVALID_CREDENTIALS');
  assert.equal((await login(patient.email, patient.password)).status, 200);
  let tries = 0;
  while ((await server.ask('GET', `/users/${user.id}`)).status === 'active' && tries < 30) {
    tries++;
    await login(user.email, 'wrong');
  }
  assert.ok(tries >= 25 && tries <= 26, `${tries} tries`);
  assert.equal((await login(user.email, user.password)).status, 401);
});

test('a log-in is seen in last_access', async () => {
  const user = await fresh();
  assert.equal((await server.ask('GET', `/users/${user.id}`)).last_access, null);
  await loggedIn(user);
  assert.notEqual((await server.ask('GET', `/users/${user.id}`)).last_access, null);
});

/* ---- refresh and log-out ---- */

test('a refresh in json mode rotates: the new pair works, the old refresh token is dead', async () => {
  const user = await fresh(), first = await loggedIn(user);
  const { status, body } = await refresh({ refresh_token: first.refresh_token });
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body.data).sort(), ['access_token', 'expires', 'refresh_token']);
  assert.equal(body.data.expires, 900_000);
  assert.notEqual(body.data.refresh_token, first.refresh_token);
  assert.equal((await notes(body.data.access_token)).status, 200);
  assert.equal((await notes(first.access_token)).status, 200);
  assertError(await refresh({ refresh_token: first.refresh_token }), 401, 'INVALID_CREDENTIALS');
  assert.equal((await refresh({ refresh_token: body.data.refresh_token, mode: 'json' })).status, 200);
});

test('a refresh in cookie mode takes the cookie and sets its successor', async () => {
  const user = await fresh();
  const cookie = cookieOf(await login(user.email, user.password, { mode: 'cookie' })).split(';')[0];
  const answer = await refresh({}, { Cookie: cookie });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.deepEqual(Object.keys(answer.body.data).sort(), ['access_token', 'expires']);
  assert.notEqual(cookieOf(answer).split(';')[0], cookie);
  assertError(await refresh(undefined, { Cookie: cookie }), 401, 'INVALID_CREDENTIALS');
  assert.equal((await refresh(undefined, { Cookie: `other=1; ${cookieOf(answer).split(';')[0]}; more=2` })).status, 200);
});

test('concurrent refreshes of one token succeed once', async () => {
  const { refresh_token } = await loggedIn(await fresh());
  const statuses = (await Promise.all(Array.from({ length: 6 }, () => refresh({ refresh_token })))).map((answer) => answer.status).sort();
  assert.deepEqual(statuses, [200, 401, 401, 401, 401, 401]);
});

test('without a refresh token a refresh is an invalid payload; a wrong one is wrong', async () => {
  for (const body of [undefined, {}, { refresh_token: '' }, { mode: 'json' }, { mode: 'cookie' }, { refresh_token: 5 }]) assertError(await refresh(body), 400, 'INVALID_PAYLOAD');
  for (const refresh_token of ['x', 'A'.repeat(64), "' OR 1=1 --", ADMIN.token]) assertError(await refresh({ refresh_token }), 401, 'INVALID_CREDENTIALS');
});

test('log-out answers 204 and ends the session; an unknown token is no reason to complain', async () => {
  const { refresh_token } = await loggedIn(await fresh());
  const answer = await logout({ refresh_token });
  assert.deepEqual([answer.status, answer.body], [204, '']);
  assertError(await refresh({ refresh_token }), 401, 'INVALID_CREDENTIALS');
  assert.equal((await logout({ refresh_token })).status, 204);
  assert.equal((await logout({ refresh_token: 'x' })).status, 204);
  const user = await fresh();
  const cookie = cookieOf(await login(user.email, user.password, { mode: 'cookie' })).split(';')[0];
  const out = await logout({}, { Cookie: cookie });
  assert.equal(out.status, 204);
  assert.match(cookieOf(out), /^directus_refresh_token=; .*Max-Age=0/);
  assertError(await refresh({}, { Cookie: cookie }), 401, 'INVALID_CREDENTIALS');
});

test('a suspended user cannot refresh, and its session goes', async () => {
  const user = await fresh(), { refresh_token } = await loggedIn(user);
  await server.ask('PATCH', `/users/${user.id}`, { status: 'suspended' });
  const answer = await refresh({ refresh_token });
  assert.equal(answer.status, 401); /* the session may be gone already when the status changed */
  assert.ok(['USER_SUSPENDED', 'INVALID_CREDENTIALS'].includes(answer.body.errors[0].extensions.code));
  await server.ask('PATCH', `/users/${user.id}`, { status: 'active' });
  assertError(await refresh({ refresh_token }), 401, 'INVALID_CREDENTIALS');
});

for (const [what, change] of [['a new password', { password: 'another password' }], ['a new e-mail address', { email: 'moved@example.com' }], ['another status', { status: 'archived' }]])
  test(`${what} ends the user's sessions`, async () => {
    const user = await fresh(), { refresh_token } = await loggedIn(user);
    await server.ask('PATCH', `/users/${user.id}`, change);
    assert.equal((await refresh({ refresh_token })).status, 401);
    if (change.status) await server.ask('PATCH', `/users/${user.id}`, { status: 'active' });
    assertError(await refresh({ refresh_token }), 401, 'INVALID_CREDENTIALS');
    assert.equal((await login(change.email ?? user.email, change.password ?? user.password)).status, 200);
  });

/* ---- tokens ---- */

test('a static token works in the header, in any case of the scheme, and in the URL', async () => {
  assert.equal((await notes(reader.token)).status, 200);
  for (const scheme of ['bearer', 'BEARER', 'Bearer']) assert.equal((await server.rest('GET', '/items/notes', undefined, null, { Authorization: `${scheme} ${reader.token}` })).status, 200);
  assert.equal((await server.rest('GET', `/items/notes?access_token=${reader.token}`, undefined, null)).status, 200);
});

test('a token of no user is refused on every route but the ping', async () => {
  for (const [method, target, body] of [['GET', '/items/notes', undefined], ['POST', '/auth/login', { email: ADMIN.email, password: ADMIN.password }], ['POST', '/auth/refresh', { refresh_token: 'x' }], ['GET', '/server/info', undefined], ['GET', '/users/me', undefined],
    ['POST', '/items/notes', { text: 'x' }], ['GET', '/items/nope', undefined]]) {
    assertError(await server.rest(method, target, body, 'no such token'), 401, 'INVALID_CREDENTIALS');
    assertError(await server.rest(method, `${target}?access_token=nope`, body, null), 401, 'INVALID_CREDENTIALS');
  }
  const ping = await server.rest('GET', '/server/ping', undefined, 'no such token');
  assert.deepEqual([ping.status, ping.body], [200, 'pong']);
});

test('a token in the URL and one in the header are one too many', async () => {
  for (const [method, body] of [['GET', undefined], ['POST', { text: 'twice' }]])
    assertError(await server.rest(method, `/items/notes?access_token=${ADMIN.token}`, body), 400, 'INVALID_PAYLOAD');
  assert.deepEqual((await server.ask('GET', '/items/notes?filter[text][_eq]=twice')), []);
});

test('no token is the public, not an error', async () => {
  assertError(await notes(null), 403, 'FORBIDDEN');
  for (const Authorization of ['Basic YTpi', 'Bearer', 'Bearer ', 'nonsense', '']) assertError(await server.rest('GET', '/items/notes', undefined, null, { Authorization }), 403, 'FORBIDDEN');
});

test('a JWT of ours that is expired, forged or incomplete is refused as such', async () => {
  const user = { id: reader.user.id, role: reader.role.id };
  assert.equal((await notes(jwt(claimsOf(user)))).status, 200);
  assertError(await notes(jwt(claimsOf(user, { iat: seconds() - 1000, exp: seconds() - 60 }))), 401, 'TOKEN_EXPIRED', { text: /^Token expired\.$/ });
  const forged = [
    jwt(claimsOf(user), { secret: 'another' }), `${jwt(claimsOf(user)).slice(0, -4)}AAAA`, jwt(claimsOf(user), { header: { alg: 'none' } }), `${part({ alg: 'none' })}.${part(claimsOf(user))}.`,
    `${part({ alg: 'HS512' })}.${part(claimsOf(user))}.${createHmac('sha512', SECRET).update(`${part({ alg: 'HS512' })}.${part(claimsOf(user))}`).digest('base64url')}`, jwt(claimsOf(user, { exp: seconds() - 60 }), { secret: 'another' }),
    ...['role', 'app_access', 'admin_access', 'id'].map((name) => jwt(claimsOf(user, { [name]: undefined }))),
  ];
  for (const token of forged) {
    const answer = await notes(token);
    assertError(answer, 403, 'INVALID_TOKEN', { text: /^Invalid token\.$/ });
  }
});

test('a JWT of somebody else is a static token that nobody has', async () => {
  assertError(await notes(jwt(claimsOf(reader.user, { iss: 'elsewhere' }))), 401, 'INVALID_CREDENTIALS');
  for (const token of ['a.b.c', '...', 'eyJ.eyJ.x', `${part('{')}.${part('{')}.x`, 'x'.repeat(5000), '%00', 'a b']) assertError(await notes(token), 401, 'INVALID_CREDENTIALS');
});

test('rights are taken from the database, not from the claims', async () => {
  const user = { id: reader.user.id, role: reader.role.id };
  for (const claims of [{ admin_access: true }, { admin_access: 1, app_access: 1 }]) {
    const token = jwt(claimsOf(user, claims));
    assertError(await server.rest('POST', '/items/notes', { text: 'x' }, token), 403, 'FORBIDDEN');
    assertError(await server.rest('GET', '/users', undefined, token), 403, 'FORBIDDEN');
  }
  const escalated = jwt(claimsOf({ id: reader.user.id, role: admin.role }, { admin_access: true }));
  assert.notEqual((await server.rest('POST', '/items/notes', { text: 'x' }, escalated)).status, 500);
});

test('suspending or deleting a user ends its tokens at once', async () => {
  for (const end of [(id) => server.ask('PATCH', `/users/${id}`, { status: 'suspended' }), (id) => server.ask('DELETE', `/users/${id}`)]) {
    const token = `static-${++made}`, user = await fresh({ token });
    const { access_token } = await loggedIn(user);
    for (const one of [token, access_token]) assert.equal((await notes(one)).status, 200);
    await end(user.id);
    assertError(await notes(token), 401, 'INVALID_CREDENTIALS');
    const answer = await notes(access_token);
    assert.ok([401, 403].includes(answer.status), `${answer.status}`);
  }
});

test('access tokens expire', async () => {
  const short = await Server.start({ environment: { ACCESS_TOKEN_TTL: '1s' } });
  try {
    const { body } = await short.rest('POST', '/auth/login', { email: ADMIN.email, password: ADMIN.password }, null);
    assert.equal(body.data.expires, 1000);
    const [, claims] = body.data.access_token.split('.');
    const { exp, iat } = JSON.parse(Buffer.from(claims, 'base64url'));
    assert.equal(exp - iat, 1);
    let answer;
    const end = Date.now() + 15_000;
    do answer = await short.rest('GET', '/users/me', undefined, body.data.access_token);
    while (answer.status === 200 && Date.now() < end);
    assertError(answer, 401, 'TOKEN_EXPIRED');
  } finally {
    await short.stop();
  }
});

test('a log-in takes LOGIN_STALL_TIME at least, whether it fails or not', async () => {
  const slow = await Server.start({ environment: { LOGIN_STALL_TIME: '300' } });
  try {
    for (const [target, body, status] of [['/auth/login', { email: 'nobody@example.com', password: 'x' }, 401], ['/auth/login', { email: ADMIN.email, password: 'x' }, 401], ['/auth/login', { email: ADMIN.email, password: ADMIN.password }, 200],
      ['/auth/refresh', { refresh_token: 'x' }, 401]]) {
      const start = performance.now();
      assert.equal((await slow.rest('POST', target, body, null)).status, status);
      assert.ok(performance.now() - start >= 298, `${target} ${status}: ${performance.now() - start} ms`);
    }
  } finally {
    await slow.stop();
  }
});

/* ---- users ---- */

const USER_FIELDS = ['id', 'first_name', 'last_name', 'email', 'password', 'location', 'title', 'description', 'tags', 'avatar', 'language', 'tfa_secret', 'status', 'role', 'token', 'last_access', 'last_page', 'provider', 'external_identifier', 'auth_data',
  'email_notifications', 'appearance', 'theme_dark', 'theme_light', 'theme_light_overrides', 'theme_dark_overrides', 'text_direction', 'policies'];

test('a whole user has the fields of the specification, its secrets as asterisks', async () => {
  const { id } = await server.ask('POST', '/users', { email: 'whole@example.com', password: 'pw pw pw', first_name: 'W', tags: ['a'], token: 'token of whole' });
  const user = await server.ask('GET', `/users/${id}`);
  assert.deepEqual(Object.keys(user).sort(), [...USER_FIELDS].sort());
  assert.match(user.id, UUID);
  assert.deepEqual([user.password, user.token, user.tfa_secret, user.status, user.provider, user.role, user.tags, user.policies, user.text_direction], ['**********', '**********', null, 'active', 'default', null, ['a'], [], 'auto']);
  const bare = await server.ask('POST', '/users', { email: 'bare@example.com' });
  assert.deepEqual([bare.password, bare.token], [null, null]);
  const text = JSON.stringify((await server.rest('GET', '/users?limit=-1')).body);
  for (const secret of ['$argon2', 'pw pw pw', 'token of whole', ADMIN.token, reader.token]) assert.ok(!text.includes(secret), secret);
});

test('e-mail addresses are unique whatever their case, and addresses', async () => {
  await server.ask('POST', '/users', { email: 'ed@example.com' });
  for (const email of ['ed@example.com', 'ED@example.com']) assertError(await server.rest('POST', '/users', { email }), 400, 'RECORD_NOT_UNIQUE', { collection: 'directus_users', field: 'email' });
  assertError(await server.rest('PATCH', `/users/${reader.user.id}`, { email: 'Ed@Example.com' }), 400, 'RECORD_NOT_UNIQUE');
  for (const email of ['nonsense', 'a@', '@b', 'a b@c.d', '']) assertViolations(await server.rest('POST', '/users', { email }), { field: 'email', type: 'email' });
});

test('tokens are unique; tfa_secret is nothing that one sets', async () => {
  await server.ask('POST', '/users', { email: 'unique1@example.com', token: 'one token' });
  const twice = await server.rest('POST', '/users', { email: 'unique2@example.com', token: 'one token' });
  assert.equal(twice.status, 400);
  assert.ok(!JSON.stringify(twice.body).includes('one token'), 'a token is not told');
  const answer = await server.rest('PATCH', `/users/${reader.user.id}`, { tfa_secret: 'x' });
  assert.ok(answer.status === 400 || (answer.status === 200 && answer.body.data.tfa_secret === null), `${answer.status}`);
});

test('secrets in a filter are refused', async () => {
  for (const [field, value] of [['password', '$argon2'], ['token', reader.token], ['tfa_secret', 'x']]) {
    for (const operator of ['_eq', '_starts_with', '_contains', '_in']) assertError(await server.rest('SEARCH', '/users', { query: { filter: { [field]: { [operator]: operator === '_in' ? [value] : value } } } }), 400, 'INVALID_QUERY');
    assert.notEqual((await server.rest('GET', `/users?sort=${field}`)).status, 500);
  }
  assert.deepEqual(await server.ask('GET', `/users?search=${encodeURIComponent(reader.token)}`), []);
});

test('/users/me is the caller: whole, reduced to its id, or nobody', async () => {
  assert.equal((await server.ask('GET', '/users/me')).id, admin.id);
  assert.deepEqual(await server.ask('GET', '/users/me?fields=email'), { email: ADMIN.email });
  assert.deepEqual((await server.rest('GET', '/users/me', undefined, reader.token)).body, { data: { id: reader.user.id } });
  assertError(await server.rest('GET', '/users/me', undefined, null), 401, 'INVALID_CREDENTIALS');
  assertError(await server.rest('PATCH', '/users/me', { first_name: 'x' }, null), 401, 'INVALID_CREDENTIALS');
  assertError(await server.rest('PATCH', '/users/me', { first_name: 'x' }, reader.token), 403, 'FORBIDDEN');
  const self = await server.makeUser('self', [{ collection: 'directus_users', action: 'read', fields: ['id', 'first_name', 'last_page'], permissions: { id: { _eq: '$CURRENT_USER' } } },
    { collection: 'directus_users', action: 'update', fields: ['first_name'], permissions: { id: { _eq: '$CURRENT_USER' } } }]);
  assert.deepEqual((await server.rest('GET', '/users/me', undefined, self.token)).body, { data: { id: self.user.id, first_name: null, last_page: null } });
  assert.equal((await server.ask('PATCH', '/users/me', { first_name: 'Sel' }, self.token)).first_name, 'Sel');
  assertError(await server.rest('PATCH', '/users/me', { role: admin.role }, self.token), 403, 'FORBIDDEN');
  assertError(await server.rest('PATCH', `/users/${reader.user.id}`, { first_name: 'x' }, self.token), 403, 'FORBIDDEN');
  const page = await server.rest('PATCH', '/users/me/track/page', { last_page: '/here' }, self.token);
  assert.deepEqual([page.status, page.body], [204, '']);
  assert.equal((await server.ask('GET', `/users/${self.user.id}`)).last_page, '/here');
});

test('the last administrator is neither removed nor disabled', async () => {
  const before = await server.ask('GET', `/users/${admin.id}`);
  const rows = await server.ask('GET', `/access?filter[role][_eq]=${admin.role}`);
  for (const [method, target, body] of [['DELETE', `/users/${admin.id}`, undefined], ['DELETE', '/users', [admin.id]], ['PATCH', `/users/${admin.id}`, { status: 'suspended' }], ['PATCH', `/users/${admin.id}`, { role: null }], ['PATCH', `/users/${admin.id}`, { role: reader.role.id }],
    ['DELETE', `/roles/${admin.role}`, undefined], ['DELETE', `/policies/${rows[0].policy}`, undefined], ['PATCH', `/policies/${rows[0].policy}`, { admin_access: false }], ['DELETE', `/access/${rows[0].id}`, undefined]])
    assertError(await server.rest(method, target, body), 422, 'UNPROCESSABLE_CONTENT', { text: /^Can't process content\. / });
  const { last_access, ...rest } = await server.ask('GET', `/users/${admin.id}`);
  assert.deepEqual({ ...rest, last_access: before.last_access }, before);
});

test('helpers: random text, hashes and their proof, for callers with a name', async () => {
  assert.match(await server.ask('GET', '/utils/random/string', undefined, null), /^[A-Za-z0-9_-]{32}$/);
  for (const length of [1, 500]) assert.equal((await server.ask('GET', `/utils/random/string?length=${length}`)).length, length);
  for (const length of ['0', '501', '-1', 'x', '1.5', '']) assertError(await server.rest('GET', `/utils/random/string?length=${length}`), 400, 'INVALID_QUERY');
  const hash = await server.ask('POST', '/utils/hash/generate', { string: 'text' }, reader.token);
  assert.match(hash, /^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$/);
  assert.equal(await server.ask('POST', '/utils/hash/verify', { string: 'text', hash }, reader.token), true);
  assert.equal(await server.ask('POST', '/utils/hash/verify', { string: 'other', hash }, reader.token), false);
  for (const text of ['nonsense', '$argon2id$v=19$m=4294967295,t=4294967295,p=255$AAAA$AAAA', '$argon2id$', 'x'.repeat(10_000)]) {
    const answer = await server.rest('POST', '/utils/hash/verify', { string: 'text', hash: text }, reader.token);
    assert.ok(answer.status === 400 || (answer.status === 200 && answer.body.data === false), JSON.stringify(answer.body));
  }
  for (const [target, body] of [['generate', {}], ['generate', { string: 5 }], ['generate', undefined], ['verify', { string: 'x' }], ['verify', { hash }]]) assertError(await server.rest('POST', `/utils/hash/${target}`, body), 400, 'INVALID_PAYLOAD');
  assertError(await server.rest('POST', '/utils/hash/generate', { string: 'text' }, null), 403, 'FORBIDDEN');
});

/* ---- the server about itself ---- */

test('/server/info tells everybody of the project, callers with a name of limits and the socket', async () => {
  const { project, ...none } = await server.ask('GET', '/server/info', undefined, null);
  assert.deepEqual(none, {});
  for (const name of ['project_name', 'project_descriptor', 'project_logo', 'project_color', 'default_appearance', 'default_theme_light', 'default_theme_dark', 'theme_light_overrides', 'theme_dark_overrides', 'default_language', 'public_foreground', 'public_background',
    'public_favicon', 'public_note', 'custom_css', 'public_registration', 'public_registration_verify_email']) assert.ok(name in project, name);
  for (const token of [ADMIN.token, reader.token]) {
    const info = await server.ask('GET', '/server/info', undefined, token);
    assert.deepEqual([info.rateLimit, info.rateLimitGlobal, info.queryLimit], [false, false, { default: 100, max: -1 }]);
    assert.equal(info.websocket.rest.path, '/websocket');
    assert.equal(typeof info.version, 'string');
  }
});

test('/server/health is for callers with a name, its details for administrators', async () => {
  assertError(await server.rest('GET', '/server/health', undefined, null), 403, 'FORBIDDEN');
  const plain = await server.rest('GET', '/server/health', undefined, reader.token);
  assert.deepEqual([plain.status, plain.body, plain.headers.get('content-type')], [200, { status: 'ok' }, 'application/health+json; charset=utf-8']);
  const { body } = await server.rest('GET', '/server/health');
  assert.deepEqual(Object.keys(body).sort(), ['checks', 'releaseId', 'serviceId', 'status']);
  assert.equal(body.checks[`${ON_POSTGRES ? 'pg' : 'sqlite3'}:responseTime`][0].componentType, 'datastore');
});

test('/server/ping is a text', async () => {
  const answer = await server.rest('GET', '/server/ping', undefined, null);
  assert.deepEqual([answer.status, answer.body, answer.headers.get('content-type')], [200, 'pong', 'text/html; charset=utf-8']);
});
