import Discovery
import FoundationEssentials
import Model
import Routes
import World

extension FactName {
  static let policyProfile: FactName = "policy.profile"
  static let policyBoolean: FactName = "policy.boolean"
  static let policyRecord: FactName = "policy.record"
}

private enum PolicyOutcome: String, CheckOutcome {
  case selinux, apparmor, seccomp
  /// None of them is seen to hold for the proxy.
  case nothing
  case unknown
}

extension Check {
  /// Which mandatory access policy holds for the proxy: SELinux, AppArmor, or a container's own seccomp profile.
  ///
  /// Source: selinuxfs (`/sys/fs/selinux`), proc(5) `attr/current`, the engine's `HostConfig.SecurityOpt`.
  static let proxyPolicy = Check(
    "proxy.policy", needs: [.proxyPID, .proxyPlace, .proxyKind],
    learns: [.policyProfile, .policyBoolean, .policyRecord], outcome: PolicyOutcome.self
  ) { world, given, signs throws(Unseen) in
    let pid = try given.proxyPID
    let context = try await world.context(of: pid)
    var learned: Facts = [.policyProfile: context ?? ""]
    let processes = signs.proxies.first { $0.kind == given[.proxyKind] }?.processes ?? []
    learned[.policyRecord] = await world.refusal(of: processes)?.excerpt(of: 300)

    if let context, context.contains(":"), await world.text(of: "/sys/fs/selinux/enforce") == "1" {
      let name = "httpd_can_network_connect"
      let boolean = await world.text(of: "/sys/fs/selinux/booleans/\(name)")
      if context.contains(":httpd_t:"), boolean?.hasPrefix("0") == true { learned[.policyBoolean] = name }
      return (.selinux, learned)
    }
    // Docker's own profile lets every container connect.
    if let context, context.hasSuffix("(enforce)"), !context.hasPrefix("docker-default") {
      learned[.policyProfile] = context.split(separator: " ").first.map(String.init)
      return (.apparmor, learned)
    }
    if let id = given[.proxyID] {
      let options = try await world.container(id).HostConfig?.SecurityOpt ?? []
      if options.contains(where: \.refusesConnect) { return (.seccomp, learned) }
    }
    return (.nothing, learned)
  }
}

extension World {
  /// The name under which a security module holds the process; nil where there is no module: its file is there then, and
  /// cannot be read.
  fileprivate func context(of pid: Int32) async throws(Unseen) -> String? {
    do throws(Unseen) {
      return try await see(FileRead(path: "/proc/\(pid)/attr/current", limit: 4096)).text.firstWords
    } catch {
      switch error {
      case .missing, .unreadable: return nil
      default: throw error
      }
    }
  }

  /// A small file of the system, without the blanks around it; nil where there is none or it may not be read.
  fileprivate func text(of path: String) async -> String? {
    (try? await see(FileRead(path: path, limit: 4096)))?.text.firstWords
  }

  /// The newest line that says that one of these programs was refused a connection.
  fileprivate func refusal(of processes: [String]) async -> String? {
    for path in ["/var/log/audit/audit.log", "/var/log/kern.log", "/var/log/messages", "/var/log/syslog"] {
      guard let tail = try? await see(FileRead(path: path, limit: 262_144, fromEnd: true)) else { continue }
      let line = tail.text.lines.last { line in
        (line.contains("name_connect") || line.contains("operation=\"connect\""))
          && (line.contains("denied") || line.contains("DENIED"))
          && processes.contains { line.contains("comm=\"\($0)\"") }
      }
      if let line { return String(line) }
    }
    return nil
  }
}

extension String {
  /// The first line that has something; nil where none has.
  fileprivate var firstWords: String? {
    let line = trimmingPrefix { $0.isWhitespace }.split { $0.isNewline || $0 == "\0" }.first.map(String.init)
    return line?.isEmpty == false ? line : nil
  }

  /// True for a seccomp profile, as the engine keeps it in full, that answers `connect` with an error.
  fileprivate var refusesConnect: Bool {
    guard hasPrefix("seccomp="), let profile = try? JSONDecoder().decode(Seccomp.self, from: Data(dropFirst(8).utf8))
    else { return false }
    if let rule = profile.syscalls?.first(where: { ($0.names ?? []).contains("connect") || $0.name == "connect" }) {
      return rule.action != "SCMP_ACT_ALLOW" && rule.action != "SCMP_ACT_LOG"
    }
    return profile.defaultAction != "SCMP_ACT_ALLOW" && profile.defaultAction != "SCMP_ACT_LOG"
  }
}

/// A seccomp profile in the engine's form.
private struct Seccomp: Decodable {
  struct Rule: Decodable {
    let names: [String]?
    let name: String?
    let action: String?
  }
  let defaultAction: String?
  let syscalls: [Rule]?
}
