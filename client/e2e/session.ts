/** One run of VS Code: its settings, its extension, its server, and a browser to look at it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import type { VSCode } from './vscode.ts';

/** Nothing in the window but what is under test, and no network. */
const SETTINGS = {
  'chat.disableAIFeatures': true,
  'editor.minimap.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.untrustedFiles': 'open',
  'update.showReleaseNotes': false,
  'workbench.editor.enablePreview': false,
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.reduceMotion': 'on',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

const BROWSER = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
];

const delay = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** A copy of the sample project; `python` becomes its virtual environment, if given. */
export function project(sample: string, folder: string, venv?: string): string {
  cpSync(sample, folder, { recursive: true });
  if (venv) symlinkSync(venv, join(folder, '.venv'));
  return folder;
}

/** VS Code with folders of its own. */
export class Session {
  private readonly user: string;
  private server: ChildProcess | undefined;
  private port = 0;

  constructor(
    private readonly code: VSCode,
    private readonly folder: string,
    private readonly log: string,
  ) {
    this.user = join(folder, 'user');
    // Settings of a machine are read from here in every remote window, and a browser's is one.
    for (const place of ['User', 'Machine']) {
      mkdirSync(join(this.user, place), { recursive: true });
      writeFileSync(join(this.user, place, 'settings.json'), JSON.stringify(SETTINGS));
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  install(vsix: string): void {
    execFileSync(this.code.node, [...this.arguments(), '--install-extension', vsix], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async start(...options: string[]): Promise<void> {
    this.port = await freePort();
    const where = [
      '--host',
      '127.0.0.1',
      '--port',
      String(this.port),
      '--without-connection-token',
    ];
    const output = openSync(this.log, 'a');
    this.server = spawn(this.code.node, [...this.arguments(), ...where, ...options], {
      stdio: ['ignore', output, output],
      // Of the interpreters to be found, only the ones a test puts there.
      env: { ...process.env, VIRTUAL_ENV: undefined },
    });
    for (let tries = 0; tries < 300; tries++) {
      if (await answers(`${this.url}/version`)) return;
      await delay(100);
    }
    throw new Error(`VS Code did not start, see ${this.log}`);
  }

  async stop(): Promise<void> {
    const server = this.server;
    if (!server || server.exitCode !== null) return;
    const ended = new Promise((done) => server.once('exit', done));
    server.kill();
    await ended;
  }

  browser(): Promise<BrowserContext> {
    return chromium.launchPersistentContext(join(this.folder, `browser-${this.port}`), {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      viewport: { width: 1280, height: 800 },
      args: BROWSER,
    });
  }

  private arguments(): string[] {
    return [
      this.code.main,
      '--server-data-dir',
      this.folder,
      '--user-data-dir',
      this.user,
      '--extensions-dir',
      join(this.folder, 'extensions'),
      '--telemetry-level',
      'off',
      '--accept-server-license-terms',
    ];
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => done(port));
    });
  });
}
