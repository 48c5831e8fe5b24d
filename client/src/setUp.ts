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
import type { Asked } from './python.ts';
import { SECTION } from './settings.ts';

const INSTALL = 'Install';
const SELECT = 'Select Interpreter';
const SETTINGS = 'Open Settings';

/** Says what is missing and offers the next step. */
export class SetUp {
  private python: string | undefined;
  private text = 'The language server is not running';

  constructor(
    private readonly memory: Memento,
    private readonly installed: () => void,
  ) {}

  /** Takes note of the interpreters that could not run the server, and says so in one sentence. */
  missing(asked: readonly Asked[]): string {
    const lacking = asked.find(({ answer }) => answer.kind === 'missing');
    const broken = asked.find(({ answer }) => answer.kind === 'broken');
    this.python = lacking?.interpreter.path;
    this.text = sentence(lacking, broken);
    return this.text;
  }

  /** Tells the user, unless they were told the same in this workspace. */
  async explainOnce(): Promise<void> {
    if (this.memory.get('told') === this.text) return;
    await this.memory.update('told', this.text);
    await this.explain();
  }

  /** Tells the user, who asked. */
  async explain(): Promise<void> {
    const install = this.python && workspace.isTrusted ? [INSTALL] : [];
    const select = extensions.getExtension('ms-python.python') ? [SELECT] : [];
    const chosen = await window.showWarningMessage(this.text, ...install, ...select, SETTINGS);
    if (chosen === INSTALL && this.python) await this.install(this.python);
    if (chosen === SELECT) await commands.executeCommand('python.setInterpreter');
    if (chosen === SETTINGS)
      await commands.executeCommand('workbench.action.openSettings', `${SECTION}.python`);
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

function sentence(lacking: Asked | undefined, broken: Asked | undefined): string {
  if (lacking) {
    const { path, source } = lacking.interpreter;
    return `alembic-roundtrip is not installed in ${path} (${source}): run \`${path} -m pip install alembic-roundtrip\` or choose another interpreter`;
  }
  if (broken?.answer.kind === 'broken') {
    const { path, source } = broken.interpreter;
    return `The language server cannot run in ${path} (${source}): ${broken.answer.reason}`;
  }
  return `No Python was found for the language server: set ${SECTION}.python to one that has alembic-roundtrip`;
}
