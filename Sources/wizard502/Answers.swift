import Model

/// Answers for a guided session that somebody wrote down before.
enum Answers {
  /// Of a file with one answer a line. Empty lines, and those that begin with `#`, are none.
  static func read(_ path: String) throws(Evidence.Failure) -> [String] {
    let bytes = try Evidence.bytes(of: path, most: Limits.answers)
    guard bytes.count <= Limits.answers else {
      throw Evidence.Failure(sentence: "\(path.printable) has more than \(Limits.answers >> 10) KB")
    }
    return answers(in: String(decoding: bytes, as: UTF8.self))
  }

  static func answers(in text: String) -> [String] {
    text.lines.map { String($0).trimmed }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
  }
}
