# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of AWX's API as the modules of awx.awx need to set it up, and ansible-rulebook to launch a template.

It refuses what AWX 24.6.1 refuses: a token that is not right, a playbook that is not in the project, the surveys that
AWX says 400 to, variables and prompts that nobody asked for, and a second link between two nodes. It fetches as AWX
does: once when a project is made or changed, and then only when it is told to.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

ROOT = "/api/v2/"
TOKEN = "x"  # noqa: S105 the one that it takes
ENCRYPTED = "$encrypted$"
TEMPLATES = ("job_templates", "workflow_job_templates")
ASKED = {
    name: f"ask_{ask}_on_launch"
    for name, ask in {
        "extra_vars": "variables",
        "limit": "limit",
        "inventory": "inventory",
        "labels": "labels",
        "job_type": "job_type",
        "job_tags": "tags",
        "skip_tags": "skip_tags",
        "diff_mode": "diff_mode",
        "verbosity": "verbosity",
        "scm_branch": "scm_branch",
        "forks": "forks",
        "timeout": "timeout",
    }.items()
}
# What AWX has of a template until somebody says otherwise, and a prompt that is the same is none.
OWN = {"limit": "", "job_type": "run", "job_tags": "", "skip_tags": "", "scm_branch": "", "diff_mode": False}
OWN.update(verbosity=0, forks=0, timeout=0)
SURVEY_TYPES = ("text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float")
WAYS = ("success_nodes", "failure_nodes", "always_nodes")


