"""The files for pipelines and those in `docs/ci.md`, held to the schemas of the services that read them."""

import re
import unittest

import yaml

from common import ROOT, Folder, run

SERVICES = {
    ".github/workflows": "vendor.github-workflows",
    ".gitlab-ci.yml": "vendor.gitlab-ci",
    ".buildkite": "vendor.buildkite",
}


class Pipelines(Folder):
    def hold(self, schema, path):
        run("check-jsonschema", "--builtin-schema", schema, path)

    def test_action(self):
        self.hold("vendor.github-actions", ROOT / "action.yml")

    def test_component(self):
        text = (ROOT / "templates/hitrate/template.yml").read_text()
        spec, job = text.split("\n---\n")
        for name, settings in yaml.safe_load(spec)["spec"]["inputs"].items():
            job = job.replace(f"$[[ inputs.{name} ]]", settings["default"])
        self.write("job.yml", job)
        self.hold("vendor.gitlab-ci", self.folder / "job.yml")

    def test_snippets(self):
        blocks = re.findall(r"^```yaml\n(# (\S+)\n.*?)^```$", (ROOT / "docs/ci.md").read_text(), re.M | re.S)
        seen = set()
        for number, (text, path) in enumerate(blocks):
            file = f"{number}.yml"
            self.write(file, text)
            if path == ".pre-commit-config.yaml":
                run("pre-commit", "validate-config", self.folder / file)
                seen.add(path)
                continue
            [service] = [service for service in SERVICES if path.startswith(service)]
            self.hold(SERVICES[service], self.folder / file)
            seen.add(service)
        self.assertEqual(seen, {*SERVICES, ".pre-commit-config.yaml"})


if __name__ == "__main__":
    unittest.main()
