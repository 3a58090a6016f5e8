import Foundation
import Testing

/// What one kind of proxy looks like to others: its process' name, its options, a configuration that reads well.
struct ProxyForm: Sendable {
  let process: String
  /// The options that name a configuration file.
  let options: @Sendable (_ file: String) -> [String]
  let configuration: @Sendable (_ port: Int) -> String
  /// Lines that make the real program load the attacker's library or script.
  var loading: (@Sendable (_ library: String, _ script: String) -> String)?
  /// Lines that take in another file.
  var including: (@Sendable (_ file: String) -> String)?
  /// The real program.
  var program: String?

  static let all = [
    ProxyForm(
      process: "nginx", options: { ["-c", $0] },
      configuration: { "events {}\nhttp { server { listen \($0); location / { proxy_pass http://127.0.0.1:1; } } }\n" },
      loading: { library, _ in "load_module \(library);\n" }, including: { "include \($0);\n" },
      program: "/usr/sbin/nginx"),
    ProxyForm(
      process: "haproxy", options: { ["-f", $0] },
      configuration: {
        """
        defaults
          mode http
          timeout connect 1s
          timeout client 5s
          timeout server 5s
        frontend f
          bind :\($0)
          default_backend b
        backend b
          server s 127.0.0.1:1

        """
      }, loading: { _, script in "global\n  lua-load \(script)\n" }, including: nil, program: "/usr/sbin/haproxy"),
    apache("apache2"), apache("httpd"),
    ProxyForm(
      process: "caddy", options: { ["run", "--config", $0, "--adapter", "caddyfile"] },
      configuration: { ":\($0) {\n\treverse_proxy 127.0.0.1:1\n}\n" }, including: { "import \($0)\n" }),
    ProxyForm(
      process: "envoy", options: { ["-c", $0] },
      configuration: {
        """
        static_resources:
          listeners:
          - address: {socket_address: {address: 0.0.0.0, port_value: \($0)}}
            filter_chains:
            - filters:
              - name: envoy.filters.network.http_connection_manager
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                  route_config:
                    virtual_hosts:
                    - {name: v, domains: ["*"], routes: [{match: {prefix: "/"}, route: {cluster: c}}]}
          clusters:
          - name: c
            load_assignment:
              cluster_name: c
              endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 1}}}}]}]

        """
      }),
    ProxyForm(
      process: "traefik", options: { ["--configFile=\($0)"] },
      configuration: { "entryPoints:\n  web:\n    address: ':\($0)'\n" },
      including: { "providers:\n  file:\n    filename: \($0)\n" }),
    ProxyForm(
      process: "cloudflared", options: { ["tunnel", "--config", $0, "run"] },
      configuration: { _ in "tunnel: t\ningress:\n- hostname: localhost\n  service: http://127.0.0.1:1\n" }),
  ]

  private static func apache(_ process: String) -> ProxyForm {
    ProxyForm(
      process: process, options: { ["-f", $0] },
      configuration: { port in
        "Listen \(port)\n<VirtualHost *:\(port)>\n  ProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n"
      }, loading: { library, _ in "LoadModule x_module \(library)\n" }, including: { "Include \($0)\n" },
      program: "/usr/sbin/apache2")
  }
}

/// How a user's process passes itself off as a proxy.
enum Disguise: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case ownProgram = "a program of the user's own with the proxy's file name"
  case replaced = "its program was replaced by another after the start"
  case script = "a command line that names a script of the user's"
  case systemProgram = "a command line that names the system's program with the user's configuration"
  case relative = "a relative program and configuration"
  case prefix = "a prefix, a root folder and defines of the user's"
  case parent = "a parent process under a forged name"
  case preload = "LD_PRELOAD and library paths in its environment"
  case inherited = "a listening socket that root opened"
  case swapped = "a link that leads to the system's program now and to the user's then"
  case shellName = "a program whose path is shell text"
  case container = "root in a container that no engine lists"

  var testDescription: String { rawValue }
}