class Awx:
    """What was made, by kind and number; ``linked`` is what was associated, ``surveys`` by URL.

    ``git`` says whether projects can be fetched, ``hosts`` which ones the inventory file has.
    """

    def __init__(self, playbooks: Sequence[str], git: bool = True, hosts: Sequence[str] = ("aurora1",)) -> None:
        self.playbooks = set(playbooks)
        self.git, self.hosts = git, list(hosts)
        self.made: dict[str, dict[int, dict]] = {}
        self.linked: dict[str, list[int]] = {}
        self.surveys: dict[str, dict] = {}
        self.changes: list[str] = []
        self.numbers = 0
        self.make("organizations", {"name": "Default"})
        self.make("credentials", {"name": "aurora hosts", "inputs": {}})

    def named(self, kind: str) -> dict[str, dict]:
        return {thing.get("name") or thing["identifier"]: thing for thing in self.made.get(kind, {}).values()}

    def make(self, kind: str, fields: dict) -> dict:
        self.numbers += 1
        number, asks = self.numbers, {}
        url = f"{ROOT}{kind}/{number}/"
        if kind in TEMPLATES:
            asks = {**dict.fromkeys(ASKED.values(), False), "survey_enabled": False, "extra_vars": "", **OWN}
        made = {**asks, "id": number, "type": kind[:-1], "url": url, "scm_revision": "", "summary_fields": {}, **fields}
        made["related"] = {name: f"{url}{name}/" for name in ("survey_spec", "update", "launch")}
        self.made.setdefault(kind, {})[number] = made
        if kind in ("projects", "inventory_sources"):
            made["status"] = "never updated"
        if kind == "schedules":
            made.setdefault("enabled", True)
        if kind == "workflow_job_template_nodes":
            self._run_by(made)
        if kind == "projects":
            return {**made, "summary_fields": {"current_update": {"id": self.fetch(made)["id"]}}}
        return made

    def fetch(self, project: dict) -> dict:
        """An update of a project, as AWX makes one; it keeps the revision that it has when it fails."""
        project["status"] = "successful" if self.git else "failed"
        project["scm_revision"] = "0123abc" if self.git else project["scm_revision"]
        return self._done("project_updates", project["status"], scm_revision=project["scm_revision"])

    def read(self, source: dict) -> dict:
        """An update of an inventory source, which needs a revision of its project."""
        there = bool(self.made["projects"][source["source_project"]]["scm_revision"])
        source["status"] = "successful" if there else "failed"
        for name in self.hosts if there else ():
            if name not in self.named("hosts"):
                self.make("hosts", {"name": name, "inventory": source["inventory"]})
        return self._done("inventory_updates", source["status"])

    def _done(self, kind: str, status: str, **fields: object) -> dict:
        failed = status != "successful"
        return self.make(kind, {"finished": "now", "failed": failed, "status": status, **fields})

    def answer(self, method: str, path: str, asked: dict, sent: dict, token: str = TOKEN) -> tuple[int, dict]:
        kind, number, *rest = [*path.removeprefix(ROOT).strip("/").split("/"), "", ""]
        if kind == "ping":
            return 200, {"version": "24.6.1"}
        if token != TOKEN:
            return 401, {"detail": "Authentication credentials were not provided."}
        if method != "GET":
            self.changes.append(f"{method} {path}")
        if kind == "config":
            return 200, {"version": "24.6.1"}
        if kind == "me":
            return 200, {"count": 1, "next": None, "results": [{"id": 1, "username": "admin"}]}
        if not number:
            return self._list(method, kind, asked, sent)
        thing = self.made[kind][int(number)]
        if not rest[0]:
            return self._one(method, kind, thing, sent)
        if rest[0] == "survey_spec":
            return self._survey(path, sent if method == "POST" else None)
        if rest[0] == "update":
            done = self.fetch(thing) if kind == "projects" else self.read(thing)
            return 202, {"id": done["id"], "status": "pending", "url": done["url"]}
        if rest[0] == "launch":
            return self.launch(kind, thing, sent)
        if rest[0] == "create_approval_template":
            made = self.make("workflow_approval_templates", sent)
            thing["unified_job_template"] = made["id"]
            self._run_by(thing)
            return 201, made
        return self._link(path, thing, rest[0], sent if method == "POST" else None)

    def _one(self, method: str, kind: str, thing: dict, sent: dict) -> tuple[int, dict]:
        if method == "DELETE":
            del self.made[kind][thing["id"]]
            for path, linked in self.linked.items():
                if "_nodes/" in path and thing["id"] in linked:
                    linked.remove(thing["id"])
            return 204, {}
        return self._change(kind, thing, sent) if method == "PATCH" else (200, shown(self, thing))

    def _list(self, method: str, kind: str, asked: dict, sent: dict) -> tuple[int, dict]:
        if method == "POST":
            problem = self._refused(kind, {}, sent)
            return (400, problem) if problem else (201, shown(self, self.make(kind, sent)))
        kinds = TEMPLATES if kind == "unified_job_templates" else [kind]
        things = [thing for each in kinds for thing in self.made.get(each, {}).values()]
        named = {name: value for name, value in asked.items() if name not in ("id__in", "page_size", "order_by")}
        found = [shown(self, t) for t in things if all(self._is(t, name.split("__"), v) for name, v in named.items())]
        return 200, {"count": len(found), "next": None, "results": found}

    def _is(self, thing: dict, field: list[str], value: str) -> bool:
        """Whether a field is as asked: name, organization__name, workflow_job_template__name__in."""
        if field[-1] == "isnull":
            return (thing.get(field[0]) is None) == (value == "true")
        if field[-1] == "in":
            return any(self._is(thing, field[:-1], each) for each in value.split(","))
        for name in field[:-1]:
            kind = {"inventory": "inventories", "unified_job_template": "job_templates"}.get(name, f"{name}s")
            thing = self.made[kind].get(thing.get(name), {})
        return str(thing.get(field[-1])) == value

    def _change(self, kind: str, thing: dict, sent: dict) -> tuple[int, dict]:
        problem = self._refused(kind, thing, sent)
        if problem:
            return 400, problem
        moved = kind == "projects" and any(thing.get(name) != sent.get(name, thing.get(name)) for name in SCM)
        thing.update(sent)
        if kind == "workflow_job_template_nodes":
            self._run_by(thing)
        if moved:
            self.fetch(thing)
        return 200, shown(self, thing)

    def _refused(self, kind: str, thing: dict, sent: dict) -> dict:
        if kind == "job_templates":
            project = self.made["projects"][sent.get("project", thing.get("project"))]
            if not project["scm_revision"] or sent.get("playbook", thing.get("playbook")) not in self.playbooks:
                return {"playbook": ["Playbook not found for project."]}
        number = sent.get("unified_job_template", thing.get("unified_job_template"))
        run = self.made.get("job_templates", {}).get(number)
        if run and kind in ("schedules", "workflow_job_template_nodes"):
            return self._unasked(run, {**thing, **sent})
        return {}

    def _unasked(self, template: dict, config: dict) -> dict:
        """Why a schedule or a node may not carry these prompts."""
        _taken, ignored, problems = self._variables(template, config.get("extra_data") or {})
        if ignored:
            problems = [f"Variables {', '.join(ignored)} are not allowed on launch.", *problems]
        unasked = {
            name: ["Field is not configured to prompt on launch."]
            for name, own in OWN.items()
            if config.get(name) not in (None, own, template.get(name)) and not template[ASKED[name]]
        }
        return {**unasked, **({"extra_data": problems} if problems else {})}

    def _variables(self, template: dict, given: Mapping) -> tuple[dict, dict, list[str]]:
        """Variables of a launch that are taken and those that are not asked for, and answers that are refused."""
        spec = self.surveys.get(template["related"]["survey_spec"], {}) if template["survey_enabled"] else {}
        questions = {item["variable"]: item for item in spec.get("spec", ())}
        problems = [answer_problem(questions[name], value) for name, value in given.items() if name in questions]
        taken = {name: value for name, value in given.items() if template[ASKED["extra_vars"]] or name in questions}
        ignored = {name: value for name, value in given.items() if name not in taken}
        return taken, ignored, [problem for problem in problems if problem]

    def launch(self, kind: str, template: dict, sent: dict, status: str = "successful") -> tuple[int, dict]:
        """A job template leaves out what it does not ask for and says so; a workflow refuses variables of that kind."""
        variables, ignored, problems = self._variables(template, sent.get("extra_vars") or {})
        if problems:
            return 400, {"variables_needed_to_start": problems}
        if ignored and kind == "workflow_job_templates":
            unasked = f"Variables {', '.join(ignored)} are not allowed on launch."
            return 400, {"extra_vars": [f"{unasked} Check the Prompt on Launch setting on the Workflow Job Template."]}
        given = {name: value for name, value in sent.items() if name in ASKED and name != "extra_vars"}
        taken = {name: value for name, value in given.items() if template[ASKED[name]]}
        left = {name: value for name, value in given.items() if name not in taken}
        left.update({"extra_vars": ignored} if ignored else {})
        own = json.loads(template["extra_vars"] or "{}")
        fields = {"template": template["name"], "unified_job_template": template["id"], "created": "now", **taken}
        fields.update({"status": status, "finished": "now" if status == "successful" else None})
        job = self.make("jobs", {**fields, "extra_vars": {**own, **variables}})
        return 201, {**job, "ignored_fields": left}

    def tick(self, schedule: str) -> dict:
        """A schedule launches its template; where one job runs at a time, the new one waits for those before it."""
        known = self.named("schedules")[schedule]
        template = self.made["job_templates"][known["unified_job_template"]]
        asked = {"extra_vars": known.get("extra_data") or {}, **{n: known[n] for n in OWN if known.get(n) is not None}}
        _status, job = self.launch("job_templates", template, asked, "pending")
        self._start(template)
        return self.made["jobs"][job["id"]]

    def end(self, job: dict) -> None:
        job.update(status="successful", finished="now")
        self._start(self.named("job_templates")[job["template"]])

    def _start(self, template: dict) -> None:
        for job in (job for job in self.made["jobs"].values() if job["template"] == template["name"]):
            running = [other["id"] for other in self.made["jobs"].values() if other["status"] == "running"]
            free = template["allow_simultaneous"] or not any(
                self.made["jobs"][each]["template"] == template["name"] for each in running
            )
            if job["status"] == "pending" and free:
                job["status"] = "running"

    def run(self, workflow: str, outcomes: Mapping[str, str], sent: Mapping | None = None) -> dict:
        """Launch a workflow whose nodes end as ``outcomes`` says; a denied approval is the failure of a node.

        The workflow is successful all the same where something follows the failure. Its own variables reach each job,
        whatever the job's template asks for.
        """
        template = self.named("workflow_job_templates")[workflow]
        status, launched = self.launch("workflow_job_templates", template, dict(sent or {}))
        if status != 201:
            return {"status": status, "problem": launched, "jobs": []}
        nodes = {n: t for n, t in self.made[NODES].items() if t["workflow_job_template"] == template["id"]}
        followers = {each for number in nodes for way in WAYS for each in self._followers(number, way)}
        todo, jobs, handed = [number for number in nodes if number not in followers], {}, {}
        while todo:
            node = nodes[todo.pop(0)]
            outcome = outcomes.get(node["identifier"], "success")
            jobs[node["identifier"]] = self._job(node, launched["extra_vars"], handed)
            if node["identifier"] == "propose" and outcome == "success":
                handed = {"aurora_waiting": {"aurora1": node["extra_data"]["aurora_approvable"]}}
            follow = [*self._followers(node["id"], f"{outcome}_nodes"), *self._followers(node["id"], "always_nodes")]
            unhandled = outcome == "failure" and not follow
            todo += follow
        return {"status": "failed" if unhandled else "successful", "jobs": jobs}

    def _followers(self, number: int, way: str) -> list[int]:
        return self.linked.get(f"{ROOT}{NODES}/{number}/{way}/", [])

    def _job(self, node: dict, workflow: Mapping, handed: Mapping) -> dict:
        """The variables of a node's job; an approval has none."""
        template = self.made["job_templates"].get(node["unified_job_template"])
        if template is None:
            return {}
        meta = {"awx_job_id": 1, "awx_workflow_job_id": 2, "awx_job_template_name": template["name"]}
        own = json.loads(template["extra_vars"] or "{}")
        return {**meta, **own, **(node.get("extra_data") or {}), **handed, **workflow}

    def _survey(self, path: str, spec: dict | None) -> tuple[int, dict]:
        if spec is None:
            return 200, self.surveys.get(path, {})
        problem = survey_problem(spec)
        if problem:
            return 400, {"error": problem}
        self.surveys[path] = spec
        return 200, {}

    def _link(self, path: str, thing: dict, way: str, sent: dict | None) -> tuple[int, dict]:
        linked = self.linked.setdefault(path, [])
        if sent is None:
            return 200, {"count": len(linked), "next": None, "results": [{"id": number} for number in linked]}
        if sent.get("disassociate"):
            linked.remove(sent["id"])
        elif way in WAYS and any(sent["id"] in self._followers(thing["id"], other) for other in WAYS if other != way):
            return 400, {"detail": "Relationship not allowed."}
        else:
            linked.append(sent["id"])
        return 204, {}

    def _run_by(self, node: dict) -> None:
        """What of a node AWX tells of other things."""
        workflow = self.made["workflow_job_templates"][node["workflow_job_template"]]
        node["summary_fields"] = {"workflow_job_template": {"name": workflow["name"]}}
        for kind, run in (("job_templates", "job"), ("workflow_approval_templates", "workflow_approval")):
            known = self.made.get(kind, {}).get(node.get("unified_job_template"))
            if known:
                node["summary_fields"]["unified_job_template"] = {"name": known["name"], "unified_job_type": run}
                node["related"]["unified_job_template"] = known["url"]


