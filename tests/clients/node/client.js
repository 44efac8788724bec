// A client built on the protocol's reference implementation, that of VS Code: opens the Dockerfile of the working
// directory, asks for what an editor shows, applies a code action, types, and asks again. Prints what happens; ends with an
// error if it does not. HITRATE names the program.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import {
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
  DefinitionRequest,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DocumentDiagnosticRequest,
  DocumentSymbolRequest,
  ExitNotification,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  TextDocument,
  createProtocolConnection,
} from "vscode-languageserver-protocol/node";

const say = (line = "") => process.stdout.write(`${line}\n`);
const fail = (what) => {
  process.stderr.write(`node client: ${what}\n`);
  process.exit(1);
};
setTimeout(() => fail("it takes too long"), 240_000).unref();

const server = spawn(process.env.HITRATE, ["lsp"], { stdio: ["pipe", "pipe", "inherit"] });
const ended = new Promise((resolve) => server.on("exit", resolve));
const connection = createProtocolConnection(
  new StreamMessageReader(server.stdout),
  new StreamMessageWriter(server.stdin),
);
connection.listen();

const root = pathToFileURL(process.cwd()).href;
const uri = `${root}/Dockerfile`;
const { capabilities, serverInfo } = await connection.sendRequest(InitializeRequest.type, {
  processId: process.pid,
  rootUri: root,
  workspaceFolders: [{ uri: root, name: "project" }],
  capabilities: {
    general: { positionEncodings: ["utf-16"] },
    textDocument: {
      diagnostic: { relatedInformation: true },
      hover: { contentFormat: ["markdown"] },
      documentSymbol: { hierarchicalDocumentSymbolSupport: true },
      codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ["quickfix", "source.fixAll"] } } },
    },
    workspace: { workspaceEdit: { documentChanges: true } },
  },
});
await connection.sendNotification(InitializedNotification.type, {});
say(`initialized: ${serverInfo.name}, columns in ${capabilities.positionEncoding}`);

let document = TextDocument.create(uri, "dockerfile", 1, readFileSync("Dockerfile", "utf8"));
const textDocument = { uri };
await connection.sendNotification(DidOpenTextDocumentNotification.type, {
  textDocument: { uri, languageId: "dockerfile", version: 1, text: document.getText() },
});

const diagnostics = async () => {
  const report = await connection.sendRequest(DocumentDiagnosticRequest.type, { textDocument });
  if (report.kind !== "full") fail("the diagnostics are not all there");
  say(`diagnostics: ${report.items.length}`);
  for (const { range, code, message } of report.items) {
    say(`  ${range.start.line + 1}:${range.start.character + 1} ${code}: ${message.split("\n")[0]}`);
  }
  return report.items;
};
const positionOf = (needle) => document.positionAt(document.getText().indexOf(needle));
const before = await diagnostics();

const symbols = await connection.sendRequest(DocumentSymbolRequest.type, { textDocument });
say(`outline: ${symbols.map(({ name, children }) => `${name} (${children.length})`).join(", ")}`);
const hover = await connection.sendRequest(HoverRequest.type, { textDocument, position: positionOf("web\n") });
say(`hover over \`web\`: ${hover.contents.value.split("\n")[0]}`);
const definition = await connection.sendRequest(DefinitionRequest.type, {
  textDocument,
  position: positionOf("web /src"),
});
say(`definition of \`web\`: line ${definition.range.start.line + 1}`);
const lenses = await connection.sendRequest(CodeLensRequest.type, { textDocument });
say("code lenses:");
for (const { range, command } of lenses) say(`  ${range.start.line + 1}: ${command.title}`);

const position = positionOf("npm ci");
const actions = await connection.sendRequest(CodeActionRequest.type, {
  textDocument,
  range: { start: position, end: position },
  context: { diagnostics: [], only: ["quickfix", "source.fixAll"] },
});
say("actions at `npm ci`:");
for (const { title, kind } of actions) say(`  ${kind}: ${title}`);

// As an editor does it: the text changes, and the server is told how.
const change = async (edits) => {
  const contentChanges = [...edits]
    .sort((a, b) => document.offsetAt(b.range.start) - document.offsetAt(a.range.start))
    .map(({ range, newText }) => ({ range, text: newText }));
  const version = document.version + 1;
  document = TextDocument.create(uri, "dockerfile", version, TextDocument.applyEdits(document, edits));
  await connection.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version },
    contentChanges,
  });
};
const fixes = actions.filter(({ kind }) => kind.startsWith("quickfix"));
const [{ edit, title }] = fixes;
await change(edit.documentChanges[0].edits);
say(`applied "${title}":`);
say(`  ${document.getText().split("\n")[position.line]}`);
const after = await diagnostics();
if (after.length !== before.length - 1) fail("the fix mends nothing");

const end = positionOf("target=/root/.npm npm");
end.character += "target=/root/.npm".length;
await change([{ range: { start: end, end }, newText: ",sharing=" }]);
const offered = await connection.sendRequest(CompletionRequest.type, {
  textDocument,
  position: { line: end.line, character: end.character + ",sharing=".length },
});
say(`offered behind \`sharing=\`: ${(offered.items ?? offered).map(({ label }) => label).join(", ")}`);

await connection.sendRequest(ShutdownRequest.type);
await connection.sendNotification(ExitNotification.type);
say(`the server has ended with ${await ended}`);
process.exit(0);
