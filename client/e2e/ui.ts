/** What a person sees: a few steps in the window, each with a screenshot. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import type { Session } from './session.ts';

interface Folders {
  /** The sample project without a virtual environment. */
  readonly bare: string;
  /** The same with one that has alembic-roundtrip. */
  readonly shop: string;
}

const NICKNAMES = 'c90f3e82d617_nicknames.py';

/** Goes through the steps; fails at the first thing that does not show up. */
export async function drive(session: Session, output: string, folders: Folders): Promise<void> {
  const browser = await session.browser();
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.setDefaultTimeout(30_000);
  try {
    let number = 0;
    for (const [name, step] of Object.entries(steps(page, session.url, folders))) {
      const began = Date.now();
      const file = `${String(++number).padStart(2, '0')}-${name.replaceAll(' ', '-')}.png`;
      try {
        await step();
        console.log(`ok  ${name} (${Date.now() - began} ms)`);
      } catch (error) {
        console.log(`FAIL  ${name}`);
        throw error;
      } finally {
        await page.screenshot({ path: join(output, file) });
      }
    }
  } finally {
    await browser.close();
  }
}

function steps(page: Page, url: string, folders: Folders): Record<string, () => Promise<void>> {
  const status = page.locator('.statusbar-item', { hasText: 'Alembic Roundtrip' }).first();
  const toast = (text: string | RegExp) =>
    page.locator('.notifications-toasts .notification-toast', { hasText: text }).first();
  const go = async (folder: string) => {
    await page.goto(`${url}/?${new URLSearchParams({ folder })}`);
    await page.locator('.monaco-workbench .statusbar').waitFor({ timeout: 60_000 });
  };
  return {
    async 'restricted mode'() {
      await go(folders.shop);
      await icon(status, 'warning').waitFor();
      await palette(page, 'Alembic Roundtrip');
      await entry(page, 'Restart Server').waitFor();
      await entry(page, 'Test All Revisions').waitFor({ state: 'detached' });
      await page.keyboard.press('Escape');
      await status.click();
      await toast('it is not run before the workspace is trusted').waitFor();
    },
    async 'trusted workspace'() {
      await toast('trusted').getByRole('button', { name: 'Manage Workspace Trust' }).click();
      await trust(page);
      await icon(status, 'check').waitFor();
    },
    async squiggle() {
      await openFile(page, NICKNAMES);
      await page.locator('.view-overlays [class*="squiggly-"]').first().waitFor();
    },
    async palette() {
      await palette(page, 'Alembic Roundtrip');
      await entry(page, 'Test Rollback of This Revision').waitFor();
    },
    async 'round trip under way'() {
      await entry(page, 'Test Rollback of This Revision').click();
      await toast(/round trip|rehears/i).waitFor();
    },
    async result() {
      await toast('Show details').waitFor();
    },
    async lens() {
      await page.locator('.codelens-decoration', { hasText: /round trip: (?!never)/ }).waitFor();
    },
    async details() {
      await toast('Show details').getByRole('button', { name: 'Show details' }).click();
      await page.locator('.tab.active', { hasText: 'Round trip' }).waitFor();
    },
    async 'nothing installed'() {
      await go(folders.bare);
      await toast('alembic-roundtrip is not installed in').waitFor();
      await icon(status, 'warning').waitFor();
    },
    async 'told once'() {
      await page.reload();
      await icon(status, 'warning').waitFor({ timeout: 60_000 });
      await toast('is not installed').waitFor({ state: 'detached' });
    },
    async 'told on request'() {
      await command(page, 'Workspaces: Manage Workspace Trust');
      await trust(page);
      await page
        .locator('.statusbar-item', { hasText: 'Restricted' })
        .waitFor({ state: 'detached' });
      await command(page, 'Alembic Roundtrip: Test All Revisions');
      await toast('is not installed').getByRole('button', { name: 'Install' }).waitFor();
    },
    async 'server that cannot start'() {
      const program = "raise ModuleNotFoundError('No module named pygls')";
      const settings = { 'alembicRoundtrip.serverCommand': ['python3', '-c', program] };
      mkdirSync(join(folders.bare, '.vscode'));
      writeFileSync(join(folders.bare, '.vscode', 'settings.json'), JSON.stringify(settings));
      await icon(status, 'error').waitFor();
      await page.keyboard.press('Escape'); // the page about trust is still open
      await command(page, 'Alembic Roundtrip: Test All Revisions');
      await toast('No module named pygls').getByRole('button', { name: 'Show Log' }).waitFor();
      await toast('connection').waitFor({ state: 'detached' });
    },
  };
}

async function trust(page: Page): Promise<void> {
  const editor = page.locator('.workspace-trust-editor');
  await editor.getByRole('button', { name: 'Trust', exact: true }).click();
}

function icon(item: Locator, name: string): Locator {
  return item.locator(`.codicon-${name}`).first();
}

function entry(page: Page, text: string): Locator {
  return page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
}

async function quick(page: Page, key: string, text: string): Promise<void> {
  const input = page.locator('.quick-input-widget input').first();
  // A window that is just opening a dialog or an editor swallows a key, or closes the input again.
  for (let tries = 0; tries < 5; tries++) {
    await page.keyboard.press(key);
    const filled = input.fill(text, { timeout: 3000 });
    if (await filled.then(() => true).catch(() => false)) return;
  }
  throw new Error(`${key} opened no input in ${page.url()}`);
}

const palette = (page: Page, text: string) => quick(page, 'F1', `>${text}`);

async function command(page: Page, title: string): Promise<void> {
  await palette(page, title);
  await entry(page, title).click();
}

async function openFile(page: Page, name: string): Promise<void> {
  await quick(page, 'Control+P', name);
  await entry(page, name).click();
  await page.locator('.tab.active', { hasText: name }).waitFor();
}
