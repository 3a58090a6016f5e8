/// What was wrong with an input. Those of one place in the source, or of one kind, count as one.
struct Flaw: Sendable {
  /// `Sources/Model/Seconds.swift:6`, else the signal; `slow`, `memory`, `hang`.
  let place: String
  /// The program's last words.
  let words: String
  /// The first input that did it, as a file.
  let file: String
  var count = 1
}

extension Flaw {
  /// The innermost place in this repository that a trace names; that of the fuzzing itself if there is no other.
  static func place(in trace: String) -> String? {
    let places = trace.split(whereSeparator: \.isNewline).compactMap { line -> String? in
      guard let start = line.firstRange(of: "/Sources/") ?? line.firstRange(of: "/Tests/Fuzz/") else { return nil }
      // `/path/Sources/Model/Seconds.swift:6:7`; a trace of the standard library's own file has no such folder.
      let words = line[line.index(after: start.lowerBound)...].prefix { !$0.isWhitespace && $0 != ")" }
      return words.split(separator: ":").prefix(2).joined(separator: ":")
    }.filter { $0.contains(".swift:") && !$0.contains("/Driver.swift:") }
    return places.first { $0.hasPrefix("Sources/") } ?? places.first
  }
}

extension Substring {
  /// The first place of a text in this one.
  fileprivate func firstRange(of text: String) -> Range<Index>? {
    let wanted = Array(text.utf8)
    var rest = utf8[...]
    while let slash = rest.firstIndex(of: wanted[0]) {
      if utf8[slash...].starts(with: wanted) { return slash..<utf8.index(slash, offsetBy: wanted.count) }
      rest = utf8[utf8.index(after: slash)...]
    }
    return nil
  }
}
