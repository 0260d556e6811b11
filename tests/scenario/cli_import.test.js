/* rowcast import: what goes in, what is refused, and that nothing is ever half in. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Server, makeFolder, runCommand } from './harness.js';

let folder;
before(() => { folder = makeFolder(); });
after(() => folder.remove());

function write(name, content) {
  writeFileSync(path.join(folder.path, name), typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  return name;
}

function load(file, collection, ...args) {
  const result = runCommand(folder, ['import', file, '--collection', collection, ...args]);
  assert.equal(result.status, 0, result.stderr);
  return result;
}

/* Refused with these words, and leaves no trace. */
function refused(words, file, collection, ...args) {
  const before = runCommand(folder, ['check']).stdout;
  const result = runCommand(folder, ['import', file, '--collection', collection, ...args]);
  assert.equal(result.status, 1, result.stdout + result.stderr);
  assert.match(result.stderr, words);
  assert.equal(result.stdout, '');
  assert.equal(runCommand(folder, ['check']).stdout, before, 'the journal has not moved');
}

const schema = (collection) => {
  const { stdout } = runCommand(folder, ['schema']);
  const lines = stdout.split('\n'), start = lines.indexOf(collection);
  if (start < 0) return null;
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('  '));
  return lines.slice(start + 1, end).map((line) => line.trim().replace(/ +/g, ' '));
};

/* What a client would read. */
async function served(fn) {
  const server = await Server.start({ folder });
  try {
    await fn(server);
  } catch (error) {
    await server.kill();
    throw error;
  }
  await server.stop();
}

test('a CSV file becomes a collection with types, and rows', async () => {
  write('people.csv', [
    'id,zip,name,born,seen,height,big,active,note', '1,01234,"Ann, A.",1990-02-03,2024-01-02T03:04:05Z,1.75,5000000000,TRUE,',
    '2,99999,"Bob\nB.",1991-12-31,2024-01-02T03:04:05+02:00,2,1,false,"says ""hi"""', '',
  ].join('\r\n'));
  const { stdout, stderr } = load('people.csv', 'people');
  assert.equal(stdout, '2 rows imported into people\n');
  assert.equal(stderr, '2 of 2 rows\n');
  assert.deepEqual(schema('people'), [
    'id integer primary key, automatic', 'zip string not null', 'name string not null', 'born date not null', 'seen timestamp not null',
    'height float not null', 'big bigInteger not null', 'active boolean not null', 'note string',
  ]);
  await served(async (server) => {
    assert.deepEqual(await server.ask('GET', '/items/people'), [
      { id: 1, zip: '01234', name: 'Ann, A.', born: '1990-02-03', seen: '2024-01-02T03:04:05.000Z', height: 1.75, big: 5000000000, active: true, note: null },
      { id: 2, zip: '99999', name: 'Bob\nB.', born: '1991-12-31', seen: '2024-01-02T01:04:05.000Z', height: 2, big: 1, active: false, note: 'says "hi"' },
    ]);
    const made = await server.ask('POST', '/items/people', { zip: '1', name: 'c', born: '2000-01-01', seen: '2000-01-01T00:00:00Z', height: 1, big: 1, active: true });
    assert.equal(made.id, 3, 'new keys go on behind those that were imported');
  });
});

test('a JSON file becomes a collection, objects and lists stay what they are', async () => {
  write('parts.json', { parts: [{ code: 'a', tags: ['x', 'y'], more: { deep: [1, null] } }, { code: 'b', tags: [], count: 7 }] });
  load('parts.json', 'parts', '--key', 'code');
  assert.deepEqual(schema('parts'), ['code string primary key', 'tags json not null', 'more json', 'count integer']);
  await served(async (server) => {
    assert.deepEqual(await server.ask('GET', '/items/parts'), [
      { code: 'a', tags: ['x', 'y'], more: { deep: [1, null] }, count: null }, { code: 'b', tags: [], more: null, count: 7 },
    ]);
  });
});

