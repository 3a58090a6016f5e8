import CLinux
import Glibc
import Model

/// The folder for what the program keeps for its user: `$XDG_STATE_HOME/wizard502`, by default below `~/.local/state`.
///
/// Source: XDG Base Directory Specification.
enum StateFolder {
  /// Why there is none that can be used: a few words.
  struct Missing: Error { let reason: String }

  /// Opens it, made if there is none. It is this user's own and closed to everybody else, and no part of the way to it below
  /// the home folder, or below `XDG_STATE_HOME`, is a link or somebody else's.
  static func open() throws(Missing) -> Int32 {
    let (base, parts) = try place()
    var path = base
    var folder = Glibc.open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw Missing(failing: base) }
    for part in parts {
      path += "/" + part
      mkdirat(folder, part, 0o700)
      let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      let failure = Missing(failing: path)
      close(folder)
      folder = next
      guard folder >= 0 else { throw failure }
      var status = stat()
      guard fstat(folder, &status) == 0, status.st_uid == geteuid(), status.st_mode & 0o002 == 0 else {
        close(folder)
        throw Missing(reason: "\(path.printable) belongs to somebody else, or everybody can write there")
      }
    }
    fchmod(folder, 0o700)
    return folder
  }

  /// A file of the folder, and what it is; nil if there is none, or it is no file of this user's own.
  static func own(_ name: String, in folder: Int32) -> (descriptor: Int32, status: stat)? {
    let descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid() else {
      close(descriptor)
      return nil
    }
    return (descriptor, status)
  }

  /// Puts a file in the place of the one of this name, whole or not at all, and locked by whoever finds it there.
  ///
  /// - Returns: The descriptor that holds the lock; nil, with `errno`, if the one from before is still there.
  static func put(_ bytes: [UInt8], as name: String, in folder: Int32) -> Int32? {
    let new = "\(name).\(getpid())"
    unlinkat(folder, new, 0)
    let descriptor = openat(folder, new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, Output.write(bytes, to: descriptor),
      renameat(folder, new, folder, name) == 0
    else {
      let failure = errno
      close(descriptor)
      unlinkat(folder, new, 0)
      errno = failure
      return nil
    }
    return descriptor
  }

  /// Where it is; nil where there is none that can be used.
  static var path: String? {
    guard let (base, parts) = try? place(), let folder = try? open() else { return nil }
    close(folder)
    return ([base] + parts).joined(separator: "/")
  }

  /// A folder that its user names, and the way from there.
  private static func place() throws(Missing) -> (base: String, parts: [String]) {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    if let states = variable("XDG_STATE_HOME") {
      // mkdir(2) makes one folder at a time; those that are there stay as they are.
      for end in states.indices.dropFirst() where states[end] == "/" { mkdir(String(states[..<end]), 0o700) }
      mkdir(states, 0o700)
      return (states, ["wizard502"])
    }
    guard let home = variable("HOME") else { throw Missing(reason: "HOME or XDG_STATE_HOME is not set") }
    return (home, [".local", "state", "wizard502"])
  }
}

extension StateFolder.Missing {
  /// With the reason of the system call that has just failed.
  fileprivate init(failing path: String) { reason = "\(path.printable): \(String(cString: strerror(errno)))" }
}
