import CSQLite
import Foundation
import Glibc
import Model
import Testing
import World

@testable import Machine
@testable import SQLite

private let machine = Machine()

private func text(_ path: String, _ place: Place = .host) async throws -> String {
  try await machine.see(FileRead(path: path, place: place)).text
}

// MARK: The host's files

@Test func aFileIsReadFromEitherEnd() async throws {
  let folder = try TestFolder()
  let path = try folder.write("log", "0123456789")
  #expect(try await text(path) == "0123456789")
  let first = try await machine.see(FileRead(path: path, limit: 3))
  #expect(first.text == "012")
  #expect(first.size == 10)
  let last = try await machine.see(FileRead(path: path, limit: 3, fromEnd: true))
  #expect(last.text == "789")
  #expect(abs(last.modified - machine.now) < 60)
  #expect(try await text("/proc/self/comm").hasSuffix("\n"))
}

@Test func whatIsNoFileIsSaidAndNothingHangs() async throws {
  let folder = try TestFolder()
  let fifo = folder.path + "/fifo"
  mkfifo(fifo, 0o600)
  for path in [fifo, folder.path, "/dev/zero"] {
    #expect(await unseen { try await text(path) } == .unreadable(what: path, why: .init(.notFile)))
  }
  #expect(await unseen { try await text(folder.path + "/none") } == .missing(what: folder.path + "/none"))
  #expect(await unseen { try await text(fifo + "/x") } == .missing(what: fifo + "/x"))
  #expect(await unseen { try await text("etc") } == .unreadable(what: "etc", why: .init(.notAbsolute)))
}

@Test func patternsMatchAsInAShell() async throws {
  let folder = try TestFolder()
  for name in ["a/1.conf", "a/2.conf", "b/1.conf", "b/.hidden.conf", "b/1.bak", "c"] { _ = try folder.write(name, "") }
  func matches(_ pattern: String) async throws -> [String] {
    try await machine.see(FileGlob(pattern: folder.path + pattern)).map { String($0.dropFirst(folder.path.count)) }
  }
  #expect(try await matches("/*/*.conf") == ["/a/1.conf", "/a/2.conf", "/b/1.conf"])
  #expect(try await matches("/[ab]/1.*") == ["/a/1.conf", "/b/1.bak", "/b/1.conf"])
  #expect(try await matches("/?/2.conf") == ["/a/2.conf"])
  #expect(try await matches("/a/1.conf") == ["/a/1.conf"])
  #expect(try await matches("/a/3.conf") == [])
  #expect(try await matches("/none/*") == [])
}

// MARK: A process's own root

@Test func linksStayInsideAProcessesRoot() async throws {
  let outside = try TestFolder()
  let secret = try outside.write("secret", "outside")
  let folder = try TestFolder()
  _ = try folder.write("etc/real", "inside")
  _ = try folder.write(String(secret.dropFirst()), "the root's own")
  symlink("/etc/real", folder.path + "/etc/absolute")
  symlink("../../../../../../etc/real", folder.path + "/etc/upwards")
  symlink(secret, folder.path + "/etc/escape")
  symlink("/", folder.path + "/etc/top")
  let program = try TestProgram.withRoot(folder)
  #expect(try await text("/etc/absolute", program.place) == "inside")
  #expect(try await text("/etc/upwards", program.place) == "inside")
  #expect(try await text("/../../etc/real", program.place) == "inside")
  #expect(try await text("/etc/escape", program.place) == "the root's own")
  #expect(try await text(secret) == "outside")
  let link = try await machine.see(FileRead(path: "/etc/absolute", place: program.place))
  #expect(link.target?.hasSuffix("/etc/real") == true)
  let found = try await machine.see(FileGlob(pattern: "/etc/top/e*/re*", place: program.place))
  #expect(found == ["/etc/top/etc/real"])
}

@Test func aLinkTellsTheFileToWhichItLeads() async throws {
  let folder = try TestFolder()
  let file = try folder.write("available/shop", "server {}")
  let link = folder.path + "/shop"
  symlink("available/shop", link)
  #expect(try await machine.see(FileRead(path: link)).target.map { URL(filePath: $0).lastPathComponent } == "shop")
  #expect(try await machine.see(FileRead(path: link)).target?.hasSuffix("/available/shop") == true)
  #expect(try await machine.see(FileRead(path: file)).target == nil)
}

