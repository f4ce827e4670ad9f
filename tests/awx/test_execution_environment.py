# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as AWX gets it: built, in an image's build context, and in a clean environment. It takes a minute.

If these break, the image cannot be built, or jobs fail in it that run in a checkout.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tests" / "unit"))

import pages  # the path above is what makes it importable

PLAYBOOKS = sorted(path.stem for path in (CHECKOUT / "playbooks").glob("*.yml") if path.stem != "incident")


def run(*argv, folder, **environment):
    done = subprocess.run(
        argv,
        cwd=folder,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    print(done.stdout, done.stderr)
    return done


@pytest.fixture(scope="module")
def tarball(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    assert run("ansible-galaxy", "collection", "build", "--output-path", str(folder), folder=CHECKOUT).returncode == 0
    return next(folder.glob("aurora-runbook-*.tar.gz"))


@pytest.fixture(scope="module")
def clean(tarball, tmp_path_factory):
    """An environment with the collection, ansible-core and what the collection says it needs, and nothing else."""
    venv = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    asked, exact = CHECKOUT / "meta" / "ee-requirements.txt", CHECKOUT / "tests" / "constraints.txt"
    needs = ["ansible-core", "--requirement", str(asked), "--constraint", str(exact)]
    assert run(str(venv / "bin" / "pip"), "install", "--quiet", *needs, folder=venv).returncode == 0
    tools = {"PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}", "ANSIBLE_COLLECTIONS_PATH": str(venv)}
    installed = run("ansible-galaxy", "collection", "install", str(tarball), "-p", str(venv), folder=venv, **tools)
    assert installed.returncode == 0
    host = {"ansible_connection": "local"}
    (venv / "hosts.json").write_text(json.dumps({"aurora": {"hosts": {"a0": host}}}), encoding="utf-8")

    def play(name, *more):
        return run("ansible-playbook", f"aurora.runbook.{name}", "-i", "hosts.json", *more, folder=venv, **tools)

    return play


@pytest.fixture(scope="module")
def carried(tarball, tmp_path_factory):
    """What the tarball holds, unpacked."""
    folder = tmp_path_factory.mktemp("carried")
    with tarfile.open(tarball) as built:
        built.extractall(folder, filter="data")
    return folder


CARRIED = {
    *("FILES.json", "MANIFEST.json"),  # ansible-galaxy adds these
    *("README.md", "LICENSE", "SECURITY.md", "CHANGELOG.rst", "changelogs/changelog.yaml", "docs"),
    *("plugins", "roles", "playbooks", "meta", "extensions/eda"),
    *("inventory/production.example", "execution-environment.yml"),  # to be copied
    ".config/ansible-lint.yml",  # Galaxy reads it when it checks the collection
}


def test_the_collection_carries_what_its_users_need_and_nothing_else(carried):
    parents = {path.rpartition("/")[0] for path in CARRIED}
    found = {path for parent in parents for path in (carried / parent).iterdir() if path.name not in parents}
    assert {str(path.relative_to(carried)) for path in found} == CARRIED
    assert [path.name for path in carried.rglob("*") if path.name.startswith((".", "__pycache__"))] == [".config"]


def test_what_the_collection_carries_of_a_folder_is_all_that_git_has_of_it(carried):
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *CARRIED]
    tracked = subprocess.run(listed, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split("\0")
    unpacked = {str(path.relative_to(carried)) for path in carried.rglob("*") if path.is_file()}
    assert unpacked - {"FILES.json", "MANIFEST.json"} == set(filter(None, tracked))


def test_every_link_of_its_documentation_leads_to_what_it_carries(carried):
    assert (carried / "README.md").exists()
    broken = {page.relative_to(carried): pages.broken(page, carried) for page in carried.rglob("*.md")}
    assert {page: links for page, links in broken.items() if links} == {}


def test_ansible_builder_makes_the_context_of_the_image(tarball, tmp_path):
    shutil.copy(CHECKOUT / "execution-environment.yml", tmp_path)
    shutil.copy(tarball, tmp_path)
    assert run("ansible-builder", "create", folder=tmp_path).returncode == 0
    context = tmp_path / "context"
    wanted = (context / "_build" / "requirements.yml").read_text(encoding="utf-8")
    assert f"collections/{tarball.name}" in wanted
    assert (context / "_build" / "collections" / tarball.name).exists()
    assert "ansible-core>=2.16" in (context / "Containerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_playbook_is_read_there(playbook, clean):
    alert = {"labels": {"alertname": "CircuitBreakerOpen", "instance": "a0"}, "status": "resolved"}
    assert clean(playbook, "--syntax-check", "-e", json.dumps({"aurora_alert": alert})).returncode == 0


def test_a_playbook_runs_there(clean):
    done = clean("propose", "-e", "aurora_incident=circuit_breaker", "-e", "ansible_become=false")
    assert "no step of circuit_breaker waits" in done.stdout + done.stderr


def test_without_awx_awx_the_role_says_what_to_install(clean):
    done = clean("awx", "-e", "aurora_awx_scm_url=x", "-e", "aurora_awx_image=x")
    assert done.returncode == 2
    assert "ansible-galaxy collection install awx.awx" in done.stdout + done.stderr


def test_the_role_says_what_is_to_be_set_first(clean):
    done = clean("awx")
    assert done.returncode == 2
    assert "set aurora_awx_scm_url" in done.stdout + done.stderr
