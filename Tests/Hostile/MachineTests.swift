import Foundation
import Testing

/// Rows 8, 9, 11, 12, 13, 18, 20 and 34 to 37: a machine that is short of something, or unlike others.
@Suite struct MachineTests {
  @Test func row8AMachineWhoseKernelHasSystemdsNumberOfOpenFiles() throws {
    let sandbox = try Sandbox()
    let (port, app) = (sandbox.port(), try sandbox.failing(server: "gunicorn"))
    try sandbox.write("1024\t0\t\(Int.max)\n", to: "/srv/file-nr")
    try sandbox.sh("mount --bind /srv/file-nr /proc/sys/fs/file-nr")
    let log = "/var/log/nginx/error.log"
    let line = #"[crit] 1#1: *1 open() "/x" failed (23: Too many open files in system), client: 192.0.2.1"#
    try sandbox.start(["sh", "-c", "while :; do date '+%Y/%m/%d %H:%M:%S \(line)' >>\(log); sleep 0.1; done"])
    try sandbox.write(
      "events {}\nhttp { error_log \(log); server { listen \(port); location / { proxy_pass http://127.0.0.1:\(app); } } }\n",
      to: "/etc/nginx/nginx.conf")
    try sandbox.compile("impostor.c", to: "/opt/impostor", "-static")
    let form = try #require(ProxyForm.all.first { $0.process == "nginx" })
    try sandbox.pose(as: form, at: port, configuration: "/etc/nginx/nginx.conf")
    let diagnosis = try Diagnosis(try sandbox.wizard("diagnose", "http://localhost:\(port)/", "--json"))
    let outcome = diagnosis.outcome("host.resources")
    #expect(outcome == "fine", "\(diagnosis.checks.map { "\($0.id): \($0.outcome)" })")
  }

  @Test(arguments: [
    "linux", "xterm-256color", "vt100", "screen", "ansi",
  ])
  func row9TheGuidedSessionOpensOnEachKindOfTerminal(_ kind: String) throws {
    let sandbox = try Sandbox("\(#function) \(kind)")
    let port = try sandbox.failing()
    let run = try sandbox.run(
      [
        "script", "-qec",
        "stty cols 80 rows 24; (sleep 1; kill -INT 0) & exec \(Sandbox.program) http://localhost:\(port)", "/dev/null",
      ],
      as: .init(variables: ["TERM": kind]), limit: 15)
    #expect(!run.all.contains("cannot show full screens"), "\(run.all.prefix(300))")
    #expect(run.output.utf8.count > 500, "nothing was drawn: \(run.all.prefix(300))")
  }

  /// With no thread left there is a sentence and a code, or the answer.
  @Test(arguments: [1, 2, 3, 4, 5, 8])
  func row11NoThreadOrProcessLeft(_ free: Int) throws {
    let sandbox = try Sandbox("\(#function) \(free)")
    let uid = UInt32.random(in: 70_000...4_000_000)
    for arguments in [["--version"], ["--help"], ["show"], ["diagnose", "http://localhost:1/", "--timeout", "3"]] {
      let run = try sandbox.run(
        [Sandbox.program] + arguments, as: .init(uid: uid, limits: ["NPROC": free]), limit: 6)
      #expect(!run.isLate && run.status < 128, "\(arguments), \(free): \(run.description)")
      #expect(!run.all.isEmpty, "\(arguments), \(free): not a word")
    }
  }

  @Test func row12TheStartScreenWith1500SitesThatHangAsksFewOfThemAtOnce() throws {
    let sandbox = try Sandbox()
    let port = try sandbox.hangingSites(1500)
    let session = try sandbox.start(
      ["script", "-qec", "stty cols 80 rows 24; exec \(Sandbox.program)", "/dev/null"],
      as: .init(variables: ["TERM": "xterm"], limits: ["NOFILE": 1024]))
    var most = 0
    for _ in 0..<24 {
      let count = try sandbox.sh("ss -Htn state established 'dport = :\(port)' | wc -l; kill -0 \(session); sleep 0.3")
      most = max(most, Int(count.split(separator: "\n").first?.trimmingCharacters(in: .whitespaces) ?? "") ?? 0)
    }
    #expect(most > 0, "no site was asked: nothing was tried")
    #expect(most <= 20, "it asked \(most) at once")
    let alive = try sandbox.run(["pgrep", "-x", "wizard502"])
    #expect(alive.status == 0, "it has ended by itself")
  }

