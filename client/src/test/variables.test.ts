import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { filled } from '../variables.ts';

const places = { home: homedir(), folder: '/apps/😋' };

test('variables are filled in, in lists too', () => {
  assert.equal(filled('${workspaceFolder}/.venv/bin/python', places), '/apps/😋/.venv/bin/python');
  assert.deepEqual(filled(['~/bin/python', '-m', 'x'], places), [
    join(homedir(), 'bin', 'python'),
    '-m',
    'x',
  ]);
  assert.equal(filled('${userHome}', places), homedir());
});

test('everything else stays as it is', () => {
  for (const value of ['a~b', '~user/x', '${env:X}', 3, true, { a: '~' }])
    assert.deepEqual(filled(value, places), value);
  const nowhere = { home: '/root', folder: undefined };
  assert.equal(filled('${workspaceFolder}/x', nowhere), '${workspaceFolder}/x');
});
