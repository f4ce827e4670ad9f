# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of AWX's API as the modules of awx.awx need to set it up, and ansible-rulebook to launch a template.

It refuses what AWX refuses: a playbook that is not in the project, the surveys that AWX says 400 to, and what a launch
says unasked.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

ROOT = "/api/v2/"
ENCRYPTED = "$encrypted$"
TEMPLATES = ("job_templates", "workflow_job_templates")
ASKED = {
    "extra_vars": "ask_variables_on_launch",
    "limit": "ask_limit_on_launch",
    "inventory": "ask_inventory_on_launch",
    "labels": "ask_labels_on_launch",
}
SURVEY_TYPES = ("text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float")


class Awx:
    """What was made, by kind and number; ``linked`` is what was associated, ``surveys`` by URL."""

    def __init__(self, playbooks: Sequence[str]) -> None:
        self.playbooks = set(playbooks)
        self.made: dict[str, dict[int, dict]] = {}
        self.linked: dict[str, list[int]] = {}
        self.surveys: dict[str, dict] = {}
        self.changes: list[str] = []
        self.make("organizations", {"name": "Default"})
        self.make("credentials", {"name": "aurora hosts", "inputs": {}})

    def named(self, kind: str) -> dict[str, dict]:
        return {thing.get("name") or thing["identifier"]: thing for thing in self.made.get(kind, {}).values()}

    def make(self, kind: str, fields: dict) -> dict:
        number = sum(map(len, self.made.values())) + 1
        url = f"{ROOT}{kind}/{number}/"
        asks = dict.fromkeys(ASKED.values(), False) if kind in TEMPLATES else {}
        made = {**asks, "id": number, "type": kind[:-1], "url": url, "scm_revision": "", "summary_fields": {}, **fields}
        made["related"] = {name: f"{url}{name}/" for name in ("survey_spec", "update", "launch")}
        self.made.setdefault(kind, {})[number] = made
        return made

    def answer(self, method: str, path: str, asked: dict, sent: dict) -> tuple[int, dict]:
        kind, number, *rest = [*path.removeprefix(ROOT).strip("/").split("/"), "", ""]
        if method != "GET":
            self.changes.append(f"{method} {path}")
        if kind in ("ping", "config"):
            return 200, {"version": "24.6.1"}
        if kind == "inventory_updates":
            return 200, {"finished": "now", "failed": False, "status": "successful"}
        if not number:
            return self._list(method, kind, asked, sent)
        thing = self.made[kind][int(number)]
        if not rest[0]:
            return self._change(kind, thing, sent) if method == "PATCH" else (200, shown(self, thing))
        if rest[0] == "survey_spec":
            return self._survey(path, sent if method == "POST" else None)
        if rest[0] == "update":
            return 202, {"id": 1, "status": "pending", "url": f"{ROOT}inventory_updates/1/"}
        if rest[0] == "launch":
            taken = {name: sent[name] for name, ask in ASKED.items() if thing[ask] and sent.get(name)}
            done = {"template": thing["name"], "status": "successful", "created": "now"}
            return 201, self.make("jobs", {**done, **taken})
        if rest[0] == "create_approval_template":
            made = self.make("workflow_approval_templates", sent)
            thing["unified_job_template"], thing["related"]["unified_job_template"] = made["id"], made["url"]
            return 201, made
        return self._link(path, sent if method == "POST" else None)

    def _list(self, method: str, kind: str, asked: dict, sent: dict) -> tuple[int, dict]:
        if method == "POST":
            problem = self._refused(kind, sent)
            return (400, problem) if problem else (201, self.make(kind, sent))
        kinds = TEMPLATES if kind == "unified_job_templates" else [kind]
        things = [thing for each in kinds for thing in self.made.get(each, {}).values()]
        named = {name: value for name, value in asked.items() if name not in ("id__in", "page_size")}
        found = [shown(self, t) for t in things if all(str(t.get(name)) == value for name, value in named.items())]
        return 200, {"count": len(found), "next": None, "results": found}

    def _change(self, kind: str, thing: dict, sent: dict) -> tuple[int, dict]:
        problem = self._refused(kind, sent)
        if problem:
            return 400, problem
        thing.update(sent)
        return 200, shown(self, thing)

    def _refused(self, kind: str, sent: dict) -> dict:
        if kind == "job_templates" and sent.get("playbook") not in self.playbooks:
            return {"playbook": ["Playbook not found for project."]}
        return {}

    def _survey(self, path: str, spec: dict | None) -> tuple[int, dict]:
        if spec is None:
            return 200, self.surveys.get(path, {})
        problem = survey_problem(spec)
        if problem:
            return 400, {"error": problem}
        self.surveys[path] = spec
        return 200, {}

    def _link(self, path: str, sent: dict | None) -> tuple[int, dict]:
        linked = self.linked.setdefault(path, [])
        if sent is None:
            return 200, {"count": len(linked), "next": None, "results": [{"id": number} for number in linked]}
        if sent.get("disassociate"):
            linked.remove(sent["id"])
        else:
            linked.append(sent["id"])
        return 204, {}


def shown(awx: Awx, thing: dict) -> dict:
    """A thing without its secrets, as AWX shows it."""
    kind = awx.made.get("credential_types", {}).get(thing.get("credential_type"))
    secret = {field["id"] for field in kind["inputs"]["fields"] if field.get("secret")} if kind else set()
    hidden = {name: ENCRYPTED if name in secret and value else value for name, value in thing.get("inputs", {}).items()}
    config = {
        name: ENCRYPTED if name == "token" else v for name, v in thing.get("notification_configuration", {}).items()
    }
    return {
        **thing,
        **({"inputs": hidden} if "inputs" in thing else {}),
        **({"notification_configuration": config} if "notification_configuration" in thing else {}),
    }


def survey_problem(spec: dict) -> str:
    """Why AWX 24 refuses a survey, "" when it takes it."""
    if not all(
        isinstance(spec.get(name), kind) for name, kind in (("name", str), ("description", str), ("spec", list))
    ):
        return "name, description and spec are wanted"
    names = [item.get("variable") for item in spec["spec"]]
    if not names or len(set(names)) < len(names):
        return "no question, or one twice"
    return next(filter(None, map(_question_problem, spec["spec"])), "")


def _question_problem(item: dict) -> str:
    if not all(isinstance(item.get(name), str) and item[name] for name in ("type", "question_name", "variable")):
        return f"type, question_name and variable are wanted: {item}"
    if not isinstance(item.get("required"), bool) or item["type"] not in SURVEY_TYPES:
        return f"required or type: {item}"
    if any(item.get(end) is not None and not isinstance(item[end], int) for end in ("min", "max")):
        return f"min and max are to be whole: {item}"
    if item["type"].startswith("multi") and not item.get("choices"):
        return f"choices are wanted: {item}"
    return ""


@contextlib.contextmanager
def serving(awx: Awx) -> Iterator[str]:
    """The URL that AWX answers at."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self):
            size = int(self.headers.get("Content-Length") or 0)
            sent = json.loads(self.rfile.read(size)) if size else {}
            split = urlsplit(re.sub(r"(?<=.)//", "/", self.path))
            try:
                status, answer = awx.answer(self.command, split.path, dict(parse_qsl(split.query)), sent)
            except (KeyError, ValueError):
                status, answer = 404, {"detail": "Not found."}
            self.send_response(status)
            body = b"" if status == 204 else json.dumps(answer).encode()
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 as http.server wants them

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("localhost", 0), Handler) as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
