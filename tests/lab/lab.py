# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: systemd hosts in podman containers, reached over SSH. Standard library only.

Everything that a lab makes has the name of its checkout, so that several can run on one machine. Its state is in
``.dev/lab``, where ``lab.json`` is read by the inventory. With AURORA_LAB=2 in the environment, all of this applies to
a second lab of the checkout in ``.dev/lab2``, because ./dev test needs two at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import io
import json
import os
import resource
import secrets
import shutil
import subprocess
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import signs
from faults import FAULTS
from unready import UNREADY

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
LABS = ("", "2")  # possible values of AURORA_LAB
LAB = os.environ.get("AURORA_LAB", "")
REPORTS = CHECKOUT / ".dev" / "reports"
REGISTRY_IMAGE = "docker.io/library/debian"
DEBIANS = {"bullseye": 11, "bookworm": 12, "trixie": 13}  # what a lab's hosts may have
USUAL_DEBIAN = "bookworm"
NUMBERS = {"exchange1": 10, "monitor1": 11}  # last part of the address; auroraN has 20 + N
MOST_HOSTS = 60
GROUP, SHARES = "aurora-lab", 16 * 1024  # the cgroup of all hosts, and sixteen times what a session of processes weighs
FAULT = "/opt/lab/fault"
NEIGHBOURS = {"exchange": "exchange1", "monitor": "monitor1"}
AUTHORITY = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

EXPIRED_CNF = """
[ca]
default_ca = lab
[lab]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
"""


class LabError(Exception):
    """An error that the person at the terminal has to read."""


def state_of(which):
    """The folder of a lab of this checkout."""
    return CHECKOUT / ".dev" / f"lab{which}"


def name_of(which):
    """The prefix of the names of a lab's hosts and network."""
    return "aurora-" + hashlib.sha256(f"{CHECKOUT}{which}".encode()).hexdigest()[:8]


STATE, NAME = state_of(LAB), name_of(LAB)


def say(text):
    print(f"[lab] {text}", flush=True)


@contextlib.contextmanager
def step(text):
    """Announce a step that takes long, and print how long it took."""
    started = time.monotonic()
    print(f"[lab] {text} …", flush=True)
    yield
    print(f"[lab] {text}: {time.monotonic() - started:.1f} s", flush=True)


@contextlib.contextmanager
def alone(lock="lock"):
    """Let only one command at a time change what a checkout keeps in .dev."""
    STATE.parent.mkdir(exist_ok=True)
    with open(STATE.parent / lock, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(argv, **options):
    """Run a command; raises LabError with its last words if it fails."""
    done = subprocess.run(argv, capture_output=True, check=False, **options)
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise LabError(f"{' '.join(map(str, argv[:6]))} …: {' / '.join(said[-3:]) or done.returncode}")
    return done.stdout.decode("utf-8", "replace").strip()


def family(pid):
    """The pids of a process and of everything that it started."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # the process has just ended
            _name, _bracket, rest = path.read_text(encoding="utf-8", errors="replace").rpartition(")")
            parents[int(path.parent.name)] = int(rest.split()[1])
    found = [pid]
    for one in found:
        found.extend(child for child, parent in parents.items() if parent == one)
    return found


def old_cgroups():
    """Whether this machine has cgroup v1, where crun fails and hosts must not share systemd's own hierarchy."""
    return not Path("/sys/fs/cgroup/cgroup.controllers").exists()


def podman(*arguments, limit=600, **options):
    """Run podman with the settings that this machine needs, from the lab's own file, for at most ``limit`` seconds."""
    config = STATE.parent / "containers.conf"
    if not config.exists():
        runtime = '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\n' if old_cgroups() else ""
        netavark = any(Path(folder, "podman/netavark").exists() for folder in ("/usr/lib", "/usr/libexec"))
        backend = '[network]\nnetwork_backend = "netavark"\n' if netavark else ""
        config.write_text(f"# For the lab alone.\n{runtime}{backend}", encoding="ascii")
    command = ["env", f"CONTAINERS_CONF={config}", "timeout", str(limit), "podman", *arguments]
    return run(as_root(*command), **options)


def as_root(*command):
    return [*(["sudo"] if os.geteuid() else []), *command]


def inside(host, *command, **options):
    return podman("exec", "-i", f"{NAME}-{host}", *command, **options)


# The image of the hosts.


def image(debian):
    """The hosts' image for a Debian, named by the hash of its recipe, and built if it does not exist."""
    packages = (HERE / "packages.txt").read_text(encoding="ascii").split()
    recipe = short_hash((HERE / "Containerfile").read_text(encoding="utf-8"), *packages, debian)
    tag = f"localhost/aurora-lab:{recipe}"
    if not exists("image", tag):
        STATE.mkdir(parents=True, exist_ok=True)
        base, missing = base_image(debian, packages)
        arguments = [f"--build-arg=BASE={base}", f"--build-arg=PACKAGES={' '.join(missing)}"]
        with step(f"building the image of the hosts with Debian {debian}"):
            podman("build", "--quiet", f"--tag={tag}", *arguments, f"--file={HERE / 'Containerfile'}", str(HERE))
    return tag


def short_hash(*parts):
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]


