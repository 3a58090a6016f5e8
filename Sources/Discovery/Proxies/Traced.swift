/// A value of which each byte knows the place in a file that it comes from.
struct Traced: Sendable, Equatable {
  struct Place: Sendable, Equatable {
    let file: String
    /// From 1.
    let line: Int
    /// In UTF-8 bytes from 0.
    let column: Int

    fileprivate func moved(by count: Int) -> Place { Place(file: file, line: line, column: column + count) }
  }

  /// Neighbouring bytes that stand beside each other in a file, too, or in none.
  private struct Piece: Sendable, Equatable {
    var length: Int
    /// Of its first byte.
    let place: Place?
  }

  private(set) var bytes: [UInt8] = []
  /// Nearly every value has one piece.
  private var first: Piece?
  private var others: [Piece] = []

  /// A value that stands in no file.
  init(_ text: String) { self.init(Array(text.utf8), at: nil) }

  /// The text of these columns of a line, if each of its bytes stands there.
  init(_ text: String, file: String, line: Int, columns: Range<Int>?) {
    let bytes = Array(text.utf8)
    let place = columns.flatMap { columns in
      columns.count == bytes.count ? Place(file: file, line: line, column: columns.lowerBound) : nil
    }
    self.init(bytes, at: place)
  }

  /// Bytes that stand one beside the other from `place` on.
  init(_ bytes: [UInt8], at place: Place?) {
    self.bytes = bytes
    add(bytes.count, place)
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  subscript(range: Range<Int>) -> Traced {
    var part = Traced([], at: nil)
    part.bytes = Array(bytes[range])
    var start = 0
    for piece in pieces where start < range.upperBound {
      let inside = range.clamped(to: start..<start + piece.length)
      part.add(inside.count, piece.place?.moved(by: inside.lowerBound - start))
      start += piece.length
    }
    return part
  }

  static func += (left: inout Traced, right: Traced) {
    left.bytes += right.bytes
    for piece in right.pieces { left.add(piece.length, piece.place) }
  }

  /// Where it starts, if all of it stands there in one piece.
  var place: Place? { others.isEmpty ? first?.place : nil }

  private var pieces: [Piece] { first.map { [$0] + others } ?? [] }

  private mutating func add(_ length: Int, _ place: Place?) {
    guard length > 0 else { return }
    guard let last = others.last ?? first else {
      first = Piece(length: length, place: place)
      return
    }
    guard last.place?.moved(by: last.length) == place else {
      others.append(Piece(length: length, place: place))
      return
    }
    if others.isEmpty { first?.length += length } else { others[others.count - 1].length += length }
  }
}
