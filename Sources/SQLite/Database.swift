internal import CSQLite
internal import Glibc

/// Why SQLite could not answer, in words.
public struct SQLiteError: Error, Equatable {
  public let reason: String
}

/// A SQLite database that lives in memory: a copy of a file's bytes. Nothing is ever written to a file.
public final class Database {
  /// Bytes of all rows of one query.
  private static let answerLimit = 16_777_216
  private let handle: OpaquePointer
  private var end = 0.0

  /// - Parameters:
  ///   - file: the whole database file.
  ///   - log: its whole write-ahead log (`…-wal`); empty if there is none.
  public init(file: [UInt8], log: [UInt8] = []) throws(SQLiteError) {
    let image = try DatabaseImage(file: file, log: log).bytes
    var handle: OpaquePointer?
    let code = sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK, let handle else { throw SQLiteError(reason: String(cString: sqlite3_errstr(code))) }
    self.handle = handle
    // SQLite frees this copy.
    guard let copy = sqlite3_malloc64(UInt64(image.count)) else { throw SQLiteError(reason: "out of memory") }
    image.withUnsafeBytes { bytes in
      if let first = bytes.baseAddress { copy.copyMemory(from: first, byteCount: bytes.count) }
    }
    let size = Int64(image.count)
    let flags = UInt32(SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY)
    try check(
      sqlite3_deserialize(handle, "main", copy.assumingMemoryBound(to: UInt8.self), size, size, flags))
    try check(shim_distrust_schema(handle))
  }

  deinit { sqlite3_close(handle) }

  /// The rows of one SELECT, each column's name to its text; NULL is absent. Fails after `limit` seconds.
  public func rows(_ sql: String, limit: Double = 2) throws(SQLiteError) -> [[String: String]] {
    end = Self.now + limit
    sqlite3_progress_handler(
      handle, 1000,
      { me in
        guard let me else { return 1 }
        let database = Unmanaged<Database>.fromOpaque(me).takeUnretainedValue()
        return Database.now > database.end ? 1 : 0
      }, Unmanaged.passUnretained(self).toOpaque())
    defer { sqlite3_progress_handler(handle, 0, nil, nil) }

    var statement: OpaquePointer?
    try check(sqlite3_prepare_v2(handle, sql, -1, &statement, nil))
    defer { sqlite3_finalize(statement) }
    guard let statement, sqlite3_stmt_readonly(statement) != 0 else {
      throw SQLiteError(reason: "not a SELECT: \(sql)")
    }

    var rows: [[String: String]] = []
    var size = 0
    while true {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { return rows }
      if code == SQLITE_INTERRUPT { throw SQLiteError(reason: "no answer within \(limit) seconds") }
      guard code == SQLITE_ROW else { throw SQLiteError(reason: String(cString: sqlite3_errmsg(handle))) }
      var row: [String: String] = [:]
      for column in 0..<sqlite3_column_count(statement) {
        guard let name = sqlite3_column_name(statement, column), let text = sqlite3_column_text(statement, column)
        else { continue }
        let count = Int(sqlite3_column_bytes(statement, column))
        size += count
        row[String(cString: name)] = String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
      }
      guard size <= Self.answerLimit else { throw SQLiteError(reason: "the rows have more than 16 MB") }
      rows.append(row)
    }
  }

  private func check(_ code: Int32) throws(SQLiteError) {
    guard code != SQLITE_OK else { return }
    throw SQLiteError(reason: String(cString: sqlite3_errmsg(handle)))
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
