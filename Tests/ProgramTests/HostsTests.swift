import Foundation
import Glibc
import Testing

/// Other machines, by the real ssh and sshd: each a network namespace with a real nginx, with wizard502 and without.
@Suite(.serialized) struct HostsTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let count = environment["HOSTS"].flatMap { Int($0) }

  @Test func otherMachinesAreLookedAtWithTheProgramAndWithout() async throws {
    let machines = try Machines(3, without: [2])

    // One with the program: the same diagnosis as there, and told from where.
    let first = try await machines.run("diagnose", "http://shop1.test/", "--on", "ssh://root@m1.test", "--json")
    #expect((first.status, first.errors) == (1, ""))
    let diagnosis = try first.diagnosis
    #expect((diagnosis.host, diagnosis.verdict, diagnosis.observed.status) == ("ssh://root@m1.test", "diagnosed", 502))
    #expect(diagnosis.causes.map(\.id) == ["backend-stopped"] && diagnosis.proxy?.kind == "nginx")

    // All of a file: one without the program, where the script is run and its output read, and one that is dead.
    try machines.folder.write(
      "# all\n\n\(machines.all.joined(separator: "\n"))\nssh://dead.test\n", to: "some")
    let all = try await machines.run(
      "diagnose", "--all", "--on", machines.folder.path + "/some", "--json", "--timeout", "60")
    #expect(all.status == 1)
    let results = try JSONDecoder().decode([Program.Diagnosis].self, from: Data(all.output.utf8))
    #expect(results.map(\.host) == machines.all + ["ssh://dead.test"])
    #expect(results.map(\.url) == (1...3).map { "http://shop\($0).test/" } + ["ssh://dead.test"])
    let causes = results.map { $0.causes.first?.id ?? $0.verdict }
    #expect(causes == [String](repeating: "backend-stopped", count: 3) + ["inconclusive"])
    #expect(results.last?.observed.error?.contains(/timed out|No route to host|no answer/) == true)
    for host in ["m1.test as root", "m2.test as root", "m3.test as root", "dead.test"] {
      #expect(all.errors.contains(" of 4 machines: \(host): "))
    }

    // As a guided session, in lines, and checked again.
    try machines.folder.write("r\n", to: "answers")
    let guided = try await machines.run(
      "http://shop1.test/", "--on", "ssh://root@m1.test", "--answers", machines.folder.path + "/answers")
    #expect(guided.status == 1)
    #expect(guided.output.contains("The same as before: "))
    #expect(guided.output.contains("[on m1.test as root]") && guided.output.contains("The app does not run"))
  }

  /// The proxy on one machine, the app on another: what both show is one verdict.
  @Test(arguments: Apart.all) func whatTheAppsMachineShowsDecides(_ apart: Apart) async throws {
    let machines = try Machines(2, without: apart.without, environment: apart.environment)
    let run = try await machines.run(
      "diagnose", "http://shop1.test/", "--on", machines.all.joined(separator: ","), "--json")
    let results = try JSONDecoder().decode([Program.Diagnosis].self, from: Data(run.output.utf8))
    let proxys = try #require(results.first { $0.host == machines.all[0] }, "\(run.output)\(run.errors)")
    let first = proxys.causes.first
    #expect(first?.id == apart.cause, "\(machines.folder.text("log/app") ?? "")")
    #expect(first?.confidence == apart.confidence)
    let told = proxys.causes.flatMap(\.evidence).filter { $0.contains("m2.test") }
    guard let words = apart.words else {
      #expect(told == [] && !run.output.contains(#""place": "upstream-host""#))
      return
    }
    #expect(results.count == 1 && run.status == 1)
    #expect(told.contains { $0.contains(words) }, "\(told)")
    #expect(apart.command.map(run.output.contains) != false)
  }

  @Test func aGuidedSessionTellsOfTheAppsMachineInGerman() async throws {
    let machines = try Machines(2, environment: ["APART": Apart.serving("127.0.0.1")])
    try machines.folder.write("", to: "answers")
    let guided = try await machines.run(
      "http://shop1.test/", "--lang", "de", "--on", machines.all.joined(separator: ","), "--answers",
      machines.folder.path + "/answers")
    #expect(guided.status == 1)
    #expect(guided.output.contains("Dort ist der Port an 127.0.0.1 offen"))
  }

  /// One login serves the list of sites, and one each of them; where a person's own configuration shares connections, it is theirs.
  @Test func allThatIsLookedAtThereSharesALogin() async throws {
    let machines = try Machines(1, without: [1])
    let logins = { (machines.folder.text("log/m1") ?? "").ranges(of: "Accepted").count }
    func look() async throws {
      let run = try await machines.run("diagnose", "--all", "--on", machines.all[0], "--json")
      #expect(run.status == 1)
    }
    try await look()
    #expect(logins() == 2)
    let sockets = machines.folder.path + "/state/wizard502"
    for _ in 0..<50 where try FileManager.default.contentsOfDirectory(atPath: sockets) != [] {
      try await Task.sleep(for: .milliseconds(100))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: sockets) == [])
    var status = stat()
    #expect(stat(sockets, &status) == 0 && status.st_mode & 0o777 == 0o700)
    let config = try #require(machines.folder.text("config"))
    try machines.folder.write("ControlPath \(machines.folder.path)/none/%C\n" + config, to: "config")
    try await look()
    #expect(logins() == 4)
  }

  @Test func monitoringGetsALineASite() async throws {
    let machines = try Machines(1)
    let run = try await machines.run("diagnose", "--all", "--on", "ssh://root@m1.test", "--prometheus")
    #expect(run.status == 1)
    let lines = run.output.split(separator: "\n")
    try #require(lines.count == 3)
    #expect(lines[0].hasPrefix("# HELP wizard502_site_up ") && lines[1] == "# TYPE wizard502_site_up gauge")
    #expect(
      lines[2] == #"wizard502_site_up{site="http://shop1.test/",host="ssh://root@m1.test",cause="backend-stopped"} 0"#)
    let dead = try await machines.run("diagnose", "--all", "--on", "ssh://nobody.test:9", "--prometheus")
    #expect(dead.status == 2)
    #expect(dead.output.hasSuffix(#"{site="ssh://nobody.test:9",host="ssh://nobody.test:9",cause=""} NaN"# + "\n"))
  }

  /// With `HOSTS`, since several of these take as long as ssh waits.
  @Test(.enabled(if: count != nil)) func whyAMachineLetsNobodyInIsSaid() async throws {
    let machines = try Machines(2)
    let config = try #require(machines.folder.text("config"))
    func expect(_ reason: String) async throws {
      let run = try await machines.run("diagnose", "http://shop1.test/", "--on", "ssh://root@m1.test", "--json")
      #expect(run.status == 2)
      let error = try run.diagnosis.observed.error ?? ""
      #expect(error.contains(reason))
    }
    try machines.folder.write("", to: "known")
    try await expect("compare the key that it shows")
    let other = try #require(machines.folder.text("key.pub"))
    try machines.folder.write("m1.test,10.250.0.11 \(other)", to: "known")
    try await expect("another key")
    let trusting = config.replacing("UserKnownHostsFile", with: "StrictHostKeyChecking no\n  UserKnownHostsFile")
    try machines.folder.write(trusting, to: "config")
    try machines.folder.write("", to: "known")
    try machines.folder.write(trusting.replacing("/key\n", with: "/host\n"), to: "config")
    try await expect("ssh-copy-id")
    // A jump host of the person's own configuration.
    let jump = "ssh -F \(machines.folder.path)/config -W 10.250.0.12:22 root@m1.test"
    try machines.folder.write(
      trusting + "Host far.test\n  HostName m2.test\n  User root\n  ProxyCommand \(jump)\n", to: "config")
    let far = try await machines.run("diagnose", "http://shop2.test/", "--on", "ssh://far.test", "--json")
    #expect(try far.diagnosis.causes.first?.id == "backend-stopped", "\(far.output)\(far.errors)")
  }

  /// `HOSTS`: how many; `make hosts`.
  @Test(.enabled(if: count != nil)) func manyTakeLittleMoreThanOne() async throws {
    let count = try #require(Self.count)
    let machines = try Machines(count, fault: "silent")
    let words = ["diagnose", "--all", "--json", "--timeout", "120", "--on"]
    let one = try await machines.run(words + [machines.all[0]], limit: 150)
    let all = try await machines.run(words + [machines.folder.path + "/list"], limit: 150)
    print("hosts: one in \(one.seconds) s, \(count) in \(all.seconds) s")
    let results = try JSONDecoder().decode([Program.Diagnosis].self, from: Data(all.output.utf8))
    #expect(results.map(\.host) == machines.all)
    let causes = Set(results.map { $0.causes.first?.id ?? $0.observed.error ?? "" })
    #expect(causes == ["backend-unresponsive"])
    #expect(all.seconds < 3 * one.seconds)
  }

  @Test(arguments: [
    "-oProxyCommand=id", "ssh://-oProxyCommand=id", "ssh://a b", "ssh://a;id", "ssh://$(id)", "ssh://", "ssh://-l@host",
    "ssh://host:0", "ssh://host:99999", "ssh://host/path", "ssh://[::1", "http://host", "", ",", "ssh://a,",
    "/nonexistent", "no-such-context",
  ])
  func whatNamesNoMachineIsWrongUse(_ word: String) async throws {
    let run = try await Program.run("diagnose", "http://shop.test/", "--on", word, limit: 5)
    #expect(run.status == 64 && run.complaint != nil)
  }

  @Test(arguments: [
    ["--restricted", "http://shop.test/", "--on", "ssh://host"], ["diagnose", "http://shop.test/", "--on"],
    ["http://shop.test/", "--on", "ssh://host", "--paste", "x"], ["--on", "ssh://host"],
    ["checkup", "--on", "ssh://host"],
    ["diagnose", "--all", "--prometheus", "--json"], ["diagnose", "http://shop.test/", "--recorded", "0"],
    ["diagnose", "http://shop.test/", "--on", "ssh://host", "--anonymize"],
  ])
  func whatDoesNotGoTogetherIsWrongUse(_ words: [String]) async throws {
    let run = try await Program.run(words, limit: 5)
    #expect(run.status == 64 && run.complaint != nil)
  }

  private static let ofAnotherSite = #"{"course":{"ended":[],"given":{"url":"http://o.test/"}},"now":1,"records":0,"#

  /// What is sent back is text from outside.
  @Test func aMachineThatLiesIsReadStrictly() async throws {
    let folder = try Folder()
    try FileManager.default.createDirectory(atPath: folder.path + "/path", withIntermediateDirectories: true)
    for answer in [
      #"printf '{"now":1,"records":900000,"version":3,"wizard502":"recording"}\n'"#, "yes 502 | head -c 90000000",
      #"printf '\033]0;title\007\n'"#, "exit 3", "echo ok; exit 255",
      "echo '\(Self.ofAnotherSite)\"version\":3,\"wizard502\":\"recording\"}'",
    ] {
      try folder.write("#!/bin/sh\ncat >/dev/null\n\(answer)\n", to: "path/ssh")
      chmod(folder.path + "/path/ssh", 0o755)
      let run = try await Program.run(
        ["diagnose", "http://shop.invalid/", "--on", "ssh://host", "--json"],
        environment: Program.withoutDocker.merging(["PATH": folder.path + "/path:/usr/bin:/bin"]) { $1 }, limit: 40)
      #expect(run.status == 2, "\(answer)")
      #expect(try run.diagnosis.url == "http://shop.invalid/")
    }
  }
}