def base_image(debian, packages):
    """Debian from a registry if one answers, otherwise made by mmdebstrap; and the packages that it lacks."""
    made, pulled = f"localhost/aurora-lab-base:{short_hash(*packages, debian)}", f"{REGISTRY_IMAGE}:{debian}"
    if exists("image", made):
        return made, []
    try:
        podman("manifest", "inspect", pulled, limit=5)
        with step(f"pulling Debian {debian}"):
            podman("pull", "--quiet", pulled)
        return pulled, packages
    except LabError:
        say("no registry answers, so Debian is installed from its packages")
    tarball = STATE.parent / "rootfs.tar"
    with step(f"installing Debian {debian} with mmdebstrap"):
        run(as_root("mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}", debian, str(tarball)))
    with step("importing it"):
        podman("import", "--quiet", str(tarball), made)
    tarball.unlink()
    return made, []


def exists(kind, name):
    try:
        podman(kind, "exists", name)
    except LabError:
        return False
    return True


# Hosts


def chosen_debian(asked, facts):
    """The Debian of a lab's hosts: the one that is asked for, that of the running lab, or the usual one."""
    if asked not in (None, *DEBIANS):
        raise LabError(f"Debian {asked!r} is refused; expected {', '.join(DEBIANS)}")
    has = facts.get("debian", USUAL_DEBIAN) if facts else None
    if asked and has and asked != has:
        raise LabError(f"the lab is up with Debian {has}; ./dev down removes it, then it can start with {asked}")
    return asked or has or USUAL_DEBIAN


def up(count, debian=None):
    """Start what is missing of a lab with ``count`` Aurora hosts, and set up what changed."""
    if not 1 <= count <= MOST_HOSTS:
        raise LabError(f"{count} Aurora hosts are refused; expected 1 to {MOST_HOSTS}")
    if LAB not in LABS:
        raise LabError(f"AURORA_LAB={LAB} is refused; expected 2 for the second lab, or nothing")
    with alone():
        STATE.mkdir(parents=True, exist_ok=True)
        facts = state()
        debian = chosen_debian(debian, facts)
        if facts is None:
            remove(NAME)  # remains of another checkout at this path
        known = facts["hosts"] if facts else {}
        tag = image(debian)
        wanted = [*NUMBERS, *(f"aurora{n}" for n in range(1, count + 1)), *(n for n in known if n not in NUMBERS)]
        names = sorted(set(wanted))
        addresses = make_network(names)
        make_keys(names)
        running = set(podman("ps", "--format={{.Names}}").split())
        stopped = [name for name in names if f"{NAME}-{name}" not in running]
        if stopped:
            weigh_more()
            with step(f"starting {', '.join(stopped)}"), ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda name: start(name, addresses[name], tag), stopped))
        bundles = {name: bundle(name, addresses) for name in names}
        stale = [name for name in names if name in stopped or known.get(name, {}).get("setup") != bundles[name][0]]
        if stale:
            with step(f"setting up {', '.join(stale)}"), ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda name: set_up(name, bundles[name][1]), stale))
        write_state({n: {"address": addresses[n], "kind": kind(n), "setup": bundles[n][0]} for n in names}, debian)
    say(f"up with Debian {debian}: {', '.join(names)}")