NODES = "workflow_job_template_nodes"
SCM = ("scm_url", "scm_branch", "scm_refspec", "scm_type", "credential")


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
        **({way: awx.linked.get(f"{thing['url']}{way}/", []) for way in WAYS} if thing.get("identifier") else {}),
    }


def answer_problem(item: dict, value: object) -> str:
    """Why AWX 24 refuses an answer, "" when it takes it: numbers are JSON's, and "" is an answer of a text alone."""
    name, kind = item["variable"], item["type"]
    if kind in ("text", "textarea", "password"):
        if not isinstance(value, str):
            return f"Value {value} for '{name}' expected to be a string."
        longest = item.get("max")
        return f"'{name}' value {value} is too long" if longest is not None and len(value) > longest else ""
    if kind in ("integer", "float"):
        wanted = (int,) if kind == "integer" else (int, float)
        if not isinstance(value, wanted) or isinstance(value, bool):
            return (
                f"Value {value} for '{name}' expected to be a {'n integer' if kind == 'integer' else 'numeric type'}."
            )
        low, high = item.get("min"), item.get("max")
        beyond = (low is not None and value < low) or (high is not None and value > high)
        return f"'{name}' value {value} is out of range" if beyond else ""
    given = value if kind == "multiselect" else [value]
    strange = not isinstance(given, list) or any(each not in item["choices"] for each in given)
    return f"Value {value} for '{name}' expected to be one of {item['choices']}." if strange else ""


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
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            try:
                status, answer = awx.answer(self.command, split.path, dict(parse_qsl(split.query)), sent, token)
            except (KeyError, ValueError):
                status, answer = 404, {"detail": "Not found."}
            self.send_response(status)
            body = b"" if status == 204 else json.dumps(answer).encode()
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 as http.server wants them

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("localhost", 0), Handler) as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
