internal import CSQLite
import Glibc

/// Reading a SQLite database of somebody else, without touching its files.
public enum Database {
  public struct Failure: Error, Equatable { public let message: String }

  /// Rows of one SELECT over a database's bytes; each row: column name to text, NULL absent; at most `most` rows.
  ///
  /// With a journal (`-wal`) both are laid into a folder of this process alone, since only SQLite itself can put them
  /// together; without one the bytes are opened in memory.
  public static func rows(of bytes: [UInt8], journal: [UInt8], sql: String, most: Int = 10_000) throws(Failure) -> [[String: String]] {
    guard bytes.starts(with: Array("SQLite format 3\0".utf8)) else { throw Failure(message: "it is no SQLite database") }
    if journal.isEmpty { return try inMemory(bytes, sql, most) }
    let folder = try privateFolder()
    defer {
      for suffix in ["", "-wal", "-shm"] { unlink(folder + "/copy" + suffix) }
      rmdir(folder)
    }
    try write(bytes, to: folder + "/copy")
    try write(journal, to: folder + "/copy-wal")
    return try query(folder + "/copy", nil, sql, most)
  }

  private static func inMemory(_ bytes: [UInt8], _ sql: String, _ most: Int) throws(Failure) -> [[String: String]] {
    var bytes = bytes
    // Bytes 18 and 19 ask for a journal beside the file (2); in memory there is none (1).
    if bytes.count > 19 { (bytes[18], bytes[19]) = (1, 1) }
    return try query(":memory:", bytes, sql, most)
  }

  private static func query(_ path: String, _ bytes: [UInt8]?, _ sql: String, _ most: Int) throws(Failure) -> [[String: String]] {
    var database: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE
    guard sqlite3_open_v2(path, &database, flags, nil) == SQLITE_OK, let database else {
      throw Failure(message: "it cannot be opened")
    }
    defer { sqlite3_close_v2(database) }
    if let bytes {
      guard let copy = sqlite3_malloc64(UInt64(bytes.count)) else { throw Failure(message: "out of memory") }
      bytes.withUnsafeBytes { if let start = $0.baseAddress { memcpy(copy, start, bytes.count) } }
      let code = sqlite3_deserialize(
        database, "main", copy.assumingMemoryBound(to: UInt8.self), sqlite3_int64(bytes.count), sqlite3_int64(bytes.count),
        UInt32(SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY))
      guard code == SQLITE_OK else { throw Failure(message: String(cString: sqlite3_errstr(code))) }
    }
    sqlite3_busy_timeout(database, 200)
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
      throw Failure(message: String(cString: sqlite3_errmsg(database)))
    }
    defer { sqlite3_finalize(statement) }
    var rows: [[String: String]] = []
    while rows.count < most {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { break }
      guard code == SQLITE_ROW else { throw Failure(message: String(cString: sqlite3_errmsg(database))) }
      var row: [String: String] = [:]
      for column in 0..<sqlite3_column_count(statement) {
        guard let name = sqlite3_column_name(statement, column), let text = sqlite3_column_text(statement, column) else { continue }
        row[String(cString: name)] = String(cString: text)
      }
      rows.append(row)
    }
    return rows
  }

  private static func privateFolder() throws(Failure) -> String {
    var template = Array("/tmp/wizard502-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(message: "no place for a copy") }
    return String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
    let fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard fd >= 0 else { throw Failure(message: "no place for a copy") }
    defer { close(fd) }
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
      guard count > 0 else { throw Failure(message: "no room for a copy") }
      sent += count
    }
  }
}
