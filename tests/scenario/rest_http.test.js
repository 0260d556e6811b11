/* HTTP/1.1 under REST: connections, bodies, methods, CORS, compression, conditional requests, limits, and what is malformed or hostile (D.1). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ADMIN, Server, makeFolder, within } from './harness.js';
import { HttpSocket, assertError, httpText } from './rest.js';

let server, open;
const BEARER = { Authorization: `Bearer ${ADMIN.token}` };
const JSON_BODY = { ...BEARER, 'Content-Type': 'application/json' };

before(async () => {
  server = await Server.start();
  await server.makeCollection('items', { name: 'text', data: { type: 'json', meta: { special: ['cast-json'] } } });
  open = [];
});
after(async () => {
  for (const http of open) http.close();
  await server.stop();
  assert.doesNotMatch(server.stderr, /ERROR|FATAL|failed:|runtime error|Sanitizer/, 'nothing that a client sent is an error of the server');
});

async function connect(to = server) {
  const http = await HttpSocket.connect(to);
  open.push(http);
  return http;
}
const names = async () => (await server.ask('GET', '/items/items?limit=-1')).map((item) => item.name);
const stillServes = async () => assert.equal((await server.rest('GET', '/server/ping')).body, 'pong');
const empty = () => server.ask('DELETE', '/items/items', { query: { limit: -1 } });
function assertRefused(answer, status, code) {
  assert.deepEqual([answer?.status, answer?.body?.errors?.[0].extensions.code], [status, code], JSON.stringify(answer?.body));
}

/* ---- connections ---- */

test('a connection serves one request after the other', async () => {
  const http = await connect();
  for (let i = 0; i < 5; i++) {
    const answer = await http.ask('GET', '/server/ping');
    assert.deepEqual([answer.status, answer.body, answer.headers.get('content-length'), answer.headers.has('connection')], [200, 'pong', '4', false]);
    assert.match(answer.headers.get('date'), /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  }
});

test('Connection: close is kept, and told', async () => {
  const http = await connect();
  const answer = await http.ask('GET', '/server/ping', { headers: { Connection: 'close' } });
  assert.equal(answer.headers.get('connection'), 'close');
  await http.assertEnd();
});

test('HTTP/1.0 is answered and closed', async () => {
  const http = await connect();
  http.write('GET /server/ping HTTP/1.0\r\n\r\n');
  assert.equal((await http.answer()).body, 'pong');
  await http.assertEnd();
});

test('requests sent at once are answered in their order, whatever each takes', async () => {
  await empty();
  const http = await connect();
  const body = JSON.stringify({ name: 'pipelined' });
  http.write([httpText('POST', '/items/items?fields=name', { headers: JSON_BODY, body }), httpText('GET', '/server/ping'), httpText('GET', '/items/items?fields=name', { headers: BEARER }), httpText('GET', '/nope'), httpText('HEAD', '/server/ping'),
    httpText('POST', '/auth/login', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email: ADMIN.email, password: ADMIN.password }) }), httpText('GET', '/server/ping')].join(''));
  assert.deepEqual((await http.answer()).body, { data: { name: 'pipelined' } });
  assert.equal((await http.answer()).body, 'pong');
  assert.deepEqual((await http.answer()).body, { data: [{ name: 'pipelined' }] });
  assert.equal((await http.answer()).status, 404);
  assert.equal((await http.answer({ head: true })).status, 200);
  assert.equal((await http.answer()).body.data.expires, 900_000);
  assert.equal((await http.answer()).body, 'pong');
});

test('hundreds of requests in one packet are all answered', async () => {
  const http = await connect();
  http.write(httpText('GET', '/server/ping').repeat(300));
  for (let i = 0; i < 300; i++) assert.equal((await http.answer()).body, 'pong');
});

test('a request may come byte by byte', async () => {
  await empty();
  const http = await connect();
  await http.raw.writeSlowly(Buffer.from(httpText('POST', '/items/items?fields=name', { headers: JSON_BODY, body: JSON.stringify({ name: 'ü' }) })));
  assert.deepEqual((await http.answer()).body, { data: { name: 'ü' } });
});

