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
  /// What a file may ask for: none that holds a proxy's sites needs more. Source: sqlite.org/limits.html, and
  /// "Defense Against The Dark Arts", sqlite.org/security.html.
  private static let limits: [(id: Int32, most: Int32)] = [
    (SQLITE_LIMIT_LENGTH, 1 << 20), (SQLITE_LIMIT_SQL_LENGTH, 100_000), (SQLITE_LIMIT_COLUMN, 200),
    (SQLITE_LIMIT_EXPR_DEPTH, 50), (SQLITE_LIMIT_COMPOUND_SELECT, 3), (SQLITE_LIMIT_VDBE_OP, 25_000),
    (SQLITE_LIMIT_FUNCTION_ARG, 8), (SQLITE_LIMIT_ATTACHED, 0), (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100),
    (SQLITE_LIMIT_VARIABLE_NUMBER, 10), (SQLITE_LIMIT_TRIGGER_DEPTH, 1), (SQLITE_LIMIT_WORKER_THREADS, 0),
  ]
  /// Bytes that SQLite may allocate besides the copies of the files that are open.
  private static let heap: Int64 = 64 << 20
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
    for (id, most) in Self.limits { sqlite3_limit(handle, id, most) }
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
    // It is one for all databases of the process; what is open already stays.
    sqlite3_hard_heap_limit64(sqlite3_memory_used() + Self.heap)
    defer { sqlite3_hard_heap_limit64(0) }

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
