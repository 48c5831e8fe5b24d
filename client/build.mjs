/** Bundles the extension, or with an argument its tests: `node client/build.mjs [tests|e2e]`. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const dist = join(here, 'dist');
const node = { bundle: true, platform: 'node', target: 'node20', logLevel: 'warning' };

const targets = {
  async extension() {
    rmSync(join(dist, 'extension.js'), { force: true });
    const { metafile } = await build({
      ...node,
      entryPoints: [join(here, 'src/extension.ts')],
      outfile: join(dist, 'extension.js'),
      format: 'cjs',
      // The CommonJS builds of some libraries hide their imports from the bundler.
      mainFields: ['module', 'main'],
      external: ['vscode'],
      minify: true,
      metafile: true,
      absWorkingDir: root,
    });
    writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), licences(Object.keys(metafile.inputs)));
  },
  async tests() {
    rmSync(join(dist, 'test'), { recursive: true, force: true });
    const tests = readdirSync(join(here, 'src/test')).filter((name) => name.endsWith('.test.ts'));
    await build({
      ...node,
      entryPoints: tests.map((name) => join(here, 'src/test', name)),
      outdir: join(dist, 'test'),
      format: 'cjs',
      sourcemap: 'inline',
    });
  },
  async e2e() {
    rmSync(join(dist, 'e2e'), { recursive: true, force: true });
    await build({
      ...node,
      entryPoints: ['run', 'inHost', 'python-extension/extension'].map((name) =>
        join(here, 'e2e', `${name}.ts`),
      ),
      outdir: join(dist, 'e2e'),
      format: 'cjs',
      external: ['vscode', 'playwright-core'],
      sourcemap: 'inline',
    });
    const manifest = join('e2e', 'python-extension', 'package.json');
    cpSync(join(here, manifest), join(dist, manifest));
  },
};

/** The licences of the packages that went into the bundle, as they ask for. */
function licences(inputs) {
  const packages = new Set(
    inputs.flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
  );
  return [...packages]
    .sort()
    .map((name) => {
      const folder = join(root, 'node_modules', name);
      const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      if (!file || !existsSync(join(folder, file))) throw new Error(`${name} has no licence file`);
      const text = readFileSync(join(folder, file), 'utf8').trim();
      return `${name} ${version} (${license})\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

await targets[process.argv[2] ?? 'extension']();
