/* Accounts of Baserow's dialect: registration, log-in, tokens, one's own data, settings (baserow.md 2.2, 7.10, 9.1, 9.2). */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { PASSWORD, Person, assertCode, assertInvalid } from './baserow.js';
import { ADMIN, Server, makeFolder } from './harness.js';

const SECRET = 'secret-of-the-tests';
let server, staff, made = 0;

before(async () => {
  server = await Server.start();
  staff = await Person.login(server);
});
after(() => server.stop());

const post = (target, body, headers = {}) => server.rest('POST', `/api/${target}`, body, null, headers);
const login = (body) => post('user/token-auth/', body);
const fresh = (more) => Person.register(server, `Fresh${++made}`, more);
const account = (token) => server.rest('GET', '/api/user/dashboard/', undefined, null, { Authorization: `JWT ${token}` });
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function jwt(claims, { secret = SECRET, header = { alg: 'HS256', typ: 'JWT' } } = {}) {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
const tokenOf = (invitation) => jwt({ iss: 'invitation', invitation_id: invitation });
const decoded = (token) => token.split('.').slice(0, 2).map((one) => JSON.parse(Buffer.from(one, 'base64url')));
const seconds = () => Math.floor(Date.now() / 1000);
const claimsOf = (person, more = {}) => ({ token_type: 'access', exp: seconds() + 60, iat: seconds(), jti: 'a'.repeat(32), user_id: person.id, ...more });
const keys = (object) => Object.keys(object).sort().join(' ');

const OWN = 'completed_guided_tours completed_onboarding email_notification_frequency email_verified first_name id is_staff language username';
const USER_DATA = 'active_licenses permissions user user_notifications';
const LOGIN = 'access_token active_licenses permissions refresh_token token user user_notifications user_session';

function assertUserData(body, person, more = {}) {
  assert.equal(keys(body.user), OWN);
  const { id, ...rest } = body.user;
  assert.ok(Number.isSafeInteger(id) && id > 0);
  assert.deepEqual(rest, {
    first_name: person.name, username: person.email, is_staff: false, language: 'en', email_notification_frequency: 'instant',
    email_verified: false, completed_onboarding: false, completed_guided_tours: [], ...more,
  });
  assert.deepEqual(body.user_notifications, { unread_count: 0 });
  assert.deepEqual(body.active_licenses, { instance_wide: {}, per_workspace: {} });
  for (const one of body.permissions) assert.equal(keys(one), 'name permissions');
}
function assertLogin(body, person, more) {
  assert.equal(keys(body), LOGIN);
  assertUserData(body, person, more);
  assert.equal(body.token, body.access_token);
  assert.equal(typeof body.user_session, 'string');
}

/* ---- tokens ---- */

test('tokens have the claims of their type and live as long as they should', async () => {
  const person = await fresh();
  for (const [token, type, life] of [[person.token, 'access', 600], [person.refreshToken, 'refresh', 168 * 3600]]) {
    const [header, claims] = decoded(token);
    assert.deepEqual(header, { alg: 'HS256', typ: 'JWT' });
    assert.equal(keys(claims), type === 'refresh' ? 'exp iat jti token_type user_id verified_email_claim' : 'exp iat jti token_type user_id');
    assert.equal(claims.token_type, type);
    assert.equal(claims.user_id, person.id);
    assert.ok(Number.isInteger(claims.iat) && Math.abs(claims.iat - seconds()) < 30);
    assert.equal(claims.exp - claims.iat, life);
    assert.match(claims.jti, /^[0-9a-f]{32}$/);
    if (type === 'refresh') assert.equal(claims.verified_email_claim, 'enforced');
  }
  const again = await Person.login(server, person.email, PASSWORD);
  assert.notEqual(decoded(again.token)[1].jti, decoded(person.token)[1].jti);
});

test('an access token is refused when anything about it is wrong', async () => {
  const person = await fresh();
  assert.equal((await account(jwt(claimsOf(person)))).status, 200);
  const { user_id: _, ...nobody } = claimsOf(person);
  const { exp: __, ...endless } = claimsOf(person);
  const { iat: ___, ...dateless } = claimsOf(person);
  for (const token of [
    'x', 'a.b.c', `${person.token}x`, person.refreshToken,
    jwt(claimsOf(person), { secret: 'another' }),
    jwt(claimsOf(person), { header: { alg: 'none', typ: 'JWT' } }),
    `${part({ alg: 'none' })}.${part(claimsOf(person))}.`,
    jwt(claimsOf(person), { header: { alg: 'HS512', typ: 'JWT' } }),
    jwt(claimsOf(person, { exp: seconds() - 1 })),
    jwt(claimsOf(person, { token_type: 'refresh' })),
    jwt(claimsOf(person, { user_id: String(person.id) })),
    jwt(nobody), jwt(endless), jwt(dateless),
  ]) assertCode(await account(token), 401, 'ERROR_INVALID_ACCESS_TOKEN');
  const gone = await account(jwt(claimsOf({ id: 999_999 })));
  assert.deepEqual([gone.status, gone.body], [401, { detail: 'User not found', code: 'user_not_found' }]);
});

test('credentials are a JWT after its own word, in its own case', async () => {
  const person = await fresh();
  for (const Authorization of [undefined, `jwt ${person.token}`, `Bearer ${person.token}`, `Token ${person.token}`, person.token, 'JWT']) {
    const { status, body } = await server.rest('GET', '/api/user/dashboard/', undefined, null, Authorization ? { Authorization } : {});
    assert.deepEqual([status, body], [401, { detail: 'Authentication credentials were not provided.' }], Authorization);
  }
});

test('a key of its own signs when it is set, and lifetimes follow their settings', async () => {
  const environment = { BASEROW_JWT_SIGNING_KEY: 'another key', BASEROW_ACCESS_TOKEN_LIFETIME_MINUTES: '2', BASEROW_REFRESH_TOKEN_LIFETIME_HOURS: '3' };
  const other = await Server.start({ environment });
  try {
    const person = await Person.login(other);
    const signed = (token) => createHmac('sha256', 'another key').update(token.split('.').slice(0, 2).join('.')).digest('base64url') === token.split('.')[2];
    assert.ok(signed(person.token) && signed(person.refreshToken));
    const life = (token) => { const [, { exp, iat }] = decoded(token); return exp - iat; };
    assert.deepEqual([life(person.token), life(person.refreshToken)], [120, 3 * 3600]);
    const forged = await other.rest('GET', '/api/user/dashboard/', undefined, null, { Authorization: `JWT ${jwt(claimsOf(person))}` });
    assertCode(forged, 401, 'ERROR_INVALID_ACCESS_TOKEN');
  } finally { await other.stop(); }
});

/* ---- log-in ---- */

test('log-in answers tokens, the user and its data, by e-mail in any case or by the old name', async () => {
  const person = await fresh();
  for (const body of [{ email: person.email }, { email: ` ${person.email.toUpperCase()} ` }, { username: person.email }]) {
    const answer = await login({ ...body, password: PASSWORD });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assertLogin(answer.body, person);
    assert.equal(answer.body.user.id, person.id);
  }
});

test('log-in tells what its body lacks without an envelope', async () => {
  for (const [body, wanted] of [
    [{ password: 'x' }, { email: ['This field is required.'] }],
    [{ email: 'a@b.c' }, { password: ['This field is required.'] }],
    [{ email: 'a@b.c', password: '' }, { password: ['This field may not be blank.'] }],
    [{ email: 'no address', password: '' }, { email: ['Enter a valid email address.'], password: ['This field may not be blank.'] }],
    [{ email: null, password: 'x' }, { email: ['This field may not be null.'] }],
  ]) {
    const answer = await login(body);
    assert.deepEqual([answer.status, answer.body], [400, wanted], JSON.stringify(body));
  }
});

test('log-in is refused for a wrong password and for nobody alike', async () => {
  const person = await fresh();
  assertCode(await login({ email: person.email, password: 'wrong' }), 401, 'ERROR_INVALID_CREDENTIALS');
  assertCode(await login({ email: 'nobody@example.com', password: PASSWORD }), 401, 'ERROR_INVALID_CREDENTIALS');
});

test('a user that is not active is told so, with the right password and with a token', async () => {
  const person = await fresh();
  const [{ id }] = await server.ask('GET', `/users?filter[email][_eq]=${person.email}`);
  await server.ask('PATCH', `/users/${id}`, { status: 'suspended' });
  assertCode(await login({ email: person.email, password: PASSWORD }), 401, 'ERROR_DEACTIVATED_USER');
  assertCode(await login({ email: person.email, password: 'wrong' }), 401, 'ERROR_INVALID_CREDENTIALS');
  assertCode(await account(person.token), 401, 'ERROR_DEACTIVATED_USER');
  assertCode(await post('user/token-refresh/', { refresh_token: person.refreshToken }), 401, 'ERROR_INVALID_REFRESH_TOKEN');
});

test('who guesses too often suspends the user, whichever dialect is asked', async () => {
  const other = await Server.start({ environment: { LOGIN_ATTEMPTS: '3' } });
  try {
    const person = await Person.register(other, 'Ann');
    const guess = () => other.rest('POST', '/api/user/token-auth/', { email: person.email, password: 'wrong' }, null);
    assertCode(await guess(), 401, 'ERROR_INVALID_CREDENTIALS');
    await other.rest('POST', '/auth/login', { email: person.email, password: 'wrong' }, null);
    assertCode(await guess(), 401, 'ERROR_INVALID_CREDENTIALS');
    const answer = await other.rest('POST', '/api/user/token-auth/', { email: person.email, password: PASSWORD }, null);
    assertCode(answer, 401, 'ERROR_DEACTIVATED_USER');
  } finally { await other.stop(); }
});

test('one person logs in through both dialects', async () => {
  const person = await fresh();
  const there = await server.rest('POST', '/auth/login', { email: person.email, password: PASSWORD }, null);
  assert.equal(there.status, 200);
  const me = (await server.rest('GET', '/users/me', undefined, there.body.data.access_token)).body.data;
  assert.ok(me.id);

  const email = 'made.there@example.com';
  await server.ask('POST', '/users', { email, password: PASSWORD, first_name: 'Made', last_name: 'There' });
  const here = await login({ email, password: PASSWORD });
  assert.equal(here.status, 200, JSON.stringify(here.body));
  assertLogin(here.body, { name: 'Made There', email });
  assert.equal((await login({ email, password: PASSWORD })).body.user.id, here.body.user.id);
});

test('tokens of one dialect are none in the other', async () => {
  const person = await fresh();
  const { body } = await server.rest('POST', '/auth/login', { email: person.email, password: PASSWORD }, null);
  assertCode(await account(body.data.access_token), 401, 'ERROR_INVALID_ACCESS_TOKEN');
  assertCode(await account(ADMIN.token), 401, 'ERROR_INVALID_ACCESS_TOKEN');
  assert.equal((await server.rest('GET', '/users/me', undefined, person.token)).status, 401);
});

/* ---- refresh tokens ---- */

test('a refresh token brings an access token and the user, under either name, and verify the user alone', async () => {
  const person = await fresh();
  for (const name of ['refresh_token', 'token']) {
    const { status, body } = await post('user/token-refresh/', { [name]: person.refreshToken });
    assert.equal(status, 200);
    assert.equal(keys(body), 'access_token active_licenses permissions token user user_notifications');
    assert.equal(body.token, body.access_token);
    assertUserData(body, person);
    assert.equal((await account(body.access_token)).status, 200);
  }
  const { status, body } = await post('user/token-verify/', { refresh_token: person.refreshToken });
  assert.equal(status, 200);
  assert.equal(keys(body), USER_DATA);
  assertUserData(body, person);
});

test('what is no refresh token is refused wherever one is wanted', async () => {
  const person = await fresh();
  const refreshing = claimsOf(person, { token_type: 'refresh' });
  for (const target of ['user/token-refresh/', 'user/token-verify/', 'user/token-blacklist/']) {
    for (const token of ['x', person.token, jwt({ ...refreshing, exp: seconds() - 1 }), jwt(refreshing, { secret: 'x' }), jwt({ ...refreshing, user_id: 999_999 })]) {
      assertCode(await post(target, { refresh_token: token }), 401, 'ERROR_INVALID_REFRESH_TOKEN');
    }
    assertInvalid(await post(target, {}), { refresh_token: ['required'] });
  }
});

test('a refresh token that was given back is worth nothing, the access token goes on', async () => {
  const person = await fresh();
  const given = await post('user/token-blacklist/', { refresh_token: person.refreshToken });
  assert.deepEqual([given.status, given.body], [204, '']);
  assertCode(await post('user/token-blacklist/', { refresh_token: person.refreshToken }), 400, 'ERROR_REFRESH_TOKEN_ALREADY_BLACKLISTED');
  assertCode(await post('user/token-refresh/', { refresh_token: person.refreshToken }), 401, 'ERROR_INVALID_REFRESH_TOKEN');
  assertCode(await post('user/token-verify/', { refresh_token: person.refreshToken }), 401, 'ERROR_INVALID_REFRESH_TOKEN');
  assert.equal((await account(person.token)).status, 200);
  const another = await Person.login(server, person.email, PASSWORD);
  assert.equal((await post('user/token-refresh/', { refresh_token: another.refreshToken })).status, 200);
});

/* ---- registration ---- */

test('registration answers the user, and with authenticate what a log-in does', async () => {
  const plain = await post('user/', { name: ' Ann ', email: ' ANN.B@Example.com', password: PASSWORD, language: 'de', unknown: 1 });
  assert.equal(plain.status, 200, JSON.stringify(plain.body));
  assert.deepEqual(keys(plain.body), 'user');
  assert.equal(keys(plain.body.user), OWN);
  assert.deepEqual([plain.body.user.first_name, plain.body.user.username, plain.body.user.language], ['Ann', 'ann.b@example.com', 'de']);
  const whole = await post('user/', { name: 'Bo', email: 'bo@example.com', password: PASSWORD, authenticate: true });
  assertLogin(whole.body, { name: 'Bo', email: 'bo@example.com' });
  assert.ok(whole.body.user.id > plain.body.user.id);
  assert.equal((await account(whole.body.access_token)).status, 200);
});

test('registration tells all that is wrong at once', async () => {
  assertInvalid(await post('user/', {}), { name: ['required'], email: ['required'], password: ['required'] });
  assertInvalid(await post('user/'), { name: ['required'], email: ['required'], password: ['required'] });
  assertInvalid(await post('user/', { name: 'A', email: 'no', password: 'short', language: 'xx', authenticate: 'maybe' }), {
    name: ['min_length'], email: ['invalid'], password: ['password_validation_failed'], language: ['invalid_language'], authenticate: ['invalid'],
  });
  assertInvalid(await post('user/', { name: '  ', email: null, password: ['x'] }), { name: ['blank'], email: ['null'], password: ['invalid'] });
  assertInvalid(await post('user/', [1]), { non_field_errors: ['invalid'] });
});

test('names and passwords have their lengths, counted in characters', async () => {
  const register = (name, password) => post('user/', { name, email: `length${++made}@example.com`, password });
  const refused = { name: [['A', 'min_length'], ['ä'.repeat(151), 'max_length']], password: [['1234567', 'password_validation_failed'], ['a'.repeat(257), 'password_validation_failed']] };
  for (const [name, code] of refused.name) assertInvalid(await register(name, PASSWORD), { name: [code] });
  for (const [password, code] of refused.password) assertInvalid(await register('Ann', password), { password: [code] });
  for (const name of ['Al', 'ä'.repeat(150)]) assert.equal((await register(name, PASSWORD)).status, 200, name);
  for (const password of ['12345678', 'ä'.repeat(256)]) assert.equal((await register('Ann', password)).status, 200);
});

test('an e-mail has room for 128 characters', async () => {
  const email = (length) => `${'a'.repeat(60)}@${'b'.repeat(length - 61 - 4 - 20)}.${'c'.repeat(19)}.com`;
  assert.equal(email(128).length, 128);
  const register = (length) => post('user/', { name: 'Ann', email: email(length), password: PASSWORD });
  assertInvalid(await register(129), { email: ['max_length'] });
  assert.equal((await register(128)).status, 200);
});

test('an e-mail is one person\'s, in any case and in either dialect', async () => {
  const person = await fresh();
  assertCode(await post('user/', { name: 'Ann', email: person.email.toUpperCase(), password: PASSWORD }), 400, 'ERROR_EMAIL_ALREADY_EXISTS');
  assertCode(await post('user/', { name: 'Ann', email: ADMIN.email, password: PASSWORD }), 400, 'ERROR_EMAIL_ALREADY_EXISTS');
  const there = await server.rest('POST', '/users', { email: person.email, password: PASSWORD });
  assert.equal(there.status, 400);
});

test('an invitation makes a member of who registers with it, of that e-mail only', async () => {
  const { id: workspace } = await staff.ask('POST', 'workspaces/', { name: 'Invited' });
  const invite = (email) => staff.ask('POST', `workspaces/invitations/workspace/${workspace}/`, { email, permissions: 'MEMBER', message: '' });
  const { id } = await invite('guest@example.com');
  const token = tokenOf(id);
  const body = { name: 'Guest', password: PASSWORD, authenticate: true };
  assertCode(await post('user/', { ...body, email: 'guest@example.com', workspace_invitation_token: 'x' }), 400, 'BAD_TOKEN_SIGNATURE');
  assertCode(await post('user/', { ...body, email: 'other@example.com', workspace_invitation_token: token }), 400, 'ERROR_GROUP_INVITATION_EMAIL_MISMATCH');
  assertCode(await post('user/', { ...body, email: 'guest@example.com', workspace_invitation_token: tokenOf(999_999) }), 404, 'ERROR_GROUP_INVITATION_DOES_NOT_EXIST');
  const guest = await Person.register(server, 'Guest', { workspace_invitation_token: token });
  assert.deepEqual((await guest.ask('GET', 'workspaces/')).map((one) => [one.id, one.permissions]), [[workspace, 'MEMBER']]);
  assert.deepEqual(await guest.ask('GET', 'user/dashboard/'), { workspace_invitations: [] });
});

test('the first user of an instance is staff and the next one is not', async () => {
  const other = await Server.start({ environment: { ADMIN_EMAIL: '', ADMIN_PASSWORD: '', ADMIN_TOKEN: '' } });
  try {
    const settings = async () => (await other.rest('GET', '/api/settings/', undefined, null)).body.show_admin_signup_page;
    const register = async (name) => (await other.rest('POST', '/api/user/', { name, email: `${name}@example.com`, password: PASSWORD }, null)).body.user.is_staff;
    assert.equal(await settings(), true);
    assert.equal(await register('first'), true);
    assert.equal(await settings(), false);
    assert.equal(await register('second'), false);
  } finally { await other.stop(); }
});

/* ---- one's own account ---- */

test('an account\'s own five keys change, one or all, and are answered', async () => {
  const person = await fresh();
  const start = { first_name: person.name, language: 'en', email_notification_frequency: 'instant', completed_onboarding: false, completed_guided_tours: [] };
  assert.deepEqual(await person.ask('PATCH', 'user/account/', { first_name: 'Ann Bee' }), { ...start, first_name: 'Ann Bee' });
  const all = { first_name: 'Cy', language: 'fr', email_notification_frequency: 'weekly', completed_onboarding: true, completed_guided_tours: ['sidebar', 'database'] };
  assert.deepEqual(await person.ask('PATCH', 'user/account/', { ...all, unknown: 1 }), all);
  assert.deepEqual(await person.ask('PATCH', 'user/account/', { completed_onboarding: false }), { ...all, completed_onboarding: false });
  const { body } = await login({ email: person.email, password: PASSWORD });
  assertLogin(body, { ...person, name: 'Cy' }, { ...all, completed_onboarding: false });
});

test('an account\'s changes are validated, and one at least is wanted', async () => {
  const person = await fresh();
  const patch = (body) => person.rest('PATCH', 'user/account/', body);
  assertInvalid(await patch({}), { non_field_errors: ['invalid'] });
  assertInvalid(await patch({ unknown: 1 }), { non_field_errors: ['invalid'] });
  assertInvalid(await patch({ first_name: 'A', language: 'xx', email_notification_frequency: 'hourly', completed_onboarding: 2, completed_guided_tours: 'x' }), {
    first_name: ['min_length'], language: ['invalid_language'], email_notification_frequency: ['invalid_choice'],
    completed_onboarding: ['invalid'], completed_guided_tours: ['not_a_list'],
  });
  assertInvalid(await patch({ completed_guided_tours: ['a', [], ''] }), { completed_guided_tours: { 1: ['invalid'], 2: ['blank'] } });
});

test('a password changes with the old one, and earlier tokens are worth nothing', async () => {
  const person = await fresh();
  const change = (oldPassword, newPassword) => person.rest('POST', 'user/change-password/', { old_password: oldPassword, new_password: newPassword });
  assertInvalid(await person.rest('POST', 'user/change-password/', {}), { old_password: ['required'], new_password: ['required'] });
  assertInvalid(await change(PASSWORD, 'short'), { new_password: ['password_validation_failed'] });
  assert.equal(assertCode(await change('wrong', 'another password'), 400, 'ERROR_INVALID_OLD_PASSWORD'), '');
  const old = jwt(claimsOf(person, { iat: seconds() - 5 })), oldRefresh = jwt(claimsOf(person, { token_type: 'refresh', iat: seconds() - 5 }));
  assert.equal((await account(old)).status, 200);
  const changed = await change(PASSWORD, 'another password');
  assert.deepEqual([changed.status, changed.body], [204, '']);
  assertCode(await account(old), 401, 'ERROR_INVALID_ACCESS_TOKEN');
  assertCode(await post('user/token-refresh/', { refresh_token: oldRefresh }), 401, 'ERROR_INVALID_REFRESH_TOKEN');
  assertCode(await login({ email: person.email, password: PASSWORD }), 401, 'ERROR_INVALID_CREDENTIALS');
  const again = await Person.login(server, person.email, 'another password');
  assert.equal((await account(again.token)).status, 200);
  assert.equal((await server.rest('POST', '/auth/login', { email: person.email, password: 'another password' }, null)).status, 200);
});

test('a password changed in the other dialect ends tokens here too', async () => {
  const person = await fresh();
  const old = jwt(claimsOf(person, { iat: seconds() - 5 }));
  const [{ id }] = await server.ask('GET', `/users?filter[email][_eq]=${person.email}`);
  await server.ask('PATCH', `/users/${id}`, { first_name: 'Other' });
  assert.equal((await account(old)).status, 200);
  await server.ask('PATCH', `/users/${id}`, { password: 'set by an admin' });
  assertCode(await account(old), 401, 'ERROR_INVALID_ACCESS_TOKEN');
  await Person.login(server, person.email, 'set by an admin');
});

test('an account whose deletion is scheduled lives on by its token and comes back by its log-in', async () => {
  const person = await fresh();
  const scheduled = await person.rest('POST', 'user/schedule-account-deletion/');
  assert.deepEqual([scheduled.status, scheduled.body], [204, '']);
  assert.equal((await account(person.token)).status, 200);
  assertCode(await post('user/token-refresh/', { refresh_token: person.refreshToken }), 401, 'ERROR_INVALID_REFRESH_TOKEN');
  await Person.login(server, person.email, PASSWORD);
  assert.equal((await post('user/token-refresh/', { refresh_token: person.refreshToken })).status, 200);
});

test('the last of the staff stays', async () => {
  assertCode(await staff.rest('POST', 'user/schedule-account-deletion/'), 400, 'ERROR_USER_IS_LAST_ADMIN');
  assert.equal((await account(staff.token)).status, 200);
});

test('the dashboard lists invitations to the caller', async () => {
  const person = await fresh();
  assert.deepEqual(await person.ask('GET', 'user/dashboard/'), { workspace_invitations: [] });
  const { id: workspace } = await staff.ask('POST', 'workspaces/', { name: 'Of staff' });
  const { id } = await staff.ask('POST', `workspaces/invitations/workspace/${workspace}/`, { email: person.email, permissions: 'MEMBER', message: 'Hello' });
  const { workspace_invitations: [invitation, ...rest] } = await person.ask('GET', 'user/dashboard/');
  assert.deepEqual(rest, []);
  assert.equal(keys(invitation), 'created_on email email_exists id invited_by message workspace');
  assert.deepEqual([invitation.id, invitation.workspace, invitation.email, invitation.message, invitation.email_exists], [id, 'Of staff', person.email, 'Hello', null]);
});

test('what needs mail is refused in clear words', async () => {
  assertInvalid(await post('user/send-reset-password-email/', {}), { email: ['required'], base_url: ['required'] });
  assertCode(await post('user/send-reset-password-email/', { email: ADMIN.email, base_url: 'http://localhost' }), 400, 'ERROR_DISABLED_RESET_PASSWORD');
  assertInvalid(await post('user/reset-password/', { password: 'short' }), { token: ['required'], password: ['password_validation_failed'] });
  assertCode(await post('user/reset-password/', { token: 'x', password: PASSWORD }), 400, 'ERROR_DISABLED_RESET_PASSWORD');
  assertInvalid(await post('user/send-verify-email/', {}), { email: ['required'] });
  assertCode(await post('user/send-verify-email/', { email: ADMIN.email }), 403, 'ERROR_FEATURE_DISABLED');
  assertCode(await post('user/verify-email/', { token: 'x' }), 400, 'ERROR_INVALID_VERIFICATION_TOKEN');
});

/* ---- settings ---- */

const SETTINGS = {
  allow_new_signups: true, allow_signups_via_workspace_invitations: true, allow_reset_password: false, allow_global_workspace_creation: true,
  account_deletion_grace_delay: 30, show_admin_signup_page: false, track_workspace_usage: false, show_baserow_help_request: true,
  co_branding_logo: null, email_verification: 'no_verification', verify_import_signature: true,
};

test('what a client asks for at its start is answered to anybody', async () => {
  const get = (target) => server.rest('GET', `/api/${target}`, undefined, null);
  const settings = await get('settings/');
  assert.deepEqual([settings.status, settings.body], [200, SETTINGS]);
  assert.deepEqual((await get('auth-provider/login-options/')).body, { password: { type: 'password' } });
  assert.deepEqual((await get('templates/')).body, []);
  assert.deepEqual((await get('_health/')).body, 'OK');
});

test('settings are the staff\'s, change one by one, and outlive the server', async () => {
  const folder = makeFolder();
  let other = await Server.start({ folder });
  try {
    const admin = await Person.login(other), person = await Person.register(other, 'Ann');
    for (const [method, target] of [['PATCH', 'settings/update/'], ['GET', 'settings/instance-id/']]) {
      const answer = await person.rest(method, target, method === 'PATCH' ? {} : undefined);
      assert.deepEqual([answer.status, answer.body], [403, { detail: 'You do not have permission to perform this action.' }]);
      assert.equal((await other.rest(method, `/api/${target}`, method === 'PATCH' ? {} : undefined, null)).status, 401);
    }
    const { instance_id: id, ...nothing } = await admin.ask('GET', 'settings/instance-id/');
    assert.deepEqual(nothing, {});
    assert.equal((await admin.ask('GET', 'settings/instance-id/')).instance_id, id);
    assert.deepEqual(await admin.ask('PATCH', 'settings/update/', { account_deletion_grace_delay: 7, show_admin_signup_page: true }), { ...SETTINGS, account_deletion_grace_delay: 7 });
    assert.deepEqual(await admin.ask('PATCH', 'settings/update/', { track_workspace_usage: true }), { ...SETTINGS, account_deletion_grace_delay: 7, track_workspace_usage: true });
    assertInvalid(await admin.rest('PATCH', 'settings/update/', { allow_new_signups: 'x', account_deletion_grace_delay: -1, email_verification: 'never' }), {
      allow_new_signups: ['invalid'], account_deletion_grace_delay: ['min_value'], email_verification: ['invalid_choice'],
    });
    await other.stop();
    other = await Server.start({ folder });
    assert.deepEqual((await other.rest('GET', '/api/settings/', undefined, null)).body, { ...SETTINGS, account_deletion_grace_delay: 7, track_workspace_usage: true });
    assert.equal((await (await Person.login(other)).ask('GET', 'settings/instance-id/')).instance_id, id);
  } finally { await other.stop(); folder.remove(); }
});

test('without open registration only the invited register, if they may', async () => {
  const set = (settings) => staff.ask('PATCH', 'settings/update/', settings);
  const { id: workspace } = await staff.ask('POST', 'workspaces/', { name: 'Closed' });
  const register = async (name, invited) => {
    const email = `${name}@example.com`;
    const more = invited ? { workspace_invitation_token: tokenOf((await staff.ask('POST', `workspaces/invitations/workspace/${workspace}/`, { email, permissions: 'MEMBER', message: '' })).id) } : {};
    return post('user/', { name, email, password: PASSWORD, ...more });
  };
  try {
    await set({ allow_new_signups: false });
    assertCode(await register('uninvited'), 400, 'ERROR_DISABLED_SIGNUP');
    assert.equal((await register('invited', true)).status, 200);
    await set({ allow_signups_via_workspace_invitations: false });
    assertCode(await register('invited.too', true), 400, 'ERROR_DISABLED_SIGNUP');
  } finally { await set({ allow_new_signups: true, allow_signups_via_workspace_invitations: true }); }
});

