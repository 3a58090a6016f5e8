/// A value of which each byte knows the place in a file that it comes from.
struct Traced: Sendable, Equatable {
  struct Place: Sendable, Equatable {
    let file: String
    /// From 1.
    let line: Int
    /// In UTF-8 bytes from 0.
    let column: Int
  }

  private(set) var bytes: [UInt8]
  private var places: [Place?]

  /// A value that stands in no file.
  init(_ text: String) {
    bytes = Array(text.utf8)
    places = Array(repeating: nil, count: bytes.count)
  }

  /// The text of these columns of a line, if each of its bytes stands there.
  init(_ text: String, file: String, line: Int, columns: Range<Int>?) {
    self.init(text)
    guard let columns, columns.count == bytes.count else { return }
    places = columns.map { Place(file: file, line: line, column: $0) }
  }

  init(_ bytes: some Sequence<UInt8>, _ places: some Sequence<Place?>) {
    self.bytes = Array(bytes)
    self.places = Array(places)
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  subscript(range: Range<Int>) -> Traced { Traced(bytes[range], places[range]) }

  static func += (left: inout Traced, right: Traced) {
    left.bytes += right.bytes
    left.places += right.places
  }

  /// Where it starts, if all of it stands there in one piece.
  var place: Place? {
    guard let first = places.first, let start = first else { return nil }
    let isOnePiece = places.indices.allSatisfy { index in
      places[index] == Place(file: start.file, line: start.line, column: start.column + index)
    }
    return isOnePiece ? start : nil
  }
}
