import Archive
import Foundation
import Testing

@Suite struct DecompressorTests {
  /// All bytes of a stream that comes in pieces.
  private func plain(_ bytes: [UInt8], piece: Int = 1000) throws -> [UInt8] {
    var rest = bytes[...]
    let stream = try Decompressor { buffer in
      let part = rest.prefix(min(piece, buffer.count))
      buffer.copyBytes(from: part)
      rest = rest.dropFirst(part.count)
      return part.count
    }
    var result: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 777)
    while true {
      let count = try block.withUnsafeMutableBytes { try stream.read($0) }
      if count == 0 { return result }
      result += block[..<count]
    }
  }

  /// Compressed by the real program.
  private func compressed(_ text: [UInt8], by program: String) throws -> [UInt8] {
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program, "-c"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(text))
    try input.fileHandleForWriting.close()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return Array(bytes)
  }

  private static let text = Array((0..<5000).map { "line \($0 * 7919 % 10007)\n" }.joined().utf8)

  @Test(arguments: ["gzip", "xz", "zstd", "bzip2"])
  func aCompressedStreamIsRead(program: String) throws {
    let bytes = try compressed(Self.text, by: program)
    #expect(bytes.count < Self.text.count / 2)
    #expect(try plain(bytes) == Self.text)
    // Several compressed one after the other, as log rotation leaves them when they are put together.
    #expect(try plain(bytes + bytes) == Self.text + Self.text)
  }

  @Test func whatIsNotCompressedStaysAsItIs() throws {
    #expect(try plain(Self.text) == Self.text)
    #expect(try plain([]) == [])
    #expect(try plain([0x1F]) == [0x1F])
  }

  @Test func aDamagedStreamIsAnError() throws {
    let bytes = try compressed(Self.text, by: "gzip")
    #expect(throws: Decompressor.Damaged.self) { try plain(Array(bytes[..<20]) + Array(repeating: 0xFF, count: 500)) }
  }

  @Test func aSourcesOwnErrorComesThrough() throws {
    struct Broken: Error {}
    let bytes = try compressed(Self.text, by: "gzip")
    var isFirst = true
    #expect(throws: Broken.self) {
      let stream = try Decompressor { buffer in
        guard isFirst else { throw Broken() }
        isFirst = false
        buffer.copyBytes(from: bytes[..<100])
        return 100
      }
      var block = [UInt8](repeating: 0, count: 65536)
      while try block.withUnsafeMutableBytes({ try stream.read($0) }) > 0 {}
    }
  }
}
