"""The hooks, installed by pre-commit from a local repository."""

import os
import shutil

from common import CLEAN, PROGRAM, ROOT, WARNING, WORK, Folder, run

# A quick build: the hook's program is built as for use, without what makes that slow.
QUICK = {
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "256",
    "CARGO_TARGET_DIR": str(WORK / "pre-commit-target"),
}


class Hooks(Folder):
    def setUp(self):
        super().setUp()
        self.env = {
            "PRE_COMMIT_HOME": str(self.folder / "home"),
            "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}",
        }
        # The files as they are, whether committed or not.
        self.source = self.folder / "source"
        names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        for name in filter(None, names):
            target = self.source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_file():
                shutil.copy2(ROOT / name, target)
        self.commit(self.source)
        self.revision = run("git", "rev-parse", "HEAD", cwd=self.source).strip()

    def project(self, hook, files):
        project = self.folder / hook
        for path, text in files.items():
            self.write(f"{hook}/{path}", text)
        self.commit(project)
        config = f"repos:\n- repo: {self.source}\n  rev: {self.revision}\n  hooks:\n  - id: {hook}\n"
        self.write(f"{hook}/.pre-commit-config.yaml", config)
        return project

    def hook(self, project, code, *args, env=None):
        return run("pre-commit", "run", "--color=never", *args, cwd=project, code=code, env={**self.env, **(env or {})})

    def test_manifest(self):
        run("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")

    def test_program_on_the_path(self):
        files = {"Dockerfile": WARNING, "package.json": "{}", "package-lock.json": "{}", "main.js": ""}
        project = self.project("hitrate-system", files)
        self.assertIn("Dockerfile:4", self.hook(project, 1, "--all-files"))
        # Only what matters starts it.
        self.assertIn("Skipped", self.hook(project, 0, "--files", "main.js"))
        for path in (".github/workflows/a.yml", "Containerfile.dev", "b/.dockerignore", "compose.yaml", "x.Dockerfile"):
            self.write(f"hitrate-system/{path}", CLEAN if "ile" in path else "")
            self.assertIn("Failed", self.hook(project, 1, "--files", path), path)
        self.write("hitrate-system/Dockerfile", CLEAN)
        self.assertIn("Passed", self.hook(project, 0, "--all-files"))

    def test_program_that_is_built(self):
        project = self.project("hitrate", {"Dockerfile": CLEAN})
        env = {**QUICK, "PATH": os.environ["PATH"]}
        self.assertIn("Passed", self.hook(project, 0, "--all-files", env=env))
        self.write("hitrate/Dockerfile", WARNING)
        self.write("hitrate/package-lock.json", "{}")
        self.write("hitrate/package.json", "{}")
        self.assertIn("Dockerfile:4", self.hook(project, 1, "--all-files", env=env))
