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
    this.gone = this.stranded = false;
    this.statements = new Map(); // prepared: name → SQL
    this.portal = '';            // the SQL of the latest Bind
    this.transaction = [];       // its SQL so far, BEGIN first
    this.waiting = [];           // for answers: SQL, or END
    this.#join(client, this.server, new Messages(false), (message) => this.#ask(message));
    this.#join(this.server, client, new Messages(true), (message) => this.#answer(message));
  }

  #join(from, to, messages, look) {
    from.on('data', (chunk) => {
      for (const message of messages.in(chunk)) {
        look(message);
        if (this.gone) return;
        this.#send(to, message.bytes);
      }
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.proxy.links.delete(this);
      if (!this.stranded) to.end();
    });
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
  }

  #say(sql) {
    if (sql.startsWith('BEGIN')) this.transaction = [];
    this.transaction.push(sql);
    this.proxy.spring(this, (trap) => trap.before?.test(sql));
  }

  #answer({ type, bytes }) {
    const [sql] = this.waiting;
    if (typeof sql === 'string' && (type === 'D' || type === 'C')) {
      this.proxy.spring(this, (trap) => trap.answering?.test(sql), bytes.subarray(0, bytes.length >> 1));
      if (type === 'C') this.proxy.spring(this, (trap) => trap.answered?.test(sql), bytes);
    }
    if (typeof sql === 'string' && (type === 'C' || type === 'I' || type === 's')) this.waiting.shift();
    if (type === 'E' || type === 'Z') this.waiting.splice(0, Math.max(this.waiting.indexOf(END), 0)); // not done, or done
    if (type === 'Z') this.waiting.shift();
  }

  hold() { this.holding = true; }

  release() {
    this.holding = false;
    for (const [to, bytes] of this.held.splice(0)) to.write(bytes);
  }

  /* The client gets the last bytes before its connection breaks. */
  cut(last) {
    if (last && !this.holding) this.client.write(last);
    this.gone = true;
    this.client.destroy();
    this.server.destroy();
    this.proxy.links.delete(this);
  }

  /* The client's side breaks, and the server does not notice. What was on its way stays there. */
  strand() {
    this.stranded = this.holding = true;
    this.client.destroy();
  }

  /* The server notices, after what was on its way, or without it. */
  land({ deliver }) {
    if (deliver) this.release();
    this.server.end();
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
   * A trap springs `times` times, after `skip` chances, when a statement matches in a transaction whose SQL so
   * far `within` finds right:
   *   before: { asked; neither it nor anything after it has reached the server }
   *   answering: { done; the client gets half a row, or half of the word that it is done }
   *   answered: { done; the client gets that word, and nothing after it }
   * What it does: `cut` this connection, `hold` it, `strand` it, or cut all and be `away`.
   * Resolves with the connection when it has sprung for the last time.
   */
  trap({ within = () => true, times = 1, skip = 0, act = 'cut', ...when }) {
    return new Promise((sprung) => { this.traps.push({ ...when, within, times, skip, act, sprung }); });
  }

  spring(link, matches, last) {
    const trap = this.traps.find((candidate) => matches(candidate) && candidate.within(link.transaction));
    if (!trap || trap.skip-- > 0) return;
    trap.times -= 1;
    if (trap.times === 0) this.traps.splice(this.traps.indexOf(trap), 1);
    if (trap.act === 'hold' || trap.act === 'strand') link[trap.act]();
    else link.cut(last);
    if (trap.act === 'away') this.away();
    if (trap.times === 0) trap.sprung(link);
  }

  /* As at the beginning, whatever a scenario left; returns the traps that did not spring. */
  async calm() {
    this.release();
    if (!this.listener.listening) await this.back();
    return this.traps.splice(0);
  }

  stop() {
    this.away();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
