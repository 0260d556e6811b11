/* What scenarios have in common in which the connection to PostgreSQL misbehaves: a proxy, places to cut, and what clients are told. */
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { ADMIN, Server, makeFolder, pause, psql, runCommand, within } from './harness.js';
import { Proxy } from './proxy.js';

/* Which nobody asks for, and nobody may tell. */
export const PASSWORD = 'of-the-database-and-secret';

export const startProxy = (folder) => Proxy.start(folder.environment.DB_CONNECTION_STRING.match(/host=(\S+)/)[1]);

/* The same folder and database, with the proxy between, with a password and perhaps more in the connection string. */
export function proxied(folder, proxy, more = '') {
  const direct = folder.environment.DB_CONNECTION_STRING;
  const connection = `${direct.replace(/host=\S+/, `host=${proxy.directory}`)} application_name=${folder.schema} password=${PASSWORD} ${more}`;
  return { ...folder, environment: { ...folder.environment, DB_CONNECTION_STRING: connection } };
}

/* Nothing was done, or nobody knows. */
export const AWAY = /^The database is away$/, NOT_KNOWN = /it is not known whether the change was made$/;

export function assertAway({ status, body, headers }, reason = AWAY) {
  assert.equal(status, 503, JSON.stringify(body));
  assert.equal(headers.get('retry-after'), '1');
  const { extensions } = body.errors[0];
  assert.equal(extensions.code, 'SERVICE_UNAVAILABLE');
  assert.match(extensions.reason, reason);
}

/* Asks until the database is back for the one who answers; none of the answers before is anything but "away". */
export const untilBack = (ask) => within((async () => {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 503) return answer;
    assertAway(answer);
    await pause(20);
  }
})(), 'the database to be back');

/* ---- a server that is reached directly, and its database by way of a proxy ---- */

export async function beginScene(environment) {
  const folder = makeFolder(), proxy = await startProxy(folder);
  const server = await Server.start({ folder: proxied(folder, proxy), environment: { LOG_LEVEL: 'debug', ...environment } });
  let made = 0;
  return {
    folder, proxy, server,

    /* The journal is in order, and the log tells no more than it should. */
    async end() {
      try {
        await server.stop();
        const { status, stdout, stderr } = runCommand(folder, ['check']);
        assert.equal(status, 0, stdout + stderr);
        assert.match(stdout, /the journal is dense/);
        assert.equal(server.stderr.includes(PASSWORD), false, 'the log tells the password');
        assert.deepEqual(server.stderr.split('\n').filter((line) => / (ERROR|FATAL) /.test(line)), []);
      } finally {
        proxy.stop();
        folder.remove();
      }
    },

    async makeTable() {
      const name = `things_${++made}`;
      await server.makeCollection(name, { title: 'string', code: { type: 'string', schema: { is_unique: true } } });
      return name;
    },
    nextTable: () => `things_${made + 1}`,
    post: (collection, data) => server.rest('POST', `/items/${collection}`, data),
    follower: async (collection) => (await server.socket()).follow(collection),
    login: (password = ADMIN.password, email = ADMIN.email) => server.rest('POST', '/auth/login', { email, password }, null),
    refresh: (refresh_token) => server.rest('POST', '/auth/refresh', { refresh_token, mode: 'json' }, null),

    /* What is there, past Rowcast. */
    titles: (collection) => psql(folder.schema, `SELECT title FROM "${collection}" ORDER BY id`).split('\n').slice(0, -1),
    commits: () => Number(psql(folder.schema, 'SELECT commits FROM rowcast_state')),
    sessions: () => Number(psql(folder.schema, 'SELECT count(*) FROM rowcast_sessions')),
  };
}

export const created = (collection, key, payload) => ({ action: 'create', payload, key, collection });
export const isOpen = (client) => client.ws.readyState === WebSocket.OPEN;

/* Resolves when all that was sent on a socket was handed to those who do it: they are in the queues then. */
export const arrived = (client) => within(new Promise((resolve) => { client.ws.once('pong', resolve); client.ws.ping(); }), 'the pong');

/* ---- where to cut ---- */

export const sprung = (trap) => within(trap, 'the trap to spring');

/* What a transaction has done when it gets there. */
export const journalled = (transaction) => transaction.some((sql) => sql.startsWith('INSERT INTO "rowcast_journal"'));
export const inserted = (collection, count = 1) => (transaction) => transaction.filter((sql) => sql.startsWith(`INSERT INTO "${collection}"`)).length >= count;

/* The two ways to lose a connection while committing. */
export const COMMIT = /^COMMIT$/;
export const commitUnsent = { before: COMMIT, within: journalled };
export const commitUnanswered = { answering: COMMIT, within: journalled };