def kind(host):
    return host.rstrip("0123456789")


def number(host):
    return NUMBERS.get(host) or 20 + int(host[len("aurora") :])


def networks(name=NAME):
    """The names of a lab's networks: one while it is up."""
    return podman("network", "ls", "--quiet", "--filter", f"name=^{name}").split()


def make_network(names):
    """Make the lab's network if there is none; returns the addresses of hosts by name."""
    if not networks():
        # A new name each time, because the firewall's rules use it, and those of a lab that was killed may still exist.
        # They would hide the hosts' addresses from each other behind this machine's.
        podman("network", "create", "--disable-dns", f"{NAME}-{secrets.token_hex(4)}")
    base = gateway().rpartition(".")[0]
    return {name: f"{base}.{number(name)}" for name in names}


def gateway():
    """Address of this machine in the lab's network."""
    return json.loads(podman("network", "inspect", *networks()))[0]["subnets"][0]["gateway"]


def start(host, address, tag):
    """Start a host and wait until systemd has booted it."""
    if not exists("container", f"{NAME}-{host}"):
        podman(
            "create", f"--name={NAME}-{host}", f"--hostname={host}", f"--network={networks()[0]}", f"--ip={address}",
            "--no-hosts", "--privileged", "--systemd=always", "--cgroupns=private", *group(), *limits(), tag, *init(),
        )  # fmt: skip
    try:
        podman("start", f"{NAME}-{host}")
    except LabError:  # a host that never ran must not prevent the next try
        podman("rm", "--force", f"{NAME}-{host}")
        raise
    # --wait fails at once until systemd's bus exists. If a host is degraded, its setup reports what does not work.
    booted = "until systemctl is-system-running --wait | grep -Eq 'running|degraded'; do sleep 0.1; done"
    try:
        inside(host, "sh", "-c", booted, limit=60)
    except LabError:
        allowed = Path("/proc/sys/fs/inotify/max_user_instances").read_text(encoding="ascii").strip()
        raise LabError(
            f"{host} did not boot within 60 s. Hosts need about 6 inotify instances each, and this machine allows "
            f"{allowed} in all (sysctl fs.inotify.max_user_instances): stop other labs, or raise it"
        ) from None


def group():
    """Where cgroups are of version 1, the hosts have a cgroup of their own, see weigh_more()."""
    return [f"--cgroup-parent=/{GROUP}"] if old_cgroups() else []


def weigh_more():
    """Let the hosts get the CPU before the tests do, so that a fault shows on them though several tests compute.

    On a machine without systemd, the kernel gives each session as much as the cgroup of all hosts together, whatever
    its nice values are (sched(7), autogroup), and ansible-core makes a session of each fork.
    """
    if old_cgroups():
        folder = f"/sys/fs/cgroup/cpu/{GROUP}"
        run(as_root("sh", "-c", f"mkdir -p {folder} && echo {SHARES} > {folder}/cpu.shares"))


def limits():
    """Limits that suffice for a lab host: podman's own are more than some machines allow."""
    wanted = {"nofile": (resource.RLIMIT_NOFILE, 10000), "nproc": (resource.RLIMIT_NPROC, 4096)}
    hard = {name: resource.getrlimit(which)[1] for name, (which, _most) in wanted.items()}
    allowed = {n: most if hard[n] == resource.RLIM_INFINITY else min(hard[n], most) for n, (_w, most) in wanted.items()}
    return [f"--ulimit={name}={limit}:{limit}" for name, limit in allowed.items()]


def init():
    if not old_cgroups():
        return ["/lib/systemd/systemd"]
    leave = "umount /sys/fs/cgroup/systemd/release_agent; umount /sys/fs/cgroup/systemd; exec /lib/systemd/systemd"
    return ["/bin/sh", "-c", leave]