/// Row 1 and what follows of it: a user's process named as a proxy never gets root to run or to read anything.
@Suite struct UserProxyTests {
  /// One impostor for each kind, and where it answers.
  private static func impostors(_ disguise: Disguise, in sandbox: Sandbox) throws -> [(form: ProxyForm, port: Int)] {
    let lair =
      disguise == .shellName ? sandbox.lair + "/x;$(\(sandbox.lair)/run)\n'\u{301}`\(sandbox.lair)/run`" : sandbox.lair
    let quoted = "'" + lair.replacingOccurrences(of: "'", with: "'\\''", options: .literal) + "'"
    try sandbox.sh("mkdir -p -m 0777 \(quoted)")
    try sandbox.compile("impostor.c", to: sandbox.lair + "/impostor", "-static")
    try sandbox.compile("planted.c", to: sandbox.lair + "/planted.so", "-shared -fPIC")
    let script = "#!/bin/sh\necho \"$0 $*\" >>\(sandbox.trap)$(id -u)\n"
    try sandbox.write(script, to: sandbox.lair + "/run", by: Sandbox.nobody, mode: 0o755)
    try sandbox.write(
      "local f = io.open('\(sandbox.trap)0', 'a'); if f then f:write('lua'); f:close() end\n",
      to: sandbox.lair + "/run.lua", by: Sandbox.nobody)
    let started: [(form: ProxyForm, port: Int)] = try ProxyForm.all.map { form in
      let port = sandbox.port()
      let program = lair + "/" + form.process
      let file = lair + "/" + form.process + ".conf"
      // Where a program of the user's would be run, nothing in the file keeps anybody from running it.
      let isLoading = [.systemProgram, .prefix, .preload, .container].contains(disguise)
      let evil = isLoading ? form.loading?(sandbox.lair + "/planted.so", sandbox.lair + "/run.lua") ?? "" : ""
      try sandbox.write(evil + form.configuration(port), to: file, by: Sandbox.nobody)
      var way = Sandbox.Way(uid: Sandbox.nobody, folder: lair)
      way.variables = ["COMM": form.process, "PORT": "\(port)"]
      way.executable = sandbox.lair + "/impostor"
      var words = [program] + form.options(file)
      switch disguise {
      case .ownProgram, .replaced, .shellName:
        try sandbox.sh("install -m 0755 -o \(Sandbox.nobody) \(sandbox.lair)/impostor \(quoted)/\(form.process)")
        way.executable = program
      case .script, .preload, .parent, .inherited:
        try sandbox.write(script, to: program, by: Sandbox.nobody, mode: 0o755)
      case .swapped: try sandbox.sh("ln -s \(sandbox.lair)/run \(program)")
      case .systemProgram: words[0] = form.program ?? "/usr/bin/\(form.process)"
      case .relative:
        try sandbox.write(script, to: program, by: Sandbox.nobody, mode: 0o755)
        words = ["./" + form.process] + form.options(form.process + ".conf")
      case .prefix:
        try sandbox.write(evil + form.configuration(port), to: lair + "/conf/nginx.conf", by: Sandbox.nobody)
        words = [form.program ?? program, "-p", lair + "/", "-d", lair, "-C", lair] + form.options("conf/nginx.conf")
        words += ["-D", "X"]
      case .container: break
      }
      if disguise == .parent { way.variables["FORK"] = "1" }
      if disguise == .preload {
        let planted = sandbox.lair + "/planted.so"
        way.variables.merge(
          ["LD_PRELOAD": planted, "LD_AUDIT": planted, "LD_LIBRARY_PATH": lair, "APACHE_RUN_DIR": lair, "PATH": lair]
        ) { $1 }
        words[0] = form.program ?? program
      }
      switch disguise {
      case .container:
        let root = lair + "/root-" + form.process
        try sandbox.sh(
          "mkdir -p \(root)\(lair); cp \(lair)/impostor \(root)/\(form.process); cp \(file) \(root)\(file)")
        way.uid = 0
        way.executable = nil
        try sandbox.start(
          ["unshare", "--mount", "chroot", root, "/" + form.process] + form.options(file), as: way)
      case .inherited:
        let opened =
          "import os,socket,sys\ns=socket.create_server(('',\(port)))\nos.set_inheritable(s.fileno(),True)\n"
          + "os.setgroups([]);os.setgid(\(way.uid));os.setuid(\(way.uid))\n"
          + "os.environ['LISTENS']=str(s.fileno());os.execv('\(sandbox.lair)/impostor',sys.argv[1:])"
        way.uid = 0
        way.executable = nil
        try sandbox.start(["/usr/bin/python3", "-c", opened] + words, as: way)
      default: try sandbox.start(words, as: way)
      }
      return (form, port)
    }
    try sandbox.waitForPorts(started.map(\.port))
    for (form, _) in started where disguise == .replaced {
      try sandbox.sh(
        "rm \(lair)/\(form.process); install -m 0755 -o \(Sandbox.nobody) \(lair)/run \(lair)/\(form.process)")
    }
    if disguise == .swapped {
      let links = ProxyForm.all.map { "\(lair)/\($0.process)" }.joined(separator: " ")
      try sandbox.start(
        ["sh", "-c", "while :; do for l in \(links); do ln -sfn /bin/true $l; ln -sfn \(lair)/run $l; done; done"],
        as: .init(uid: Sandbox.nobody))
    }
    return started
  }