/// A site whose proxy is on one machine, and whose app is on another.
struct Apart: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// A line of a shell there.
  var app = "true"
  var more: [String: String] = [:]
  /// Machines without the program.
  var without: [Int] = []
  let cause: String?
  var confidence: String? = "certain"
  /// Of what was seen there; nil: nothing is told of that machine.
  var words: String?
  /// Part of a step there.
  var command: String?

  var environment: [String: String] { more.merging(["APART": app]) { $1 } }

  static func serving(_ address: String, port: Int = 8080) -> String {
    """
    python3 -m http.server --bind \(address) \(port) &
    for i in $(seq 99); do ss -ltn | grep -q :\(port) && break; sleep 0.1; done
    """
  }
  private static let dropping = "iptables -A INPUT -p tcp --dport 8080 -j DROP; " + serving("0.0.0.0")
  private static func container(_ options: String, port: Int = 80, then: String = "true") -> String {
    """
    dockerd --data-root /run/engine --exec-root /run/engine-run -p /run/engine.pid & for i in $(seq 99); do
    docker version && break; sleep 0.2; done; tar -C / -c usr/bin/busybox | docker import - app
    docker run -d --name shop \(options) app /usr/bin/busybox httpd -f -p \(port); \(then)
    """
  }
  private static let hasEngine = access("/usr/sbin/dockerd", X_OK) == 0 || access("/usr/bin/dockerd", X_OK) == 0

  static let all: [Apart] =
    [
      Apart(
        testDescription: "loopback", app: serving("127.0.0.1"), cause: "listens-on-localhost",
        words: "python3 listens on 127.0.0.1, port 8080, only", command: "ss -ltnp"),
      Apart(
        testDescription: "loopback, without the program", app: serving("127.0.0.1"), without: [1, 2],
        cause: "listens-on-localhost", words: "port 8080 is open on 127.0.0.1 only"),
      Apart(
        testDescription: "its own firewall", app: dropping, cause: "firewall-blocked",
        words: "its own firewall stops the connection: -A INPUT",
        command: "-s 10.250.0.11 -p tcp --dport 8080 -j ACCEPT"),
      Apart(
        testDescription: "a firewall between", app: serving("0.0.0.0"),
        more: ["PROXY": "iptables -A OUTPUT -p tcp --dport 8080 -j DROP"], cause: "firewall-blocked",
        confidence: "likely", words: "listens on port 8080 for everybody; something stops"),
      Apart(
        testDescription: "another port", app: serving("0.0.0.0", port: 8081), cause: "wrong-port", confidence: "likely",
        words: "python3 answers on port 8081"),
      Apart(
        testDescription: "a stopped unit",
        app: "mkdir -p /etc/systemd/system; mount -t tmpfs tmpfs /etc/systemd/system; "
          + "touch /etc/systemd/system/jellyfin.service",
        more: ["PORT": "8096"], cause: "backend-stopped", confidence: "likely",
        words: "the service jellyfin.service fits",
        command: "systemctl start jellyfin.service"),
      Apart(
        testDescription: "nobody listens", cause: "backend-stopped", confidence: "likely",
        words: "nobody listens on port 8080"),
      Apart(testDescription: "healthy", app: serving("0.0.0.0"), cause: nil, confidence: nil),
      Apart(
        testDescription: "another address than that machine's", app: serving("127.0.0.1"),
        more: ["APART_TO": "10.250.0.77"], cause: "backend-stopped", confidence: "likely"),
      Apart(
        testDescription: "the app is on the proxy's own machine", app: serving("0.0.0.0"),
        more: ["APART_TO": "127.0.0.1"], cause: "backend-stopped"),
    ]
    + (hasEngine
      ? [
        Apart(
          testDescription: "a stopped container", app: container("-p 8080:80", then: "docker stop -t 0 shop"),
          more: ["ENGINE": "yes"], cause: "backend-stopped", words: "the container shop does not run (state: exited)",
          command: "docker start shop"),
        Apart(
          testDescription: "published at loopback", app: container("-p 127.0.0.1:8080:80"), more: ["ENGINE": "yes"],
          cause: "port-not-published", words: "published at 127.0.0.1 only"),
        Apart(
          testDescription: "published to the wrong port", app: container("-p 8080:8080"), more: ["ENGINE": "yes"],
          without: [2], cause: "wrong-port", words: "which listens on 80"),
      ] : [])
}