def make_keys(names):
    """Make the key for logging in, and the lab's own certificate authority."""
    if not (STATE / "id_ed25519").exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", NAME, "-f", str(STATE / "id_ed25519")])
    authority = STATE / "ca"
    authority.mkdir(exist_ok=True)
    ca_key, ca = authority / "ca.key", authority / "ca.pem"
    if not ca.exists():
        paths = ["-keyout", str(ca_key), "-out", str(ca)]
        run(["openssl", "req", "-x509", *NEW_KEY, *paths, "-days", "365", "-subj", f"/CN={NAME}", *AUTHORITY])
    for host in names:
        if not (authority / f"{host}.expired.pem").exists():
            outside = {"aurora": ",DNS:aurora.example.com", "exchange": ",DNS:api.exchange.com"}.get(kind(host), "")
            make_certificate(authority, host, f"DNS:{host}{outside}")
            make_expired(authority, host)


def make_certificate(authority, name, names):
    """Make a certificate and its key, as NAME.pem and NAME.key, valid for ``names`` in openssl's notation."""
    key, request, extension = (authority / f"{name}.{end}" for end in ("key", "csr", "ext"))
    run(["openssl", "req", *NEW_KEY, "-keyout", str(key), "-out", str(request), "-subj", f"/CN={name}"])
    extension.write_text(f"subjectAltName={names}\n", encoding="ascii")
    signing = ["-CA", str(authority / "ca.pem"), "-CAkey", str(authority / "ca.key"), "-CAcreateserial", "-days", "365"]
    files = ["-in", str(request), "-extfile", str(extension), "-out", str(authority / f"{name}.pem")]
    run(["openssl", "x509", "-req", *files, *signing])


def make_expired(authority, host):
    """Make the same certificate as it was a quarter ago. ``openssl x509`` sets no dates before version 3.4."""
    (authority / "index.txt").write_text("", encoding="ascii")
    (authority / "ca.cnf").write_text(EXPIRED_CNF.format(folder=authority), encoding="ascii")
    today = datetime.now(timezone.utc)
    dates = [(today - timedelta(days)).strftime("%Y%m%d%H%M%SZ") for days in (91, 1)]
    request, extension = authority / f"{host}.csr", authority / f"{host}.ext"
    files = ["-in", str(request), "-extfile", str(extension), "-out", str(authority / f"{host}.expired.pem")]
    signing = ["-config", str(authority / "ca.cnf"), "-cert", str(authority / "ca.pem"), "-batch", "-notext"]
    run(["openssl", "ca", *signing, *files, "-keyfile", str(authority / "ca.key"), "-startdate", dates[0],
         "-enddate", dates[1]])  # fmt: skip


