/* Accounts whose time of grace is over (baserow.md 5.3, 9.1). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD, Person, assertCode } from './baserow.js';
import { connect } from './baserow_channel.js';
import { Server, makeFolder } from './harness.js';

let server, staff, made = 0;

before(async () => {
  server = await Server.start({ environment: { CHORES_INTERVAL: '100' } });
  staff = await Person.login(server);
});
after(() => server.stop());

const fresh = () => Person.register(server, `Leaver${++made}`);
const grace = (days) => staff.ask('PATCH', 'settings/update/', { account_deletion_grace_delay: days });

/* Makes `guest` a member of the host's workspace. */
async function admit(host, workspace, guest, permissions = 'MEMBER') {
  const { id } = await host.ask('POST', `workspaces/invitations/workspace/${workspace}/`, { email: guest.email, permissions });
  await guest.ask('POST', `workspaces/invitations/${id}/accept/`);
}
/* What is told until a message of this type came. */
async function until(socket, type) {
  const came = [];
  for (;;) {
    const frame = await socket.next(type);
    came.push(frame);
    if (frame.type === type) return came;
  }
}

test('who left is deleted, with the workspaces that nobody else manages, and companions hear of it', async () => {
  const [ann, bob] = [await fresh(), await fresh()];
  const own = await ann.ask('POST', 'workspaces/', { name: 'Of Ann alone' });
  const shared = await ann.ask('POST', 'workspaces/', { name: 'Of both' });
  const guest = await bob.ask('POST', 'workspaces/', { name: 'Of Bob' });
  await admit(ann, own.id, bob);
  await admit(ann, shared.id, bob, 'ADMIN');
  await admit(bob, guest.id, ann);
  await grace(0);
  const socket = await connect(server, bob.token);
  await ann.ask('POST', 'user/schedule-account-deletion/');

  const came = await until(socket, 'user_permanently_deleted');
  assert.deepEqual(came.map(({ type }) => type), ['user_deleted', 'before_group_deleted', 'group_deleted', 'user_permanently_deleted']);
  assert.equal(came[2].workspace_id, own.id);
  assert.deepEqual(came[3], { type: 'user_permanently_deleted', user_id: ann.id });
  assert.deepEqual((await bob.ask('GET', 'workspaces/')).map(({ id }) => id).sort(), [shared.id, guest.id].sort());
  assert.deepEqual((await bob.ask('GET', `workspaces/users/workspace/${shared.id}/`)).map((one) => one.user_id), [bob.id]);
  assertCode(await server.rest('POST', '/api/user/token-auth/', { email: ann.email, password: PASSWORD }, null), 401, 'ERROR_INVALID_CREDENTIALS');
  assert.deepEqual(await server.ask('GET', `/users?filter[email][_eq]=${ann.email}`), []);
  assert.equal((await Person.register(server, ann.name)).email, ann.email, 'the address is free again');
  await grace(30);
});

test('many who are due go one after the other', async () => {
  const watcher = await fresh();
  const { id } = await watcher.ask('POST', 'workspaces/', { name: 'Watched' });
  const people = [];
  for (let i = 0; i < 5; i++) people.push(await fresh());
  for (const one of people) await admit(watcher, id, one);
  await grace(30);
  for (const one of people) await one.ask('POST', 'user/schedule-account-deletion/');
  const socket = await connect(server, watcher.token);
  await grace(0);
  const gone = [];
  while (gone.length < people.length) {
    const frame = await socket.next('the next departure');
    assert.equal(frame.type, 'user_permanently_deleted');
    gone.push(frame.user_id);
  }
  assert.deepEqual(gone, people.map((one) => one.id));
  await grace(30);
});

test('what fell due while nobody served is done at the start', async () => {
  const folder = makeFolder();
  let one = await Server.start({ folder });
  const boss = await Person.login(one);
  const [ann, bob] = [await Person.register(one, 'Ann'), await Person.register(one, 'Bob')];
  await boss.ask('PATCH', 'settings/update/', { account_deletion_grace_delay: 0 });
  await ann.ask('POST', 'user/schedule-account-deletion/');
  await one.stop();
  one = await Server.start({ folder });
  for (let left = 1; left > 0;) left = (await one.ask('GET', `/users?filter[email][_eq]=${ann.email}`)).length;
  assert.equal((await one.ask('GET', `/users?filter[email][_eq]=${bob.email}`)).length, 1);
  await one.stop();
  folder.remove();
});
