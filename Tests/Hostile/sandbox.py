"""A machine of a test's own, inside namespaces of mounts, network and processes.

    unshare --mount --net --pid --fork --mount-proc --kill-child python3 sandbox.py PROGRAM

Carries out one request a line, in JSON, and answers each with one line. The first process of its namespace: when it
ends, so does every process in it, and every mount goes. All that is written lies in memory; what is shared with the
machine outside is read-only. PROGRAM becomes /srv/wizard502.
"""
import base64
import ctypes
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time

MEMORY = ["/tmp", "/run", "/srv", "/opt", "/home", "/root", "/var/log", "/var/lib", "/var/cache", "/var/tmp"]
OUTPUT = 32 << 20


def mount(source, target, kind, flags, options=""):
    library = ctypes.CDLL(None, use_errno=True)
    if library.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def prepare(program):
    with open(program, "rb") as file:
        program = file.read()
    NONE, READONLY, BIND, REMOUNT, RECURSIVE, PRIVATE = 0, 1, 4096, 32, 16384, 1 << 18
    mount("none", "/", "", RECURSIVE | PRIVATE)
    etc = subprocess.run(["tar", "-C", "/etc", "-c", "."], capture_output=True, check=False).stdout
    for place in MEMORY + ["/etc"]:
        mount("none", place, "tmpfs", NONE, "mode=0755")
    subprocess.run(["tar", "-C", "/etc", "-x"], input=etc, check=True)
    for place in ["/tmp", "/var/tmp"]:
        os.chmod(place, 0o1777)
    mount("none", "/", "", REMOUNT | BIND | READONLY)
    for place in ["/var/log/nginx", "/var/lib/nginx", "/var/log/apache2", "/run/lock"]:
        os.mkdir(place)
    with open("/srv/wizard502", "wb") as file:
        file.write(program)
    os.chmod("/srv/wizard502", 0o755)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def start(request, output):
    """The process that a request describes: its words, who it is, what it may use."""
    uid = request.get("uid", 0)

    def become():
        os.setsid()
        for name, value in request.get("limits", {}).items():
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
        if uid:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)

    variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                 "LANG": "C.UTF-8", "SWIFT_BACKTRACE": "enable=no"}
    variables.update(request.get("variables", {}))
    words = [os.fsencode(word) for word in request["words"]]
    return subprocess.Popen(
        words, executable=request.get("executable"), stdin=subprocess.DEVNULL, stdout=output[0], stderr=output[1],
        cwd=request.get("folder", "/"), preexec_fn=become,
        env={name: value for name, value in variables.items() if value is not None})


def run(request):
    files = [os.memfd_create("out"), os.memfd_create("err")]
    output = list(files)
    if request.get("output"):
        output[0] = os.open(request["output"], os.O_WRONLY)
    began = time.monotonic()
    process = start(request, output)
    late = False
    while True:
        id, status, usage = os.wait4(process.pid, os.WNOHANG)
        seconds = time.monotonic() - began
        if id:
            break
        if seconds > request["limit"]:
            late = True
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.005)
    process.returncode = 0
    texts = []
    for file in files:
        texts.append(base64.b64encode(os.pread(file, OUTPUT, 0)).decode())
        os.close(file)
    if output[0] != files[0]:
        os.close(output[0])
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    return {"status": code, "late": late, "output": texts[0], "errors": texts[1], "seconds": seconds,
            "processor": usage.ru_utime + usage.ru_stime, "megabytes": usage.ru_maxrss / 1024}


def background(request):
    log = os.open(request.get("log", "/dev/null"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    process = start(request, [log, log])
    process.returncode = 0
    os.close(log)
    return {"pid": process.pid}


def write(request):
    path = request["path"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(base64.b64decode(request["bytes"]) * request.get("times", 1))
    os.chmod(path, request.get("mode", 0o644))
    if "uid" in request:
        os.chown(path, request["uid"], request["uid"])
    return {}


def read(request):
    try:
        with open(request["path"], "rb") as file:
            return {"bytes": base64.b64encode(file.read(OUTPUT)).decode()}
    except OSError:
        return {}


def listing(_):
    """Every file of the file systems in memory with what would tell of a change; an access is none."""
    seen = {}
    for place in MEMORY + ["/etc"]:
        for folder, folders, files in os.walk(place):
            for name in [""] + files + [entry for entry in folders if os.path.islink(os.path.join(folder, entry))]:
                path = os.path.join(folder, name).rstrip("/")
                about = os.lstat(path)
                parts = (about.st_ino, about.st_mode, about.st_uid, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
                seen[path] = hashlib.sha1(repr(parts).encode()).hexdigest()
    return {"files": seen}


if __name__ == "__main__":
    prepare(sys.argv[1])
    doings = {"run": run, "start": background, "write": write, "read": read, "listing": listing}
    print("{}", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = doings[request["do"]](request)
        except Exception as error:
            answer = {"failure": repr(error)}
        print(json.dumps(answer), flush=True)
        # Children of others that ended fall to the first process.
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
