/* A mail server that is away, slow, full or asks for more: who wrote is answered all the same (net/mailer.c). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, Person, assertInvalid } from './baserow.js';
import { ADMIN, Server, makeFolder, runCommand, within, pause } from './harness.js';
import { MailServer } from './smtp.js';

const USER = { EMAIL_SMTP_USER: 'rowcast', EMAIL_SMTP_PASSWORD: 'a secret of mail' };

async function scene(mailSettings, environment, act) {
  const mail = await MailServer.start(mailSettings);
  const server = await Server.start({ environment: { ...mail.environment, ...environment } });
  try {
    await act(mail, server);
  } finally {
    await server.stop();
    await mail.stop();
  }
}
async function ask(server) {
  const { status } = await server.rest('POST', '/api/user/send-reset-password-email/', { email: ADMIN.email, base_url: 'http://localhost:3000/x' }, null);
  assert.equal(status, 204);
}
const logged = (server, pattern) => within((async () => {
  while (!pattern.test(server.stderr)) await pause(10);
})(), `${pattern} in the log`);

test('what a server does not take for now is tried again', async () => {
  let times = 0;
  await scene({ answer: (line) => (/^RCPT/.test(line) && times++ === 0 ? '451 later' : undefined) }, {}, async (mail, server) => {
    await ask(server);
    assert.deepEqual((await mail.next()).to, [ADMIN.email]);
    assert.equal(times, 2);
    assert.doesNotMatch(server.stderr, /mail/);
  });
});

test('what a server refuses for good is logged once, and not tried again', async () => {
  await scene({ answer: (line) => (/^RCPT/.test(line) ? '550 nobody' : undefined) }, {}, async (mail, server) => {
    await ask(server);
    await logged(server, /a letter was not sent/);
    await ask(server);
    await logged(server, /was not sent[^]*was not sent/);
    assert.equal(mail.commands.filter((line) => /^RCPT/.test(line)).length, 2, 'one for each letter');
    assert.doesNotMatch(server.stderr, /localhost:3000/);
  });
});

test('a server that knows whom it serves is told, and no log has the password', async () => {
  await scene({ features: ['AUTH PLAIN'] }, USER, async (mail, server) => {
    await ask(server);
    await mail.next();
    const secret = Buffer.from(`\0rowcast\0${USER.EMAIL_SMTP_PASSWORD}`).toString('base64');
    assert.ok(mail.commands.some((line) => line.endsWith(secret)), mail.commands.join('\n'));
  });
  await scene({ features: ['AUTH PLAIN'], answer: (line) => (/^AUTH/.test(line) ? '535 no' : undefined) }, USER, async (mail, server) => {
    await ask(server);
    await logged(server, /a letter was not sent/);
    assert.ok(!server.stderr.includes(USER.EMAIL_SMTP_PASSWORD));
    assert.deepEqual(mail.letters, []);
  });
});

test('without the TLS that was asked for nothing is said, least of all the password', async () => {
  await scene({ features: ['AUTH PLAIN'] }, { ...USER, EMAIL_SMTP_USE_TLS: 'true' }, async (mail, server) => {
    await ask(server);
    await logged(server, /a letter was not sent/);
    assert.ok(mail.commands.every((line) => !/^(AUTH|MAIL|RCPT|DATA)/.test(line)), mail.commands.join('\n'));
  });
});

test('a server that is away or silent holds up neither answers nor the end', async () => {
  await scene({ silent: true }, {}, async (mail, server) => {
    for (let i = 0; i < 20; i++) await ask(server);
    await mail.command(/CONNECT/);
    const ann = await Person.register(server, 'Ann');
    assert.ok(ann.token);
  });
  const gone = await MailServer.start();
  const { environment } = gone;
  await gone.stop();
  const server = await Server.start({ environment });
  await ask(server);
  await server.stop();
  assert.match(server.stderr, /a letter was not sent/);
});

test('without mail nobody can be made to verify an address', async () => {
  const server = await Server.start();
  try {
    const staff = await Person.login(server);
    assertInvalid(await staff.rest('PATCH', 'settings/update/', { email_verification: 'enforced' }), { email_verification: ['invalid_choice'] });
    assert.equal((await staff.ask('PATCH', 'settings/update/', { email_verification: 'recommended' })).email_verification, 'recommended');
    await Person.register(server, 'Ann', { password: PASSWORD });
  } finally {
    await server.stop();
  }
});

test('an address that enforcement kept out comes in when mail is switched off', async () => {
  const folder = makeFolder();
  const mail = await MailServer.start();
  let server = await Server.start({ folder, environment: mail.environment });
  const staff = await Person.login(server);
  await staff.ask('PATCH', 'settings/update/', { email_verification: 'enforced' });
  const eve = { name: 'Eve', email: 'eve@example.com', password: PASSWORD };
  assert.equal((await server.rest('POST', '/api/user/', eve, null)).status, 200);
  await mail.next();
  await server.stop();
  await mail.stop();
  server = await Server.start({ folder });
  const told = await server.rest('GET', '/api/settings/', undefined, null);
  assert.deepEqual([told.body.email_verification, told.body.allow_reset_password], ['recommended', false]);
  await Person.login(server, eve.email, PASSWORD);
  await server.stop();
  folder.remove();
});

test('settings of mail that contradict each other or name no sender are refused at the start', () => {
  const folder = makeFolder();
  for (const [environment, said] of [
    [{ EMAIL_SMTP: 'true', FROM_EMAIL: 'nobody' }, /FROM_EMAIL/],
    [{ EMAIL_SMTP: 'true', FROM_EMAIL: 'A <a@example.com> b' }, /FROM_EMAIL/],
    [{ EMAIL_SMTP_USE_TLS: 'true', EMAIL_SMTP_USE_SSL: 'true' }, /exclude each other/],
    [{ BASEROW_PUBLIC_URL: 'tables.example.com' }, /BASEROW_PUBLIC_URL/],
    [{ EMAIL_SMTP: 'perhaps' }, /EMAIL_SMTP/],
  ]) {
    const { status, stderr } = runCommand(folder, ['serve'], environment);
    assert.notEqual(status, 0);
    assert.match(stderr, said);
  }
  folder.remove();
});
