/*
 * A proxy in front of PostgreSQL, in the hand of a scenario: it lets pass, holds, is away, and cuts a
 * connection at a message of the wire protocol (version 3, without TLS) that the scenario chooses.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const SOCKET = '.s.PGSQL.5432'; // what libpq looks for in a folder that is named as host
const END = Symbol('the end of a stretch, which the server answers with ReadyForQuery');

/* Takes one side's bytes apart: { type, bytes, body }. What a client sends first has no type. */
class Messages {
  constructor(typed) {
    this.typed = typed;
    this.rest = Buffer.alloc(0);
  }

  * in(chunk) {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (;;) {
      const head = this.typed ? 1 : 0;
      if (this.rest.length < head + 4) return;
      const size = head + this.rest.readInt32BE(head);
      if (this.rest.length < size) return;
      const bytes = this.rest.subarray(0, size);
      this.rest = this.rest.subarray(size);
      yield { type: this.typed ? String.fromCharCode(bytes[0]) : '', bytes, body: bytes.subarray(head + 4) };
      this.typed = true;
    }
  }
}

const words = (body) => body.toString().split('\0');

/* One connection of a client, and its own to the server. */
class Link {
  constructor(proxy, client) {
    this.proxy = proxy;
    this.client = client;
    this.server = net.connect(proxy.target);
    this.holding = proxy.holding;
    this.held = [];
    this.statements = new Map(); // prepared: name → SQL
    this.portal = '';            // the SQL of the latest Bind
    this.transaction = [];       // its SQL so far, BEGIN first
    this.waiting = [];           // for answers: SQL, or END
    this.#join(client, this.server, new Messages(false), (message) => this.#ask(message));
    this.#join(this.server, client, new Messages(true), (message) => this.#answer(message));
  }

  /* look: false when the message is not to go on. */
  #join(from, to, messages, look) {
    from.on('data', (chunk) => {
      for (const message of messages.in(chunk)) {
        const goesOn = look(message);
        if (from.destroyed) return;
        if (goesOn) this.#send(to, message.bytes);
      }
    });
    from.on('error', () => {});
    from.on('close', () => { to.end(); this.proxy.links.delete(this); });
  }

  #send(to, bytes) {
    if (this.holding) this.held.push([to, bytes]);
    else to.write(bytes);
  }

  #ask({ type, body }) {
    if (type === 'P') {
      const [name, sql] = words(body);
      this.statements.set(name, sql);
    }
    if (type === 'B') this.portal = this.statements.get(words(body)[1]);
    if (type === 'B' || type === 'Q') this.#say(type === 'B' ? this.portal : words(body)[0]);
    if (type === 'E') this.waiting.push(this.portal);
    if (type === 'S' || type === 'Q') this.waiting.push(END);
    return !this.client.destroyed;
  }

  #say(sql) {
    if (sql.startsWith('BEGIN')) this.transaction = [];
    this.transaction.push(sql);
    this.proxy.spring(this, (trap) => trap.before?.test(sql));
  }

  #answer({ type, bytes }) {
    const [sql] = this.waiting;
    if (typeof sql === 'string' && (type === 'D' || type === 'C')) {
      const half = bytes.subarray(0, bytes.length >> 1);
      this.proxy.spring(this, (trap) => trap.answering?.test(sql), half);
    }
    if (typeof sql === 'string' && (type === 'C' || type === 'I' || type === 's')) this.waiting.shift();
    if (type === 'E' || type === 'Z') this.waiting.splice(0, Math.max(this.waiting.indexOf(END), 0)); // not done, or done
    if (type === 'Z') this.waiting.shift();
    return !this.client.destroyed;
  }

  hold() { this.holding = true; }

  release() {
    this.holding = false;
    for (const [to, bytes] of this.held.splice(0)) to.write(bytes);
  }

  /* The client gets the last bytes before its connection breaks. */
  cut(last) {
    if (last && !this.holding) this.client.write(last);
    this.client.destroy();
    this.server.destroy();
    this.proxy.links.delete(this);
  }
}

export class Proxy {
  /* target: the folder of the server's socket. */
  static async start(target) {
    const proxy = new Proxy();
    proxy.target = path.join(target, SOCKET);
    proxy.directory = mkdtempSync('/tmp/rowcast-proxy-'); // a socket's path has at most 107 bytes
    proxy.links = new Set();
    proxy.traps = [];
    proxy.holding = false;
    await proxy.back();
    return proxy;
  }

  back() {
    this.listener = net.createServer((client) => this.links.add(new Link(this, client)));
    return new Promise((resolve) => this.listener.listen(path.join(this.directory, SOCKET), resolve));
  }

  /* Refuses new connections, and cuts those that are there. */
  away() {
    this.listener.close();
    this.cut();
  }

  cut() { for (const link of [...this.links]) link.cut(); }

  hold() {
    this.holding = true;
    for (const link of this.links) link.hold();
  }

  release() {
    this.holding = false;
    for (const link of this.links) link.release();
  }

  /*
   * When a statement that matches is asked (before: nor it nor anything after it reaches the server), or is
   * answered (answering: it is done, and the answer comes half or not at all), in a transaction whose SQL
   * `within` finds right: the connection is cut, or held, or all are cut and the server is away.
   * Resolves when that happened `times` times.
   */
  trap({ before, answering, within = () => true, times = 1, act = 'cut' }) {
    return new Promise((sprung) => { this.traps.push({ before, answering, within, times, act, sprung }); });
  }

  spring(link, matches, last) {
    const trap = this.traps.find((candidate) => matches(candidate) && candidate.within(link.transaction));
    if (!trap) return;
    trap.times -= 1;
    if (trap.times === 0) this.traps.splice(this.traps.indexOf(trap), 1);
    if (trap.act === 'hold') link.hold();
    else link.cut(last);
    if (trap.act === 'away') this.away();
    if (trap.times === 0) trap.sprung();
  }

  stop() {
    this.away();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
