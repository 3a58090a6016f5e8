internal import FoundationEssentials

/// Bytes from outside, written down so that they can be read and searched for secrets: as text where they are UTF-8; the
/// log of a container, which comes in frames, as the text of each; else in base64.
@propertyWrapper
public struct Bytes: Hashable, Sendable {
  public var wrappedValue: [UInt8]
  public init(wrappedValue: [UInt8]) { self.wrappedValue = wrappedValue }
}

extension Bytes: Codable {
  private enum Form: String, CodingKey { case frames, base64 }

  /// One piece of a container's log. Source: Docker Engine API, "Attach to a container", stream format.
  private struct Frame: Codable {
    /// 1: standard output, 2: standard error.
    let stream: UInt8
    let text: String
  }

  /// A piece of a container's log in its frame.
  public static func framed(_ text: some Collection<UInt8>, stream: UInt8 = 1) -> [UInt8] {
    let count = UInt32(clamping: text.count)
    return [stream, 0, 0, 0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + Array(text)
  }

  /// What is inside the frames of a container's log; what is cut or is no frame ends it.
  public static func pieces(of framed: [UInt8]) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var rest = framed[...]
    while rest.count >= 8, rest[rest.startIndex] < 3 {
      let length = rest.prefix(8).suffix(4).reduce(0) { $0 << 8 | Int(clamping: $1) }
      rest = rest.dropFirst(8)
      pieces.append(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return pieces
  }

  public init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      self.init(wrappedValue: Array(text.utf8))
      return
    }
    let form = try decoder.container(keyedBy: Form.self)
    if let frames = try form.decodeIfPresent([Frame].self, forKey: .frames) {
      self.init(
        wrappedValue: frames.flatMap { Self.framed($0.text.utf8, stream: $0.stream) })
    } else {
      let text = try form.decode(String.self, forKey: .base64)
      guard let data = Data(base64Encoded: text) else {
        throw DecodingError.dataCorruptedError(forKey: .base64, in: form, debugDescription: "it is not base64")
      }
      self.init(wrappedValue: Array(data))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    if let frames = Self.frames(wrappedValue) {
      var form = encoder.container(keyedBy: Form.self)
      try form.encode(frames, forKey: .frames)
    } else if let text = String(validating: wrappedValue, as: UTF8.self) {
      var value = encoder.singleValueContainer()
      try value.encode(text)
    } else {
      var form = encoder.container(keyedBy: Form.self)
      try form.encode(Data(wrappedValue).base64EncodedString(), forKey: .base64)
    }
  }

  /// Nil if the bytes are anything else than whole frames of text.
  private static func frames(_ bytes: [UInt8]) -> [Frame]? {
    var frames: [Frame] = []
    var rest = bytes[...]
    while let stream = rest.first {
      guard stream < 3, rest.count >= 8, rest.dropFirst().prefix(3).allSatisfy({ $0 == 0 }) else { return nil }
      let length = rest.dropFirst(4).prefix(4).reduce(0) { $0 << 8 | Int(clamping: $1) }
      rest = rest.dropFirst(8)
      guard length <= rest.count, let text = String(validating: rest.prefix(length), as: UTF8.self) else { return nil }
      frames.append(Frame(stream: stream, text: text))
      rest = rest.dropFirst(length)
    }
    return frames.isEmpty ? nil : frames
  }
}