/// Machines of `Tests/hosts`; gone with the value.
private final class Machines {
  let folder: Folder
  private let process = Process()
  private let input = Foundation.Pipe()

  /// As they are named.
  let all: [String]

  init(
    _ count: Int, without: [Int] = [], fault: String = "refused", environment: [String: String] = [:]
  ) throws {
    folder = try Folder()
    all = (1...count).map { "ssh://root@m\($0).test" }
    process.executableURL = URL(filePath: #filePath).appending(path: "../../hosts").standardizedFileURL
    process.arguments = [String(count), folder.path]
    process.environment = ProcessInfo.processInfo.environment.merging([
      "PROGRAM": Program.path, "FAULT": fault, "WITHOUT": without.map(String.init).joined(separator: " "),
    ]) { $1 }.merging(environment) { $1 }
    let output = Foundation.Pipe()
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    let said = output.fileHandleForReading.availableData
    try #require(String(decoding: said, as: UTF8.self) == "ready\n")
    try folder.write((folder.text("config") ?? "") + "Host dead.test\n  HostName 10.250.9.9\n", to: "config")
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  func run(_ words: String...) async throws -> Program.Run { try await run(words, limit: 90) }

  func run(_ words: [String], limit: Double) async throws -> Program.Run {
    try await Program.run(
      words,
      environment: Program.withoutDocker.merging([
        "XDG_STATE_HOME": folder.path + "/state",
        "PATH": folder.path + "/path:" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"),
      ]) { $1 }, limit: limit)
  }
}
