// The extension's own decisions, and the server that they start, driven over its real connection.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { documents, serverCommand, status } from '../dist/server.mjs';

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));
const manifest = JSON.parse(readFileSync(join(here, '../package.json'), 'utf8'));
const settings = manifest.contributes.configuration.properties;
const binary = process.env.HITRATE_BINARY ?? join(here, '../../../target/debug/hitrate');

test('the program is found as the setting says', () => {
  const at = (path, folder) => serverCommand({ enable: true, path }, folder, '/home/me').command;
  assert.equal(at('hitrate', '/work'), 'hitrate');
  assert.equal(at('  ', undefined), 'hitrate');
  assert.equal(at('/opt/hitrate', '/work'), '/opt/hitrate');
  assert.equal(at('./bin/hitrate', '/work'), '/work/bin/hitrate');
  assert.equal(at('${workspaceFolder}/bin/hitrate', '/work'), '/work/bin/hitrate');
  assert.equal(at('~/bin/hitrate', '/work'), '/home/me/bin/hitrate');
});

test('the status tells what is', () => {
  assert.deepEqual(status('running', '0.1.0'), { text: 'hitrate', detail: 'version 0.1.0', severity: 'information' });
  assert.deepEqual(status({ failed: 'gone' }), { text: 'hitrate', detail: 'gone', severity: 'error' });
});

test('the settings that name rules take what hitrate takes', () => {
  for (const name of ['enable', 'path', 'select', 'ignore', 'configuration', 'codeLens', 'inlayHints', 'trace.server']) {
    assert.ok(settings[`hitrate.${name}`], `${name} is missing`);
  }
  assert.ok(documents.some(({ language }) => language === 'dockerfile'));
});

test('the version is that of hitrate', () => {
  const cargo = readFileSync(join(here, '../../../Cargo.toml'), 'utf8');
  assert.equal(manifest.version, /^version = "(.+)"$/m.exec(cargo)[1]);
});

// The library that the editor's client is built on, with the settings as the editor hands them over.
test('the server answers the client', { timeout: 60_000 }, async () => {
  const { createProtocolConnection, StreamMessageReader, StreamMessageWriter } = require('vscode-languageserver-protocol/node');
  const folder = mkdtempSync(join(tmpdir(), 'hitrate-'));
  try {
    mkdirSync(join(folder, '.git'));
    const uri = pathToFileURL(join(folder, 'Dockerfile')).href;
    const text = 'FROM alpine\nRUN apk add curl\n';
    writeFileSync(join(folder, 'Dockerfile'), text);
    const { command, args } = serverCommand({ enable: true, path: binary }, folder);
    const child = spawn(command, args, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    const connection = createProtocolConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    const section = Object.fromEntries(
      Object.entries(settings).map(([name, { default: value }]) => [name.slice('hitrate.'.length), value]),
    );
    section.select = ['mutable-base'];
    connection.onRequest('workspace/configuration', ({ items }) => items.map(() => section));
    connection.onRequest('client/registerCapability', () => null);
    const published = new Promise((resolve) => {
      connection.onNotification('textDocument/publishDiagnostics', (params) => {
        if (params.uri === uri && params.diagnostics.length > 0) resolve(params.diagnostics);
      });
    });
    connection.listen();
    const { capabilities, serverInfo } = await connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(folder).href,
      workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'folder' }],
      capabilities: { workspace: { configuration: true } },
      initializationOptions: section,
    });
    assert.equal(serverInfo.version, manifest.version);
    assert.ok(capabilities.codeActionProvider);
    await connection.sendNotification('initialized', {});
    await connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId: 'dockerfile', version: 1, text },
    });
    const diagnostics = await published;
    assert.deepEqual(diagnostics.map(({ code, source }) => [source, code]), [['hitrate', 'mutable-base']]);
    assert.deepEqual(diagnostics[0].range.start, { line: 0, character: 5 });
    await connection.sendRequest('shutdown');
    await connection.sendNotification('exit');
    assert.equal(await ended, 0);
    connection.dispose();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
