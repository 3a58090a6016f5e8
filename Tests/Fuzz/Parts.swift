/// An input of several texts: each begins behind a line `=== NAME`; what stands before the first is the `main` one.
struct Parts: Sendable {
  private var parts: [String: [UInt8]]
  /// The names in the input's order.
  private(set) var names: [String]

  init(_ input: [UInt8], main: String) {
    parts = [:]
    names = []
    let mark = Array("=== ".utf8)
    var (name, start) = (main, input.startIndex)
    var line = input.startIndex
    while line < input.endIndex {
      let end = input[line...].firstIndex(of: 0x0A) ?? input.endIndex
      let next = min(end + 1, input.endIndex)
      if input[line..<end].starts(with: mark) {
        add(name, input[start..<line])
        name = String(decoding: input[line..<end].dropFirst(mark.count), as: UTF8.self)
        start = next
      }
      line = next
    }
    add(name, input[start...])
  }

  private mutating func add(_ name: String, _ bytes: ArraySlice<UInt8>) {
    // Nothing before the first line is no part.
    if bytes.isEmpty, parts.isEmpty { return }
    if parts.updateValue(Array(bytes), forKey: name) == nil { names.append(name) }
  }

  subscript(name: String) -> [UInt8]? { parts[name] }

  func text(_ name: String) -> String? { parts[name].map { String(decoding: $0, as: UTF8.self) } }

  /// A part of one line, or the first line of one.
  func line(_ name: String) -> String? {
    text(name)?.split(whereSeparator: \.isNewline).first.map { String($0) }
  }

  /// The one that an input of `name` alone is.
  static func one(_ name: String, _ text: [UInt8]) -> [UInt8] { Array("=== \(name)\n".utf8) + text }
}
