/*
 * The real server as a black box: a temporary folder, a database and a port of its own, stopped by process id.
 *
 * ROWCAST names the binary. With ROWCAST_TEST_POSTGRES (a connection string, see tools/postgres.py) each
 * folder has a schema of its own there; ROWCAST_TEST_STORE, `sqlite` or `pg`, says which store if both are there.
 * Every wait is bounded; a scenario that waits in vain fails with what it had.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as runner from 'node:test';
import WebSocket from 'ws';

export const BINARY = path.resolve(process.env.ROWCAST ?? '../build/release/rowcast');
export const ADMIN = { email: 'admin@example.com', password: 'correct horse', token: 'admin-token-of-the-tests' };
export const PUBLIC_POLICY = 'abf8a154-5b1c-4a46-ac9c-7300570f4f17';
const PATIENCE_MS = 20_000;
const POSTGRES = process.env.ROWCAST_TEST_POSTGRES;
export const ON_POSTGRES = (process.env.ROWCAST_TEST_STORE ?? (POSTGRES ? 'pg' : 'sqlite')) === 'pg';
assert.ok(!ON_POSTGRES || POSTGRES, 'ROWCAST_TEST_STORE is pg, and ROWCAST_TEST_POSTGRES names none');

const ENVIRONMENT = {
  PORT: '0', LOG_LEVEL: 'warn', LOGIN_STALL_TIME: '0', HASH_MEMORY_COST: '1024', HASH_TIME_COST: '1',
  ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password, ADMIN_TOKEN: ADMIN.token, SECRET: 'secret-of-the-tests',
};

export function within(promise, what, ms = PATIENCE_MS) {
  let timer;
  const limit = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), ms); });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/*
 * Tests of what one store alone has, such as SQLite's files or PostgreSQL's restarts: on the other they are
 * none. Used as node:test is, `sqliteOnly.test(...)`, or for a whole file `const { before, test } = sqliteOnly`.
 */
const none = () => {};
const noRunner = { test: none, before: none, after: none, beforeEach: none, afterEach: none };
export const sqliteOnly = ON_POSTGRES ? noRunner : runner;
export const postgresOnly = ON_POSTGRES ? runner : noRunner;

/* Runs SQL in a schema of the tests' PostgreSQL; returns the rows as text. */
export function psql(schema, sql) {
  const { status, stdout, stderr } = spawnSync('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', sql, connection(schema)], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(status, 0, `psql: ${stderr}`);
  return stdout;
}

const connection = (schema) => `${POSTGRES} options='-c search_path=${schema} -c client_min_messages=warning'`;

/* A folder that one or several runs of the server share, and their database. place: how the program names that. */
export function makeFolder() {
  const folder = { path: mkdtempSync(path.join(tmpdir(), 'rowcast-')) };
  const removeFiles = () => rmSync(folder.path, { recursive: true, force: true });
  if (!ON_POSTGRES) return { ...folder, place: 'test.sqlite', environment: { DB_FILENAME: path.join(folder.path, 'test.sqlite') }, remove: removeFiles };
  const schema = `t_${randomBytes(8).toString('hex')}`;
  psql('public', `CREATE SCHEMA ${schema}`);
  return {
    ...folder, place: 'database of DB_CONNECTION_STRING', schema, environment: { DB_CLIENT: 'pg', DB_CONNECTION_STRING: connection(schema) },
    remove() {
      removeFiles();
      psql('public', `DROP SCHEMA ${schema} CASCADE`);
    },
  };
}

/* What a program needs of the environment to find a folder's database. */
export const environmentOf = (folder) => ({ PATH: process.env.PATH, ...sanitizerOptions(), ...ENVIRONMENT, ...folder.environment });

/* Runs a command of the program to its end: { status, stdout, stderr }. */
export function runCommand(folder, args, environment = {}) {
  return spawnSync(BINARY, args, {
    cwd: folder.path, encoding: 'utf8', timeout: 120_000,
    env: { ...environmentOf(folder), ...environment },
  });
}

function sanitizerOptions() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(ASAN|UBSAN|TSAN|LSAN)_OPTIONS$/.test(name)));
}

export class Server {
  /*
   * environment: settings on top of the tests' own. A given folder is kept at the end.
   * under: a program that runs the server in its place, such as ['prlimit', '--nofile=64'].
   */
  static async start({ environment = {}, folder, under = [] } = {}) {
    const server = new Server();
    server.ownFolder = folder ? null : makeFolder();
    server.folder = folder ?? server.ownFolder;
    server.stderr = '';
    server.sockets = new Set();
    const [program, ...words] = [...under, BINARY, 'serve'];
    server.process = spawn(program, words, {
      cwd: server.folder.path, stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...environmentOf(server.folder), ...environment },
    });
    server.exited = new Promise((resolve) => server.process.once('exit', (code, signal) => resolve({ code, signal })));
    server.process.stderr.on('data', (text) => { server.stderr += text; });
    server.url = await within(server.#address(), 'the server to start');
    return server;
  }