/// `/proc/kmsg` gives each message once: whoever reads it takes it away.
@Test func theKernelsOwnFilesAreNotReadForAContainer() async throws {
  // A process with the machine's own root: all that it has in common with a container is that it is named.
  let program = try TestProgram(["sh", "-c", "echo ready && exec sleep 600"], until: "ready")
  let folder = try TestFolder()
  for target in ["/proc/self/status", "/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled"] {
    guard FileManager.default.isReadableFile(atPath: target) else { continue }
    let link = folder.path + "/" + (target as NSString).lastPathComponent
    symlink(target, link)
    for path in [target, link] {
      #expect(
        await unseen { try await text(path, program.place) } == .unreadable(what: path, why: .init(.notOnDisk)))
      #expect(try await !text(path).isEmpty)
    }
  }
  #expect(try await text(folder.write("own", "text"), program.place) == "text")
}

@Test func aFileIsReadWholeOrNotAtAll() async throws {
  let folder = try TestFolder()
  let path = folder.path + "/large"
  _ = FileManager.default.createFile(atPath: path, contents: nil)
  truncate(path, off_t(Limits.file))
  #expect(try await machine.see(FileRead(path: path)).bytes.count == Limits.file)
  truncate(path, off_t(Limits.file + 1))
  #expect(await unseen { try await text(path) } == .unreadable(what: path, why: .init(.tooLarge, "16 MB")))
  // A part of it is one all the same.
  #expect(try await machine.see(FileRead(path: path, limit: 5, fromEnd: true)).bytes.count == 5)
}

@Test func morePathsThanTheLimitAreNotNone() async throws {
  let folder = try TestFolder()
  for number in 0...Limits.paths {
    _ = FileManager.default.createFile(atPath: "\(folder.path)/\(number)", contents: nil)
  }
  let pattern = folder.path + "/*"
  #expect(
    await unseen { _ = try await machine.see(FileGlob(pattern: pattern)) }
      == .unreadable(what: pattern, why: .init(.tooManyPaths, "\(Limits.paths)")))
}

// MARK: SQLite

private func rows(_ path: String, _ sql: String = "select * from host order by id", _ place: Place = .host) async throws
  -> [[String: String]]
{
  try await machine.see(SQLiteQuery(path: path, place: place, sql: sql))
}

/// A connection of another program's kind: SQLite's own, kept open as long as this lives.
private final class Writer {
  let path: String
  private var handle: OpaquePointer?

  init(_ folder: TestFolder, _ statements: String = "") throws {
    path = folder.path + "/database.sqlite"
    sqlite3_open(path, &handle)
    try execute(
      """
      create table if not exists host (id integer, name text, off text); delete from host;
      insert into host values (1, 'é', null), (2, 'b', 'x'); \(statements)
      """)
  }

  func execute(_ statements: String) throws {
    guard sqlite3_exec(handle, statements, nil, nil, nil) == SQLITE_OK else {
      throw SQLiteError(reason: String(cString: sqlite3_errmsg(handle)))
    }
  }

  deinit { sqlite3_close(handle) }
}

private func makeDatabase(_ folder: TestFolder) throws -> String { try Writer(folder).path }

@Test func rowsAreText() async throws {
  let folder = try TestFolder()
  let path = try makeDatabase(folder)
  #expect(try await rows(path) == [["id": "1", "name": "é"], ["id": "2", "name": "b", "off": "x"]])
  #expect(try await rows(path, "select id from host where id > 5") == [])
  let program = try TestProgram.withRoot(folder)
  #expect(try await rows("/database.sqlite", "select name from host where id = 2", program.place) == [["name": "b"]])
}

@Test func aWriteAheadLogIsReadWithoutWritingAnything() async throws {
  let folder = try TestFolder()
  let writer = try Writer(folder, "pragma journal_mode=wal; pragma wal_autocheckpoint=0")
  try writer.execute("insert into host values (3, 'c', 'y'); update host set name='bb' where id=2")
  let before = try run("ls", "-l", "--time-style=full-iso", folder.path)
  #expect(before.contains("database.sqlite-wal"))
  #expect(
    try await rows(writer.path, "select id, name from host order by id")
      == [["id": "1", "name": "é"], ["id": "2", "name": "bb"], ["id": "3", "name": "c"]])
  #expect(try run("ls", "-l", "--time-style=full-iso", folder.path) == before)
}