test('a client that goes away in the middle of a request leaves nothing behind', async () => {
  await empty();
  for (const text of ['', 'G', 'GET /items', 'GET / HTTP/1.1\r\nHost', httpText('POST', '/items/items', { headers: { ...JSON_BODY, 'Content-Length': 100 } }), `${httpText('POST', '/items/items', { headers: { ...JSON_BODY, 'Content-Length': 100 } })}{"name":"half`,
    httpText('POST', '/items/items', { headers: { ...JSON_BODY, 'Transfer-Encoding': 'chunked' } }), `${httpText('POST', '/items/items', { headers: { ...JSON_BODY, 'Transfer-Encoding': 'chunked' } })}5\r\n{"na`]) {
    const http = await connect();
    http.write(text);
    http.raw.socket.end();
    await http.raw.readToEnd();
  }
  assert.deepEqual(await names(), []);
  await stillServes();
});

/* ---- bodies ---- */

test('a chunked body is a body', async () => {
  await empty();
  const head = httpText('POST', '/items/items?fields=name', { headers: { ...JSON_BODY, 'Transfer-Encoding': 'chunked' } });
  for (const chunks of ['10\r\n{"name":"chunky"\r\n1\r\n}\r\n0\r\n\r\n', '8;ext=1\r\n{"name":\r\n9\r\n"chunky"}\r\n0\r\nTrailer: x\r\n\r\n', '00011\r\n{"name":"chunky"}\r\n000\r\n\r\n']) {
    const http = await connect();
    http.write(head + chunks + httpText('GET', '/server/ping'));
    assert.deepEqual((await http.answer()).body, { data: { name: 'chunky' } }, chunks);
    assert.equal((await http.answer()).body, 'pong');
  }
});

test('Expect: 100-continue is answered before the body comes', async () => {
  await empty();
  const http = await connect(), body = JSON.stringify({ name: 'awaited' });
  http.write(httpText('POST', '/items/items?fields=name', { headers: { ...JSON_BODY, Expect: '100-continue', 'Content-Length': body.length } }));
  assert.equal((await http.answer()).status, 100);
  http.write(body);
  assert.deepEqual((await http.answer()).body, { data: { name: 'awaited' } });
});

test('a body is JSON by its content type, and empty without one', async () => {
  await empty();
  const post = async (type) => {
    const http = await connect();
    return http.ask('POST', '/items/items?fields=name', { headers: { ...BEARER, ...(type && { 'Content-Type': type }) }, body: '{"name":"a"}' });
  };
  for (const type of ['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json;charset=UTF-8']) assert.deepEqual((await post(type)).body, { data: { name: 'a' } }, type);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', '', undefined]) {
    const answer = await post(type);
    assert.ok([400, 415].includes(answer.status), `${type}: ${answer.status}`);
  }
});

const NOT_JSON = ['{', '{"name":', '{"name":"a"', "{'name':'a'}", '{"name":"a",}', '{"name":"a"}}', '{"name":"a"} x', 'undefined', 'NaN', '{"name":Infinity}', '[1,]', '"', '{"name":"\u0001"}', '{"name":"\\x"}', '{"a":"\\ud800"}', '{"name":01}', ' ', '\ufeff{"name":"a"}',
  '//\n{}'];
for (const body of NOT_JSON)
  test(`the body ${JSON.stringify(body)} is no JSON`, async () => {
    await empty();
    const http = await connect();
    const answer = await http.ask('POST', '/items/items', { headers: JSON_BODY, body });
    assertRefused(answer, 400, 'INVALID_PAYLOAD');
    assert.equal((await http.ask('GET', '/server/ping')).body, 'pong', 'the connection goes on');
    assert.deepEqual(await names(), []);
  });

