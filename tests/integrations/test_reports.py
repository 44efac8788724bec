"""Every format that has a schema or a grammar, held to it: many findings, none, and files that cannot be read."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import jsonschema
from lxml import etree
from markdown_it import MarkdownIt

from common import CLEAN, ROOT, WORK, Folder, hitrate, run

SERDE_SARIF = "0.8.0"
PYTEST = "9.0.1"


def sarif_schema():
    """The schema of OASIS, which the crate `serde-sarif` carries; `cargo info` downloads crates."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    name = f"registry/src/*/serde-sarif-{SERDE_SARIF}/src/schema.json"
    if not list(home.glob(name)):
        run("cargo", "info", "--color=never", f"serde-sarif@{SERDE_SARIF}", cwd="/")
    return json.loads(next(home.glob(name)).read_text())


def junit_schema():
    """Jenkins' `junit-10.xsd`, which is among the sources of pytest."""
    sources = WORK / f"pytest-{PYTEST}.tar.gz"
    if not sources.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:"]
        subprocess.run([*pip, "--dest", WORK, f"pytest=={PYTEST}"], check=True)
    with tarfile.open(sources) as archive:
        file = archive.extractfile(f"pytest-{PYTEST}/testing/example_scripts/junit-10.xsd")
        return etree.XMLSchema(etree.parse(file))


class Formats(Folder):
    def setUp(self):
        super().setUp()
        self.write("clean/Dockerfile", CLEAN)
        self.write("odd/a, b:c%#/Dockerfile", "FROM alpine # 𝄞 | <b>\r\nRUN chmod +x 'é|`' && \\\r\n  apk add curl\r\n")
        self.write("odd/bytes/Dockerfile", b"FROM \xff\n")
        self.write("odd/.github/workflows/ci.yml", "jobs: {a: {steps: [{uses: docker/build-push-action@v6}]}}\n")

    def outputs(self, *args):
        """The runs that have everything in them, and the one that has nothing."""
        for paths in (["examples"], ["fixtures"]):
            yield hitrate("check", "--select=all", *args, *paths, cwd=ROOT)
        yield hitrate("check", "--select=all", *args, "odd", cwd=self.folder)
        yield hitrate("check", *args, "clean", cwd=self.folder, code=0)

    def hold(self, schema, documents, check=jsonschema.Draft202012Validator):
        check.check_schema(schema)
        validator = check(schema, format_checker=check.FORMAT_CHECKER)
        for document in documents:
            errors = list(validator.iter_errors(document))
            self.assertFalse(errors, errors[:1])

    def test_json(self):
        schema = json.loads((ROOT / "docs/check.schema.json").read_text())
        documents = [json.loads(output) for output in self.outputs("--format=json")]
        self.hold(schema, documents)
        self.assertGreater(len(documents[1]["findings"]), 20)
        self.assertEqual([error["path"] for error in documents[2]["errors"]], ["odd/bytes/Dockerfile"])
        # Nothing is there that the schema does not tell of.
        for document in documents:
            self.assertEqual(set(document), set(schema["properties"]))
            for finding in document["findings"]:
                self.assertEqual(set(finding), set(schema["$defs"]["finding"]["properties"]))

    def test_jsonl(self):
        schema = json.loads((ROOT / "docs/check.schema.json").read_text())
        errors = {"properties": {"error": schema["$defs"]["error"]}, "required": ["error"], "additionalProperties": False}
        lines = {"$defs": schema["$defs"], "anyOf": [{"$ref": "#/$defs/finding"}, errors]}
        for output in self.outputs("--format=jsonl"):
            self.hold(lines, map(json.loads, output.splitlines()))

    def test_sarif(self):
        schema = sarif_schema()
        self.assertEqual(schema["properties"]["version"]["enum"], ["2.1.0"])
        documents = [json.loads(output) for output in self.outputs("--format=sarif")]
        self.hold(schema, documents, jsonschema.validators.validator_for(schema))
        for document in documents:
            [sarif] = document["runs"]
            rules = sarif["tool"]["driver"]["rules"]
            for rule in rules:
                self.assertTrue(rule["help"]["markdown"].startswith("# " + rule["id"]))
            prints = [result["partialFingerprints"]["hitrate/v1"] for result in sarif["results"]]
            self.assertEqual(len(prints), len(set(prints)))
            for result in sarif["results"]:
                self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
        [shop] = documents[0]["runs"]
        self.assertTrue(any("relatedLocations" in result for result in shop["results"]))
        self.assertTrue(any("fixes" in result for result in shop["results"]))

    def test_gitlab(self):
        schema = json.loads((ROOT / "tests/integrations/schemas/gitlab.json").read_text())
        for output in self.outputs("--format=gitlab"):
            issues = json.loads(output)
            self.hold(schema, [issues])
            prints = [issue["fingerprint"] for issue in issues]
            self.assertEqual(len(prints), len(set(prints)))

    def test_rdjson(self):
        schema = json.loads((ROOT / "tests/integrations/schemas/rdjson.json").read_text())
        self.hold(schema, map(json.loads, self.outputs("--format=rdjson")))

    def test_junit(self):
        schema = junit_schema()
        for output in self.outputs("--format=junit"):
            document = etree.fromstring(output.encode())
            schema.assertValid(document)
            for name, path in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error")):
                total = 0
                for suite in document:
                    self.assertEqual(int(suite.get(name)), len(suite.findall(path)))
                    total += int(suite.get(name))
                self.assertEqual(int(document.get(name)), total)

    def test_markdown(self):
        findings = [json.loads(output)["findings"] for output in self.outputs("--format=json")]
        for output, expected in zip(self.outputs("--format=markdown"), findings):
            tokens = MarkdownIt("commonmark", {"html": False}).enable("table").parse(output)
            kinds = [token.type for token in tokens]
            self.assertEqual(kinds.count("table_open"), 1 if expected else 0)
            self.assertEqual(kinds.count("td_open"), 4 * len(expected))
            rules = [child.attrs["href"] for token in tokens for child in token.children or [] if child.type == "link_open"]
            self.assertEqual(rules, [finding["url"] for finding in expected])
