import LogLines
import Testing

@Suite struct SplitterTests {
  /// All lines of a stream that comes in pieces of at most `piece` bytes.
  private func lines(of text: [UInt8], piece: Int) -> [(number: Int, text: String)] {
    var splitter = LineSplitter()
    var rest = text[...]
    var lines: [(Int, String)] = []
    while splitter.advance(
      reading: { buffer in
        let part = rest.prefix(min(piece, buffer.count))
        buffer.copyBytes(from: part)
        rest = rest.dropFirst(part.count)
        return part.count
      }, each: { lines.append(($0, String(decoding: $1, as: UTF8.self))) })
    {}
    return lines
  }

  @Test(arguments: [1, 2, 3, 7, 100])
  func piecesMakeNoDifference(piece: Int) {
    let read = lines(of: Array("one\n\nthree\r\nfour".utf8), piece: piece)
    #expect(read.map(\.text) == ["one", "", "three\r", "four"])
    #expect(read.map(\.number) == [1, 2, 3, 4])
  }

  @Test func anEmptyStreamHasNoLine() {
    #expect(lines(of: [], piece: 10).isEmpty)
    #expect(lines(of: Array("\n".utf8), piece: 10).map(\.text) == [""])
  }

  /// Of a line of five megabytes its start is given, once, and the lines after it keep their numbers.
  @Test(arguments: [4096, 1 << 20, 1 << 22])
  func aVeryLongLineIsCut(piece: Int) {
    let long = [UInt8](repeating: UInt8(ascii: "a"), count: 5_000_000)
    let read = lines(of: Array("first\n".utf8) + long + Array("\nlast\n".utf8), piece: piece)
    #expect(read.map(\.number) == [1, 2, 3])
    #expect(read.map(\.text.utf8.count) == [5, LineSplitter.longest, 4])
    #expect(lines(of: long, piece: piece).map(\.text.utf8.count) == [LineSplitter.longest])
  }
}
