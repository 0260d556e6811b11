/* What Baserow's dialect sends by mail, and what the links in it allow (baserow.md 9.1, 9.3). */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { PASSWORD, Person, assertCode, assertInvalid } from './baserow.js';
import { connect, heardToTheEnd } from './baserow_channel.js';
import { ADMIN, Server } from './harness.js';
import { MailServer } from './smtp.js';

const SECRET = 'secret-of-the-tests';
const PUBLIC = 'https://tables.example.com/app';
let mail, server, staff, made = 0;

before(async () => {
  mail = await MailServer.start();
  server = await Server.start({ environment: { ...mail.environment, PUBLIC_WEB_FRONTEND_URL: PUBLIC } });
  staff = await Person.login(server);
});
after(async () => {
  await server.stop();
  await mail.stop();
});
afterEach(() => assert.deepEqual(mail.letters, [], 'a letter that nobody expected'));

const post = (target, body, headers = {}) => server.rest('POST', `/api/${target}`, body, null, headers);
const fresh = (more) => Person.register(server, `Fresh${++made}`, more);
const login = (email, password) => post('user/token-auth/', { email, password });
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function jwt(claims, secret = SECRET) {
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
/* The link in a letter, and the token at its end. */
function linkOf(letter) {
  const [link, ...others] = letter.body.match(/https?:\/\/\S+/g);
  assert.deepEqual(others, []);
  return { link, token: link.slice(link.lastIndexOf('/') + 1) };
}
const RESET = `${PUBLIC}/reset-password`;
async function askReset(email, base_url = RESET) {
  const { status, body } = await post('user/send-reset-password-email/', { email, base_url });
  assert.deepEqual([status, body], [204, ''], JSON.stringify(body));
}
async function resetToken(email) {
  await askReset(email);
  return linkOf(await mail.next()).token;
}
const reset = (token, password) => post('user/reset-password/', { token, password });

/* ---- new passwords ---- */

test('a forgotten password is replaced by the link in a letter, once', async () => {
  const ann = await fresh();
  await askReset(ann.email.toUpperCase());
  const letter = await mail.next();
  assert.deepEqual([letter.from, letter.to], ['rowcast@example.com', [ann.email]]);
  assert.equal(letter.headers.from, '"Rowcast" <rowcast@example.com>');
  assert.equal(letter.headers.to, `<${ann.email}>`);
  assert.match(letter.headers['message-id'], /^<[\w-]{22}@example\.com>$/);
  assert.ok(Math.abs(Date.parse(letter.headers.date) - Date.now()) < 60_000);
  assert.match(letter.body, new RegExp(`^Hello ${ann.name},\n`));
  const { link, token } = linkOf(letter);
  assert.equal(link, `${RESET}/${token}`);
  const life = claimsOf(token).exp - Date.now() / 1000;
  assert.ok(life > 48 * 3600 - 60 && life <= 48 * 3600);

  const answer = await reset(token, 'another long password');
  assert.deepEqual([answer.status, answer.body], [204, '']);
  assertCode(await login(ann.email, PASSWORD), 401, 'ERROR_INVALID_CREDENTIALS');
  assert.equal((await login(ann.email, 'another long password')).status, 200);
  assertCode(await reset(token, 'a third long password'), 400, 'BAD_TOKEN_SIGNATURE');
  assert.equal((await login(ann.email, 'another long password')).status, 200);
});

test('a token is worth nothing any more when the password is another by any way, also an equal one', async () => {
  const ann = await fresh();
  const [first, second] = [await resetToken(ann.email), await resetToken(ann.email)];
  await ann.ask('POST', 'user/change-password/', { old_password: PASSWORD, new_password: PASSWORD });
  for (const token of [first, second]) assertCode(await reset(token, 'another long password'), 400, 'BAD_TOKEN_SIGNATURE');

  const third = await resetToken(ann.email);
  const [{ id }] = await server.ask('GET', `/users?filter[email][_eq]=${ann.email}`);
  await server.ask('PATCH', `/users/${id}`, { password: 'set by the other dialect' });
  assertCode(await reset(third, 'another long password'), 400, 'BAD_TOKEN_SIGNATURE');
});

test('a token that is forged, old, of another kind or of nobody is refused', async () => {
  const ann = await fresh();
  const token = await resetToken(ann.email);
  const claims = claimsOf(token);
  const password = 'another long password';
  assertCode(await reset('x', password), 400, 'BAD_TOKEN_SIGNATURE');
  assertCode(await reset(jwt(claims, 'another secret'), password), 400, 'BAD_TOKEN_SIGNATURE');
  assertCode(await reset(jwt({ ...claims, iss: 'verify-email' }), password), 400, 'BAD_TOKEN_SIGNATURE');
  assertCode(await reset(ann.refreshToken, password), 400, 'BAD_TOKEN_SIGNATURE');
  assertCode(await reset(jwt({ ...claims, exp: Math.floor(Date.now() / 1000) - 10 }), password), 400, 'EXPIRED_TOKEN_SIGNATURE');
  assertCode(await reset(jwt({ ...claims, user: '00000000-0000-4000-8000-000000000000' }), password), 400, 'ERROR_USER_NOT_FOUND');
  assertInvalid(await reset(token, 'short'), { password: ['password_validation_failed'] });
  assert.equal((await reset(jwt(claims), password)).status, 204, 'the claims themselves are good');
});

test('nobody is told whether there is such a user; and a link leads to the public host only', async () => {
  const ann = await fresh();
  await askReset('nobody@example.com');
  const { id } = await server.ask('POST', '/users', { email: 'asleep@example.com', status: 'suspended' });
  await askReset('asleep@example.com');
  await server.ask('DELETE', `/users/${id}`);
  for (const email of [ann.email, 'nobody@example.com'])
    for (const url of ['https://evil.example.com/x', 'https://tables.example.com@evil.example.com/', 'https://tables.example.com.evil.example.com', 'tables.example.com',
      'javascript:alert(1)', 'https:///x', `${RESET}/\nBcc: x@example.com`, `${RESET}/ x`])
      assertCode(await post('user/send-reset-password-email/', { email, base_url: url }), 400, 'ERROR_HOSTNAME_IS_NOT_ALLOWED');
  const long = (length) => RESET.padEnd(length, 'x');
  assertInvalid(await post('user/send-reset-password-email/', { email: ann.email, base_url: long(2001) }), { base_url: ['max_length'] });
  await askReset('nobody@example.com', long(2000));
  await askReset(ann.email, 'http://TABLES.example.com:8080/elsewhere/');
  const { link, token } = linkOf(await mail.next());
  assert.equal(link, `http://TABLES.example.com:8080/elsewhere/${token}`);
});

test('who is known to the other dialect only gets a new password as well', async () => {
  await server.ask('POST', '/users', { email: 'Only@Example.com', first_name: 'Only', last_name: 'There', password: 'a password of old' });
  await askReset('only@example.com');
  const letter = await mail.next();
  assert.match(letter.body, /^Hello Only There,\n/);
  assert.equal((await reset(linkOf(letter).token, PASSWORD)).status, 204);
  const { body } = await login('only@example.com', PASSWORD);
  assert.equal(body.user.email_verified, true, 'the letter was read');
});

test('a new password closes the sockets of its user', async () => {
  const ann = await fresh();
  const socket = await connect(server, ann.token);
  assert.equal((await reset(await resetToken(ann.email), 'another long password')).status, 204);
  const { messages, code } = await heardToTheEnd(socket);
  assert.ok(messages.some(({ type }) => type === 'force_disconnect'), JSON.stringify(messages));
  assert.equal(code, 1000);
});

test('staff may switch new passwords off', async () => {
  const ann = await fresh();
  const token = await resetToken(ann.email);
  assert.equal((await staff.ask('PATCH', 'settings/update/', { allow_reset_password: false })).allow_reset_password, false);
  assertCode(await post('user/send-reset-password-email/', { email: ann.email, base_url: RESET }), 400, 'ERROR_DISABLED_RESET_PASSWORD');
  assertCode(await reset(token, 'another long password'), 400, 'ERROR_DISABLED_RESET_PASSWORD');
  assert.equal((await staff.ask('PATCH', 'settings/update/', { allow_reset_password: true })).allow_reset_password, true);
});

/* ---- verification ---- */

const setVerification = (email_verification) => staff.ask('PATCH', 'settings/update/', { email_verification });

test('where verification is recommended a new user is asked, and may enter without', async () => {
  await setVerification('recommended');
  const ann = await fresh();
  const { link, token } = linkOf(await mail.next());
  assert.equal(link, `${PUBLIC}/verify-email-address/${token}`);
  assert.equal((await login(ann.email, PASSWORD)).body.user.email_verified, false);
  const { status, body } = await post('user/verify-email/', { token });
  assert.equal(status, 200);
  assert.equal(body.user.email_verified, true);
  assert.equal((await new Person(server, { token: body.access_token }).rest('GET', 'user/dashboard/')).status, 200);
  assertCode(await post('user/verify-email/', { token }), 400, 'ERROR_EMAIL_ALREADY_VERIFIED');
  await setVerification('no_verification');
});

test('where verification is enforced nobody but staff enters without', async () => {
  const old = await fresh();
  await setVerification('enforced');
  assertCode(await login(old.email, PASSWORD), 401, 'ERROR_EMAIL_VERIFICATION_REQUIRED');
  assertCode(await post('user/token-refresh/', { refresh_token: old.refreshToken }), 401, 'ERROR_EMAIL_VERIFICATION_REQUIRED');
  assertCode(await login(old.email, 'a wrong password'), 401, 'ERROR_INVALID_CREDENTIALS');
  assert.equal((await login(ADMIN.email, ADMIN.password)).status, 200);

  const email = 'eve@example.com';
  const { status, body } = await post('user/', { name: 'Eve', email, password: PASSWORD, authenticate: true });
  assert.deepEqual([status, Object.keys(body)], [200, ['user']]);
  await mail.next();
  assert.equal((await post('user/send-verify-email/', { email })).status, 204);
  const { token } = linkOf(await mail.next());
  const elsewhere = await post('user/verify-email/', { token }, { Authorization: `JWT ${staff.token}` });
  assert.deepEqual([elsewhere.status, elsewhere.body], [200, { email }]);
  assert.equal((await login(email, PASSWORD)).status, 200);
  for (const one of [email, 'nobody@example.com']) assert.equal((await post('user/send-verify-email/', { email: one })).status, 204);
  await setVerification('no_verification');
});

test('a token of verification is for its address, for a day, and for nothing else', async () => {
  const ann = await fresh();
  assert.equal((await post('user/send-verify-email/', { email: ann.email })).status, 204);
  const { token } = linkOf(await mail.next());
  const claims = claimsOf(token);
  const life = claims.exp - Date.now() / 1000;
  assert.ok(life > 24 * 3600 - 60 && life <= 24 * 3600);
  for (const bad of ['x', jwt(claims, 'another secret'), jwt({ ...claims, iss: 'reset-password' }), jwt({ ...claims, exp: 1 }), jwt({ ...claims, bound: 'other@example.com' })])
    assertCode(await post('user/verify-email/', { token: bad }), 400, 'ERROR_INVALID_VERIFICATION_TOKEN');
  assert.equal((await post('user/verify-email/', { token })).status, 200);
});

/* ---- invitations ---- */

test('an invitation is sent, with its words, and lets in whom it was sent to', async () => {
  const { id, name } = await staff.ask('POST', 'workspaces/', { name: 'Größe "Ω"' });
  const email = 'guest@example.com';
  await staff.ask('POST', `workspaces/invitations/workspace/${id}/`, {
    email, permissions: 'MEMBER', message: 'Come in!\n.\nThe door is open: 50% = half.', base_url: 'https://tables.example.com/come',
  });
  const letter = await mail.next();
  assert.deepEqual(letter.to, [email]);
  assert.match(letter.subject, /invited you to Größe "Ω"$/);
  assert.ok(letter.body.includes('\n\nCome in!\n.\nThe door is open: 50% = half.\n\n'), letter.body);
  const { link, token } = linkOf(letter);
  assert.equal(link, `https://tables.example.com/come/${token}`);
  const seen = await post('user/', { name: 'Guest', email, password: PASSWORD, authenticate: true, workspace_invitation_token: token });
  assert.equal(seen.status, 200, JSON.stringify(seen.body));
  assert.equal(seen.body.user.email_verified, true);
  const guest = new Person(server, { token: seen.body.access_token });
  assert.deepEqual((await guest.ask('GET', 'workspaces/')).map((one) => one.name), [name]);
});

test('nothing that people write becomes a header or another recipient', async () => {
  const { id } = await staff.ask('POST', 'workspaces/', { name: 'A\r\nBcc: evil@example.com\r\n\r\nX' });
  await staff.ask('POST', `workspaces/invitations/workspace/${id}/`, { email: 'safe@example.com', permissions: 'MEMBER', message: 'a\r\n.\r\nMAIL FROM:<x@example.com>' });
  const letter = await mail.next();
  assert.deepEqual(letter.to, ['safe@example.com']);
  assert.deepEqual(Object.keys(letter.headers).sort(), ['auto-submitted', 'content-transfer-encoding', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to']);
  assert.ok(letter.raw.split('\r\n').every((line) => line.length <= 78 && /^[\x20-\x7e]*$/.test(line)), letter.raw);
  const { link, token } = linkOf(letter);
  assert.equal(link, `${PUBLIC}/workspace-invitation/${token}`);
});

test('an invitation that is refused is not sent', async () => {
  const { id } = await staff.ask('POST', 'workspaces/', { name: 'Refused' });
  const target = `workspaces/invitations/workspace/${id}/`;
  assertCode(await staff.rest('POST', target, { email: ADMIN.email, permissions: 'MEMBER' }), 400, 'ERROR_GROUP_USER_ALREADY_EXISTS');
  assertCode(await staff.rest('POST', target, { email: 'x@example.com', permissions: 'MEMBER', base_url: 'https://evil.example.com' }), 400, 'ERROR_HOSTNAME_IS_NOT_ALLOWED');
  assertInvalid(await staff.rest('POST', target, { email: 'x@example.com', permissions: 'MEMBER', base_url: `https://x.example.com/${'x'.repeat(2000)}` }), { base_url: ['max_length'] });
  assert.deepEqual(await staff.ask('GET', target), []);
});
