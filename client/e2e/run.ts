/**
 * Drives the packed extension in a real VS Code: tests in its extension host, then its window.
 *
 * PYTHON_ENV names a virtual environment that has alembic-roundtrip (default `.venv`), CHROMIUM the
 * browser. Screenshots and VS Code's output stay in `.cache/e2e`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { project, Session } from './session.ts';
import { drive } from './ui.ts';
import { vscode } from './vscode.ts';

const root = resolve(__dirname, '..', '..', '..');
const vsix = join(root, 'client', 'dist', 'alembic-roundtrip.vsix');
const sample = join(root, 'tests', 'projects', 'customers');
const venv = resolve(process.env.PYTHON_ENV ?? join(root, '.venv'));
const output = join(root, '.cache', 'e2e');

/** The longest the tests in the extension host may take, the window's start included. */
const PATIENCE = 120_000;

async function main(): Promise<void> {
  if (!existsSync(venv)) throw new Error(`${venv} is missing: set PYTHON_ENV`);
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const code = vscode(join(root, '.cache', 'vscode'));
  const scratch = mkdtempSync(join(tmpdir(), 'roundtrip-e2e-'));
  const session = new Session(code, scratch, join(output, 'vscode.log'));
  try {
    session.install(pythonExtension(scratch));
    await inHost(session, scratch);
    await session.stop();
    session.install(vsix);
    await session.start();
    await drive(session, output, {
      bare: project(sample, join(scratch, 'bare')),
      shop: project(sample, join(scratch, 'shop'), venv),
    });
  } finally {
    await session.stop();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The payload starts tests as a desktop VS Code's command line would; only this driver heeds it. */
async function inHost(session: Session, scratch: string): Promise<void> {
  await session.start('--enable-smoke-test-driver', '--disable-workspace-trust');
  const remote = (path: string) => `vscode-remote://${new URL(session.url).host}${path}`;
  const payload = [
    ['extensionDevelopmentPath', remote(unpacked(scratch))],
    ['extensionTestsPath', remote(join(root, 'client', 'dist', 'e2e', 'inHost.js'))],
  ];
  const folder = project(sample, join(scratch, 'in-host'), venv);
  symlinkSync(venv, join(folder, 'other'));
  const browser = await session.browser();
  try {
    const page = browser.pages()[0] ?? (await browser.newPage());
    const ended = new Promise<number>((done, late) => {
      const timer = setTimeout(late, PATIENCE, new Error('the tests in the host did not end'));
      const exit = (code: number) => {
        clearTimeout(timer);
        done(code);
      };
      const log = (_: string, words: unknown) => say(words);
      void page.exposeFunction('codeAutomationLog', log);
      void page.exposeFunction('codeAutomationExit', exit);
    });
    const query = new URLSearchParams({ folder, payload: JSON.stringify(payload) });
    await page.goto(`${session.url}/?${query}`);
    const code = await ended.catch(async (error: unknown) => {
      await page.screenshot({ path: join(output, 'in-host.png') });
      throw error;
    });
    if (code !== 0) throw new Error('tests failed in the extension host');
  } finally {
    await browser.close();
  }
}

/** What users get: the packed extension, not the checkout. */
function unpacked(scratch: string): string {
  const folder = join(scratch, 'packed');
  execFileSync('python3', ['-m', 'zipfile', '-e', vsix, folder]);
  return join(folder, 'extension');
}

/** A stand-in, packed: VS Code activates no other extension from a folder but the one under test. */
function pythonExtension(scratch: string): string {
  const packed = join(scratch, 'python.vsix');
  const folder = join(root, 'client', 'dist', 'e2e', 'python-extension');
  const vsce = join(root, 'node_modules', '.bin', 'vsce');
  const options = ['--no-dependencies', '--allow-missing-repository', '--skip-license'];
  execFileSync(vsce, ['package', ...options, '--out', packed], { cwd: folder, stdio: 'pipe' });
  return packed;
}

/** Our own lines among those of the extension host. */
function say(words: unknown): void {
  const line = (Array.isArray(words) ? words : [words]).map(String).join(' ');
  if (process.env.VERBOSE || /^(ok|FAIL) {2}/.test(line)) console.log(line);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.stack : error);
  process.exitCode = 1;
});
