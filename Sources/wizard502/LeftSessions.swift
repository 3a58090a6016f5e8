internal import FoundationEssentials
import CLinux
import Flow
import Glibc
import Model
import Screen
import Synchronization
import World

/// The guided sessions of this user that were left before their end, a file each in the folder for the program's state.
///
/// A session holds the lock of its file for as long as it runs. What it writes has no secrets in it.
final class LeftSessions: Sendable {
  /// A file in its written form.
  private struct Written: Codable {
    var wizard502 = "session"
    /// Another one may have other members.
    var program = Arguments.version
    /// The host to which it was restricted; nil: it was not.
    let restriction: String?
    let kept: Kept
  }

  /// Seconds after which one is of no use any more.
  private static let lifetime = 7.0 * 24 * 3600
  /// Seconds after which nobody is writing one any more.
  private static let patience = 60.0
  private static let prefix = "session-"
  private static let suffix = ".json"

  private let folder: Int32
  private let restriction: String?
  /// The file of this session, and the lock on it.
  private let own: Mutex<(name: String, lock: Int32)>
  /// The files of others, the newest first.
  private let others: [String]

  /// Nil where nothing can be kept: there is no such folder to be had that is this user's alone.
  ///
  /// - Parameter restriction: The host to which this session is restricted; nil: it is not. Those of another restriction are
  ///   never offered: what they have seen may be more than may be seen now, or less.
  init?(of restriction: String?) {
    guard let folder = try? StateFolder.open() else { return nil }
    self.folder = folder
    self.restriction = restriction
    own = Mutex(("\(Self.prefix)\(time(nil))-\(getpid())\(Self.suffix)", -1))
    others = Self.names(in: folder).sorted().reversed().filter { name in
      let isWhole = name.hasSuffix(Self.suffix)
      guard let file = Self.take(name, in: folder) else { return isWhole }
      defer { close(file.descriptor) }
      // Whoever wrote the other kind was ended before it was in its place.
      guard file.age > (isWhole ? Self.lifetime : Self.patience) else { return isWhole }
      unlinkat(folder, name, 0)
      return false
    }
  }

  /// The newest one that does not run, of this address if there is one; it is this session's from now on.
  func newest(_ url: String?) -> Left? {
    for name in others {
      guard let file = Self.take(name, in: folder) else { continue }
      if let kept = read(file.descriptor), url == nil || kept.given[.url] == url {
        own.withLock { $0 = (name, file.descriptor) }
        return Left(kept, age: file.age)
      }
      close(file.descriptor)
    }
    return nil
  }

  /// Writes down where the session is; nil: there is nothing more to go on with.
  func keep(_ kept: Kept?) {
    guard let kept = kept.flatMap(\.writable) else { return forget() }
    guard let data = try? JSONEncoder().encode(Written(restriction: restriction, kept: kept)),
      data.count <= Limits.session
    else { return }
    own.withLock { own in
      guard let descriptor = StateFolder.put(Array(data), as: own.name, in: folder) else { return }
      if own.lock >= 0 { close(own.lock) }
      own.lock = descriptor
    }
  }

  func forget() {
    own.withLock { own in
      guard own.lock >= 0 else { return }
      unlinkat(folder, own.name, 0)
      close(own.lock)
      own.lock = -1
    }
  }

  // MARK: Files

  /// Those of sessions, and of what was to become one.
  private static func names(in folder: Int32) -> [String] {
    let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let directory = fdopendir(copy) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name.hasPrefix(prefix) { names.append(name) }
    }
    return names
  }

  /// Opens and locks one; nil if it runs, or is no file of this user's.
  private static func take(_ name: String, in folder: Int32) -> (descriptor: Int32, age: Double)? {
    guard let (descriptor, opened) = StateFolder.own(name, in: folder) else { return nil }
    var named = stat()
    // Of the one that it had before it was locked there may be a newer one.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0,
      opened.st_ino == named.st_ino
    else {
      close(descriptor)
      return nil
    }
    return (descriptor, Double(time(nil) - opened.st_mtim.tv_sec))
  }

  private func read(_ descriptor: Int32) -> Kept? {
    var bytes = [UInt8](repeating: 0, count: Limits.session + 1)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0, count <= Limits.session else { return nil }
    let written = try? JSONDecoder().decode(Written.self, from: Data(bytes.prefix(count)))
    return written.flatMap { $0.program == Arguments.version && $0.restriction == restriction ? $0.kept : nil }
  }
}

extension Kept {
  /// As it may be written down: a line of a log without its secrets; a finding with one in it is left out, and is looked for
  /// again. Nil if the address has a secret.
  fileprivate var writable: Kept? {
    var kept = self
    kept.line = line.redacted
    if kept.withoutSecrets == kept { return kept }
    guard given.withoutSecrets == given else { return nil }
    kept.record.findings.removeAll { $0.withoutSecrets != $0 }
    guard kept.withoutSecrets != kept else { return kept }
    kept.record = .init(given: given)
    return kept
  }
}
