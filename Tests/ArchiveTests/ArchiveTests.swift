import Testing

@testable import Archive

struct ArchiveTests {
  @Test func everyKindOfEntryIsTold() throws {
    let tar =
      header("etc/", type: "5") + file("etc/nginx.conf", "events {}\n") + header("etc/now", type: "2", link: "/run/x")
      + header("etc/same", type: "1", link: "etc/nginx.conf") + header("dev/null", type: "3") + end
    #expect(
      try Archive.entries(tar: tar) == [
        .init(path: "etc/", kind: .directory, bytes: [], size: 0, modified: 1_700_000_000),
        .init(
          path: "etc/nginx.conf", kind: .file, bytes: Array("events {}\n".utf8), size: 10, modified: 1_700_000_000),
        .init(path: "etc/now", kind: .link(target: "/run/x"), bytes: [], size: 0, modified: 1_700_000_000),
        .init(path: "etc/same", kind: .link(target: "etc/nginx.conf"), bytes: [], size: 0, modified: 1_700_000_000),
        .init(path: "dev/null", kind: .other, bytes: [], size: 0, modified: 1_700_000_000),
      ])
  }

  @Test func namesInOtherAlphabetsAreKept() throws {
    #expect(try Archive.entries(tar: file("größe/本.txt", "x") + end).map(\.path) == ["größe/本.txt"])
  }

  @Test func aLongFileIsCutAndSaysSo() throws {
    let tar = file("log", String(repeating: "x", count: 5000)) + file("next", "y") + end
    let entries = try Archive.entries(tar: tar, limits: .init(bytesPerFile: 1000))
    #expect(entries.map(\.bytes.count) == [1000, 1])
    #expect(entries.map(\.size) == [5000, 1])
  }

  @Test func tooMuchIsRefused() {
    let tar = file("a", "1234") + file("b", "5678") + end
    #expect(throws: Archive.Failure.tooLarge(reason: "more than 1 entries")) {
      try Archive.entries(tar: tar, limits: .init(entries: 1))
    }
    #expect(throws: Archive.Failure.tooLarge(reason: "more than 7 bytes")) {
      try Archive.entries(tar: tar, limits: .init(bytes: 7))
    }
  }

  @Test func aCutArchiveIsDamaged() {
    let tar = file("a", String(repeating: "x", count: 2000))
    #expect(throws: Archive.Failure.self) { try Archive.entries(tar: Array(tar.prefix(1024))) }
    #expect(throws: Archive.Failure.self) { try Archive.entries(tar: Array("<html>no tar</html>".utf8)) }
  }

  @Test func aSizeThatIsALieTakesNoMemory() {
    // Eleven octal digits: 8 GiB that are not there.
    var lie = header("a", type: "0", size: "77777777777")
    lie += Array("few".utf8)
    #expect(throws: Archive.Failure.self) { try Archive.entries(tar: lie) }
  }

  @Test func anyDamageIsAnErrorOrAnAnswerAndNeverACrash() {
    let sound = header("etc/", type: "5") + file("etc/nginx.conf", "events {}\n") + end
    for position in sound.indices {
      for value: UInt8 in [0, 0x7F, 0xFF] {
        var tar = sound
        tar[position] = value
        let entries = try? Archive.entries(tar: tar, limits: .init(bytesPerFile: 64))
        #expect((entries ?? []).allSatisfy { $0.bytes.count <= 64 })
      }
    }
  }

  @Test func nothingHasNoEntries() throws { #expect(try Archive.entries(tar: []).isEmpty) }

  // MARK: Writing tar (ustar), as POSIX.1-2017 "pax" has it

  private let end = [UInt8](repeating: 0, count: 1024)

  private func file(_ path: String, _ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    let padding = (512 - bytes.count % 512) % 512
    return header(path, type: "0", size: String(bytes.count, radix: 8)) + bytes
      + [UInt8](repeating: 0, count: padding)
  }

  private func header(_ path: String, type: String, size: String = "0", link: String = "") -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      block.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    put(path, at: 0)
    put("0000644", at: 100)
    put(size, at: 124)
    put(String(1_700_000_000, radix: 8), at: 136)
    put("        ", at: 148)
    put(type, at: 156)
    put(link, at: 157)
    put("ustar\u{0}00", at: 257)
    put(String(block.reduce(0) { $0 + Int($1) }, radix: 8) + "\u{0} ", at: 148)
    return block
  }
}