  @Test(arguments: Disguise.allCases)
  func row1NothingOfAUsersProxyRunsAsRootAndNoCommandShownWouldRunIt(_ disguise: Disguise) throws {
    let sandbox = try Sandbox("\(#function) \(disguise)")
    let proxies = try Self.impostors(disguise, in: sandbox)
    var commands: Set<String> = []
    for (form, port) in proxies {
      let (programs, run) = try sandbox.traced("diagnose", "http://localhost:\(port)/", "--json")
      #expect(programs.isSubset(of: Sandbox.mayStart), "\(form.process): it started \(programs)")
      try sandbox.expectNothingRan("\(form.process), while it looked")
      let diagnosis = try Diagnosis(run)
      commands.formUnion(diagnosis.commands.filter { $0.contains(sandbox.lair) || $0.contains(form.process) })
    }
    let (programs, _) = try sandbox.traced("diagnose", "--all", "--json")
    #expect(programs.isSubset(of: Sandbox.mayStart), "--all: it started \(programs)")
    try sandbox.expectNothingRan("--all")
    // Somebody pastes what is shown, as root.
    try sandbox.write(
      "#!/bin/sh\nwhile [ \"${1#-}\" != \"$1\" ]; do shift; done\nexec \"$@\"\n", to: "/opt/bin/sudo", mode: 0o755)
    for command in commands.sorted() {
      _ = try sandbox.run(
        ["sh", "-c", command], as: .init(variables: ["PATH": "/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin"]), limit: 3)
      try sandbox.expectNothingRan("somebody pasted: \(command)")
    }
  }