test('rows go into a collection that is there', () => {
  write('more.csv', 'code,count,tags\nc,1,[1]\nd,,[]\n');
  load('more.csv', 'parts');
  refused(/more\.csv, line 2: value "c" of field "code" is there already/, 'more.csv', 'parts');
  refused(/collection "parts" has no field "cuont"/, write('typo.csv', 'code,tags,cuont\ne,[],1\n'), 'parts');
  refused(/typo\.csv, line 2: /, 'typo.csv', 'parts');
  refused(/--key and --link are for a new collection/, 'more.csv', 'parts', '--key', 'code');
  refused(/--key and --link are for a new collection/, 'more.csv', 'parts', '--link', 'code=people');
  refused(/item 2: .*"count".*does not fit/, write('type.json', [{ code: 'f', tags: [], count: 1 }, { code: 'g', tags: [], count: 'many' }]), 'parts');
  refused(/item 1: field "tags" breaks the rule "required"/, write('lacks.json', [{ code: 'f' }]), 'parts');
  assert.equal(load(write('none.csv', 'code,count,tags\n'), 'parts').stdout, '0 rows imported into parts\n');
});

test('a bad row in the middle leaves neither collection nor rows', () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `${i + 1},text ${i}`);
  write('long.csv', `id,text\n${[...lines, '2500,double'].join('\n')}\n`);
  refused(/"id" cannot be the key/, 'long.csv', 'long');
  write('long.csv', `id,text\n${lines.join('\n')}\n`);
  const { stderr } = load('long.csv', 'long');
  assert.equal(stderr, '3000 of 3000 rows\n');
  lines[2345] = '1,double';
  refused(/long\.csv, line 2: value "1" of field "id" is there already/, 'long.csv', 'long');
  write('again.csv', `id,text\n${lines.map((line, i) => (i === 2345 ? line : line.replace(/^/, '10000'))).join('\n')}\n`);
  refused(/again\.csv, line 2347: value "1" of field "id" is there already/, 'again.csv', 'long');
  refused(/more cells/, write('cells.csv', 'id,text\n1,a\n2,b,c\n3,d\n'), 'fresh');
  assert.equal(schema('fresh'), null);
});

test('links are checked, and the row that refers to nothing is named', async () => {
  write('cities.csv', 'id,name,person\n1,"A\nB",1\n\n2,C,\n3,D,2\n');
  load('cities.csv', 'cities', '--link', 'person=people');
  assert.ok(schema('cities').includes('person integer -> people'));
  const { stderr } = runCommand(folder, ['import', write('bad.csv', 'id,name,person\n11,"A\nB",1\n\n12,C,77\n'), '--collection', 'towns', '--link', 'person=people']);
  assert.match(stderr, /bad\.csv, line 5: field "person" refers to "77" in collection "people", which does not exist/);
  refused(/bad\.csv, line 5: /, 'bad.csv', 'towns', '--link', 'person=people');
  refused(/bad\.csv, line 5: field "person" refers to "77"/, 'bad.csv', 'cities');
  assert.equal(schema('towns'), null);
  refused(/"related_collection" names no collection/, 'cities.csv', 'towns', '--link', 'person=nowhere');
  refused(/other/, 'cities.csv', 'towns', '--link', 'other=people');
});

test('rows may refer to rows further down in the same file', () => {
  load(write('tree.json', [{ id: 1, parent: 3 }, { id: 2, parent: null }, { id: 3, parent: 2 }]), 'tree', '--link', 'parent=tree');
  load(write('tree.json', [{ id: 5, parent: 6 }, { id: 6, parent: 1 }]), 'tree');
  refused(/tree\.json, item 2: field "parent" refers to 9/, write('tree.json', [{ id: 7, parent: 8 }, { id: 8, parent: 9 }]), 'tree');
});

