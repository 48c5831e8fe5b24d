/** What to do where no interpreter can run the server. */
import {
  commands,
  extensions,
  type Memento,
  ProcessExecution,
  Task,
  TaskScope,
  tasks,
  window,
  workspace,
} from 'vscode';
import type { Search } from './python.ts';
import { SECTION } from './settings.ts';

const INSTALL = 'Install';
const SELECT = 'Select Interpreter';
const SETTINGS = 'Open Settings';
const LOG = 'Show Log';
const TRUST = 'Manage Workspace Trust';

/** Says what is missing and offers the next step. */
export class SetUp {
  private python: string | undefined;
  private withheld = false;
  private started = false;
  private text = 'The language server is not running';

  constructor(
    private readonly memory: Memento,
    private readonly installed: () => void,
  ) {}

  /** Takes note of why a server that was found does not run, and says so in one sentence. */
  failed(why: string): string {
    this.started = true;
    this.text = `The language server is not running: ${why}`;
    return this.text;
  }

  /** Takes note of the interpreters that could not run the server, and says so in one sentence. */
  missing(search: Search): string {
    const lacking = search.asked.find(({ answer }) => answer.kind === 'missing');
    this.started = false;
    this.withheld = search.withheld.length > 0;
    this.python = lacking?.interpreter.path;
    this.text = sentence(search);
    return this.text;
  }

  /** Tells the user, unless they were told the same in this workspace. */
  async explainOnce(): Promise<void> {
    // The editor has its own banner that asks for trust.
    if (this.withheld && !this.started) return;
    if (this.memory.get('told') === this.text) return;
    await this.memory.update('told', this.text);
    await this.explain();
  }

  /** Tells the user, who asked. */
  async explain(): Promise<void> {
    const chosen = await window.showWarningMessage(this.text, ...this.buttons());
    if (chosen === INSTALL && this.python) await this.install(this.python);
    if (chosen === SELECT) await commands.executeCommand('python.setInterpreter');
    if (chosen === LOG) await commands.executeCommand(`${SECTION}.showLog`);
    if (chosen === TRUST) await commands.executeCommand('workbench.trust.manage');
    if (chosen === SETTINGS)
      await commands.executeCommand('workbench.action.openSettings', `${SECTION}.python`);
  }

  private buttons(): string[] {
    if (this.started) return [LOG, SETTINGS];
    if (this.withheld) return [TRUST];
    const install = this.python && workspace.isTrusted ? [INSTALL] : [];
    const select = extensions.getExtension('ms-python.python') ? [SELECT] : [];
    return [...install, ...select, SETTINGS];
  }

  private async install(python: string): Promise<void> {
    const execution = new ProcessExecution(python, ['-m', 'pip', 'install', 'alembic-roundtrip']);
    const definition = { type: 'process' };
    const task = new Task(definition, TaskScope.Workspace, 'pip install', SECTION, execution);
    const running = await tasks.executeTask(task);
    const end = tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
      if (execution !== running) return;
      end.dispose();
      if (exitCode === 0) this.installed();
    });
  }
}

function sentence({ asked, withheld }: Search): string {
  const [mine] = withheld;
  if (mine)
    return `${mine.path} is in the workspace: it is not run before the workspace is trusted`;
  const lacking = asked.find(({ answer }) => answer.kind === 'missing');
  if (lacking) {
    const { path, source } = lacking.interpreter;
    return `alembic-roundtrip is not installed in ${path} (${source}): run \`${path} -m pip install alembic-roundtrip\` or choose another interpreter`;
  }
  const [broken] = asked;
  if (broken?.answer.kind === 'broken') {
    const { path, source } = broken.interpreter;
    return `The language server cannot run in ${path} (${source}): ${broken.answer.reason}`;
  }
  return `No Python was found for the language server: set ${SECTION}.python to one that has alembic-roundtrip`;
}
