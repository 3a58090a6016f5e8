import Glibc
import Model

/// Answers for a guided session that somebody wrote down before.
enum Answers {
  /// Of a file with one answer a line. Empty lines, and those that begin with `#`, are none.
  static func read(_ path: String) throws(Evidence.Failure) -> [String] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Evidence.Failure(path, "cannot be read") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: Limits.answers)
    while bytes.count <= Limits.answers {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Evidence.Failure(path, "cannot be read") }
      if count == 0 { return answers(in: String(decoding: bytes, as: UTF8.self)) }
      bytes += buffer.prefix(count)
    }
    throw Evidence.Failure(sentence: "\(path.printable) has more than \(Limits.answers >> 10) KB")
  }

  static func answers(in text: String) -> [String] {
    text.lines.map { String($0).trimmed }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
  }
}