def bundle(host, addresses):
    """The content of a host's /opt/lab, as a tar archive, and its hash."""
    known = " ".join(f"{name}={address}" for name, address in addresses.items())
    files = {
        "lab.env": f'LAB_HOST={host}\nLAB_INDEX={host[len(kind(host)) :]}\nLAB_ADDRESSES="{known}"\n'.encode(),
        "hosts": hosts_file(host, addresses).encode(),
        "authorized_keys": (STATE / "id_ed25519.pub").read_bytes(),
        "tls/ca.pem": (STATE / "ca" / "ca.pem").read_bytes(),
        "tls/cert.pem": (STATE / "ca" / f"{host}.pem").read_bytes(),
        "tls/expired.pem": (STATE / "ca" / f"{host}.expired.pem").read_bytes(),
        "tls/key.pem": (STATE / "ca" / f"{host}.key").read_bytes(),
        "prepare.sh": (HERE / "prepare.sh").read_bytes(),
    }
    folder = HERE / "hosts" / kind(host)
    files.update({str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    executable = {str(path.relative_to(folder)) for path in folder.rglob("*") if os.access(path, os.X_OK)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in sorted(files.items()):
            if "__pycache__" in name:
                continue
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if name in {*executable, "prepare.sh"} else 0o644
            entry.mode = 0o600 if name == "tls/key.pem" else entry.mode
            tar.addfile(entry, io.BytesIO(content))
    return hashlib.sha256(buffer.getvalue()).hexdigest(), buffer.getvalue()


def hosts_file(host, addresses):
    """The names as this host resolves them: names that are outside in production mean a lab host here."""
    own = [host] if kind(host) == "aurora" else [name for name in addresses if kind(name) == "aurora"]
    outside = {"exchange1": " api.exchange.com", **dict.fromkeys(own, " aurora.example.com")}
    lines = [f"{address} {name}{outside.get(name, '')}" for name, address in addresses.items()]
    return "\n".join(["127.0.0.1 localhost", *lines, ""])


def set_up(host, content):
    inside(host, "mkdir", "-p", "/opt/lab")
    inside(host, "tar", "-x", "-C", "/opt/lab", input=content)
    inside(host, "/opt/lab/prepare.sh")


def state():
    """The content of lab.json, None while the lab is down."""
    try:
        return json.loads((STATE / "lab.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def write_state(hosts, debian):
    key = "/etc/ssh/ssh_host_ed25519_key.pub"
    lines = [f"{entry['address']} {inside(name, 'cat', key)}" for name, entry in hosts.items()]
    (STATE / "known_hosts").write_text("\n".join([*lines, ""]), encoding="ascii")
    facts = {
        "name": NAME,
        "key": str(STATE / "id_ed25519"),
        "known_hosts": str(STATE / "known_hosts"),
        "user": "oncall",
        "debian": debian,
    }
    (STATE / "lab.json").write_text(json.dumps({**facts, "hosts": hosts}, indent=1), encoding="utf-8")


def down(labs=LABS):
    """Remove the hosts of this checkout's labs, their networks and keys."""
    with alone():
        with step("removing the hosts"):
            for which in labs:
                remove(name_of(which))
        for which in labs:
            shutil.rmtree(state_of(which), ignore_errors=True)
    images = "podman rmi -f $(podman images -q 'localhost/aurora-lab*')"
    say(f"down; kept for the next time: .dev and the hosts' image, removed by: rm -rf .dev; {images}")


def remove(name):
    """Remove a lab's hosts and network."""
    hosts = ["rm", "--force", "--time=2", "--filter", f"name=^{name}-"]
    try:
        podman(*hosts)
    except LabError:  # podman cannot stop a container that died with the machine, but it can remove it after trying
        podman(*hosts)
    for network in networks(name):
        podman("network", "rm", network)


# Faults


def aurora_hosts(names=()):
    """Addresses of Aurora hosts by name, of all or of those named."""
    known = state()
    if known is None:
        raise LabError("the lab is down; start it with ./dev up")
    found = {name: entry["address"] for name, entry in known["hosts"].items() if entry["kind"] == "aurora"}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise LabError(f"the lab has no Aurora host {', '.join(unknown)}; expected some of {', '.join(found)}")
    return {name: found[name] for name in names or found}


def break_(name, hosts=()):
    """Inject a fault on all or some Aurora hosts, and wait until it shows on each.

    A condition that only makes a host unready for a remediation shows in nothing but a preflight.
    """
    if name in UNREADY:
        with alone():
            for host in aurora_hosts(hosts):
                inside(host, FAULT, name)
        say(f"{name} on {', '.join(aurora_hosts(hosts))}: {UNREADY[name].does}")
        return
    inject(name, hosts)
    await_sign(FAULTS[name].shows, aurora_hosts(hosts))


def inject(name, hosts=()):
    """Inject a fault on all or some Aurora hosts, without waiting until it shows."""
    if name not in FAULTS:
        raise LabError(f"there is no fault {name!r}; expected one of {', '.join([*FAULTS, *UNREADY])}")
    fault, targets = FAULTS[name], aurora_hosts(hosts)
    with alone():
        for host, address in targets.items():
            if fault.where == "aurora":
                inside(host, FAULT, *fault.command)
            else:
                inside(NEIGHBOURS[fault.where], FAULT, *fault.command, address)
    say(f"{name} on {', '.join(targets)}: {fault.does}")


def mend(hosts=()):
    """Remove every fault from all or some hosts. Changes of the playbooks stay: revert.yml gives them back."""
    targets = aurora_hosts(hosts)
    with alone(), ThreadPoolExecutor(8) as pool:
        list(pool.map(mend_host, targets.items()))
    await_sign(signs.WELL, targets)


def mend_host(target):
    host, address = target
    for neighbour in NEIGHBOURS.values():
        inside(neighbour, FAULT, "mend", address)
    inside(host, FAULT, "mend")


def wait_for_breakers(targets, is_open):
    await_sign(signs.BREAKER_OPEN if is_open else signs.BREAKER_CLOSED, targets)


def await_sign(sign, targets, limit=180.0):
    """Wait until a sign shows on every host, looking at all of them at once."""
    deadline = time.monotonic() + limit
    left = [Host(name, address) for name, address in targets.items()]
    with step(f"waiting until on {', '.join(targets)} {sign.text}"), ThreadPoolExecutor(8) as pool:
        while left and time.monotonic() < deadline:
            seen = list(pool.map(sign.holds, left))
            left = [host for host, holds in zip(left, seen, strict=True) if not holds]
            time.sleep(0.3 if left else 0)
    if left:
        raise LabError(
            f"on {', '.join(host.name for host in left)} it is not so that {sign.text} after {limit:g} s; to see why: "
            "./dev run ansible-playbook playbooks/triage.yml -i inventory/lab"
        )


class Host:
    """An Aurora host as the signs see it."""

    def __init__(self, name, address):
        self.name, self.address = name, address

    def page(self, port, path="/metrics"):
        """The answer of a service, "" if there is none."""
        return get(self.address, port, path)

    def states(self, *units):
        return inside(self.name, "systemctl", "show", "--property=ActiveState", "--value", *units).split()

    def restarts(self, unit):
        return int(inside(self.name, "systemctl", "show", "--property=NRestarts", "--value", unit))

    def is_reached(self):
        """Whether a client outside reaches the public address on this host."""
        try:
            inside(NEIGHBOURS["monitor"], FAULT, "reach", self.address)
        except LabError:
            return False
        return True


def breaker(address):
    """circuit_breaker_state of a host, None if it is unknown."""
    return signs.value(get(address, 9000, "/metrics"), "circuit_breaker_state")


def get(address, port, path):
    connection = http.client.HTTPConnection(address, port, timeout=3)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        return text if answer.status == http.HTTPStatus.OK else ""
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def knob(host, name="KELLY_MULTIPLIER"):
    """A variable of the running trading process of a host."""
    pid = inside(host, "systemctl", "show", "--property=MainPID", "--value", "aurora-runner")
    entries = inside(host, "cat", f"/proc/{pid}/environ").split("\0")
    return next((entry.partition("=")[2] for entry in entries if entry.startswith(f"{name}=")), None)


def show():
    """One line for each host: its breaker and the knobs of its running process."""
    words = {0.0: "CLOSED", 1.0: "HALF_OPEN", signs.OPEN: "OPEN", None: "unknown"}
    for host, address in aurora_hosts().items():
        say(f"{host}: breaker {words[breaker(address)]}, running with KELLY_MULTIPLIER={knob(host)}")


def faults(as_json):
    """The faults, as text for people or as JSON for programs."""
    hosts = list(aurora_hosts()) if state() else ["aurora1", "aurora2"]
    keys = ("name", "incident", "cause", "cure", "expect", "does")
    rows = [{**{key: getattr(fault, key) for key in keys}, "hosts": hosts} for fault in FAULTS.values()]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(f"{row['name']}\n  {row['does']}\n  cause {row['cause']}; cure {', '.join(row['cure']) or 'none'};"
              f" expect {row['expect']}")  # fmt: skip


if __name__ == "__main__":
    sys.exit("use ./dev")
