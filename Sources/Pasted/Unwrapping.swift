import LogLines
import Model
import Pattern

/// A line of a paste as the command that printed it wrote it.
struct PastedLine: Sendable, Equatable {
  /// In the paste, from 1.
  var number: Int
  var text: String
  /// The line of a Markdown fence: what stands behind it is something else than what stands before it.
  var isFence = false
}

extension PastedLine {
  /// The lines of a paste without what has carried them here: colours and other sequences of a terminal, quoting marks,
  /// fences, line numbers, the ends of lines of Windows.
  static func unwrapped(_ text: String) -> [PastedLine] {
    let lines = text.lines.enumerated().map { index, raw in
      PastedLine(number: index + 1, text: writtenLine(withoutSequences(raw).utf8))
    }
    return withoutLineNumbers(withoutFences(withoutQuoting(lines)))
  }

  // MARK: Sequences

  private static let escape: UInt8 = 0x1B

  /// Without what a terminal obeys, and with ordinary blanks for those that browsers copy. Source: ECMA-48, 5.4 and 5.6.
  private static func withoutSequences(_ line: Substring) -> Substring {
    let line = lastWritten(line)
    guard line.utf8.contains(where: { $0 == escape || $0 == 0x07 || $0 >= 0xC2 }) else { return line }
    var text: [UInt8] = []
    var rest = Array(line.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == escape else {
        if byte != 0x07 { text.append(byte) }
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "[")?:
        rest = rest.drop { (0x20...0x3F).contains($0) }.dropFirst()
      case UInt8(ascii: "]")?:
        // To BEL, or ESC and a backslash.
        rest = rest.drop { $0 != 0x07 && $0 != escape }
        rest = rest.first == escape ? rest.dropFirst(2) : rest.dropFirst()
      default: break
      }
    }
    let plain = String(decoding: text, as: UTF8.self)
    return Substring(plain.contains("\u{A0}") ? plain.replacing("\u{A0}", with: " ") : plain)
  }

  /// What stands in the line's place at the end: behind the last return that something was written after.
  private static func lastWritten(_ line: Substring) -> Substring {
    line.split(separator: "\r").last { !$0.allSatisfy(\.isWhitespace) } ?? line
  }

  // MARK: Quoting

  /// `> ` before each of several lines, as mails and forums have it; not what `curl -v` has sent.
  private static func withoutQuoting(_ lines: [PastedLine]) -> [PastedLine] {
    var lines = lines
    for run in runs(in: lines, where: { $0.text.hasPrefix(">") })
    where run.count > 1 && !isRequest(lines[run.lowerBound]) {
      for index in run {
        let text = lines[index].text.dropFirst()
        lines[index].text = String(text.first == " " ? text.dropFirst() : text)
      }
      lines.replaceSubrange(run, with: withoutQuoting(Array(lines[run])))
    }
    return lines
  }

  private static func isRequest(_ line: PastedLine) -> Bool {
    let words = line.text.split(separator: " ")
    return words.count > 2 && words[0] == ">" && words[1].allSatisfy(\.isUppercase) && words[2].hasPrefix("/")
  }

  private static func withoutFences(_ lines: [PastedLine]) -> [PastedLine] {
    lines.map { line in
      let text = line.text.drop { $0 == " " }
      guard let mark = ["```", "~~~"].first(where: text.hasPrefix), !text.dropFirst(3).contains(mark) else {
        return line
      }
      return PastedLine(number: line.number, text: "", isFence: true)
    }
  }

  // MARK: Line numbers

  private static let numbered = try? Pattern(#"^( *(\d{1,6}))(?:(?:\t|: |:$|:(?=\S)| ?[|│] ?)(.*)|( *)(.*))$"#)

  /// `     7\ttext` as `cat -n` has it, `7: text`, ` 7 | text`, and numbers as wide as each other, as editors draw them:
  /// three lines at least, each one more than that before. The kernel's and the system's tables have numbers of their own.
  private static func withoutLineNumbers(_ lines: [PastedLine]) -> [PastedLine] {
    struct Numbered {
      let number: Int
      let width: Int
      /// Behind a sign that ends the number.
      let marked: String?
      let blanks: Int
      let rest: String
    }
    let read = lines.map { line -> Numbered? in
      guard line.text.first.map({ $0 == " " || $0.isNumber }) == true,
        let groups = numbered?.firstMatch(in: line.text)?.groups, let number = groups[2].flatMap({ Int($0) })
      else { return nil }
      return Numbered(
        number: number, width: groups[1]?.count ?? 0, marked: groups[3], blanks: groups[4]?.count ?? 0,
        rest: groups[5] ?? "")
    }
    var lines = lines
    var start = 0
    while start < lines.count {
      guard let first = read[start], first.number > 0 else {
        start += 1
        continue
      }
      var end = start + 1
      while end < lines.count, let next = read[end], next.number == first.number + end - start,
        (next.marked == nil) == (first.marked == nil), first.marked != nil || next.width == first.width
      {
        end += 1
      }
      let run = start..<end
      start = end
      // A table's own head may stand far above: two processes in a row often have numbers in a row.
      let head = read[..<run.lowerBound].lastIndex { $0 == nil }.map { lines[$0].text } ?? ""
      guard run.count > 2, !["PID", "num ", "sl "].contains(where: head.contains) else { continue }
      if first.marked != nil {
        for index in run { lines[index].text = read[index]?.marked ?? "" }
        continue
      }
      let blanks = run.compactMap { read[$0] }.filter { !$0.rest.isEmpty }.map(\.blanks).min() ?? 0
      guard blanks > 0 else { continue }
      for index in run {
        guard let line = read[index] else { continue }
        lines[index].text = String(repeating: " ", count: max(line.blanks - min(blanks, 2), 0)) + line.rest
      }
    }
    return lines
  }

  /// Ranges of lines in a row for which something holds.
  private static func runs(in lines: [PastedLine], where holds: (PastedLine) -> Bool) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for index in lines.indices where holds(lines[index]) {
      if let last = runs.last, last.upperBound == index {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }
}
