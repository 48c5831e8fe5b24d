/** Runs inside the extension host of a real VS Code; started by `run.ts`. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { isResult } from '../src/report.ts';

const EXTENSION = 'alembic-roundtrip.alembic-roundtrip';

const delay = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** The first value that is not empty. */
async function until<T>(what: string, look: () => T | Promise<T>, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await delay(50);
  }
}

/** The processes that this extension host has started and that are still there. */
function children(part: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isChild(pid) && words(pid).join(' ').includes(part));
}

const servers = () => children('-m alembic_roundtrip server');

function isChild(pid: number): boolean {
  try {
    const parent = / \(.*\) \S (\d+) /s.exec(` ${readFileSync(`/proc/${pid}/stat`, 'utf8')}`)?.[1];
    return Number(parent) === process.pid;
  } catch {
    return false; // it ended while we looked
  }
}

function words(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // as above
  }
}

async function open(name: string): Promise<vscode.TextDocument> {
  const [uri] = await vscode.workspace.findFiles(`**/versions/${name}`);
  assert.ok(uri, `${name} is in the workspace`);
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document);
  return document;
}

const NICKNAMES = 'c90f3e82d617_nicknames.py';
const CUSTOMERS = '5b1d0c7e9a34_customers.py';

function found(document: vscode.TextDocument, rule: string): vscode.Diagnostic | undefined {
  return vscode.languages.getDiagnostics(document.uri).find(({ code }) => {
    return (typeof code === 'object' ? code.value : code) === rule;
  });
}

const command = (name: string, ...args: unknown[]) =>
  vscode.commands.executeCommand<unknown>(`alembicRoundtrip.${name}`, ...args);

const setting = (name: string, value: unknown) =>
  vscode.workspace
    .getConfiguration('alembicRoundtrip')
    .update(name, value, vscode.ConfigurationTarget.Workspace);

