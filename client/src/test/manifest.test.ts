import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(__dirname, '..', '..', '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

test('the type declarations are those of the oldest editor we promise', () => {
  const oldest = /^\^(\d+\.\d+)\.\d+$/.exec(manifest.engines.vscode)?.[1];
  assert.equal(manifest.devDependencies['@types/vscode'], `~${oldest}.0`);
});

test('every command is in our category and has a title', () => {
  for (const { command, category, title } of manifest.contributes.commands) {
    assert.match(command, /^alembicRoundtrip\.[a-z][A-Za-z]+$/);
    assert.equal(category, 'Alembic Roundtrip');
    assert.ok(title);
  }
});

test('a rehearsal can only be asked for in a trusted workspace', () => {
  const commands: { command: string; enablement?: string }[] = manifest.contributes.commands;
  for (const { enablement } of commands.filter(({ command }) => /\.test[A-Z]/.test(command)))
    assert.match(enablement ?? '', /isWorkspaceTrusted/);
});

test('the extension needs no other', () => {
  assert.equal(manifest.extensionDependencies, undefined);
  assert.equal(manifest.dependencies, undefined);
});
