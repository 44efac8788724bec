// The bundled extension, activated with a stand-in for the editor: it starts the real server and tells its state.
import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const binary = process.env.HITRATE_BINARY ?? join(here, '../../../target/debug/hitrate');

/** Everything that was not thought of: a class, an event, a function that gives something to dispose of. */
function anything(name) {
  const target = class {
    dispose() {}
  };
  return new Proxy(target, {
    get: (of, key) => {
      if (key in of || typeof key === 'symbol') return of[key];
      return /^[A-Z]/.test(key) ? (of[key] = anything(key)) : (of[key] = anything(`${name}.${key}`));
    },
    apply: () => ({ dispose() {} }),
    construct: () => new target(),
  });
}

/** What `vscode` is for the extension, and what it did with it. */
function editor(folder, values) {
  const seen = { commands: {}, errors: [], log: [], changed: [] };
  const disposable = { dispose() {} };
  const log = new Proxy({}, { get: (_, key) => (...args) => void seen.log.push([key, ...args]) });
  const uri = { fsPath: folder, scheme: 'file', path: folder, toString: () => pathToFileURL(folder).href };
  seen.item = { dispose() {} };
  const section = { ...values, get: (name, fallback) => values[name] ?? fallback };
  const over = {
    window: {
      createOutputChannel: () => log,
      showErrorMessage: async (message) => void seen.errors.push(message),
      tabGroups: { all: [], onDidChangeTabs: () => disposable, onDidChangeTabGroups: () => disposable },
      visibleTextEditors: [],
    },
    languages: { createLanguageStatusItem: () => seen.item, match: () => 0 },
    commands: { registerCommand: (name, run) => ((seen.commands[name] = run), disposable) },
    workspace: {
      workspaceFolders: [{ uri, name: 'folder', index: 0 }],
      textDocuments: [],
      notebookDocuments: [],
      getConfiguration: () => section,
      onDidChangeConfiguration: (listener) => (seen.changed.push(listener), disposable),
    },
    EventEmitter: class {
      listeners = new Set();
      event = (listener) => (this.listeners.add(listener), { dispose: () => void this.listeners.delete(listener) });
      fire(value) {
        for (const listener of this.listeners) listener(value);
      }
      dispose() {}
    },
    CancellationTokenSource: class {
      token = { isCancellationRequested: false, onCancellationRequested: () => disposable };
      cancel() {}
      dispose() {}
    },
    // Every kind is one to which more can be appended.
    CodeActionKind: new Proxy({ append: () => over.CodeActionKind.Empty }, { get: (of, key) => of[key] ?? of }),
    env: { appName: 'test', language: 'en' },
    version: '1.95.0',
    LanguageStatusSeverity: { Information: 0, Warning: 1, Error: 2 },
  };
  const everything = anything('vscode');
  const or = (known, other) => new Proxy(known, { get: (of, key) => (key in of ? of[key] : other[key]) });
  for (const name of ['window', 'languages', 'commands', 'workspace', 'env']) over[name] = or(over[name], everything[name]);
  return { vscode: or(over, everything), seen };
}

async function activated(values, then) {
  const folder = mkdtempSync(join(tmpdir(), 'hitrate-'));
  mkdirSync(join(folder, '.git'));
  const { vscode, seen } = editor(folder, values);
  const load = Module._load;
  Module._load = (request, ...rest) => (request === 'vscode' ? vscode : load(request, ...rest));
  try {
    const require = createRequire(import.meta.url);
    const path = require.resolve('../dist/extension.js');
    delete require.cache[path];
    const extension = require(path);
    await extension.activate({ subscriptions: [] });
    await then(seen);
    const ran = /^version/.test(seen.item.detail);
    await extension.deactivate();
    if (ran) assert.equal(seen.item.detail, 'stopped');
  } finally {
    Module._load = load;
    rmSync(folder, { recursive: true, force: true });
  }
}

test('the server runs and says its version', { timeout: 60_000 }, () =>
  activated({ enable: true, path: binary }, async ({ item, errors, commands }) => {
    assert.deepEqual(errors, []);
    assert.match(item.detail, /^version \d+\.\d+\.\d+$/);
    assert.equal(item.severity, 0);
    await commands['hitrate.restart']();
    assert.match(item.detail, /^version /);
  }),
);

test('a program that is missing is told', { timeout: 60_000 }, () =>
  activated({ enable: true, path: '/nowhere/hitrate' }, async ({ item, errors }) => {
    assert.equal(errors.length, 1);
    assert.match(errors[0], /\/nowhere\/hitrate does not start/);
    assert.equal(item.severity, 2);
  }),
);

test('nothing is started where it is switched off', () =>
  activated({ enable: false, path: '/nowhere/hitrate' }, async ({ item, errors }) => {
    assert.deepEqual(errors, []);
    assert.equal(item.detail, 'stopped');
  }),
);
