internal import CLinux
internal import Glibc
internal import Model

/// Whom the kernel takes a process for when it opens a file.
struct Credentials {
  /// The file system's user id; root is 0.
  let user: UInt32
  private let group: UInt32
  private let groups: [UInt32]
  /// It reads and passes whatever it likes (CAP_DAC_OVERRIDE), on this machine and not only among its own users.
  private let overrides: Bool

  /// From `/proc/PID/status`: `Uid:` and `Gid:` end with the file system's, `CapEff:` is hexadecimal. Source: proc(5).
  init(of process: Int32) throws(Unseen) {
    let path = "/proc/\(process)/status"
    var fields: [Substring: [Substring]] = [:]
    for line in String(decoding: try contents(of: path), as: UTF8.self).lines {
      let words = line.split { $0 == " " || $0 == "\t" }
      if let name = words.first { fields[name] = Array(words.dropFirst()) }
    }
    guard let user = fields["Uid:"]?.last.flatMap({ UInt32($0) }),
      let group = fields["Gid:"]?.last.flatMap({ UInt32($0) }),
      let rights = fields["CapEff:"]?.first.flatMap({ UInt64($0, radix: 16) })
    else { throw .unreadable(what: path, why: .init(.otherForm)) }
    (self.user, self.group) = (user, group)
    groups = (fields["Groups:"] ?? []).compactMap { UInt32($0) }
    // In a user namespace of its own anybody has every right, over its own users only.
    let ownUsers = linkTarget("/proc/self/ns/user")
    overrides = rights & 0b10 != 0 && ownUsers != nil && linkTarget("/proc/\(process)/ns/user") == ownUsers
  }

  /// Gives them to this thread alone, as far as files are concerned; false if the system does not let it.
  func take() -> Bool {
    if overrides { return geteuid() == 0 }
    return shim_become(user, group, groups, UInt(groups.count)) == 0
  }
}
