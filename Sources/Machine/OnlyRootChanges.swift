internal import CLinux
internal import Glibc
internal import Model
internal import World

extension OnlyRootChanges: MachineLook {
  func taken(on machine: Machine) async throws(Unseen) -> Bool {
    let path = path
    return try await onOwnThread(limit: fileLimit) { () throws(Unseen) in onlyRootChanges(path) }
  }
}

/// False for a relative path. True for a path that leads to nothing, if only root can put something there.
func onlyRootChanges(_ path: String) -> Bool {
  guard path.hasPrefix("/") else { return false }
  var rest = path.split(separator: "/").reversed().map(String.init)
  var folder = ""
  var links = 0
  guard isRoots("/") == true else { return false }
  while let name = rest.popLast() {
    if name == "." { continue }
    if name == ".." {
      folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
      continue
    }
    let next = "\(folder)/\(name)"
    switch isRoots(next) {
    case nil: return errno == ENOENT
    case false?: return false
    case true?: break
    }
    guard let target = linkTarget(next) else {
      folder = next
      continue
    }
    // As many as the kernel follows.
    links += 1
    guard links <= 40 else { return false }
    if target.hasPrefix("/") { folder = "" }
    rest += target.split(separator: "/").reversed().map(String.init)
  }
  return true
}

/// Whether a path's own entry is root's and nobody else may write to it; nil with `errno` if it cannot be seen.
private func isRoots(_ path: String) -> Bool? {
  var status = stat()
  guard lstat(path, &status) == 0 else { return nil }
  // The mode of a link means nothing.
  return status.st_uid == 0 && (status.st_mode & S_IFMT == S_IFLNK || status.st_mode & 0o022 == 0)
}
