import FoundationEssentials

/// A log line as its program wrote it: without the line end's carriage return, without colours, and taken out of the
/// JSON object in which Docker's `json-file` or journald's export keeps it.
public func writtenLine(_ bytes: some Collection<UInt8>) -> String {
  var line = String(decoding: bytes, as: UTF8.self).withoutColours
  if let kept = Kept(line)?.text { line = kept.withoutColours }
  return line.withoutLineEnd
}

/// The object around a line: `{"log":"…\n","stream":"stderr"}` of Docker, `{"MESSAGE":"…",…}` of journald.
private struct Kept: Decodable {
  let text: String?

  init?(_ line: String) {
    guard line.utf8.first == UInt8(ascii: "{"), line.contains(#""log""#) || line.contains(#""MESSAGE""#) else {
      return nil
    }
    guard let kept = try? JSONDecoder().decode(Kept.self, from: Data(line.utf8)) else { return nil }
    self = kept
  }

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: Key.self)
    // journald writes a message that is no text as an array of its bytes.
    text =
      (try? object.decode(String.self, forKey: .log)) ?? (try? object.decode(String.self, forKey: .MESSAGE))
      ?? (try? object.decode([UInt8].self, forKey: .MESSAGE)).map { String(decoding: $0, as: UTF8.self) }
  }

  private enum Key: String, CodingKey { case log, MESSAGE }
}

extension String {
  /// Without one line end at its end.
  var withoutLineEnd: String {
    guard let last = utf8.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") else { return self }
    return String(dropLast())
  }

  /// Without the sequences that colour text on a terminal: ESC, `[`, numbers, `m` or `K`. Others stay.
  public var withoutColours: String {
    let escape = UInt8(0x1B)
    guard utf8.contains(escape) else { return self }
    var bytes: [UInt8] = []
    var rest = utf8[...]
    while let start = rest.firstIndex(of: escape) {
      bytes += rest[..<start]
      rest = rest[start...]
      let end = rest.dropFirst(2).drop { (UInt8(ascii: "0")...UInt8(ascii: ";")).contains($0) }
      let isColour =
        rest.dropFirst().first == UInt8(ascii: "[") && [UInt8(ascii: "m"), UInt8(ascii: "K")].contains(end.first)
      if !isColour { bytes.append(escape) }
      rest = isColour ? end.dropFirst() : rest.dropFirst()
    }
    return String(decoding: bytes + rest, as: UTF8.self)
  }
}
