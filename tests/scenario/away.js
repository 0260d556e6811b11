/* What scenarios say in which the database is away: how it is reached by way of a proxy, and what clients are told. */
import assert from 'node:assert/strict';
import { pause, within } from './harness.js';
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