  #address() {
    return new Promise((resolve, reject) => {
      let text = '';
      this.process.stdout.on('data', (chunk) => {
        text += chunk;
        const found = text.match(/serves (http:\/\/\S+)/);
        if (found) resolve(found[1]);
      });
      this.exited.then(({ code, signal }) => reject(new Error(`the server ended (${code ?? signal}): ${this.stderr}`)));
    });
  }

  get port() { return Number(new URL(this.url).port); }
  get pid() { return this.process.pid; }

  /* SIGTERM and a clean end, or the scenario fails: a sanitizer's report makes the status non-zero. */
  async stop() {
    for (const socket of this.sockets) socket.terminate();
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGTERM');
    const { code, signal } = await within(this.exited, 'the server to stop');
    this.ownFolder?.remove();
    if (code !== 0) throw new Error(`the server ended with ${code ?? signal}: ${this.stderr}`);
  }

  async kill() {
    for (const socket of this.sockets) socket.terminate();
    this.process.kill('SIGKILL');
    await within(this.exited, 'the server to die');
  }

  /* One request: { status, body (parsed JSON, or text), headers }. token null: public. */
  async rest(method, target, body, token = ADMIN.token, headers = {}) {
    const response = await fetch(this.url + target, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
      redirect: 'manual',
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, body: json && text ? JSON.parse(text) : text, headers: response.headers };
  }

  /* The same, but an error answer fails the scenario: returns `data`. */
  async ask(method, target, body, token = ADMIN.token) {
    const { status, body: answer } = await this.rest(method, target, body, token);
    if (status >= 300) throw new Error(`${method} ${target}: ${status} ${JSON.stringify(answer)}`);
    return answer?.data;
  }

  /* A socket of the seed dialect. token null: none. Resolves when open; rejects with .status when refused. */
  async socket(token = ADMIN.token, { query = '', headers = {}, path: target = '/websocket' } = {}) {
    const client = new Client(this.url.replace('http', 'ws') + target + query, {
      headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers },
    });
    this.sockets.add(client);
    await within(client.opened, 'the socket to open');
    return client;
  }

  /* The status that an upgrade is refused with. */
  async refusal(token, options) {
    return this.socket(token, options).then(() => assert.fail('the upgrade was accepted'), (error) => {
      if (!error.status) throw error;
      return error.status;
    });
  }

  /* A collection with an automatic integer key; fields: { name: type, or { type, schema, meta } }. */
  async makeCollection(collection, fields, { meta = {}, key = { type: 'integer', schema: { is_primary_key: true, has_auto_increment: true } } } = {}) {
    const described = Object.entries({ id: key, ...fields }).map(([field, of]) => ({ field, ...(typeof of === 'string' ? { type: of } : of) }));
    return this.ask('POST', '/collections', { collection, schema: {}, meta, fields: described });
  }

  /* A role with permissions, a user in it: returns { user, role, policy, token }. */
  async makeUser(name, permissions, { policy = {}, user = {} } = {}) {
    const madePolicy = await this.ask('POST', '/policies', { name, ...policy });
    const role = await this.ask('POST', '/roles', { name });
    await this.ask('POST', '/access', { role: role.id, policy: madePolicy.id });
    const made = [];
    for (const permission of permissions) made.push(await this.ask('POST', '/permissions', { policy: madePolicy.id, ...permission }));
    const token = `token-of-${name}`;
    const madeUser = await this.ask('POST', '/users', { email: `${name}@example.com`, password: `password of ${name}`, role: role.id, token, ...user });
    return { user: madeUser, role, policy: madePolicy, permissions: made, token };
  }
}

/* An ERROR frame of the seed dialect, whole: nothing but its type, its data and the uid. */
export function assertRefused(frame, code, { status = 400, uid } = {}) {
  assert.equal(frame.type, 'ERROR', JSON.stringify(frame));
  assert.deepEqual({ status: frame.data.status, code: frame.data.code }, { status, code }, JSON.stringify(frame));
  assert.equal(typeof frame.data.extensions, 'object');
  assert.deepEqual(Object.keys(frame).sort(), uid === undefined ? ['data', 'type'] : ['data', 'type', 'uid']);
  assert.deepEqual(frame.uid, uid);
}

export class Client {
  constructor(url, options) {
    this.frames = [];
    this.waiting = [];
    this.ws = new WebSocket(url, { perMessageDeflate: false, ...options });
    this.opened = new Promise((resolve, reject) => {
      this.ws.once('open', resolve);
      this.ws.once('unexpected-response', (_, response) => {
        reject(Object.assign(new Error(`refused with ${response.statusCode}`), { status: response.statusCode, headers: response.headers }));
        this.ws.terminate();
      });
      this.ws.on('error', reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => this.ws.once('close', (code, reason) => resolve({ code, reason: String(reason) })));
    this.ws.on('message', (data) => {
      const frame = JSON.parse(data);
      const waiter = this.waiting.shift();
      if (waiter) waiter(frame);
      else this.frames.push(frame);
    });
  }

  send(message) { this.ws.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message)); }

  /* The next frame, in order of arrival. */
  next(what = 'a frame') {
    if (this.frames.length) return Promise.resolve(this.frames.shift());
    return within(new Promise((resolve) => this.waiting.push(resolve)), what);
  }

  async ask(message) {
    this.send(message);
    return this.next(`the answer to ${JSON.stringify(message)}`);
  }

  /* Subscribes, and sees that nothing is answered (A.8). */
  async follow(collection, more = {}) {
    this.send({ type: 'subscribe', collection, ...more });
    assert.deepEqual(await this.drain(), []);
    return this;
  }

  /*
   * Everything that came until now: asks for something harmless and takes what came before its answer.
   * Shows that nothing else was sent, without waiting for a time to pass.
   */
  async drain() {
    const uid = `drain-${Math.random()}`;
    this.send({ type: 'get', collection: 'no such collection', uid });
    const came = [];
    for (;;) {
      const frame = await this.next('the end of what came');
      if (frame.uid === uid) return came;
      came.push(frame);
    }
  }

  terminate() { this.ws.terminate(); }
  async close() { this.ws.close(); return within(this.closed, 'the socket to close'); }
}