  /// The real program under a user's id, whose configuration is given something to load after the start.
  @Test(arguments: ["nginx", "haproxy", "apache2"])
  func row1TheRealProgramOfAUserIsNotTestedWithWhatTheUserLetsItLoad(_ process: String) throws {
    let sandbox = try Sandbox("\(#function) \(process)")
    let form = try #require(ProxyForm.all.first { $0.process == process })
    let real = try #require(form.program)
    let (port, lair) = (sandbox.port(), sandbox.lair)
    try sandbox.compile("planted.c", to: lair + "/planted.so", "-shared -fPIC")
    try sandbox.write(
      "local f = io.open('\(sandbox.trap)0', 'a'); if f then f:write('lua'); f:close() end\n", to: lair + "/run.lua")
    let file = lair + "/its.conf"
    let modules = "/usr/lib/apache2/modules"
    let own = [
      "nginx": "pid \(lair)/pid;\nerror_log \(lair)/error.log;\n",
      "haproxy": "",
      "apache2": "ServerRoot \(lair)\nServerName localhost\nPidFile \(lair)/pid\nErrorLog \(lair)/error.log\n"
        + ["mpm_event", "authz_core", "proxy", "proxy_http"].map { "LoadModule \($0)_module \(modules)/mod_\($0).so\n" }
        .joined(),
    ]
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(lair)/t-\($0);" }
    let plain =
      (own[process] ?? "")
      + form.configuration(port).replacingOccurrences(
        of: "http { ", with: "http { access_log off; \(paths.joined(separator: " ")) ")
    try sandbox.write(plain, to: file, by: Sandbox.nobody)
    // Its program is the system's for one, and a copy of the user's own for the other.
    let (copy, second) = (lair + "/" + process, sandbox.port())
    try sandbox.sh("install -m 0755 -o \(Sandbox.nobody) \(real) \(copy)")
    try sandbox.write(
      plain.replacingOccurrences(of: "\(port)", with: "\(second)").replacingOccurrences(
        of: lair + "/pid", with: lair + "/pid2"),
      to: file + "2", by: Sandbox.nobody)
    try sandbox.start([real] + form.options(file), as: .init(uid: Sandbox.nobody), log: lair + "/log")
    try sandbox.start([copy] + form.options(file + "2"), as: .init(uid: Sandbox.nobody), log: lair + "/log")
    try sandbox.waitForPorts([port, second])
    let evil = form.loading?(lair + "/planted.so", lair + "/run.lua") ?? ""
    for (file, port) in [(file, port), (file + "2", second)] {
      let folder = process == "nginx" ? "client_body_temp_path \(lair)/made; " : ""
      let edited = (evil + plain).replacingOccurrences(of: "http { ", with: "http { \(folder)")
        .replacingOccurrences(of: "client_body_temp_path \(lair)/t-client_body;", with: "")
      try sandbox.write(edited, to: file, by: Sandbox.nobody)
      let (programs, run) = try sandbox.traced("diagnose", "http://localhost:\(port)/", "--json")
      #expect(programs.isSubset(of: Sandbox.mayStart), "it started \(programs)")
      try sandbox.expectNothingRan("\(file)")
      #expect(try sandbox.run(["test", "-e", lair + "/made"]).status != 0, "a folder was made")
      _ = try Diagnosis(run)
    }
  }

  @Test func row16RootReadsNothingForAUserThatTheUserMayNotRead() throws {
    let sandbox = try Sandbox()
    let secret = "S3cr3t" + sandbox.name()
    try sandbox.compile("impostor.c", to: sandbox.lair + "/impostor", "-static")
    try sandbox.write("root:$6$\(secret):1:0:99999:7:::\n", to: "/etc/shadow", mode: 0o600)
    let log =
      "2026/01/01 00:00:00 [error] 1#1: *1 connect() failed (111: Connection refused) while connecting to upstream, \(secret)\n"
    try sandbox.write(log, to: "/root/private.log", mode: 0o600)
    try sandbox.sh("ln -s /etc/shadow \(sandbox.lair)/link.conf; chmod 0700 /root")
    var ports: [Int] = []
    for form in ProxyForm.all {
      let including = sandbox.lair + "/\(form.process)-including.conf"
      var files = ["/etc/shadow", sandbox.lair + "/link.conf"]
      let port = sandbox.port()
      if let include = form.including {
        let text = form.process == "nginx" ? "error_log /root/private.log;\n" : ""
        try sandbox.write(text + form.configuration(port) + include("/etc/shadow"), to: including, by: Sandbox.nobody)
        files.append(including)
      }
      for (index, file) in files.enumerated() {
        let own = index == 2 ? port : sandbox.port()
        ports.append(own)
        let way = Sandbox.Way(
          uid: Sandbox.nobody, variables: ["COMM": form.process, "PORT": "\(own)"],
          executable: sandbox.lair + "/impostor")
        try sandbox.start([form.program ?? "/usr/bin/\(form.process)"] + form.options(file), as: way)
      }
    }
    try sandbox.waitForPorts(ports)
    for port in ports {
      let run = try sandbox.wizard("diagnose", "http://localhost:\(port)/", "--json")
      #expect(
        !run.all.contains(secret), "\(port): \(run.all.split(separator: "\n").first { $0.contains(secret) } ?? "")")
    }
    for form in ["--json", "--markdown", nil] {
      let run = try sandbox.run([Sandbox.program, "diagnose", "--all"] + [form].compactMap { $0 }, limit: 60)
      #expect(!run.all.contains(secret), "\(form ?? "text")")
    }
  }
}
