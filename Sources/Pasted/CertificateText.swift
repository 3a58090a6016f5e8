import FoundationEssentials
import Model
import World

/// A certificate as `openssl` prints it in PEM, as far as a comparison of names and dates needs it.
///
/// Source: RFC 5280, 4.1; X.690, "Distinguished Encoding Rules".
struct CertificateText: Equatable {
  /// `CN = shop.example.org`.
  let subject: String
  let issuer: String
  /// Names and addresses that it is for.
  let names: [String]
  /// Of its last second: `Jan  1 00:00:00 2030 GMT`, and in seconds since 1970.
  let expires: String
  let end: Double
  let isSelfSigned: Bool
  private let bytes: [UInt8]
  private let issuerBytes: [UInt8]
  private let subjectBytes: [UInt8]

  /// Every certificate of a text, in their order; what is damaged is left out.
  static func all(in text: String) -> [CertificateText] {
    var found: [CertificateText] = []
    var body: String?
    for line in text.lines {
      if line.hasPrefix("-----BEGIN CERTIFICATE") {
        body = ""
      } else if line.hasPrefix("-----END CERTIFICATE"), let text = body {
        body = nil
        if let data = Data(base64Encoded: text), let certificate = CertificateText(Array(data)) {
          found.append(certificate)
        }
      } else {
        body? += line.filter { !$0.isWhitespace }
      }
    }
    return found
  }

  /// True if the one that has signed this is among those, by its name.
  func isIssued(byOneOf others: [CertificateText]) -> Bool {
    others.contains { $0.bytes == bytes || $0.subjectBytes == issuerBytes }
  }

  /// True if it is one of those itself.
  func isOne(of others: [CertificateText]) -> Bool { others.contains { $0.bytes == bytes } }

  /// Nil for bytes of another form.
  init?(_ bytes: [UInt8]) {
    guard let whole = Value(bytes[...]), let body = whole.parts.first else { return nil }
    // The version comes first, where it is written at all.
    let parts = body.parts.first?.tag == 0xA0 ? Array(body.parts.dropFirst()) : body.parts
    guard parts.count > 5, parts[3].parts.count == 2, let time = parts[3].parts[1].time else { return nil }
    self.bytes = bytes
    (issuerBytes, subjectBytes) = (Array(parts[2].content), Array(parts[4].content))
    (issuer, subject) = (parts[2].distinguishedName, parts[4].distinguishedName)
    (expires, end) = (time.text, time.seconds)
    isSelfSigned = issuerBytes == subjectBytes
    let extensions = parts.first { $0.tag == 0xA3 }?.parts.first?.parts ?? []
    let alternative = extensions.first { Array($0.parts.first?.content ?? []) == [0x55, 0x1D, 0x11] }
    let list = alternative?.parts.last.flatMap { Value($0.content) }?.parts ?? []
    names = list.compactMap { name in
      switch name.tag {
      case 0x82: String(decoding: name.content, as: UTF8.self)
      case 0x87:
        Array(name.content).withUnsafeBytes { bytes in
          let text = String(address: bytes)
          return text.isEmpty ? nil : text
        }
      default: nil
      }
    }
  }
}

/// A value in DER: its tag and its content.
private struct Value {
  let tag: UInt8
  let content: ArraySlice<UInt8>
  private let end: Int

  init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.count > 1 else { return nil }
    var start = bytes.startIndex + 2
    var length = Int(bytes[bytes.startIndex + 1])  // fits: a byte
    if length > 0x7F {
      let count = length & 0x7F
      guard (1...3).contains(count), start + count <= bytes.endIndex else { return nil }
      length = bytes[start..<start + count].reduce(0) { $0 << 8 | Int($1) }  // fits: three bytes
      start += count
    }
    guard start + length <= bytes.endIndex else { return nil }
    (tag, content, end) = (bytes[bytes.startIndex], bytes[start..<start + length], start + length)
  }

  /// The values in it; of a damaged one those before the damage.
  var parts: [Value] {
    var parts: [Value] = []
    var rest = content
    while let part = Value(rest) {
      parts.append(part)
      rest = rest[part.end...]
    }
    return parts
  }

  /// `C = DE, CN = shop.example.org`.
  var distinguishedName: String {
    let short: [[UInt8]: String] = [
      [0x55, 4, 3]: "CN", [0x55, 4, 6]: "C", [0x55, 4, 7]: "L", [0x55, 4, 8]: "ST", [0x55, 4, 10]: "O",
      [0x55, 4, 11]: "OU",
    ]
    return parts.flatMap(\.parts).compactMap { pair in
      let values = pair.parts
      guard values.count == 2, let key = short[Array(values[0].content)] else { return nil }
      return "\(key) = \(String(decoding: values[1].content, as: UTF8.self))"
    }.joined(separator: ", ")
  }

  /// `YYMMDDhhmmssZ`, or with four digits of the year.
  var time: (text: String, seconds: Double)? {
    let digits = String(decoding: content, as: UTF8.self).prefix { $0.isNumber }
    let full = tag == 0x17 ? ((digits.first ?? "0") < "5" ? "20" : "19") + digits : digits
    guard full.count == 14 else { return nil }
    let (year, month, day) = (full.prefix(4), full.dropFirst(4).prefix(2), full.dropFirst(6).prefix(2))
    let (hour, minute, second) = (full.dropFirst(8).prefix(2), full.dropFirst(10).prefix(2), full.suffix(2))
    guard let date = try? Date("\(year)-\(month)-\(day)T\(hour):\(minute):\(second)Z", strategy: .iso8601),
      let number = Int(month), (1...12).contains(number), let ofMonth = Int(day)
    else { return nil }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let padded = ofMonth < 10 ? " \(ofMonth)" : "\(ofMonth)"
    return (
      "\(months[number - 1]) \(padded) \(hour):\(minute):\(second) \(year) GMT", date.timeIntervalSince1970
    )
  }
}