test('bytes that are not UTF-8 are no JSON', async () => {
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xc3], [0xe2, 0x82]]) {
    const http = await connect(), body = Buffer.concat([Buffer.from('{"name":"'), Buffer.from(bytes), Buffer.from('"}')]);
    http.write(Buffer.concat([Buffer.from(httpText('POST', '/items/items', { headers: { ...JSON_BODY, 'Content-Length': body.length } })), body]));
    assertRefused(await http.answer(), 400, 'INVALID_PAYLOAD');
  }
});

test('NUL in a text is refused or kept whole, never cut', async () => {
  await empty();
  const answer = await server.rest('POST', '/items/items', { name: 'a\u0000b' });
  if (answer.status === 200) assert.equal(answer.body.data.name, 'a\u0000b');
  else assert.equal(answer.status, 400);
  const keyed = await server.rest('POST', '/items/items', { 'na\u0000me': 'x' });
  assert.ok(keyed.status < 500);
});

test('headers of other encodings cost nobody the session, nor an answer', async () => {
  const login = { headers: { 'Content-Type': 'application/json', 'User-Agent': 'Bj\xf6rn/1.0' }, body: JSON.stringify({ email: ADMIN.email, password: ADMIN.password }) };
  const http = await connect();
  http.write(Buffer.from(httpText('POST', '/auth/login', login), 'latin1'));
  assert.equal((await http.answer()).status, 200);
  http.write(Buffer.from(httpText('GET', '/users/me', { headers: { Authorization: 'Bearer \xff' } }), 'latin1'));
  assert.equal((await http.answer()).status, 401);
});

test('hostile shapes of JSON cost an answer and nothing else', async () => {
  await empty();
  const deep = (open, close, count, inside = '') => open.repeat(count) + inside + close.repeat(count);
  for (const body of [deep('[', ']', 100_000), deep('{"a":', '}', 100_000, '1'), '['.repeat(500_000), '{"a":'.repeat(100_000), `[${'{},'.repeat(5000)}5]`, `{"name":${'9'.repeat(100_000)}}`, `{"name":"${'\\u0000'.repeat(50_000)}"}`, `{"data":${deep('[', ']', 500)}}`,
    `{${Array.from({ length: 50_000 }, (_, i) => `"k${i}":1`).join()}}`, '"__proto__"', '{"__proto__":{"admin":true},"constructor":1}']) {
    const http = await connect();
    const answer = await http.ask('POST', '/items/items', { headers: JSON_BODY, body });
    assert.ok(answer === null || answer.status < 500, `${body.slice(0, 20)}…: ${answer?.status}`);
    http.close();
  }
  await stillServes();
});

/* ---- methods ---- */

test('HEAD answers what GET would, without the body', async () => {
  const http = await connect();
  for (const target of ['/server/ping', '/items/items', '/nope', '/items/nope']) {
    const get = await http.ask('GET', target, { headers: BEARER }), head = await http.ask('HEAD', target, { headers: BEARER });
    assert.equal(head.status, get.status, target);
    for (const name of ['content-type', 'content-length', 'etag']) assert.equal(head.headers.get(name), get.headers.get(name), `${name} of ${target}`);
  }
  assert.equal((await http.ask('GET', '/server/ping')).body, 'pong');
});

test('OPTIONS without CORS is answered, and tells no origin', async () => {
  const http = await connect();
  for (const target of ['/items/items', '/nope', '/']) {
    const answer = await http.ask('OPTIONS', target, { headers: { Origin: 'http://elsewhere', 'Access-Control-Request-Method': 'PATCH' } });
    assert.equal(answer.status, 204);
    assert.equal([...answer.headers.keys()].filter((name) => name.startsWith('access-control')).length, 0);
  }
  const get = await http.ask('GET', '/server/ping', { headers: { Origin: 'http://elsewhere' } });
  assert.equal(get.headers.get('access-control-allow-origin'), undefined);
});

/* ---- CORS ---- */

