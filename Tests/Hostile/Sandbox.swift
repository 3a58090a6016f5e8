import Foundation
import Testing

/// A machine of a test's own: its files in memory, its processes, its network, and the program at `Sandbox.program`.
///
/// Everything in it ends with this value, or with the tests. Names and ports are drawn from a printed seed, so that
/// nothing can be tuned to them.
final class Sandbox {
  /// How one command ended.
  struct Run {
    /// 128 + N after signal N, as a shell says it.
    let status: Int32
    /// Whether it had to be killed at its limit.
    let isLate: Bool
    let output: String
    let errors: String
    let seconds: Double
    let processorSeconds: Double
    /// The most memory that it, or a process that it waited for, ever held.
    let megabytes: Double

    var all: String { output + errors }
    /// A sentence for an expectation that fails.
    var description: Comment {
      "status \(status)\(isLate ? ", killed" : ""), \((seconds * 100).rounded() / 100) s, \(Int(megabytes)) MB; \(all.suffix(1500))"
    }
  }

  /// Who runs a command and what it may use.
  struct Way {
    var uid: UInt32 = 0
    var folder = "/"
    var variables: [String: String?] = [:]
    /// By the names of getrlimit(2): `AS`, `NPROC`, `NOFILE`.
    var limits: [String: Int] = [:]
    /// The file to run, where `words[0]` is only to say something.
    var executable: String?
    /// Where standard output leads; nil: into the result.
    var output: String?
  }

  /// The program inside.
  static let program = "/srv/wizard502"
  /// A user without any rights.
  static let nobody: UInt32 = 65534

