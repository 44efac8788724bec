import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { LanguageClient, State, type LanguageClientOptions } from 'vscode-languageclient/node';
import { documents, serverCommand, status, type Settings, type Status } from './server';

let client: LanguageClient | undefined;
let item: vscode.LanguageStatusItem;
let log: vscode.LogOutputChannel;
/** Starts and stops happen one after the other. */
let queue: Promise<void> = Promise.resolve();

export function activate(context: vscode.ExtensionContext): Promise<void> {
  log = vscode.window.createOutputChannel('hitrate', { log: true });
  item = vscode.languages.createLanguageStatusItem('hitrate', documents);
  item.name = 'hitrate';
  item.command = { command: 'hitrate.showLog', title: 'Show the log' };
  context.subscriptions.push(
    log,
    item,
    vscode.commands.registerCommand('hitrate.restart', restart),
    vscode.commands.registerCommand('hitrate.showLog', () => log.show()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      // The server asks for the other settings itself.
      if (event.affectsConfiguration('hitrate.path') || event.affectsConfiguration('hitrate.enable')) void restart();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
  );
  return restart();
}

export async function deactivate(): Promise<void> {
  await (queue = queue.then(stop));
}

function restart(): Promise<void> {
  return (queue = queue.then(stop).then(start));
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  if (running) {
    await running.dispose().catch((error: unknown) => log.error(String(error)));
    show(status('stopped'));
  }
}

async function start(): Promise<void> {
  const section = vscode.workspace.getConfiguration('hitrate');
  const settings: Settings = { enable: section.get('enable', true), path: section.get('path', 'hitrate') };
  if (!settings.enable) {
    show(status('stopped'));
    return;
  }
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const command = serverCommand(settings, folder);
  const options: LanguageClientOptions = {
    documentSelector: documents,
    initializationOptions: section,
    synchronize: { configurationSection: 'hitrate' },
    outputChannel: log,
    traceOutputChannel: log,
  };
  show(status('starting'));
  log.info(`${command.command} ${command.args.join(' ')}`);
  const started = new LanguageClient('hitrate', 'hitrate', { ...command, options: { cwd: folder } }, options);
  started.onDidChangeState(({ newState }) => {
    if (started !== client) return;
    if (newState === State.Running) show(status('running', started.initializeResult?.serverInfo?.version));
    if (newState === State.Stopped) show(status({ failed: 'the server stopped; the log says why' }));
  });
  try {
    // The client's own message would not name the program.
    await promisify(execFile)(command.command, ['--version'], { timeout: 10_000 });
    client = started;
    await started.start();
  } catch (error) {
    client = undefined;
    const message = `${command.command} does not start: ${error instanceof Error ? error.message : String(error)}`;
    log.error(message);
    show(status({ failed: message }));
    // Nobody waits for what the user does with it.
    void vscode.window.showErrorMessage(`hitrate: ${message}`, 'Settings', 'Log').then((choice) => {
      if (choice === 'Settings') void vscode.commands.executeCommand('workbench.action.openSettings', 'hitrate.path');
      if (choice === 'Log') log.show();
    });
  }
}

function show({ text, detail, severity }: Status): void {
  item.text = text;
  item.detail = detail;
  item.severity =
    severity === 'error' ? vscode.LanguageStatusSeverity.Error : vscode.LanguageStatusSeverity.Information;
  item.busy = detail === 'starting';
}
