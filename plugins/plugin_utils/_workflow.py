# SPDX-License-Identifier: GPL-3.0-or-later
"""Where AWX's workflows differ from what the role awx defines. Private to aurora.runbook; controller only.

awx.awx can add to a node and relink it, but it can neither empty one of its fields nor find a node that somebody else
made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

WAYS = ("success_nodes", "failure_nodes", "always_nodes")
# Fields that take precedence over the template's own values when AWX runs a node, and how a node waits for its parents.
FIELDS = (
    "extra_data",
    "inventory",
    "scm_branch",
    "job_type",
    "job_tags",
    "skip_tags",
    "limit",
    "diff_mode",
    "verbosity",
    "execution_environment",
    "forks",
    "job_slice_count",
    "timeout",
)
UNSET = (None, "", {})


def strays(workflows: Sequence[Mapping], found: Sequence[Mapping]) -> list[dict]:
    """For each workflow the nodes to ``remove``, and those to ``unlink`` with those of their links that may stay.

    ``found`` is what AWX returns at workflow_job_template_nodes. A node is removed if it is not defined, or has a value
    that a person set and the module cannot take back; the role then makes it anew.
    """
    return [_strays(each, [node for node in found if _workflow(node) == each["name"]]) for each in workflows]


def _workflow(node: Mapping) -> str:
    return node["summary_fields"]["workflow_job_template"]["name"]


def _strays(workflow: Mapping, found: Sequence[Mapping]) -> dict:
    defined = {node["identifier"]: node for node in workflow["simplified_workflow_nodes"]}
    named = {node["id"]: node["identifier"] for node in found}
    remove = [node["identifier"] for node in found if not _set_right(node, defined.get(node["identifier"]))]
    unlink = []
    for node in found:
        if node["identifier"] in remove:
            continue
        kept, surplus = {}, False
        for way in WAYS:
            followers = [named[each] for each in node.get(way) or () if named.get(each) not in (None, *remove)]
            kept[way] = [name for name in followers if name in defined[node["identifier"]].get(way, ())]
            surplus = surplus or kept[way] != followers
        if surplus:
            links = {way: kept[way] for way in ("success_nodes", "failure_nodes")}
            unlink.append({"identifier": node["identifier"], **links})
    return {"name": workflow["name"], "organization": workflow["organization"], "remove": remove, "unlink": unlink}


def _set_right(node: Mapping, defined: Mapping | None) -> bool:
    """Whether this node is as defined, or the role can make it so."""
    if defined is None or node.get("all_parents_must_converge"):
        return False
    runs = (node["summary_fields"].get("unified_job_template") or {}).get("unified_job_type")
    if runs and (runs == "workflow_approval") != ("approval_node" in defined):
        return False
    return all(node.get(name) in UNSET or node[name] == defined.get(name) for name in FIELDS)
