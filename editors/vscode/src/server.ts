// Which program is started, and for which files. Nothing here knows the editor, so that it can be tested without one.
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The settings that the extension itself needs; the others the server asks for. */
export interface Settings {
  enable: boolean;
  path: string;
}

/** A program and its arguments. */
export interface Command {
  command: string;
  args: string[];
}

/**
 * The server's command line. A path with a directory in it is relative to the first workspace folder; a bare name is
 * looked up on the `PATH`.
 */
export function serverCommand(settings: Settings, folder: string | undefined, home: string = homedir()): Command {
  let path = settings.path.trim() || 'hitrate';
  if (path.startsWith('~/')) path = join(home, path.slice(2));
  if (folder !== undefined) {
    path = path.replaceAll('${workspaceFolder}', folder);
    if (/[\\/]/.test(path) && !isAbsolute(path)) path = join(folder, path);
  }
  return { command: path, args: ['lsp'] };
}

/** The files that the server is told about when they are opened. */
export const documents: ({ language: string } | { scheme: string; pattern: string })[] = [
  { language: 'dockerfile' },
  { scheme: 'file', pattern: '**/{Dockerfile,Containerfile}{,.*}' },
  { scheme: 'file', pattern: '**/*.{Dockerfile,dockerfile,Containerfile}' },
  { scheme: 'file', pattern: '**/{.dockerignore,*.dockerignore,hitrate.toml}' },
  { scheme: 'file', pattern: '**/{docker-bake*.hcl,docker-bake*.json,*compose*.{yml,yaml}}' },
  { scheme: 'file', pattern: '**/.github/workflows/*.{yml,yaml}' },
  { scheme: 'file', pattern: '**/.github/actions/**/action.{yml,yaml}' },
  { scheme: 'file', pattern: '**/{.gitlab-ci,bitbucket-pipelines,azure-pipelines,cloudbuild,.drone}.{yml,yaml}' },
  { scheme: 'file', pattern: '**/.{buildkite,circleci}/*.{yml,yaml}' },
];

/** What the status item shows. */
export interface Status {
  text: string;
  detail: string;
  severity: 'information' | 'error';
}

/** The status while the server starts, runs, is stopped, or failed with a message. */
export function status(state: 'starting' | 'running' | 'stopped' | { failed: string }, version?: string): Status {
  if (typeof state === 'object') return { text: 'hitrate', detail: state.failed, severity: 'error' };
  const detail = { starting: 'starting', running: version ? `version ${version}` : 'running', stopped: 'stopped' }[state];
  return { text: 'hitrate', detail, severity: 'information' };
}
