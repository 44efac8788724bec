// Makes the packages for npm: node packaging/npm/build.mjs OUTPUT TARGET=BINARY…
// writes OUTPUT/hitrate, which depends on one package of each platform that is built, and OUTPUT/OS-CPU with the
// program of it. The version is that in Cargo.toml.
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const [output, ...builds] = process.argv.slice(2);
if (!output || builds.length === 0) {
  console.error('usage: build.mjs OUTPUT TARGET=BINARY…');
  process.exit(2);
}

const version = /^version = "(.+)"$/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))[1];
const platforms = JSON.parse(readFileSync(join(here, 'platforms.json'), 'utf8'));
const main = { ...JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')), version, optionalDependencies: {} };
const { license, repository } = main;
const write = (directory, manifest) => {
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest, null, 2) + '\n');
  for (const file of ['LICENSE-MIT', 'LICENSE-APACHE']) copyFileSync(join(root, file), join(directory, file));
};

for (const build of builds) {
  const [target, binary] = build.split('=', 2);
  const platform = platforms[target];
  if (!platform || !binary) {
    console.error(`${build}: not TARGET=BINARY with one of ${Object.keys(platforms).join(', ')}`);
    process.exit(2);
  }
  const { os, cpu } = platform;
  const name = `@hitrate/${os}-${cpu}`;
  const program = os === 'win32' ? 'hitrate.exe' : 'hitrate';
  const directory = join(output, `${os}-${cpu}`);
  mkdirSync(directory, { recursive: true });
  copyFileSync(binary, join(directory, program));
  chmodSync(join(directory, program), 0o755);
  write(directory, {
    name,
    version,
    description: `hitrate for ${os} on ${cpu}`,
    license,
    repository,
    os: [os],
    cpu: [cpu],
    files: [program],
    preferUnplugged: true,
  });
  main.optionalDependencies[name] = version;
}

const directory = join(output, 'hitrate');
mkdirSync(directory, { recursive: true });
cpSync(join(here, 'bin'), join(directory, 'bin'), { recursive: true });
copyFileSync(join(root, 'README.md'), join(directory, 'README.md'));
write(directory, main);
