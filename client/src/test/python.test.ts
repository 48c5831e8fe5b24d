import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { after, describe, test } from 'node:test';
import * as python from '../python.ts';

const folder = mkdtempSync(join(tmpdir(), 'python 😋 '));
after(() => rmSync(folder, { recursive: true }));

const anywhere = () => true;
const source = (name: string, ...paths: string[]): python.Source => ({
  name,
  candidates: () => paths,
});

/** Interpreters by path; the ones not named lack our package. */
function knowing(answers: Record<string, python.Answer>): python.Ask & { asked: string[] } {
  const asked: string[] = [];
  const ask = async (path: string) => {
    asked.push(path);
    return answers[path] ?? ({ kind: 'missing' } as const);
  };
  return Object.assign(ask, { asked });
}

const ready = { kind: 'ready', version: '1.2.3' } as const;

describe('the search', () => {
  test('takes the first interpreter that has our package and asks no further', async () => {
    const ask = knowing({ b: ready, c: ready });
    const { found } = await python.search(
      [source('one', 'a'), source('two', 'b', 'c')],
      ask,
      anywhere,
    );
    assert.deepEqual(found, { path: 'b', source: 'two', version: '1.2.3' });
    assert.deepEqual(ask.asked, ['a', 'b']);
  });

  test('asks an interpreter once, wherever it is found', async () => {
    const ask = knowing({});
    const { found, asked } = await python.search(
      [source('one', 'a'), source('two', 'a')],
      ask,
      anywhere,
    );
    assert.equal(found, undefined);
    assert.deepEqual(ask.asked, ['a']);
    assert.deepEqual(asked, [
      { interpreter: { path: 'a', source: 'one' }, answer: { kind: 'missing' } },
    ]);
  });

  test('does not go behind an interpreter that the user named', async () => {
    const ask = knowing({ b: ready });
    const chosen = { ...source('the setting', 'a'), decisive: true };
    const { found } = await python.search([chosen, source('two', 'b')], ask, anywhere);
    assert.equal(found, undefined);
    assert.deepEqual(ask.asked, ['a']);
  });

  test('never runs what is not allowed', async () => {
    const ask = knowing({ '/workspace/.venv/bin/python': ready, python3: ready });
    const sources = [source('beside', '/workspace/.venv/bin/python'), source('PATH', 'python3')];
    const allowed = (path: string) => !python.isWithin(path, ['/workspace']);
    const { found, withheld } = await python.search(sources, ask, allowed);
    assert.equal(found?.path, 'python3');
    assert.deepEqual(withheld, [{ path: '/workspace/.venv/bin/python', source: 'beside' }]);
    assert.deepEqual(ask.asked, ['python3']);
  });
});

describe('an interpreter that is asked', () => {
  const ask = python.asker(tmpdir());
  const system = process.platform === 'win32' ? 'python' : 'python3';

  test('without our package says that it is missing', async () => {
    const venv = join(folder, 'bare');
    const made = spawnSync(system, ['-m', 'venv', '--without-pip', venv]);
    assert.equal(made.status, 0, String(made.stderr));
    assert.deepEqual(await ask(python.inside(venv)), { kind: 'missing' });
  });

  test('takes nothing from the folder it is started in', async (context) => {
    const python311 = 'import sys; sys.exit(sys.version_info < (3, 11))';
    if (spawnSync(system, ['-c', python311]).status !== 0)
      return context.skip('only since Python 3.11');
    const trap = join(folder, 'trap');
    mkdirSync(join(trap, 'alembic_roundtrip'), { recursive: true });
    const body = 'print("alembic-roundtrip 6.6.6")';
    writeFileSync(join(trap, 'alembic_roundtrip', '__main__.py'), body);
    assert.deepEqual(await python.asker(trap)(python.inside(join(folder, 'bare'))), {
      kind: 'missing',
    });
  });

  test('that does not exist says so', async () => {
    const answer = await ask(join(folder, 'no-such-python'));
    assert.deepEqual(answer, { kind: 'broken', reason: 'there is no such program' });
  });

  if (process.platform !== 'win32') {
    const program = (name: string, body: string) => {
      const file = join(folder, name);
      writeFileSync(file, `#!/bin/sh\n${body}\n`);
      chmodSync(file, 0o755);
      return file;
    };

    test('gives the version, whatever else it prints', async () => {
      const file = program('ready', 'echo hello; echo alembic-roundtrip 0.1.0');
      assert.deepEqual(await ask(file), { kind: 'ready', version: '0.1.0' });
    });

    test('that fails gives the last line it said', async () => {
      const file = program(
        'broken',
        'echo Traceback >&2; echo "ImportError: no libfoo" >&2; exit 1',
      );
      assert.deepEqual(await ask(file), { kind: 'broken', reason: 'ImportError: no libfoo' });
    });

    test('that hangs is given up', async () => {
      const answer = await python.asker(tmpdir(), 200)(program('hangs', 'exec sleep 60'));
      assert.deepEqual(answer, { kind: 'broken', reason: 'it did not answer within 0.2 s' });
    });
  }
});

describe('virtual environments', () => {
  const at = (...parts: string[]) => [sep, 'w', ...parts].join(sep).replace(/^[\\/]+/, sep);

  test('are found beside the project and above it, the nearest first, up to the workspace', () => {
    const tried: string[] = [];
    python.beside([at('apps', 'shop')], [at()], (file) => tried.push(String(file)) < 0);
    assert.deepEqual(
      tried,
      [at('apps', 'shop'), at('apps'), at()].flatMap((place) => [
        python.inside(join(place, '.venv')),
        python.inside(join(place, 'venv')),
      ]),
    );
  });

  test('that are not there are no candidates', () => {
    const there = python.inside(at('apps', '.venv'));
    const found = python.beside([at('apps', 'shop')], [at()], (file) => file === there);
    assert.deepEqual(found, [there]);
  });

  test('have their program where the platform puts it', () => {
    assert.equal(python.inside('v', 'win32'), join('v', 'Scripts', 'python.exe'));
    assert.equal(python.inside('v', 'linux'), join('v', 'bin', 'python'));
  });

  test('that are active come before the PATH', async () => {
    const names = python.ofShell({ VIRTUAL_ENV: '/v' }, 'linux').map((s) => s.candidates());
    assert.deepEqual(await Promise.all(names), [
      [join('/v', 'bin', 'python')],
      ['python3', 'python'],
    ]);
  });
});

test('a path is within a folder by its parts, not by its letters', () => {
  const within = (path: string) => python.isWithin(path, [join(sep, 'work', 'shop')]);
  assert.equal(within(join(sep, 'work', 'shop', '.venv', 'bin', 'python')), true);
  assert.equal(within(join(sep, 'work', 'shop', '..python', 'bin')), true);
  assert.equal(within(join(sep, 'work', 'shop-2', 'python')), false);
  assert.equal(within(join(sep, 'usr', 'bin', 'python3')), false);
  assert.equal(within('python3'), false);
});
