"""The packages: built, installed where nothing else is, and run."""

import json
import os
import platform
import shutil
import sys
import zipfile

from common import CLEAN, PROGRAM, ROOT, WARNING, WORK, Folder, run, version


class Wheel(Folder):
    def test_installed_into_a_virtual_environment(self):
        dist = self.folder / "dist"
        # The development profile, so that most of it is built already.
        env = {"CARGO_TARGET_DIR": str(ROOT / "target")}
        run("maturin", "build", "--quiet", "--locked", "--profile", "dev", "--strip", "--out", dist, env=env)
        [wheel] = dist.iterdir()
        self.assertTrue(wheel.name.startswith(f"hitrate-{version()}-py3-none-"), wheel.name)
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            self.assertTrue(any(name.endswith("licenses/LICENSE-MIT") for name in names), names)
            metadata = archive.read(f"hitrate-{version()}.dist-info/METADATA").decode()
        self.assertIn("License-Expression: MIT OR Apache-2.0", metadata)
        environment = self.folder / "environment"
        run(sys.executable, "-m", "venv", environment)
        run(environment / "bin/pip", "install", "--quiet", "--no-index", wheel)
        self.write("Dockerfile", WARNING)
        run("git", "init", "-q", cwd=self.folder)
        self.write("package.json", "{}")
        self.write("package-lock.json", "{}")
        self.assertIn("Dockerfile:4", run(environment / "bin/hitrate", "check", "Dockerfile", cwd=self.folder, code=1))


class Npm(Folder):
    def test_installed_from_packages(self):
        cpu = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
        name = {"linux": "linux", "darwin": "darwin"}[sys.platform]
        known = json.loads((ROOT / "packaging/npm/platforms.json").read_text())
        [target] = [target for target, at in known.items() if at == {"os": name, "cpu": cpu}]
        built, packed = self.folder / "built", self.folder / "packed"
        packed.mkdir()
        run("node", "packaging/npm/build.mjs", built, f"{target}={PROGRAM}")
        for package in sorted(built.iterdir()):
            run("npm", "pack", "--silent", "--pack-destination", packed, cwd=package)
        main = json.loads((built / "hitrate/package.json").read_text())
        self.assertEqual(main["version"], version())
        self.assertEqual(main["optionalDependencies"], {f"@hitrate/{name}-{cpu}": version()})
        project = self.folder / "project"
        project.mkdir()
        # npm takes the dependency from the file that is named beside, and asks no registry.
        (project / "package.json").write_text(json.dumps({"private": True}))
        options = ["--offline", "--no-audit", "--no-fund", "--silent"]
        tarballs = sorted(packed.iterdir())
        self.assertEqual(len(tarballs), 2)
        run("npm", "install", *options, *tarballs, cwd=project)
        command = project / "node_modules/.bin/hitrate"
        self.assertEqual(run(command, "--version", cwd=project), f"hitrate {version()}\n")
        self.write("bad/Dockerfile", WARNING)
        self.write("bad/package.json", "{}")
        self.write("bad/package-lock.json", "{}")
        self.assertIn("Dockerfile:4", run(command, "check", cwd=self.folder / "bad", code=1))
        # Without the platform's package it says so.
        shutil.rmtree(project / "node_modules/@hitrate")
        run(command, "--version", cwd=project, code=2)
        self.assertEqual(run(command, "--version", cwd=project, env={"HITRATE_BINARY": str(PROGRAM)}), f"hitrate {version()}\n")

    def test_what_is_no_platform(self):
        run("node", "packaging/npm/build.mjs", self.folder / "built", f"pdp-11={PROGRAM}", code=2)


class ManualPages(Folder):
    def test_groff_takes_them(self):
        if not shutil.which("groff"):
            self.skipTest("groff is missing")
        for command in ("", "check", "explain", "graph", "replay", "rule", "lsp"):
            page = run(PROGRAM, "man", *filter(None, [command]))
            self.write("page.1", page)
            errors = self.folder / "errors"
            shown = run("sh", "-c", f"groff -man -Tutf8 -wall page.1 2>{errors}", cwd=self.folder)
            self.assertEqual(errors.read_text(), "")
            self.assertIn("hitrate", shown)


class VsCode(Folder):
    """`.ci/integrations` has built it."""

    def test_package(self):
        with zipfile.ZipFile(ROOT / "editors/vscode/dist/hitrate.vsix") as archive:
            names = set(archive.namelist())
            manifest = json.loads(archive.read("extension/package.json"))
        wanted = {"package.json", "readme.md", "dist/extension.js", "LICENSE-MIT", "LICENSE-APACHE"}
        self.assertEqual({name for name in names if name.startswith("extension/")}, {f"extension/{name}" for name in wanted})
        self.assertEqual(manifest["version"], version())
        self.assertEqual(manifest["main"], "./dist/extension.js")

    def test_lock_file_names_no_registry(self):
        self.assertNotIn('"resolved"', (ROOT / "editors/vscode/package-lock.json").read_text())