test('a file that is broken is named with its line', () => {
  const cases = {
    'quotes.csv': ['a,b\n1,"x"y\n', /quotes\.csv, line 2: /], 'open.csv': ['a,b\n1,2\n2,"x\n3,4\n', /open\.csv, line 3: /],
    'latin.csv': [Buffer.from('a,b\n1,x\n2,\xe4\n', 'latin1'), /latin\.csv, line 3: this is not UTF-8/], 'nul.csv': ['a,b\n1,\0\n', /nul\.csv, line 2: /],
    'empty.csv': ['', /empty\.csv, line 1: there is no line of names/], 'empty.json': ['', /empty\.json, line 1: /], 'list.json': ['[]', /there is no item/],
    'twice.csv': ['a,a\n1,2\n', /twice\.csv, line 1: a name is there twice/], 'twice.json': ['[{"a":1,\n"a":2}]', /twice\.json, line 2: duplicate/],
    'short.csv': ['a,b\n1\n', /short\.csv, line 2: fewer cells/], 'object.json': ['{"a":1}', /no list/], 'number.json': ['[1]', /item 1: this is no object/],
    'cut.json': ['[{"a":1},\n{"a"', /cut\.json, line 2: /],
  };
  for (const [name, [content, words]] of Object.entries(cases)) refused(words, write(name, content), 'broken');
  refused(/cannot read nowhere\.csv: No such file/, 'nowhere.csv', 'broken');
  refused(/cannot read \.: Is a directory/, '.', 'broken');
  assert.equal(schema('broken'), null);
});

test('names that no collection or field can have are refused', () => {
  write('ok.csv', 'a\n1\n');
  refused(/./, 'ok.csv', 'directus_things');
  refused(/./, 'ok.csv', 'rowcast_things');
  refused(/./, write('name.csv', `${'x'.repeat(300)}\n1\n`), 'named');
  for (const args of [[], ['ok.csv'], ['--collection', 'x'], ['ok.csv', '--collection='], ['ok.csv', '--collection', 'x', '--link', 'a'], ['ok.csv', '--collection', 'x', '--link', '=b'], ['ok.csv', 'other.csv', '--collection', 'x']]) {
    assert.equal(runCommand(folder, ['import', ...args]).status, 2, args.join(' '));
  }
});

test('a cell may be much larger than what a client may send', async () => {
  const size = 3_000_000;
  load(write('huge.csv', `id,text\n1,"${'ä\n'.repeat(size / 2)}"\n`), 'huge');
  assert.deepEqual(schema('huge'), ['id integer primary key, automatic', 'text text not null']);
  await served(async (server) => assert.equal((await server.ask('GET', '/items/huge/1')).text.length, size));
});

test('what was imported is journalled as any write is', () => {
  assert.match(runCommand(folder, ['check']).stdout, /^ok: .*the journal is dense/);
});

const ISO = '/usr/share/iso-codes/json';
if (existsSync(ISO)) {
  test('the countries, subdivisions and languages of Debian\'s iso-codes come in whole', async () => {
    const list = (name) => JSON.parse(readFileSync(`${ISO}/iso_${name}.json`))[name];
    const countries = list('3166-1').map((c) => ({ code: c.alpha_2, code3: c.alpha_3, number: c.numeric, name: c.name, flag: c.flag, official_name: c.official_name ?? null }));
    const subdivisions = list('3166-2').map((s) => ({ code: s.code, name: s.name, type: s.type, country: s.code.split('-')[0] }));
    const counts = { countries: countries.length, subdivisions: subdivisions.length, languages: list('639-3').length };
    assert.equal(counts.countries, 249);
    load(write('countries.json', countries), 'countries', '--key', 'code');
    load(write('subdivisions.json', subdivisions), 'subdivisions', '--key', 'code', '--link', 'country=countries');
    load(`${ISO}/iso_639-3.json`, 'languages', '--key', 'alpha_3');
    assert.ok(schema('countries').includes('number string not null'), '"004" stays text');
    assert.ok(schema('languages').includes('alpha_2 string'));
    await served(async (server) => {
      for (const [name, count] of Object.entries(counts)) {
        const { body } = await server.rest('GET', `/items/${name}?limit=1&meta=total_count`);
        assert.equal(body.meta.total_count, count, name);
      }
      assert.equal((await server.ask('GET', '/items/countries/AF')).number, '004');
      const [at] = await server.ask('GET', '/items/subdivisions?filter[code][_eq]=AT-9');
      assert.equal(at.country, 'AT');
    });
    refused(/item 2: field "country" refers to "XX" in collection "countries"/, write('bad.json', [subdivisions[0], { ...subdivisions[1], country: 'XX' }]), 'regions', '--key', 'code', '--link', 'country=countries');
  });
}
