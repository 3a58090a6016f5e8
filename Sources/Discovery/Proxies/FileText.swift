import Model

/// A file's text with its lines, each of which is made only where it is asked for.
struct FileText: Sendable {
  let text: String
  /// Where each line begins, in UTF-8 bytes from 0.
  private let starts: [UInt32]

  /// The lines of a program that ends them with `\n` or `\r\n`.
  init(_ text: String) {
    self.init(text) { bytes, at in bytes[at] == UInt8(ascii: "\n") ? 1 : 0 }
  }

  /// The lines as YAML counts them: `\r` ends one as well, and so do three characters of Unicode.
  init(yaml text: String) {
    self.init(text) { bytes, at in
      switch bytes[at] {
      case UInt8(ascii: "\n"): 1
      case UInt8(ascii: "\r"): bytes[(at + 1)...].first == UInt8(ascii: "\n") ? 2 : 1
      case 0xC2: bytes[(at + 1)...].first == 0x85 ? 2 : 0
      case 0xE2:
        bytes[(at + 1)...].starts(with: [0x80, 0xA8]) || bytes[(at + 1)...].starts(with: [0x80, 0xA9]) ? 3 : 0
      default: 0
      }
    }
  }

  /// `length` tells how many bytes the line end at an index has; 0 for none.
  private init(_ text: String, _ length: (UnsafeBufferPointer<UInt8>, Int) -> Int) {
    var text = text
    starts = text.withUTF8 { bytes in
      // Counted first: growing an array takes twice its memory.
      func each(_ use: (Int) -> Void) {
        var at = 0
        while at < bytes.count {
          let length = length(bytes, at)
          at += max(length, 1)
          if length > 0 { use(at) }
        }
      }
      var count = 1
      each { _ in count += 1 }
      var starts: [UInt32] = [0]
      starts.reserveCapacity(count)
      each { starts.append(UInt32(truncatingIfNeeded: $0)) }
      return starts
    }
    self.text = text
  }

  /// A line, from 1, without its end; nil behind the last one, and for one that is too long to be shown and pasted: each
  /// of its thousands of words would take a copy of it.
  func line(_ number: Int) -> String? {
    guard starts.indices.contains(number - 1) else { return nil }
    let from = Int(starts[number - 1])  // fits: 32 bits
    let end = number < starts.count ? Int(starts[number]) : text.utf8.count  // fits: 32 bits
    guard end - from <= Limits.pastedLine else { return nil }
    func index(_ offset: Int) -> String.Index { text.utf8.index(text.startIndex, offsetBy: offset) }
    let line = Substring(text.utf8[index(from)..<index(end)])
    return String(line.last?.isNewline == true ? line.dropLast() : line)
  }

  var lineCount: Int { starts.count }
}