test('CORS names the origin, the methods and the headers, as configured', async () => {
  for (const [CORS_ORIGIN, cases] of [
    ['true', [['http://a.example', 'http://a.example']]], ['*', [['http://a.example', '*']]],
    ['http://a.example, http://b.example', [['http://a.example', 'http://a.example'], ['http://b.example', 'http://b.example'], ['http://c.example', undefined], ['http://a.example.evil', undefined], ['null', undefined]]],
    ['false', [['http://a.example', undefined]]]]) {
    const cors = await Server.start({ environment: { CORS_ENABLED: 'true', CORS_ORIGIN } });
    try {
      const http = await connect(cors);
      for (const [Origin, wanted] of cases) {
        const preflight = await http.ask('OPTIONS', '/items/x', { headers: { Origin, 'Access-Control-Request-Method': 'SEARCH', 'Access-Control-Request-Headers': 'authorization' } });
        assert.equal(preflight.status, 204);
        assert.equal(preflight.headers.get('access-control-allow-origin'), wanted, `${Origin} of ${CORS_ORIGIN}`);
        const get = await http.ask('GET', '/items/x', { headers: { Origin } });
        assert.equal(get.status, 403);
        assert.equal(get.headers.get('access-control-allow-origin'), wanted, 'errors can be read too');
        if (!wanted) continue;
        assert.deepEqual(['access-control-allow-methods', 'access-control-allow-headers', 'access-control-max-age', 'access-control-allow-credentials'].map((name) => preflight.headers.get(name)),
          ['GET,POST,PATCH,DELETE,SEARCH', 'Content-Type,Authorization', '18000', 'true']);
        assert.equal(get.headers.get('access-control-expose-headers'), 'Content-Range');
      }
      assert.equal((await http.ask('GET', '/server/ping')).headers.has('access-control-allow-origin'), false, 'nobody asked');
      http.close();
    } finally {
      await cors.stop();
    }
  }
});

/* ---- compression, conditional requests ---- */

test('gzip is used where it is accepted and pays', async () => {
  await empty();
  await server.ask('POST', '/items/items', Array.from({ length: 90 }, () => ({ name: 'the same again and again' })));
  const http = await connect();
  const plain = await http.ask('GET', '/items/items', { headers: BEARER });
  assert.equal(plain.headers.get('content-encoding'), undefined);
  assert.match(plain.headers.get('vary'), /Accept-Encoding/);
  for (const [accepted, packs] of [['gzip', true], ['deflate, gzip;q=0.5', true], ['GZIP', true], ['gzip;q=0', false], ['identity', false], ['br', false], ['', false]]) {
    http.write(httpText('GET', '/items/items', { headers: { ...BEARER, 'Accept-Encoding': accepted } }));
    const answer = await http.answer();
    assert.equal(answer.headers.get('content-encoding'), packs ? 'gzip' : undefined, accepted);
    assert.equal((packs ? gunzipSync(answer.bytes) : answer.bytes).toString(), plain.bytes.toString());
    assert.ok(!packs || answer.bytes.length < plain.bytes.length);
  }
  assert.equal((await http.ask('GET', '/server/ping', { headers: { 'Accept-Encoding': 'gzip' } })).body, 'pong', 'four bytes are not packed');
});

test('an answer that did not change is 304 without a body', async () => {
  await empty();
  const http = await connect();
  const first = await http.ask('GET', '/items/items', { headers: BEARER });
  const tag = first.headers.get('etag');
  assert.match(tag, /^W\/"[^"]+"$/);
  assert.equal(first.headers.get('cache-control'), 'no-cache');
  assert.match(first.headers.get('vary'), /Origin, Cache-Control/);
  for (const list of [tag, `"other", ${tag}`, tag.slice(2), '*']) {
    const again = await http.ask('GET', '/items/items', { headers: { ...BEARER, 'If-None-Match': list } });
    assert.deepEqual([again.status, again.body, again.headers.get('etag')], [304, '', tag], list);
  }
  for (const list of ['"other"', '']) assert.equal((await http.ask('GET', '/items/items', { headers: { ...BEARER, 'If-None-Match': list } })).status, 200);
  await server.ask('POST', '/items/items', { name: 'new' });
  const changed = await http.ask('GET', '/items/items', { headers: { ...BEARER, 'If-None-Match': tag } });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers.get('etag'), tag);
  const written = await http.ask('POST', '/items/items', { headers: { ...JSON_BODY, 'If-None-Match': '*' }, body: '{"name":"x"}' });
  assert.equal(written.status, 200);
});

