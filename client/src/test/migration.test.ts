import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMigration } from '../migration.ts';

test('a script that names itself and what it revises is a migration', () => {
  assert.ok(isMigration('"""😋"""\nrevision = "a"\ndown_revision = None\n'));
  assert.ok(
    isMigration('revision: str = "a"\r\ndown_revision: Union[str, Sequence[str], None] = "b"\r\n'),
  );
});

test('other Python is none', () => {
  assert.ok(!isMigration('revision = "a"\n'));
  assert.ok(!isMigration('def f():\n    revision = "a"\n    down_revision = "b"\n'));
  assert.ok(!isMigration('if revision == "a" and down_revision == "b": pass'));
});
