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
    guard utf8.contains(escape) else { return self }
    var text = self
    return text.withUTF8 { String(decoding: bytesWithoutColours($0), as: UTF8.self) }
  }
}

private let escape = UInt8(0x1B)

extension UnsafeBufferPointer<UInt8> {
  /// Whether it may be text with colours; in an object they are quoted.
  var isColoured: Bool { first != UInt8(ascii: "{") && firstIndex(of: escape, from: 0) != nil }
}

private func bytesWithoutColours(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
  var (text, place) = ([UInt8](), 0)
  text.reserveCapacity(bytes.count)
  while let start = bytes.firstIndex(of: escape, from: place) {
    var end = start + 2
    while end < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: ";")).contains(bytes[end]) { end += 1 }
    let isColour =
      end < bytes.count && bytes[start + 1] == UInt8(ascii: "[")
      && (bytes[end] == UInt8(ascii: "m") || bytes[end] == UInt8(ascii: "K"))
    text += bytes[place..<(isColour ? start : start + 1)]
    place = isColour ? end + 1 : start + 1
  }
  return text + bytes[place...]
}

/// A text in which the `writtenLine` of these bytes stands, unless it stands in the bytes themselves; nil if that is not
/// known without taking them apart. All strings of an object are in it, without their quoting.
func textAround(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
  guard bytes.first == UInt8(ascii: "{") else {
    let text = bytesWithoutColours(bytes)
    // An object may have colours before it.
    return text.first == UInt8(ascii: "{") ? nil : text
  }
  if bytes.firstIndex(of: escape, from: 0) != nil { return nil }
  var (text, place, hasColours) = ([UInt8](), 0, false)
  let backslash = UInt8(ascii: "\\")
  // Most have nothing quoted but the end of their line.
  if let first = bytes.firstIndex(of: backslash, from: 0), bytes[first...].starts(with: #"\n""#.utf8),
    bytes.firstIndex(of: backslash, from: first + 1) == nil
  {
    return text
  }
  text.reserveCapacity(bytes.count)
  while let start = bytes.firstIndex(of: backslash, from: place), start + 1 < bytes.count {
    text += bytes[place..<start]
    place = start + 2
    switch bytes[start + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(bytes[start + 1])
    case UInt8(ascii: "n"): text.append(UInt8(ascii: "\n"))
    case UInt8(ascii: "r"): text.append(UInt8(ascii: "\r"))
    case UInt8(ascii: "t"): text.append(UInt8(ascii: "\t"))
    case UInt8(ascii: "u"):
      let digits = String(decoding: bytes[place...].prefix(4), as: UTF8.self)
      // Others may be halves of a character.
      guard digits.utf8.count == 4, let code = UInt8(digits, radix: 16), code < 0x80 else { return nil }
      text.append(code)
      hasColours = hasColours || code == escape
      place += 4
    default: return nil
    }
  }
  text += bytes[place...]
  return hasColours ? text.withUnsafeBufferPointer(bytesWithoutColours) : text
}
