internal import Glibc
public import Model
internal import World

/// Another machine, as the person's own `ssh` reaches it: with their configuration, agent, jump hosts and known keys.
///
/// Nothing is ever asked: no password, no passphrase, no yes to an unknown key.
public struct SecureShell: Sendable, Hashable {
  let user: String?
  /// An IPv6 address without brackets.
  let host: String
  let port: UInt16?

  /// `ssh://[USER@]HOST[:PORT]`; nil for anything else, and for a word that `ssh` or a shell could take for more than a name.
  ///
  /// Source: ssh(1), destination.
  public init?(_ address: String) {
    guard address.hasPrefix("ssh://") else { return nil }
    var rest = address.dropFirst("ssh://".count)
    if rest.hasSuffix("/") { rest.removeLast() }
    let at = rest.lastIndex(of: "@")
    user = at.map { String(rest[..<$0]) }
    if let at { rest = rest[rest.index(after: at)...] }
    if rest.hasPrefix("[") {
      guard let end = rest.firstIndex(of: "]") else { return nil }
      host = String(rest[rest.index(after: rest.startIndex)..<end])
      rest = rest[rest.index(after: end)...]
      guard host.contains(":") else { return nil }
    } else {
      host = String(rest.prefix { $0 != ":" })
      rest = rest.dropFirst(host.count)
      guard !host.contains(":") else { return nil }
    }
    if rest.isEmpty {
      port = nil
    } else {
      guard let number = UInt16(rest.dropFirst()), number > 0 else { return nil }
      port = number
    }
    guard Self.isName(host, besides: ".-_:"), user.map({ Self.isName($0, besides: ".-_") }) != false else { return nil }
  }

  private static func isName(_ text: String, besides signs: String) -> Bool {
    text.utf8.count <= 255 && text.first.map { $0 != "-" } == true
      && text.unicodeScalars.allSatisfy { scalar in
        scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
          || signs.unicodeScalars.contains(scalar)
      }
  }

  private var words: [String] {
    [
      // -T: no terminal; -a: nobody there gets at the agent.
      "-T", "-a", "-o", "BatchMode=yes", "-o", "ConnectTimeout=\(Self.patience)", "-o", "ClearAllForwardings=yes",
      "-o", "RemoteCommand=none", "-o", "LogLevel=ERROR",
    ] + (port.map { ["-p", String($0)] } ?? []) + (user.map { ["-l", $0] } ?? []) + ["--", host]
  }

  /// Seconds in which a connection has to be there.
  private static let patience = 10

  /// What a command prints there, as far as it came within `limit` seconds, and what it complains of. Throws if it printed
  /// nothing.
  ///
  /// - Parameters:
  ///   - command: For the shell there, whichever it is.
  ///   - input: What it reads.
  ///   - most: Bytes that it may print.
  ///   - folder: For the sockets of connections that several commands share; nil: each has its own.
  public func answer(
    to command: String, input: [UInt8], limit: Double, most: Int, sharingIn folder: String? = nil,
    environment: [String: String] = Machine.environment
  ) async throws(Unseen) -> (output: [UInt8], errors: String) {
    guard let program = Self.program(environment) else { throw .missing(what: "ssh") }
    let start = timespec.monotonic
    var connection = SharedConnections.Connection()
    if let folder {
      connection = try await SharedConnections.own.connection(to: self, in: folder, limit: limit) { [words] more in
        // It prints a word as soon as somebody is there, and ends with its input.
        let arguments = more + words + (more.contains("-G") ? [] : ["exec sh -c 'echo; exec cat >/dev/null'"])
        return Invocation(program: program, arguments: arguments, environment: environment, isApart: false)
      }
    }
    let limit = max(1, limit - (timespec.monotonic - start))
    let invocation = Invocation(
      program: program, arguments: connection.words + words + [command], input: input, environment: environment,
      outputLimit: most + 1, isApart: false)
    let end = try await onOwnThread(limit: limit + 1) { () throws(Unseen) in try invocation.ended(limit: limit) }
    guard end.output.count <= most else { throw .unreadable(what: host, why: .init(.tooLarge, "\(most) bytes")) }
    if end.output.isEmpty { throw failure(end, limit: limit) }
    return (end.output, String(decoding: end.errors, as: UTF8.self))
  }

  private static func program(_ environment: [String: String]) -> String? {
    (environment["PATH"] ?? "").split(separator: ":").map { $0 + "/ssh" }.first { access($0, X_OK) == 0 }
      ?? Invocation.find("ssh")
  }

  /// Why nothing came, by what `ssh` or the command there said at last.
  ///
  /// Source: sshconnect.c and sshconnect2.c of OpenSSH, whose messages are in no other language.
  func failure(_ end: Invocation.End, limit: Double) -> Unseen {
    guard let exitCode = end.exitCode else { return .noAnswer(seconds: limit) }
    let said = String(decoding: end.errors.suffix(4096), as: UTF8.self)
    if exitCode == Self.failed, let (_, kind) = Self.refusals.first(where: { said.contains($0.words) }) {
      return .unreadable(what: host, why: .init(kind))
    }
    let last = said.lines.map { String($0).trimmed }.last { !$0.isEmpty }
    return .unreadable(what: host, why: last.map { .said($0.excerpt(of: 200)) } ?? .init(.printsNothing))
  }

  private static let refusals: [(words: String, kind: Unseen.Reason.Kind)] = [
    ("IDENTIFICATION HAS CHANGED", .changedKey), ("Host key verification failed", .unknownKey),
    ("Permission denied", .noKey),
  ]

  /// The exit code of `ssh` itself.
  private static let failed: Int32 = 255
}
