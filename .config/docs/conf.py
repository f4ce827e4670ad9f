# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx makes the pages of ./dev docs: see tests/docsite.py."""

from __future__ import annotations

from pathlib import Path

import yaml
from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx import addnodes

CHECKOUT = Path(__file__).resolve().parents[2]
GALAXY = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))
# Labels in the documentation of Ansible, which Sphinx could only look up in the network.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"
LABELS = {
    "action_plugins": "plugins/action.html",
    "callback_plugins": "plugins/callback.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}

project = "aurora.runbook"
release = GALAXY["version"]
extensions = ["myst_parser", "sphinx_antsibull_ext"]
exclude_patterns = ["plugins", "playbooks"]
myst_heading_anchors = 6  # as GitHub gives them, which the pages link to
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "sidebar_width": "260px"}
html_show_copyright = False


def link_folders(app, page):
    """Lead links to folders, which are no pages here, to GitHub."""
    here = Path(app.env.doc2path(app.env.docname)).parent
    for link in list(page.findall(addnodes.pending_xref)):
        folder = (here / link["reftarget"]).resolve()
        if link["refdomain"] != "doc" and link["reftarget"] and folder.is_dir():
            address = f"{GALAXY['repository']}/tree/main/{folder.relative_to(app.srcdir)}"
            link.replace_self(nodes.reference("", "", *link.children, refuri=address))


def link_ansible(_app, _environment, link, text):
    """Lead links to the documentation of Ansible there. Sphinx warns of what else leads nowhere."""
    page = LABELS.get(link["reftarget"])
    return nodes.reference("", "", text, refuri=f"{ANSIBLE}/{page}") if page else None


def setup(app):
    app.connect("doctree-read", link_folders)
    app.connect("missing-reference", link_ansible)
    app.add_lexer("mermaid", TextLexer)  # GitHub draws these, and this site shows their text