@Test(arguments: ["wal", "delete"]) func aTransactionUnderWayIsNotSeen(mode: String) async throws {
  let folder = try TestFolder()
  let writer = try Writer(folder, "pragma journal_mode=\(mode)")
  try writer.execute("begin immediate; insert into host values (3, 'c', 'y')")
  #expect(try await rows(writer.path, "select count(*) as n from host") == [["n": "2"]])
}

@Test func anInterruptedTransactionIsNotReadAsData() async throws {
  let folder = try TestFolder()
  let writer = try Writer(folder)
  try writer.execute("begin immediate; insert into host values (3, 'c', 'y')")
  // What a crash leaves: the journal without its writer's locks.
  let copy = folder.path + "/crashed.sqlite"
  try run("cp", writer.path, copy)
  let magic: [UInt8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]
  try Data(magic + [UInt8](repeating: 0, count: 504)).write(to: URL(filePath: copy + "-journal"))
  #expect(
    await unseen { try await rows(copy) }
      == .unreadable(what: copy, why: .init(.writeInterrupted)))
}

@Test func whatIsNoReadableDatabaseIsSaid() async throws {
  let folder = try TestFolder()
  let writer = try Writer(folder)
  let path = writer.path
  try writer.execute("begin exclusive")
  #expect(
    await unseen { try await rows(path) }
      == .unreadable(what: path, why: .init(.locked)))
  try writer.execute("commit")

  let text = try folder.write("text", String(repeating: "this is no database. ", count: 20))
  #expect(
    await unseen { try await rows(text) }
      == .unreadable(what: text, why: .said("it is no SQLite database, or an encrypted one")))
  let empty = try folder.write("empty", "")
  #expect(await unseen { try await rows(empty) } == .unreadable(what: empty, why: .said("it is empty")))
  let cut = folder.path + "/cut"
  try run("sh", "-c", "head -c 5000 \(path) > \(cut)")
  #expect(await unseen { try await rows(cut) } == .unreadable(what: cut, why: .said("it is cut off")))
  let damaged = folder.path + "/damaged"
  try run("sh", "-c", "(head -c 4096 \(path); tr '\\0' x < /dev/zero | head -c 4096) > \(damaged)")
  #expect(
    await unseen { try await rows(damaged) }
      == .unreadable(what: damaged, why: .said("database disk image is malformed")))
  #expect(
    await unseen { try await rows(path, "select * from none") }
      == .unreadable(what: path, why: .said("no such table: none")))
  #expect(
    await unseen { try await rows(path, "delete from host") }
      == .unreadable(what: path, why: .said("not a SELECT: delete from host")))
}

/// A database made by somebody who knows that it will be read: each asks for seconds, gigabytes or a deep stack.
@Test(
  arguments: [
    ("drop table host; create view host as select 1 as id", "prohibited"),
    (
      "drop table host; create view host as select '\(String(repeating: "a", count: 500))' like '%a%a%a%a%b' as id",
      "prohibited"
    ),
    ("alter table host add big text as (hex(zeroblob(499999999)))", "too big"),
    ("alter table host add big text as (replace(hex(zeroblob(60000)), '0', hex(zeroblob(60000))))", "too big"),
    ("alter table host add big text as ('a' like '\(String(repeating: "%a", count: 9000))')", "too complex"),
    ("update host set name = zeroblob(3000000)", "too big"),
  ])
func aHostileDatabaseIsRefused(statement: String, why: String) async throws {
  let folder = try TestFolder()
  let writer = try Writer(folder)
  try writer.execute(statement)
  let path = writer.path
  let clock = ContinuousClock()
  let start = clock.now
  let refusal = await unseen { try await rows(path, "select * from host") }
  guard case .unreadable(path, let reason) = refusal else {
    Issue.record("\(String(describing: refusal))")
    return
  }
  #expect(reason.kind == .said)
  #expect(reason.detail.contains(why))
  #expect(clock.now - start < .seconds(3))
  #expect(sqlite3_memory_highwater(0) < 64 << 20)
}

@Test func anEndlessQueryEnds() async throws {
  let folder = try TestFolder()
  let database = try Database(file: try await machine.see(FileRead(path: makeDatabase(folder))).bytes)
  let sql = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"
  #expect(throws: SQLiteError(reason: "no answer within 0.1 seconds")) { try database.rows(sql, limit: 0.1) }
}