const tests: Record<string, () => Promise<void>> = {
  async 'the server beside the project is found and says what it sees'() {
    const document = await open(NICKNAMES);
    const diagnostic = await until('a diagnostic', () => found(document, 'empty-downgrade'));
    assert.equal(diagnostic.source, 'alembic-roundtrip');
    assert.ok(vscode.extensions.getExtension(EXTENSION)?.isActive);
    assert.equal(servers().length, 1);
    // One 😋 is one column for the server and two for the editor.
    assert.equal(document.getText(diagnostic.range).trim().endsWith('pass'), true);
  },

  async 'every command of the palette is there'() {
    const manifest = vscode.extensions.getExtension(EXTENSION)?.packageJSON;
    const there = new Set(await vscode.commands.getCommands(true));
    for (const { command } of manifest.contributes.commands) assert.ok(there.has(command), command);
  },

  async 'a round trip is run and its result given back'() {
    await open(CUSTOMERS);
    const result = await command('testRevision');
    assert.ok(isResult(result), JSON.stringify(result));
    assert.deepEqual(
      result.revisions.map(({ revision, verdict }) => [revision, verdict]),
      [['5b1d0c7e9a34', 'lossless']],
    );
  },

  async 'a lens over the downgrade runs the same'() {
    const document = await open(NICKNAMES);
    const lens = await until('a lens', async () => {
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        document.uri,
        20,
      );
      return lenses.find(({ command }) => command?.command === 'alembicRoundtrip.testRevision');
    });
    const { command = '', arguments: given = [] } = lens.command ?? {};
    const result = await vscode.commands.executeCommand<unknown>(command, ...given);
    assert.ok(isResult(result), JSON.stringify(result));
    assert.equal(result.revisions[0]?.revision, 'c90f3e82d617');
    assert.notEqual(result.revisions[0]?.verdict, 'lossless');
  },

  async 'a quick fix writes the downgrade'() {
    const document = await open(NICKNAMES);
    const diagnostic = await until('a diagnostic', () => found(document, 'empty-downgrade'));
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      document.uri,
      diagnostic.range,
      vscode.CodeActionKind.QuickFix.value,
      20,
    );
    const edit = actions.find(({ title }) => /downgrade/i.test(title))?.edit;
    assert.ok(edit, `an edit among ${actions.map(({ title }) => title)}`);
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.match(document.getText(), /op\.drop_column\(|drop_column\("nickname"\)/);
    await until('no diagnostic', () => !found(document, 'empty-downgrade'));
    await vscode.commands.executeCommand('workbench.action.files.revert');
  },

  async 'the command writes it too'() {
    const document = await open(NICKNAMES);
    await command('scaffoldDowngrade');
    await until('the downgrade', () => /drop_column/.test(document.getText()));
    await vscode.commands.executeCommand('workbench.action.files.revert');
  },

  async 'an unsaved migration is saved before its round trip'() {
    const document = await open(CUSTOMERS);
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(document.lineCount, 0), '# 😋\n');
    await vscode.workspace.applyEdit(edit);
    assert.ok(document.isDirty);
    await command('testRevision');
    assert.equal(document.isDirty, false);
  },

  async 'many restarts at once leave one server'() {
    await Promise.all([1, 2, 3, 4, 5].map(() => command('restartServer')));
    const document = await open(NICKNAMES);
    await until('a diagnostic', () => found(document, 'empty-downgrade'));
    await until('one server', () => servers().length === 1);
  },

  async 'a server that dies is started again'() {
    const document = await open(NICKNAMES);
    const [first = 0] = servers();
    process.kill(first, 'SIGKILL');
    await until('another server', () => servers().some((pid) => pid !== first));
    await until('a diagnostic', () => found(document, 'empty-downgrade'));
    assert.equal(servers().length, 1);
  },

  async 'a server that hangs is replaced'() {
    const [first = 0] = servers();
    process.kill(first, 'SIGSTOP');
    await command('restartServer');
    await until('another server alone', () => servers().length === 1 && servers()[0] !== first);
    const document = await open(NICKNAMES);
    await until('a diagnostic', () => found(document, 'empty-downgrade'));
  },

  async 'the command that was set is started instead'() {
    const before = servers();
    const [python] = await vscode.workspace.findFiles('.venv/bin/python', null);
    await setting('serverCommand', [python?.fsPath, '-m', 'alembic_roundtrip', 'server']);
    await until('another server', () => {
      const now = servers();
      return now.length === 1 && !before.includes(now[0] ?? 0);
    });
    const document = await open(NICKNAMES);
    await until('a diagnostic', () => found(document, 'empty-downgrade'));
    await setting('serverCommand', undefined);
  },

  async 'a command that never answers, or does not exist, holds nothing up'() {
    await setting('serverCommand', ['sleep', '600']);
    await until('no server', () => servers().length === 0);
    await setting('serverCommand', ['/no/such/server']);
    assert.equal(await command('testAll'), undefined);
    await setting('serverCommand', undefined);
    const document = await open(NICKNAMES);
    await until('one server', () => servers().length === 1);
    await until('a diagnostic', () => found(document, 'empty-downgrade'));
    assert.deepEqual(children('sleep'), []);
  },

  async 'the interpreter chosen in the Python extension is taken at once'() {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(folder);
    const other = vscode.Uri.joinPath(folder.uri, 'other', 'bin', 'python').fsPath;
    await vscode.commands.executeCommand('python.setInterpreter', other);
    await until('a server in it', () => servers().some((pid) => words(pid)[0] === other));
    await vscode.commands.executeCommand('python.setInterpreter', '');
    await until('the one beside the project', () => {
      return servers().length === 1 && servers().every((pid) => words(pid)[0] !== other);
    });
  },

  async 'an interpreter without our package starts nothing and keeps nobody waiting'() {
    await setting('python', '/usr/bin/python3');
    await until('no server', () => servers().length === 0);
    assert.equal(await command('testAll'), undefined);
    await setting('python', undefined);
    await until('one server', () => servers().length === 1);
  },

  async 'a round trip of everything can be cancelled'() {
    await open(CUSTOMERS);
    let ended = false;
    const all = Promise.resolve(command('testAll')).finally(() => {
      ended = true;
    });
    // Again and again: the first may come before there is something to cancel.
    const cancel = async () => {
      await command('cancel');
      return ended;
    };
    await until('the end', cancel);
    assert.equal(await all, undefined, 'nothing was measured');
  },
};

/** The entry that VS Code calls, on the desktop too. */
export async function run(): Promise<void> {
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    const began = Date.now();
    try {
      await test();
      console.log(`ok  ${name} (${Date.now() - began} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL  ${name}: ${error instanceof Error ? error.stack : error}`);
    }
  }
  if (failed) throw new Error(`${failed} failed`);
}
