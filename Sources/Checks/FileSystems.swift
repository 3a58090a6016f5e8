import Model
import World

extension World {
  /// Where the file systems that hold files are mounted, as a place sees them; at most 30.
  ///
  /// - Parameter isWritable: Leaves out those to which nothing can be written.
  func fileSystems(in place: Place, isWritable: Bool = false) async throws(Unseen) -> [String] {
    let id = if case .process(let id) = place { String(id) } else { "self" }
    let kinds: Set<Substring> = [
      "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "overlay", "tmpfs", "nfs", "nfs4",
    ]
    return try await see(FileRead(path: "/proc/\(id)/mounts")).text.lines.compactMap { line in
      let words = line.split(separator: " ")
      guard words.count > 2, kinds.contains(words[2]), !words[1].hasPrefix("/proc"), !words[1].hasPrefix("/sys"),
        !words[1].hasPrefix("/dev"), !isWritable || words.count > 3 && !words[3].split(separator: ",").contains("ro")
      else { return nil }
      return String(words[1])
    }.prefix(30).map { $0 }
  }
}

extension Int {
  /// Bytes as people say them.
  var inMegabytes: String {
    self < 10 << 20 ? "\(self >> 10) KB" : self < 10 << 30 ? "\(self >> 20) MB" : "\(self >> 30) GB"
  }
}