/* ---- limits ---- */

test('MAX_PAYLOAD_SIZE bounds a body: at it is taken, above it is refused', async () => {
  const small = await Server.start({ environment: { MAX_PAYLOAD_SIZE: '2kb' } });
  try {
    await small.makeCollection('texts', { t: 'text' });
    const body = (size) => `{"t":"${'x'.repeat(size - 8)}"}`;
    const asked = async (size, chunked) => {
      const http = await connect(small), text = body(size);
      http.write(chunked ? `${httpText('POST', '/items/texts?fields=id', { headers: { ...JSON_BODY, 'Transfer-Encoding': 'chunked' } })}${size.toString(16)}\r\n${text}\r\n0\r\n\r\n` : httpText('POST', '/items/texts?fields=id', { headers: JSON_BODY, body: text }));
      return http.answer();
    };
    for (const chunked of [false, true]) {
      for (const size of [2047, 2048]) assert.equal((await asked(size, chunked)).status, 200, `${size}`);
      for (const size of [2049, 5000]) assertRefused(await asked(size, chunked), 400, 'INVALID_PAYLOAD');
    }
    const http = await connect(small);
    http.write(httpText('POST', '/items/texts', { headers: { ...JSON_BODY, 'Content-Length': '99999999999' } }));
    assertRefused(await http.answer(), 400, 'INVALID_PAYLOAD'); /* before the body comes */
    assert.equal((await small.ask('GET', '/items/texts')).length, 4);
  } finally {
    await small.stop();
  }
});

test('what is longer than a head may be is refused with its own status', async () => {
  for (const [text, status] of [[`GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414], [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`, 431], [`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(5000)}\r\n`, 431]]) {
    const http = await connect();
    http.write(text);
    const answer = await http.answer();
    assert.equal(answer?.status, status, text.slice(0, 30));
    assert.equal(answer.headers.get('connection'), 'close');
  }
  await stillServes();
});

test('an answer that is too large is refused, and costs nobody else anything', async () => {
  const small = await Server.start({ environment: { MAX_RESPONSE_SIZE: '64kb' } });
  try {
    await small.makeCollection('texts', { t: 'text' });
    for (let i = 0; i < 4; i++) await small.ask('POST', '/items/texts?fields=id', { t: 'x'.repeat(30_000) });
    assert.equal((await small.ask('GET', '/items/texts?limit=2')).length, 2);
    const answer = await small.rest('GET', '/items/texts');
    assert.equal(answer.status, 400);
    assert.equal(answer.body.errors[0].extensions.code, 'INVALID_QUERY');
    assert.equal((await small.ask('GET', '/items/texts?limit=1')).length, 1);
  } finally {
    await small.stop();
  }
});

test('more connections than MAX_CONNECTIONS are answered 503, and there is room again afterwards', async () => {
  const small = await Server.start({ environment: { MAX_CONNECTIONS: '3' } });
  try {
    const held = [];
    for (let i = 0; i < 3; i++) {
      held.push(await connect(small));
      assert.equal((await held[i].ask('GET', '/server/ping')).body, 'pong');
    }
    const over = await connect(small);
    over.write(httpText('GET', '/server/ping'));
    const answer = await over.answer();
    assert.equal(answer?.status, 503);
    assert.equal((await held[0].ask('GET', '/server/ping')).body, 'pong');
    for (const http of held) http.close();
    let status;
    const end = Date.now() + 10_000;
    do {
      const next = await connect(small);
      next.write(httpText('GET', '/server/ping'));
      status = (await next.answer())?.status;
      next.close();
    } while (status !== 200 && Date.now() < end);
    assert.equal(status, 200);
  } finally {
    await small.stop();
  }
});