  @Test func row13ADiagnosisCreatesAndChangesNothingAndStartsNoProxy() throws {
    let sandbox = try Sandbox()
    let port = sandbox.port()
    try sandbox.sh("mkdir -p /srv/nginx; chmod 755 /srv/nginx")
    let text = """
      pid /run/nginx.pid;
      events {}
      http {
        access_log off;
        EDIT
        server { listen \(port); location / { proxy_pass http://127.0.0.1:1; } }
      }

      """
    try sandbox.write(text.replacingOccurrences(of: "EDIT", with: ""), to: "/etc/nginx/nginx.conf")
    try sandbox.start(["/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf"], log: "/opt/log")
    try sandbox.waitForPorts([port])
    try sandbox.write(
      text.replacingOccurrences(
        of: "EDIT",
        with:
          "access_log /var/log/nginx/new.log; error_log /var/log/nginx/newer.log; client_body_temp_path /srv/nginx/body;"
      ),
      to: "/etc/nginx/nginx.conf")
    let before = try sandbox.listing()
    let (programs, run) = try sandbox.traced("diagnose", "http://localhost:\(port)/", "--json")
    let after = try sandbox.listing()
    #expect(programs.isSubset(of: Sandbox.mayStart), "it started \(programs)")
    let changed = Set(before.keys).union(after.keys).filter {
      before[$0] != after[$0] && !["/run", "/opt", "/opt/log"].contains($0)
    }
    // The proxy itself writes down that its app refused.
    .filter { $0 != "/var/log/nginx/error.log" }
    #expect(before["/etc/nginx/nginx.conf"] != nil, "nothing was listed")
    #expect(changed.isEmpty, "\(changed.sorted())")
    #expect(try !Diagnosis(run).checks.isEmpty)
  }

  @Test(arguments: ["diagnose", "all", "show", "explain", "version", "graph"])
  func row18AFullDiskAndAClosedStandardOutputAreSaid(_ command: String) throws {
    let sandbox = try Sandbox("\(#function) \(command)")
    let port = try sandbox.failing()
    try sandbox.write("connect() failed (111: Connection refused) while connecting to upstream\n", to: "/srv/log")
    let arguments = [
      "diagnose": "diagnose http://localhost:\(port)/ --json", "all": "diagnose --all --json",
      "show": "show wrong-port",
      "explain": "explain /srv/log", "version": "--version", "graph": "graph --dot",
    ]
    for closing in [">/dev/full", ">&-"] {
      let run = try sandbox.run(["sh", "-c", "exec \(Sandbox.program) \(arguments[command] ?? "") \(closing)"])
      #expect(run.status == 70 || run.status == 74, "\(closing): \(run.description)")
      #expect(run.errors.hasPrefix("wizard502: "), "\(closing): \(run.description)")
    }
  }

  @Test func row20NoProc() throws {
    let sandbox = try Sandbox()
    for arguments in ["--version", "diagnose http://localhost:1/ --timeout 3", "show wrong-port"] {
      let run = try sandbox.run(
        [
          "unshare", "--mount", "sh", "-c",
          "while umount -l /proc 2>/dev/null; do :; done; [ ! -e /proc/self ] && exec \(Sandbox.program) \(arguments)",
        ], limit: 15)
      #expect(!run.isLate && run.status < 128, "\(arguments): \(run.description)")
      #expect(!run.all.isEmpty && (run.status != 64 || run.all.contains("/proc")), "\(arguments): \(run.description)")
    }
  }

  @Test(arguments: [
    "env -i", "env -i TERM=linux LANG=tr_TR.UTF-8 LC_ALL=C",
    "env http_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1",
    "env OPENSSL_CONF=/dev/zero0 HOME=/nonexistent", "prlimit --nofile=4", "prlimit --nofile=6",
    "prlimit --nofile=16",
    "prlimit --as=50000000", "prlimit --as=100000000", "prlimit --as=200000000", "prlimit --as=400000000",

    "prlimit --stack=262144", "sh -c 'umount -l /sys; exec \"$@\"' sh", "setpriv --reuid 65534 --clear-groups",
  ])
  func row34To37OddEnvironmentsFewDescriptorsLittleMemoryNoSys(_ prefix: String) throws {
    let sandbox = try Sandbox("\(#function) \(prefix)")
    let port = try sandbox.failing()
    let run = try sandbox.run(
      ["sh", "-c", "exec \(prefix) \(Sandbox.program) diagnose http://localhost:\(port)/ --timeout 5 2>&1"], limit: 10)
    #expect(!run.isLate && run.status < 128, run.description)
    #expect(!run.all.isEmpty, "not a word")
    // Memory below what the libraries take is the loader's to refuse.
    if run.status > 2 { #expect(run.all.contains("wizard502"), run.description) }
  }
}
