internal import CLinux
internal import Glibc
internal import Model
internal import SQLite
internal import World

extension SQLiteQuery: MachineLook {
  /// Reads the file and its write-ahead log under SQLite's own shared lock and asks the copy: no file is written, not
  /// even the `-shm` that a reader of such a log would create.
  func taken(on machine: Machine) async throws(Unseen) -> [[String: String]] {
    let (path, place, sql) = (path, place, sql)
    return try await onOwnThread(limit: fileLimit) { () throws(Unseen) -> [[String: String]] in
      let files = try DatabaseFiles(path, in: Root(place))
      let (file, log) = try files.read()
      do throws(SQLiteError) {
        return try Database(file: file, log: log).rows(sql)
      } catch {
        throw .unreadable(what: path, why: .said(error.reason))
      }
    }
  }
}

/// A database's files, as SQLite's file locking has them.
///
/// Source: "File Locking And Concurrency In SQLite Version 3", sqlite.org/lockingv3.html.
private struct DatabaseFiles {
  private static let pendingByte = 0x4000_0000
  private static let reservedByte = pendingByte + 1
  private static let shared = (start: pendingByte + 2, length: 510)

  private let path: String
  private let root: Root
  private let main: Descriptor

  init(_ path: String, in root: Root) throws(Unseen) {
    self.path = path
    self.root = root
    main = try root.file(path).0
  }

  func read() throws(Unseen) -> (file: [UInt8], log: [UInt8]) {
    try lock()
    // Closing `main` gives the lock back.
    if try isTransactionInterrupted {
      throw .unreadable(what: path, why: .init(.writeInterrupted))
    }
    for _ in 1...3 {
      let log = try sibling("-wal")
      let before = try [main.status(path), log?.status(path)]
      let pair = (try whole(main), try log.map(whole) ?? [])
      let after = try [main.status(path), sibling("-wal")?.status(path)]
      if zip(before, after).allSatisfy({ $0.isUnchanged($1) }) { return pair }
    }
    throw .unreadable(what: path, why: .init(.changing))
  }

  /// Takes the lock that every reader takes; waits up to 0.2 seconds for a writer.
  private func lock() throws(Unseen) {
    let read = Int16(F_RDLCK)
    for attempt in 0..<20 {
      if attempt > 0 { usleep(10_000) }
      let isPending = shim_lock(main.number, read, Self.pendingByte, 1) != 0
      let isShared = !isPending && shim_lock(main.number, read, Self.shared.start, Self.shared.length) == 0
      let code = errno
      if !isPending { _ = shim_lock(main.number, Int16(F_UNLCK), Self.pendingByte, 1) }
      if isShared { return }
      // A file system without locks has nobody to wait for.
      guard code == EAGAIN || code == EACCES else { return }
    }
    throw .unreadable(what: path, why: .init(.locked))
  }

  /// True if a rollback journal is left and its writer is gone: then the file holds half a transaction.
  private var isTransactionInterrupted: Bool {
    get throws(Unseen) {
      guard let journal = try sibling("-journal") else { return false }
      let magic: [UInt8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]
      return try journal.read(at: 0, count: 8, path) == magic && shim_is_locked(main.number, Self.reservedByte, 1) == 0
    }
  }

  private func sibling(_ suffix: String) throws(Unseen) -> Descriptor? {
    do throws(Unseen) { return try root.file(path + suffix).0 } catch {
      guard case .missing = error else { throw error }
      return nil
    }
  }

  private func whole(_ file: Descriptor) throws(Unseen) -> [UInt8] {
    let bytes = try file.read(at: 0, count: Limits.database + 1, path)
    guard bytes.count <= Limits.database else {
      throw .unreadable(what: path, why: .init(.tooLarge, "\(Limits.database >> 20) MB"))
    }
    return bytes
  }
}

extension stat? {
  fileprivate func isUnchanged(_ other: stat?) -> Bool {
    guard let self, let other else { return self == nil && other == nil }
    return self.isSameFile(as: other) && self.st_size == other.st_size
      && self.st_mtim.seconds == other.st_mtim.seconds
  }
}