  /// The program under test: what `WIZARD502` names, else the release, else the debug build of this package.
  static let built: String = {
    let build = package.appending(path: ".build")
    let candidates = ["release", "debug"].map { build.appending(path: "\($0)/wizard502").path }
    return ProcessInfo.processInfo.environment["WIZARD502"]
      ?? candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[1]
  }()
  static let package = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
  /// A debug build computes many times slower: limits on computing are multiplied by this.
  static let slowness: Double = built.contains("/debug/") ? 8 : 1
  static let seed: UInt64 = {
    let seed =
      ProcessInfo.processInfo.environment["HOSTILE_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...UInt64(UInt32.max))
    print("Hostile: HOSTILE_SEED=\(seed), the program is \(built)")
    return seed
  }()

  private let process = Process()
  private let requests = Pipe()
  private let answers = Pipe()
  private var unread = Data()
  private var draws: UInt64
  private var drawn: Set<Int> = []
  /// A folder that everybody may write to, for an attacker's files: `/tmp/kqzvty`.
  private(set) var lair = ""
  /// Where a file appears if one of the attacker's programs runs as root. They are told where by their own text.
  var trap: String { lair + "/ran-as-" }

  /// - Parameter test: Its name, from which the seed's draws differ.
  init(_ test: String = #function, program: String = Sandbox.built) throws {
    draws = test.utf8.reduce(Self.seed ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    process.executableURL = URL(filePath: "/usr/bin/unshare")
    process.arguments =
      ["--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "/usr/bin/python3"]
      + [Self.tool("sandbox.py"), program]
    (process.standardInput, process.standardOutput) = (requests, answers)
    try process.run()
    _ = try answer(within: 30)
    lair = "/tmp/" + name()
    try sh("mkdir -m 0777 \(lair)")
  }

  deinit {
    try? requests.fileHandleForWriting.close()
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }

  /// A file beside this one.
  static func tool(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: name).path
  }

  // MARK: Chance

  private func draw() -> UInt64 {
    draws &+= 0x9E37_79B9_7F4A_7C15
    var value = draws
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  /// Six letters.
  func name() -> String {
    let letters = Array("bcdfghjkmnpqrstvwxyz")
    return String((0..<6).map { _ in letters[Int(draw() % UInt64(letters.count))] })
  }

  /// A port that was not drawn before and that any user may take.
  func port() -> Int {
    while true {
      let port = 10_000 + Int(draw() % 20_000)
      if drawn.insert(port).inserted { return port }
    }
  }

  // MARK: Doing

  private func ask(_ what: String, _ request: [String: Any], within seconds: Double = 30) throws -> [String: Any] {
    var line = try JSONSerialization.data(withJSONObject: request.merging(["do": what]) { $1 })
    line.append(0x0A)
    try requests.fileHandleForWriting.write(contentsOf: line)
    let answer = try answer(within: seconds)
    if let failure = answer["failure"] { throw Failure(what: "\(what): \(failure)") }
    return answer
  }

  struct Failure: Error { let what: String }

  private func answer(within seconds: Double) throws -> [String: Any] {
    let file = answers.fileHandleForReading.fileDescriptor
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      if let index = unread.firstIndex(of: 0x0A) {
        let line = unread[..<index]
        unread = Data(unread[unread.index(after: index)...])
        return try JSONSerialization.jsonObject(with: line) as? [String: Any] ?? [:]
      }
      var wait = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
      guard poll(&wait, 1, 200) > 0 else {
        if ContinuousClock.now < end { continue }
        throw Failure(what: "the sandbox does not answer")
      }
      var bytes = [UInt8](repeating: 0, count: 1 << 16)
      let count = Foundation.read(file, &bytes, bytes.count)
      guard count > 0 else { throw Failure(what: "the sandbox has ended") }
      unread.append(contentsOf: bytes.prefix(count))
    }
  }

  private func description(_ words: [String], _ way: Way) -> [String: Any] {
    var request: [String: Any] = ["words": words, "uid": way.uid, "folder": way.folder, "limits": way.limits]
    request["variables"] = way.variables.mapValues { $0 ?? NSNull() as Any }
    request["executable"] = way.executable
    request["output"] = way.output
    return request
  }

  /// Runs a command to its end, or kills it with all it started after `limit` seconds.
  func run(_ words: [String], as way: Way = Way(), limit: Double = 30) throws -> Run {
    let request = description(words, way).merging(["limit": limit]) { $1 }
    let answer = try ask("run", request, within: limit + 30)
    let texts = ["output", "errors"].map {
      String(decoding: Data(base64Encoded: answer[$0] as? String ?? "") ?? Data(), as: UTF8.self)
    }
    let numbers = ["status", "seconds", "processor", "megabytes"].map { (answer[$0] as? NSNumber)?.doubleValue ?? -1 }
    return Run(
      status: Int32(numbers[0]), isLate: answer["late"] as? Bool ?? false, output: texts[0], errors: texts[1],
      seconds: numbers[1], processorSeconds: numbers[2], megabytes: numbers[3])
  }

  /// A shell command of the test's own, which has to succeed.
  @discardableResult
  func sh(_ command: String, as way: Way = Way(), limit: Double = 30) throws -> String {
    let run = try run(["sh", "-ec", command], as: way, limit: limit)
    guard run.status == 0 else { throw Failure(what: "\(command): \(run.description)") }
    return run.output
  }

  /// Starts a process that stays.
  @discardableResult
  func start(_ words: [String], as way: Way = Way(), log: String = "/dev/null") throws -> Int32 {
    let answer = try ask("start", description(words, way).merging(["log": log]) { $1 })
    return (answer["pid"] as? NSNumber)?.int32Value ?? -1
  }

  func write(_ text: String, to path: String, by uid: UInt32 = 0, mode: Int = 0o644, times: Int = 1) throws {
    let bytes = Data(text.utf8).base64EncodedString()
    _ = try ask("write", ["path": path, "bytes": bytes, "uid": uid, "mode": mode, "times": times])
  }

  /// nil if there is no such file.
  func read(_ path: String) throws -> String? {
    (try ask("read", ["path": path])["bytes"] as? String).flatMap { Data(base64Encoded: $0) }
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// Each file in memory with a sum over what would tell of a change.
  func listing() throws -> [String: String] { try ask("listing", [:])["files"] as? [String: String] ?? [:] }

  /// Returns once something listens at each port; throws after ten seconds.
  func waitForPorts(_ ports: [Int]) throws {
    for port in ports {
      try sh("i=0; until ss -Hltn 'sport = :\(port)' | grep -q .; do i=$((i+1)); [ $i -lt 200 ]; sleep 0.05; done")
    }
  }

  // MARK: Attackers' tools

  /// Compiles a C file beside this one; `LAIR` and `TRAP` are known to it.
  func compile(_ source: String, to path: String, _ options: String = "") throws {
    try sh(
      "cc -O1 -o \(path) \(options) -DTRAP='\"\(trap)\"' -x c - <<'END'\n"
        + String(contentsOf: URL(filePath: Self.tool(source)), encoding: .utf8) + "\nEND")
  }

  /// Expects that no program and no library of the attacker ever ran as root.
  func expectNothingRan(_ about: Comment = "", at place: SourceLocation = #_sourceLocation) throws {
    let found = try read(trap + "0")
    #expect(found == nil, "an attacker's code ran as root: \(found ?? ""); \(about)", sourceLocation: place)
    if found != nil { try sh("rm -f \(trap)0") }
  }

  // MARK: The program

  /// The program with these arguments. Expects that it ends by itself, and not by a signal.
  func wizard(
    _ arguments: String..., as way: Way = Way(), limit: Double = 30, at place: SourceLocation = #_sourceLocation
  ) throws -> Run {
    let run = try run([Self.program] + arguments, as: way, limit: limit)
    #expect(!run.isLate && run.status < 128, run.description, sourceLocation: place)
    return run
  }

  /// The programs that the program starts during a diagnosis, by their paths, and its own run.
  func traced(_ arguments: String..., limit: Double = 40) throws -> (programs: Set<String>, run: Run) {
    let log = "/run/trace"
    let run = try run(
      ["strace", "-f", "-qq", "-s", "500", "-e", "trace=execve,execveat", "-o", log, Self.program] + arguments,
      limit: limit)
    let lines = (try read(log) ?? "").split(separator: "\n").filter { $0.contains("exec") && $0.contains("\"") }
    try sh("rm -f \(log)")
    let programs = lines.compactMap { $0.split(separator: "\"").dropFirst().first.map(String.init) }
    #expect(programs.contains(Self.program), "strace saw nothing: \(run.description)")
    return (Set(programs).subtracting([Self.program]), run)
  }

  /// What the program may start: they read the kernel's packet filters, and nothing of a user's.
  static let mayStart = Set(
    ["iptables-save", "ip6tables-save", "nft"].flatMap { name in
      ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].map { $0 + name }
    })

  /// A server that answers every request of a port with a 502, as `nginx` would.
  func failing(server: String = "nginx/1.22.1") throws -> Int {
    let port = port()
    try start(["/usr/bin/python3", "-", "\(port)", server], script: "site.py")
    try waitForPorts([port])
    return port
  }

  /// Starts a Python program that lies beside this file.
  @discardableResult
  func start(_ words: [String], script: String, as way: Way = Way()) throws -> Int32 {
    let path = "/opt/" + script
    if try read(path) == nil {
      try write(String(contentsOf: URL(filePath: Self.tool(script)), encoding: .utf8), to: path)
    }
    return try start([words[0], path] + words.dropFirst(2), as: way, log: "/opt/\(script).log")
  }
}

/// What `diagnose --json` says, as far as these tests ask.
struct Diagnosis: Decodable {
  struct Cause: Decodable {
    let id: String
    let confidence: String
    let fix: Fix
  }
  struct Fix: Decodable { let steps: [Step] }
  struct Step: Decodable {
    let text: String
    let command: String?
    let patch: String?
    let changes: Bool
  }
  struct Check: Decodable {
    let id: String
    let outcome: String
    let summary: String
  }
  let url: String
  let verdict: String
  let causes: [Cause]
  let checks: [Check]

  init(_ run: Sandbox.Run) throws {
    do { self = try JSONDecoder().decode(Self.self, from: Data(run.output.utf8)) } catch {
      throw Sandbox.Failure(what: "no diagnosis: \(run.description)")
    }
  }

  /// The causes that are claimed for certain.
  var certain: [String] { causes.filter { $0.confidence == "certain" }.map(\.id) }
  var commands: [String] { causes.flatMap(\.fix.steps).compactMap(\.command) }
  func outcome(_ check: String) -> String? { checks.first { $0.id == check }?.outcome }
}
