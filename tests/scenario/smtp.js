/*
 * A mail server in the hand of a scenario (RFC 5321, as much as a client needs): it keeps what it was given, and answers
 * as the scenario says. Letters come as { from, to, headers, subject, body, raw }, decoded.
 */
import net from 'node:net';
import { within } from './harness.js';

const decodeWords = (text) => text.replace(/\?=\s+=\?/g, '?==?').replace(/(=\?utf-8\?B\?[^?]*\?=)+/gi, (words) => Buffer.concat(
  [...words.matchAll(/=\?utf-8\?B\?([^?]*)\?=/gi)].map(([, word]) => Buffer.from(word, 'base64')),
).toString());
const decodeQuoted = (text) => Buffer.from(
  text.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1',
).toString();

/* Headers by lower-case name; one that comes twice fails. */
function parse(raw) {
  const end = raw.indexOf('\r\n\r\n');
  const headers = {};
  for (const line of raw.slice(0, end).replace(/\r\n[ \t]/g, ' ').split('\r\n')) {
    const [, name, value] = line.match(/^([\w-]+): (.*)$/);
    if (name.toLowerCase() in headers) throw new Error(`${name} came twice`);
    headers[name.toLowerCase()] = decodeWords(value);
  }
  return { headers, subject: headers.subject, body: decodeQuoted(raw.slice(end + 4)).replace(/\r\n/g, '\n'), raw };
}

export class MailServer {
  /* answer(command): what is said to it in place of the usual, or undefined; silent: nothing is ever said. */
  static async start({ answer = () => undefined, features = [], silent = false } = {}) {
    const server = new MailServer();
    Object.assign(server, { answer, features, silent, letters: [], commands: [], waiting: [], sockets: new Set() });
    server.listener = net.createServer((socket) => server.#serve(socket));
    await new Promise((resolve) => { server.listener.listen(0, '127.0.0.1', resolve); });
    return server;
  }

  get port() { return this.listener.address().port; }

  /* Settings of a server that sends its mail here. */
  get environment() {
    return { EMAIL_SMTP: 'true', EMAIL_SMTP_HOST: '127.0.0.1', EMAIL_SMTP_PORT: String(this.port), FROM_EMAIL: 'Rowcast <rowcast@example.com>' };
  }

  async stop() {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => { this.listener.close(resolve); });
  }

  /* The next letter that nobody took yet. */
  async next(what = 'a letter') {
    await this.#until(() => this.letters.length > 0, what);
    return this.letters.shift();
  }

  /* Resolves when a command that matches came, also before. */
  async command(pattern) {
    await this.#until(() => this.commands.some((command) => pattern.test(command)), `the command ${pattern}`);
  }

  #until(holds, what) {
    return within((async () => {
      while (!holds()) await new Promise((resolve) => { this.waiting.push(resolve); });
    })(), what);
  }

  #wake() {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  #serve(socket) {
    this.sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.sockets.delete(socket));
    if (this.silent) {
      this.commands.push('CONNECT');
      this.#wake();
      return;
    }
    const say = (text) => socket.write(`${text}\r\n`);
    let rest = '', from, to = [], data = null;
    const take = (line) => {
      if (data !== null) {
        if (line !== '.') {
          data += `${line.replace(/^\./, '')}\r\n`;
          return;
        }
        this.letters.push({ from, to, ...parse(data) });
        data = null;
        say('250 taken');
        this.#wake();
        return;
      }
      this.commands.push(line);
      this.#wake();
      const other = this.answer(line);
      if (other) say(other);
      else if (/^QUIT/i.test(line)) say('221 bye'), socket.end();
      else if (/^EHLO/i.test(line)) say(['250-the tests', ...this.features.map((one) => `250-${one}`), '250 8BITMIME'].join('\r\n'));
      else if (/^AUTH PLAIN$/i.test(line)) say('334 ');
      else if (/^AUTH|^[\w+/]{16,}=*$/i.test(line)) say('235 welcome'); // with what it comes by, or that alone
      else if (/^MAIL/i.test(line)) [from, to] = [line.match(/<(.*)>/)[1], []], say('250 yes');
      else if (/^RCPT/i.test(line)) to.push(line.match(/<(.*)>/)[1]), say('250 yes');
      else if (/^DATA/i.test(line)) data = '', say('354 go on');
      else say('502 what?');
    };
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1');
      for (let end; (end = rest.indexOf('\r\n')) >= 0;) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        take(line);
      }
    });
    say('220 the tests');
  }
}