test('an idle connection is closed after HTTP_IDLE_TIME', async () => {
  const small = await Server.start({ environment: { HTTP_IDLE_TIME: '1s' } });
  try {
    const http = await connect(small);
    assert.equal((await http.ask('GET', '/server/ping')).body, 'pong');
    await within(http.assertEnd(), 'the end of an idle connection', 15_000);
  } finally {
    await small.stop();
  }
});

/* ---- malformed requests ---- */

const MALFORMED = [ /* what, bytes, the status of the answer */
  ['no HTTP at all', 'hello\r\n\r\n', [400, 501]], ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'], ['binary', '\x00\x01\x02\x03\r\n\r\n'], ['an unknown version', 'GET / HTTP/9.9\r\nHost: a\r\n\r\n', [400, 505]], ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 501, 505]],
  ['a method in lower case', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', [400, 501]], ['no target', 'GET HTTP/1.1\r\nHost: a\r\n\r\n'], ['a header without a colon', 'GET / HTTP/1.1\r\nHost a\r\n\r\n'], ['a blank before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
  ['bare line feeds', 'GET / HTTP/1.1\nHost: a\n\n'], ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ['a length and chunks', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'], ['a length that is no number', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\na'], ['a negative length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'],
  ['a length with a sign', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na'], ['a length past 64 bits', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n'], ['an unknown transfer coding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: rot13\r\n\r\n', [400, 501]],
  ['a chunk size that is none', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'], ['a chunk longer than it says', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n'], ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n'],
  ['a carriage return in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n'], ['chunked twice', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', [400, 501]],
];
for (const [what, bytes, statuses = [400]] of MALFORMED)
  test(`${what} is refused and the connection closed`, async () => {
    const http = await connect();
    http.write(Buffer.concat([Buffer.from(bytes, 'latin1'), Buffer.from(httpText('GET', '/server/ping'))]));
    const answer = await http.answer();
    assert.ok(answer && statuses.includes(answer.status), `${answer?.status}`);
    assert.equal(answer.headers.get('connection'), 'close');
    assert.ok(answer.body.errors[0].extensions.code);
    await http.assertEnd(); /* what came behind is no request: nothing is smuggled */
  });

for (const target of ['//', '/%', '/%zz', '/%00', '/items/%ff', '/items/items/%c3%28', '/items/../items/items', '/items/%2e%2e/users', '/./server/ping', '/server//ping', '/items/items/1%2f2', '/%69tems/items', '*', '/items/items?%', '/items/items?a=%zz', '/items/items?a[b', '/items/items?[]=1',
  '/items/items?=&&&==', '/items/items?__proto__[admin]=1', '/items/items?filter[__proto__][_eq]=1', `/items/items?${'a=1&'.repeat(900)}`, `/items/items?filter${'[a]'.repeat(200)}=1`, '/items/items?fields=' + ','.repeat(3000), '/items/items?sort=' + 'id,'.repeat(1000),
  '/items/items?search=' + 'x'.repeat(4000), 'http://elsewhere/server/ping', '/items/items#x', '/items/items;a=b', '/server/ping?x=%ff'])
  test(`the target ${target.slice(0, 50)} has an answer of its own`, async () => {
    const http = await connect();
    const answer = await http.ask('GET', target, { headers: BEARER });
    assert.ok(answer && answer.status >= 200 && answer.status < 500, `${answer?.status} ${JSON.stringify(answer?.body)}`);
    if (answer.status >= 400) assert.ok(answer.body.errors[0].extensions.code);
    await stillServes();
  });

test('a folded header is refused, or one header', async () => {
  const http = await connect();
  http.write(`GET /users/me?fields=email HTTP/1.1\r\nHost: a\r\nX: y\r\n Authorization: Bearer ${ADMIN.token}\r\n\r\n`);
  assert.ok([400, 401].includes((await http.answer()).status));
});

test('a header that is there twice, or odd, is no way around credentials', async () => {
  for (const headers of [{ Authorization: ['Bearer nope', `Bearer ${ADMIN.token}`] }, { Authorization: `Bearer\t${ADMIN.token}x` }, { authorization: 'Bearer nope' }, { Authorization: `Bearer ${'x'.repeat(4000)}` }, { Authorization: 'Bearer \x80\x81' }]) {
    const http = await connect();
    const answer = await http.ask('GET', '/users', { headers });
    assert.ok([400, 401, 403].includes(answer.status), `${answer.status}`);
  }
});

test('an upgrade to what is not there is an answer of HTTP', async () => {
  const http = await connect();
  const answer = await http.ask('GET', '/server/ping', { headers: { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABk' } });
  assert.equal(answer.status, 200);
});

/* ---- many at once ---- */

test('many connections at once are each answered with their own', async () => {
  await empty();
  const list = await Promise.all(Array.from({ length: 60 }, () => connect()));
  const answers = await Promise.all(list.map((http, i) => http.ask('POST', '/items/items?fields=name', { headers: JSON_BODY, body: JSON.stringify({ name: `n${i}` }) })));
  answers.forEach((answer, i) => assert.deepEqual(answer.body, { data: { name: `n${i}` } }));
  assert.equal((await names()).length, 60);
  for (const http of list) http.close();
});

test('a client that reads nothing holds up nobody', async () => {
  await empty();
  await server.ask('POST', '/items/items', { name: 'x'.repeat(500_000) });
  const deaf = await connect();
  deaf.raw.socket.pause();
  deaf.write(httpText('GET', '/items/items', { headers: BEARER }).repeat(200));
  for (let i = 0; i < 20; i++) await stillServes();
  assert.equal((await server.ask('POST', '/items/items', { name: 'meanwhile' })).name, 'meanwhile');
  deaf.close();
  await stillServes();
});

/* ---- the life of a server ---- */

test('a server that is told to stop answers what it has begun', async () => {
  const folder = makeFolder();
  try {
    const mortal = await Server.start({ folder });
    await mortal.makeCollection('last', { name: 'string' });
    const http = await HttpSocket.connect(mortal);
    mortal.sockets.delete(http.raw);
    http.write(httpText('POST', '/items/last?fields=name', { headers: JSON_BODY, body: JSON.stringify({ name: 'last words' }) }));
    assert.deepEqual((await http.answer()).body, { data: { name: 'last words' } });
    await mortal.stop();
    const next = await Server.start({ folder });
    assert.deepEqual((await next.ask('GET', '/items/last?fields=name')), [{ name: 'last words' }]);
    await next.stop();
  } finally {
    folder.remove();
  }
});

test('errors have the envelope of the specification, whatever went wrong', async () => {
  assertError(await server.rest('GET', '/nope'), 404, 'ROUTE_NOT_FOUND', { path: '/nope', text: /^Route \/nope doesn't exist\.$/ });
  assertError(await server.rest('GET', '/items/nope'), 403, 'FORBIDDEN');
  assertError(await server.rest('GET', '/items/items?limit=x'), 400, 'INVALID_QUERY');
  assertError(await server.rest('POST', '/items/items', 5), 400, 'INVALID_PAYLOAD');
  assertError(await server.rest('GET', '/users/me', undefined, null), 401, 'INVALID_CREDENTIALS');
});

/* ---- nonsense ---- */

/* A generator of numbers below 1 (mulberry32): what a seed makes can be made again. */
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const WORDS = ['id', 'name', 'data', 'items', 'keys', 'query', 'filter', 'fields', 'sort', 'limit', 'meta', 'schema', 'type', 'field', 'collection', 'special', 'string', 'integer', 'uuid', 'json', 'hash', 'alias', 'permissions', 'policy', 'action', 'read', 'presets', 'validation', '*', '-id',
  '_and', '_or', '_eq', '_in', '_null', '_between', '_contains', '_regex', '$NOW', '$NOW(-1 day)', '$CURRENT_USER', '$CURRENT_ROLES', 'email', 'password', 'token', 'role', 'status', 'admin@example.com', 'related_collection', 'is_primary_key', 'is_nullable', 'default_value',
  'max_length', 'on_delete', 'CASCADE', '', ' ', 'ü', '\u0000', '1', 'null', 'true', '2024-01-01', '(', '[', '../', "'", '__proto__', 'directus_users', 'ip_access', '127.0.0.1', 'parent', 'singleton', 'sort_field', 'string_', 'x'.repeat(300)];

function anything(random, depth) {
  const pick = (list) => list[Math.floor(random() * list.length)], kind = random();
  if (depth > 0 && kind < 0.45) return Object.fromEntries(Array.from({ length: Math.floor(random() * 4) }, () => [pick(WORDS), anything(random, depth - 1)]));
  if (depth > 0 && kind < 0.6) return Array.from({ length: Math.floor(random() * 4) }, () => anything(random, depth - 1));
  return kind < 0.85 ? pick(WORDS) : pick([null, true, false, 0, 1, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e300]);
}

test('no shape of JSON, on no route, is more than an answer', async () => {
  const ROUTES = [['POST', '/items/items'], ['PATCH', '/items/items'], ['PATCH', '/items/items/1'], ['SEARCH', '/items/items'], ['DELETE', '/items/items'], ['POST', '/collections'], ['PATCH', '/collections/scratch'], ['PATCH', '/collections'], ['SEARCH', '/collections'],
    ['POST', '/fields/scratch'], ['PATCH', '/fields/scratch/a'], ['PATCH', '/fields/scratch'], ['POST', '/relations'], ['PATCH', '/relations/scratch/a'], ['POST', '/users'], ['POST', '/roles'], ['POST', '/policies'], ['POST', '/access'], ['POST', '/permissions'],
    ['SEARCH', '/users'], ['SEARCH', '/permissions'], ['PATCH', '/users'], ['POST', '/auth/login'], ['POST', '/auth/refresh'], ['POST', '/auth/logout'], ['POST', '/utils/hash/verify'], ['PATCH', '/users/me/track/page']];
  const REQUIRED = { '/collections': { collection: 'scratch' }, '/fields/scratch': { field: 'a', type: 'string' }, '/permissions': { collection: 'items', action: 'read' }, '/users': { email: 'f@example.com' }, '/roles': { name: 'f' }, '/policies': { name: 'f' }, '/relations': { collection: 'scratch', field: 'a' } };
  const victim = await Server.start();
  try {
    await victim.makeCollection('items', { name: 'string', data: 'json' });
    await victim.makeCollection('scratch', { a: 'string', b: 'integer' });
    const random = generator(20240229);
    for (let i = 0; i < 1500; i++) {
      const [method, target] = ROUTES[Math.floor(random() * ROUTES.length)];
      let body = anything(random, 4);
      if (random() < 0.5 && REQUIRED[target] && method === 'POST') body = { ...REQUIRED[target], ...(typeof body === 'object' && body !== null && !Array.isArray(body) ? body : { meta: body }) };
      const query = random() < 0.3 ? `?${WORDS[Math.floor(random() * WORDS.length)].slice(0, 20).replace(/[^a-z_]/g, '%5B')}=${encodeURIComponent(JSON.stringify(anything(random, 3)).slice(0, 500))}` : '';
      const answer = await victim.rest(method, target + query, body);
      assert.ok(answer.status < 500, `request ${i}: ${method} ${target}${query} ${JSON.stringify(body)}: ${answer.status} ${JSON.stringify(answer.body)} ${victim.stderr}`);
    }
    assert.equal((await victim.rest('GET', '/items/items')).status, 200);
    assert.equal((await victim.rest('GET', '/users/me')).status, 200);
  } finally {
    await victim.stop();
  }
});
